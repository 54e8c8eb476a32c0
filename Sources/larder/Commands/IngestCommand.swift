import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Caches
import Reporting

/// Takes what jobs' logs name into the index.
struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "ingest", "Count the downloads that a job's log names.",
        """
        Optional: scans see what was fetched without any log. A log adds the name of the job to each miss, and the \
        fetches that no scan could see. Nothing counts twice, in whatever order scans and logs come, and however \
        often a log is read.
        """,
        examples: ["larder ingest maven-log build.log", "gradle build --info | larder ingest gradle-log -"],
        subcommands: [MavenLogCommand.self, GradleLogCommand.self])
}

/// What both kinds of logs are read with.
struct IngestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The job that wrote the log, such as $CI_JOB_ID; else the one the log names.", valueName: "name"))
    var job: String?
    @Option(
        help: ArgumentHelp(
            "The job's project, as $CI_PROJECT_ID; else the one the log names.", valueName: "number"))
    var project: String?
    @Option(
        help: ArgumentHelp("The volume that the job keeps its downloads on.", valueName: "name"),
        completion: .custom(Completions.volumes))
    var volume: String?
    @Argument(help: "The log; - reads standard input.", completion: .file()) var file: String
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run(_ kind: JobLogKind) async throws {
        try await Application.run(global, output) { application in
            try application.say(
                application.services.ingest(kind, file: file, job: job, project: project, volume: volume))
            return nil
        }
    }
}

/// The log of a Maven build.
struct MavenLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "maven-log", "Read the log of a Maven build.",
        "A build with -ntp or -q names no downloads in its log.",
        examples: ["larder ingest maven-log --job 4711 build.log"])

    @OptionGroup var options: IngestOptions

    func run() async throws { try await options.run(.maven) }
}

/// The log of a Gradle build.
struct GradleLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "gradle-log", "Read the log of a Gradle build.",
        "From Gradle 4.10 on a log names downloads only with --info or --debug, and no sizes.",
        examples: ["larder ingest gradle-log --job 4711 build.log"])

    @OptionGroup var options: IngestOptions

    func run() async throws { try await options.run(.gradle) }
}
