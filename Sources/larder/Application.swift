import ArgumentParser
import CacheModel
import CacheServices
import FileAccess
import Foundation
import Reporting

/// What a command works with: the services, and how its result is written.
struct Application: Sendable {
    let services: Services
    let format: OutputFormat
    /// The options that decide on which volumes a command works, as they were typed.
    var words: [String] = []

    /// Runs a command's body; an error becomes its message and the contract's exit code.
    ///
    /// - Parameter volume: the only volume that the command works on; nil for all.
    static func run(
        _ global: GlobalOptions, _ format: FormatOptions, volume: String? = nil, idleFloor: String? = nil,
        body: (Application) async throws -> Failure.Code?
    ) async throws {
        try await run(
            global.flags(idleFloor: idleFloor), format, volume: volume, words: global.words, body: body)
    }

    /// The same with flags that are put together already.
    static func run(
        _ flags: ConfigurationFlags, _ format: FormatOptions, volume: String? = nil, words: [String] = [],
        body: (Application) async throws -> Failure.Code?
    ) async throws {
        do {
            flags.adoptManner()
            let configuration = try Configuration.load(
                flags: flags, environment: ProcessInfo.processInfo.environment)
            Terminal.manner.withLock {
                $0 = .init(
                    color: configuration.color, level: configuration.logLevel, isQuiet: configuration.isQuiet)
            }
            for note in configuration.notes { Terminal.complain("larder: \(note)") }
            for warning in configuration.warnings {
                Terminal.complain("larder: warning: \(warning)", .warning)
            }
            let services = try Services(
                configuration, notify: Terminal.notify, progress: { ProgressLine("\($1): \($0)") }
            ).restricted(to: volume)
            let started = services.clock()
            services.notify(
                "state in \(configuration.stateDirectory); volumes: "
                    + services.configuration.volumes.map { "\($0.name) at \($0.path)" }.joined(
                        separator: ", "),
                .detail)
            let application = Application(services: services, format: format.format, words: words)
            let code = try await body(application)
            services.notify("done in \((services.clock() - started).nanoseconds / 1_000_000) ms", .detail)
            if let code { throw ExitCode(code.rawValue) }
        } catch let code as ExitCode {
            throw code
        } catch {
            let failure = Failure(error)
            failure.report(as: format.format)
            throw ExitCode(failure.code.rawValue)
        }
    }

    /// Writes a command's result to standard output.
    ///
    /// The only place that tells the formats apart.
    func say(_ report: some Report) throws {
        switch format {
        case .text:
            let text = report.text(
                width: Terminal.width, color: Terminal.isColoured, now: services.clock())
            try Terminal.say(text)
            remind(of: text)
        case .json: try Terminal.say(try report.json())
        }
    }

    /// Says what the commands in a text need to work on the same volumes, for whoever copies them from a terminal.
    private func remind(of text: String) {
        let typed = words.map(ShellWord.typed).joined(separator: " ")
        guard Terminal.isInteractive, !typed.isEmpty, !text.contains(typed),
            ["plan", "prune", "trash", "scan", "report", "warm"].contains(where: {
                text.contains("larder \($0) ")
            })
        else { return }
        Terminal.complain("larder: the commands above need \(typed) as well")
    }

    /// Writes a use case's report, and hands on its exit code.
    func say(_ result: ServiceResult<some Report>) throws -> Failure.Code? {
        try say(result.report)
        return result.code
    }

    /// Writes a file that was asked for.
    ///
    /// - Parameter what: its name in the error: `the plan`.
    /// - Throws: `Failure`.
    func write(_ text: String, to file: String, _ what: String) throws {
        do { try replaceFile(at: file, with: text) } catch {
            throw Failure(
                code: .failed, message: "\(what) cannot be written to \(file): \(error)",
                hint: "name a file in a directory that can be written")
        }
    }
}

extension Failure {
    /// Says it on standard error, or as the contract's JSON on standard output.
    func report(as format: OutputFormat) {
        let report = ErrorReport(code: code.rawValue, error: message, hint: hint)
        if format == .json, let text = try? report.json(), (try? Terminal.say(text)) != nil { return }
        // Where standard output takes nothing, on a full disk, it is told all the same.
        Terminal.fail(
            report.text(width: Terminal.errorColumns, color: false, now: Services.systemClock()))
    }
}

extension ConfigurationError: DescribedFailure {
    /// A wrong value on the command line is wrong usage, whatever it sets; one from elsewhere is a wrong configuration.
    var failure: Failure {
        let isUsage = problems.allSatisfy { if case .flag = $0.origin { true } else { false } }
        return Failure(code: isUsage ? .usage : .configuration, message: "\(self)")
    }
}
