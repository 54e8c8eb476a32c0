import ArgumentParser
import CacheModel
import CacheServices
import Foundation
import Reporting

/// What a command works with: the services, and how its result is written.
struct Application: Sendable {
    let services: Services
    let format: OutputFormat

    /// Runs a command's body; an error becomes its message and the contract's exit code.
    static func run(
        _ global: GlobalOptions, _ format: FormatOptions, idleFloor: String? = nil,
        body: (Application) async throws -> Failure.Code?
    ) async throws {
        try await run(global.flags(idleFloor: idleFloor), format, body: body)
    }

    /// The same with flags that are put together already.
    static func run(
        _ flags: ConfigurationFlags, _ format: FormatOptions,
        body: (Application) async throws -> Failure.Code?
    ) async throws {
        do {
            let configuration = try Configuration.load(
                flags: flags, environment: ProcessInfo.processInfo.environment)
            for warning in configuration.warnings {
                Terminal.complain("larder: warning: \(warning)", .warning)
            }
            let services = Services(
                configuration, notify: Terminal.notify, progress: { ProgressLine($0) })
            let application = Application(services: services, format: format.format)
            if let code = try await body(application) { throw ExitCode(code.rawValue) }
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
            try Terminal.say(
                report.text(width: Terminal.width, color: Terminal.isColoured, now: services.clock()))
        case .json: try Terminal.say(try report.json())
        }
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
        do { try text.write(toFile: file, atomically: true, encoding: .utf8) } catch {
            throw Failure(
                code: .failed, message: "\(what) cannot be written to \(file): \(error.localizedDescription)",
                hint: "name a file in a directory that can be written")
        }
    }
}

extension Failure {
    /// Says it on standard error, or as the contract's JSON on standard output.
    func report(as format: OutputFormat) {
        let report = ErrorReport(code: code.rawValue, error: message, hint: hint)
        switch format {
        case .text:
            Terminal.complain(
                report.text(width: Terminal.width, color: false, now: Services.systemClock()), .error)
        case .json: if let text = try? report.json() { try? Terminal.say(text) }
        }
    }
}

extension ConfigurationError: DescribedFailure {
    var failure: Failure { Failure(code: .configuration, message: "\(self)") }
}
