import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Caches
import Reporting

/// Takes what jobs' logs name into the index.
struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest", abstract: "Count the downloads that a job's log names.",
        discussion: """
            Optional: scans see what was fetched without any log. A log adds the name of the job to each miss, and \
            the fetches that no scan could see. Nothing counts twice, in whatever order scans and logs come, and \
            however often a log is read.
            """,
        subcommands: [MavenLogCommand.self, GradleLogCommand.self])
}

/// What both kinds of logs are read with.
struct IngestOptions: ParsableArguments {
    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @Option(
        help: ArgumentHelp(
            "The job that wrote the log, such as $CI_JOB_ID; else the one the log names.", valueName: "name"))
    var job: String?
    @Option(help: ArgumentHelp("The volume that the job keeps its downloads on.", valueName: "name"))
    var volume: String?
    @Argument(help: "The log; - reads standard input.") var file: String

    func run(_ kind: JobLogKind) async throws {
        try await Application.run(global, output) { try ingest(kind, $0) }
    }

    private func ingest(_ kind: JobLogKind, _ application: Application) throws -> Failure.Code? {
        let name = try volumeName(application)
        if let job, job.isEmpty || job.utf8.count > 200 || escaped(Array(job.utf8)) != job {
            throw Failure.usage("--job takes a name of 1 to 200 printable characters")
        }
        let index = try application.index()
        let ingestion = JobLogIngestion(index: index, regretWindow: application.configuration.regretWindow)
        do {
            let result = try ingestion.run(
                kind, path: file, volume: name, job: job, now: application.clock())
            let report = IngestReport(
                kind: kind.rawValue, log: file, volume: name, job: result.job, lines: result.log.lines,
                skipped: result.log.skipped, others: result.log.others, damaged: result.log.damaged,
                firstDamaged: result.log.firstDamaged, isCut: result.log.isCut, entries: result.entries)
            try application.say(report)
            return nil
        } catch JobLogError.noFile {
            throw Failure(
                code: .failed, message: "\(escaped(Array(file.utf8))) is no file",
                hint: "name a file, or write - and send the log to standard input")
        } catch JobLogError.unreadable(let reason) {
            let place = file == "-" ? "standard input" : escaped(Array(file.utf8))
            throw Failure(
                code: .failed, message: "the log cannot be read from \(place): \(reason)",
                hint: "name the log of a job, or - for standard input")
        }
    }

    private func volumeName(_ application: Application) throws -> String {
        let caches = application.configuration.volumes.filter { $0.kind == .buildCache }
        let names = caches.map(\.name).joined(separator: ", ")
        if let volume {
            guard caches.contains(where: { $0.name == volume }) else {
                throw Failure.usage("no build cache is called \(volume); there are: \(names)")
            }
            return volume
        }
        guard let only = caches.first, caches.count == 1 else {
            throw Failure.usage("there are several build caches, \(names): say which one with --volume")
        }
        return only.name
    }
}

/// The log of a Maven build.
struct MavenLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maven-log", abstract: "Read the log of a Maven build.",
        discussion: "A build with -ntp or -q names no downloads in its log.")

    @OptionGroup var options: IngestOptions

    func run() async throws { try await options.run(.maven) }
}

/// The log of a Gradle build.
struct GradleLogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gradle-log", abstract: "Read the log of a Gradle build.",
        discussion: "From Gradle 4.10 on a log names downloads only with --info or --debug, and no sizes.")

    @OptionGroup var options: IngestOptions

    func run() async throws { try await options.run(.gradle) }
}
