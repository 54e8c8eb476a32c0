import CacheIndex
import CacheModel
import Reporting

/// What ends a command: the contract's exit code, what is wrong, and what to do.
package struct Failure: Error {
    /// The contract's exit codes.
    package enum Code: Int32, Sendable {
        case failed = 1
        case overQuota = 3
        case inPart = 4
        case usage = 64
        case held = 75
        case configuration = 78
    }

    package var code: Code
    package var message: String
    package var hint: String?
    /// Whether the same may succeed a little later: something else holds what is needed, or a damaged index is
    /// rebuilt at its next opening.
    package var isTransient = false

    /// Makes a failure from all it consists of.
    package init(code: Code, message: String, hint: String? = nil, isTransient: Bool = false) {
        self.code = code
        self.message = message
        self.hint = hint
        self.isTransient = isTransient
    }

    /// The message and the hint in one sentence, for a list of what was passed over.
    package var sentence: String { [message, hint].compactMap { $0 }.joined(separator: "; ") }

    package static func usage(_ message: String) -> Failure { Failure(code: .usage, message: message) }
}

/// An error that knows what it means to a script and to a person.
package protocol DescribedFailure: Error {
    /// The exit code, the message and the hint.
    var failure: Failure { get }
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
    package init(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as any DescribedFailure: self = error.failure
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
