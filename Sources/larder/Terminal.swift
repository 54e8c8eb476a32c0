import CacheServices
import Foundation
import Glibc
import Logging
import Synchronization

/// Standard output for results, standard error for everything else.
enum Terminal {
    /// Writes a result to standard output; quietly not where nobody reads it any more.
    ///
    /// - Throws: `Failure` where it cannot be written, as on a full disk.
    static func say(_ text: String) throws(Failure) {
        let code = write(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO)
        guard code == 0 || code == EPIPE else {
            throw Failure(
                code: .failed,
                message: "standard output cannot be written: \(String(cString: strerror(code)))",
                hint: "make room where it goes to")
        }
    }

    /// Gets what would be written to standard error; nil except in the daemon, which logs it.
    static let listener = Mutex<(@Sendable (String, Logger.Level) -> Void)?>(nil)

    /// Writes a line to standard error; the daemon logs it with that level.
    static func complain(_ line: String, _ level: Logger.Level = .info) {
        if let listener = listener.withLock({ $0 }) {
            listener(line.hasPrefix("larder: ") ? String(line.dropFirst(8)) : line, level)
        } else {
            writeError(line)
        }
    }

    /// Tells what a use case has to say beside its report.
    @Sendable static func notify(_ text: String, _ urgency: Services.Urgency) {
        complain("larder: \(text)", urgency == .warning ? .warning : .info)
    }

    /// Writes a line to standard error, whoever listens.
    @Sendable static func writeError(_ line: String) {
        _ = write(line.hasSuffix("\n") ? line : line + "\n", to: STDERR_FILENO)
    }

    /// Whether colours may be used on standard output.
    static var isColoured: Bool {
        isatty(STDOUT_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
            && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }

    /// The columns of standard output, at most 120; 80 where it is no terminal.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 40 else { return 80 }
        return min(Int(size.ws_col), 120)
    }

    /// Writes all of a text; the errno where that fails, else 0.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return count < 0 ? errno : EIO }
            rest = rest.dropFirst(count)
        }
        return 0
    }
}

/// A line on a terminal's standard error that is written over as the work goes on; nothing elsewhere.
final class ProgressLine: ProgressDisplay, @unchecked Sendable {
    private let lock = NSLock()
    private let label: String
    private let isShown = isatty(STDERR_FILENO) == 1 && Terminal.listener.withLock { $0 == nil }
    private var last = Date.distantPast

    init(_ label: String) { self.label = label }

    /// Shows how far it is, ten times a second at most.
    func update(_ text: @autoclosure () -> String) {
        guard isShown else { return }
        lock.lock()
        defer { lock.unlock() }
        guard Date().timeIntervalSince(last) > 0.1 else { return }
        last = Date()
        FileHandle.standardError.write(Data("\r\u{1b}[K\(label) \(text())".utf8))
    }

    /// Takes the line away.
    func end() {
        guard isShown else { return }
        FileHandle.standardError.write(Data("\r\u{1b}[K".utf8))
    }
}
