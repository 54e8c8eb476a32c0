import ArgumentParser
import CLinux
import CacheServices
import FileAccess
import Foundation
import Glibc

/// Larder keeps the cache volumes of a CI system stocked, sized and pruned.
@main
struct Larder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "larder",
        abstract: "Keeps the cache volumes of a CI system stocked, sized and pruned.",
        discussion: """
            It knows what lies on the volumes (Maven and Gradle artifacts, Podman images), what jobs used, and \
            what may go. 'scan' brings the index up to date, 'plan' shows what a prune would remove and why, \
            'prune' does it. Nothing a job uses, installed itself or is fetching is ever removed, and what is \
            removed from a build cache can be brought back from the trash for a day.

            Examples:
              larder scan
              larder status
              larder plan --volume build
              larder explain com.google.guava:guava:33.0.0-jre

            Exit codes: 0 done; 1 failed; 3 over quota still, nothing more could be evicted safely; 4 done in \
            part; 64 wrong usage; 75 another Larder holds the volume; 78 wrong configuration.
            """,
        version: "larder \(LarderVersion.current)",
        subcommands: [
            ScanCommand.self, StatusCommand.self, ListCommand.self, PlanCommand.self, PruneCommand.self,
            TrashCommand.self, ExplainCommand.self, WarmCommand.self, ReportCommand.self,
            VerifyCommand.self, LintRunnerCommand.self, IngestCommand.self, DoctorCommand.self,
            MetricsCommand.self, ConfigCommand.self, NotifyCommand.self, ServeCommand.self,
            ManualCommand.self,
        ])

    @OptionGroup(title: "Global options") var global: GlobalOptions

    /// Raises the number of open files to what is allowed: a walk holds one for each level of a deep tree.
    private static func raiseOpenFiles() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Each further heap of glibc's takes 64 MiB of address space, whatever lies in it: where that is bounded, one
    /// must do.
    private static func spareAddressSpace() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < 1 << 32 else {
            return
        }
        larder_share_one_heap()
    }

    /// What a command needs at least: one less, and it would wait for ever.
    private static let threadsNeeded = 6

    /// Takes the places of standard streams that are closed.
    ///
    /// Else the next file that is opened, such as the index, would get the number of standard output, and what is
    /// printed would be written into it.
    private static func holdClosedStreams() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // The wrong way round, so that using it fails with EBADF as before.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Ends with what the parser has to say: help and the version are results, everything else is an error.
    private static func end(_ error: any Error) -> Never {
        guard !(error is ExitCode), exitCode(for: error) == .success else { exit(withError: error) }
        let text = fullMessage(for: error)
        do throws(Failure) {
            if !text.isEmpty { try Terminal.say(text) }
        } catch {
            error.report(as: .text)
            Glibc.exit(error.code.rawValue)
        }
        Glibc.exit(0)
    }

    /// An option of a command that can be given once and was given twice: which one is meant, nobody knows.
    ///
    /// The options of every command may be repeated, the last one counts: a wrapper sets them, and its user others.
    private static func repeatedOption(_ arguments: [String]) -> String? {
        var given: Set<String> = []
        let again = arguments.prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
            .map { $0.prefix { $0 != "=" } }.filter { !given.insert(String($0)).inserted }
        guard !again.isEmpty,
            let tool = try? JSONDecoder().decode(ManualCommand.Tool.self, from: Data(_dumpHelp().utf8))
        else { return nil }
        func options(_ command: ManualCommand.Tool.Command) -> [ManualCommand.Tool.Argument] {
            (command.arguments ?? []).filter { $0.kind == "option" }
        }
        func names(_ options: [ManualCommand.Tool.Argument]) -> Set<String> {
            Set(options.flatMap { ($0.names ?? []).map { "--" + $0.name } })
        }
        func all(_ command: ManualCommand.Tool.Command) -> [ManualCommand.Tool.Argument] {
            (command.subcommands ?? []).flatMap { options($0) + all($0) }
        }
        let known = all(tool.command)
        let single = names(known).subtracting(names(known.filter(\.isRepeating)))
            .subtracting(names(options(tool.command)))
        return again.map(String.init).first(where: single.contains)
    }

    @MainActor
    static func main() async {
        holdClosedStreams()
        raiseOpenFiles()
        spareAddressSpace()
        signal(SIGPIPE, SIG_IGN)
        // A file that may not grow is an error to be told, and no end.
        signal(SIGXFSZ, SIG_IGN)
        guard canStartThreads(threadsNeeded) else {
            Failure(
                code: .failed, message: "this process may not start \(threadsNeeded) threads",
                hint:
                    "raise the limit of processes (ulimit -u, or pids.max of the pod), or end what uses it up"
            ).report(as: asksForJSON(CommandLine.arguments) ? .json : .text)
            Glibc.exit(Failure.Code.failed.rawValue)
        }
        if CommandLine.arguments.dropFirst() == ["--generate-completion-script", "bash"] {
            // Keys have colons, at which bash would break the word that is completed (bash(1), COMP_WORDBREAKS).
            try? Terminal.say(completionScript(for: .bash) + "\nCOMP_WORDBREAKS=${COMP_WORDBREAKS//:}\n")
            return
        }
        do {
            var command = try parseAsRoot()
            if let name = repeatedOption(CommandLine.arguments) {
                Failure(code: .usage, message: "\(name) is given more than once; accepted: once").report(
                    as: asksForJSON(CommandLine.arguments) ? .json : .text)
                Glibc.exit(Failure.Code.usage.rawValue)
            }
            // A scan of a large volume needs a hundred megabytes for two seconds, and then none for an hour.
            if command is ServeCommand { larder_keep_little_memory() }
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            // A command that ran has told what ended it.
            guard !(error is ExitCode), exitCode(for: error) == .validationFailure else { end(error) }
            let isJSON = asksForJSON(CommandLine.arguments)
            if let failure = CommandGuess.misplacedOption(Array(CommandLine.arguments.dropFirst())) {
                failure.report(as: isJSON ? .json : .text)
                Glibc.exit(Failure.Code.usage.rawValue)
            }
            if let (word, meant, known) = CommandGuess.mistyped(Array(CommandLine.arguments.dropFirst())) {
                Failure(
                    code: .usage,
                    message: "no command is called \(quotable(word))"
                        + ((CommandGuess.elsewhere(word) ?? meant).map { "; did you mean \($0)?" } ?? ""),
                    hint: "the commands are: \(known.joined(separator: ", "))"
                ).report(as: isJSON ? .json : .text)
                Glibc.exit(Failure.Code.usage.rawValue)
            }
            if let failure = MalformedValue(message(for: error))?.failure {
                failure.report(as: isJSON ? .json : .text)
                Glibc.exit(Failure.Code.usage.rawValue)
            }
            if isJSON {
                Failure.usage(message(for: error)).report(as: .json)
                Glibc.exit(Failure.Code.usage.rawValue)
            }
            exit(withError: error)
        }
    }

    /// Whether the arguments ask for JSON, for the error of arguments that could not be parsed.
    private static func asksForJSON(_ arguments: [String]) -> Bool {
        arguments.contains("--format=json")
            || zip(arguments, arguments.dropFirst()).contains { $0 == "--format" && $1 == "json" }
    }
}
