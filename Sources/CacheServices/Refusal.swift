import FileAccess
import Glibc

/// Why an entry stays after all.
struct Refusal: Hashable, ExpressibleByStringInterpolation {
    /// What kind of reason it is.
    enum Cause {
        /// The system refused the move to this user.
        case denied
        /// Somebody else removed the entry: nothing is left to do.
        case gone
        case other
    }

    /// For people.
    let text: String
    let cause: Cause

    init(_ text: String, _ cause: Cause = .other) {
        self.text = text
        self.cause = cause
    }

    init(stringLiteral text: String) { self.init(text) }

    /// A move that failed.
    init(ofMove error: SystemError) {
        switch error.code {
        case EACCES, EPERM: self = Refusal("it cannot be moved by this user: \(error)", .denied)
        // No mount lies in between: that was looked at before.
        case EXDEV:
            self = """
                its file system moves no such directory: it lies in the lower layer of an overlay mounted without \
                redirect_dir, or belongs to another project quota
                """
        default: self = "it could not be moved: \(error)"
        }
    }

    /// Somebody else removed it.
    static let gone = Refusal("it is gone already", .gone)

    /// The run was asked to stop: what was moved by then is recorded like any other run.
    static let stopped: Refusal = "the run was asked to stop"
}
