import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Caches
import Foundation
import Glibc
import PodmanClient
import Reporting

/// What ends a command: the contract's exit code, what is wrong, and what to do.
struct Failure: Error {
    /// The contract's exit codes.
    enum Code: Int32 {
        case failed = 1
        case overQuota = 3
        case inPart = 4
        case usage = 64
        case held = 75
        case configuration = 78
    }

    var code: Code
    var message: String
    var hint: String?
    /// Whether the same may succeed a little later: something else holds what is needed, or a damaged index is
    /// rebuilt at its next opening.
    var isTransient = false

    /// The message and the hint in one sentence, for a list of what was passed over.
    var sentence: String { [message, hint].compactMap { $0 }.joined(separator: "; ") }

    static func usage(_ message: String) -> Failure { Failure(code: .usage, message: message) }

    /// Says it on standard error, or as the contract's JSON on standard output.
    func report(as format: OutputFormat) {
        let report = ErrorReport(code: code.rawValue, error: message, hint: hint)
        switch format {
        case .text:
            Terminal.complain(
                report.text(width: Terminal.width, color: false, now: Application.systemClock()), .error)
        case .json: if let text = try? report.json() { Terminal.say(text) }
        }
    }
}

extension [Failure] {
    /// Notes what kept a command from a volume, and gives the line for its report.
    mutating func skip(_ volume: Volume, for error: any Error) -> SkippedVolume {
        let failure = Failure(error)
        append(failure)
        return SkippedVolume(name: volume.name, path: volume.path, reason: failure.sentence)
    }
}

extension Failure {
    /// What any error of the parts below means to a script and to a person.
    init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as ConfigurationError: self.init(code: .configuration, message: "\(error)")
        case let error as MaintenanceError:
            let (code, isTransient): (Code, Bool) =
                switch error {
                case .held: (.held, true)
                case .wentAway: (.failed, true)
                default: (.failed, false)
                }
            self.init(code: code, message: "\(error)", hint: error.hint, isTransient: isTransient)
        case let error as IndexError:
            var isTransient = false
            switch error {
            case .busy, .damaged: isTransient = true
            default: break
            }
            self.init(
                code: .failed, message: error.message, hint: error.remedy, isTransient: isTransient)
        default: self.init(code: .failed, message: "\(error)")
        }
    }
}
