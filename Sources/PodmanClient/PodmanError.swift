import CacheModel

/// Why Podman did not do or answer what it was asked over its socket.
///
/// Each description names the socket and what to do.
package enum PodmanError: Error, Sendable, Hashable {
    /// The configured address is no `unix://` and an absolute path that a socket can have.
    case invalidSocket(String)
    /// There is nothing at the socket's path.
    case socketAbsent(path: String)
    /// Nobody listens at the socket: what was there ended and left it behind.
    case connectionRefused(path: String)
    /// This process may not use the socket.
    case permissionDenied(path: String)
    /// The connection could not be made for another reason, or broke before the answer was complete.
    case connectionFailed(path: String, reason: String)
    /// The answer was not complete in time.
    case deadlinePassed(path: String, request: String, after: Span)
    /// Podman answered with an error of its own.
    case status(path: String, request: String, code: Int, message: String)
    /// The answer is none that Podman would give.
    case unreadableAnswer(path: String, request: String, reason: String)
    /// The answer is larger than any that Podman would give.
    case answerTooLarge(path: String, request: String, limit: ByteCount)
}

extension PodmanError {
    /// Whether no Podman answers at all, so that nothing can be changed through the socket.
    package var isNobodyThere: Bool {
        switch self {
        case .invalidSocket, .socketAbsent, .connectionRefused, .permissionDenied: true
        case .connectionFailed, .deadlinePassed, .status, .unreadableAnswer, .answerTooLarge: false
        }
    }
}

extension PodmanError: CustomStringConvertible {
    /// What is wrong, with which socket, and what to do, in one line that is safe to print.
    package var description: String {
        switch self {
        case .invalidSocket(let text):
            "Podman socket \"\(printable(text))\": expected unix:// and an absolute path of at most "
                + "\(PodmanClient.longestPath) bytes, such as unix:///sockets/podman.sock"
        case .socketAbsent(let path):
            "\(socket(path)) is not there: is the podman sidecar running, and is the volume with its socket "
                + "mounted here?"
        case .connectionRefused(let path):
            "\(socket(path)) refuses connections: is the podman sidecar running? It left a socket behind that "
                + "nobody listens at; restart it"
        case .permissionDenied(let path):
            "\(socket(path)) may not be used by this process: run Larder as the user that `podman system "
                + "service` runs as"
        case .connectionFailed(let path, let reason):
            "\(socket(path)): \(printable(reason)): is the podman sidecar running? See its log, and try again"
        case .deadlinePassed(let path, let request, let span):
            "\(socket(path)): no complete answer to \(printable(request)) within \(span): is a large pull "
                + "under way, which keeps the store locked? If not, restart the podman sidecar"
        case .status(let path, let request, let code, let message):
            "\(socket(path)): \(printable(request)) failed with status \(code): \(printable(message))"
                + hint(code, message)
        case .unreadableAnswer(let path, let request, let reason):
            "\(socket(path)): the answer to \(printable(request)) cannot be read: \(printable(reason)); "
                + "is it the socket of Podman 4 or later?"
        case .answerTooLarge(let path, let request, let limit):
            "\(socket(path)): the answer to \(printable(request)) is larger than \(limit), and was not read; "
                + "is it the socket of Podman 4 or later?"
        }
    }

    // The names of containers/storage's errors, as they appear in Podman's answers (v4.3.1).
    private func hint(_ code: Int, _ message: String) -> String {
        if message.contains("layer not known") {
            return "; an image in the store is damaged: `larder scan` names it"
        }
        return code >= 500 ? "; see the log of the podman sidecar" : ""
    }
}

private func printable(_ text: String) -> String { escaped(text.utf8) }

private func socket(_ path: String) -> String { "Podman socket \(printable(path))" }
