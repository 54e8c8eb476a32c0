import CacheServices
import Foundation
import Glibc
import Logging
import Reporting
import Synchronization

/// Standard output for results, standard error for everything else.
enum Terminal {
    /// How a command was asked to write.
    struct Manner: Sendable {
        /// When colours are used on standard output.
        var color = ColorChoice.auto
        /// What is less severe than this is not told on standard error.
        var level = Logger.Level.notice
        /// Whether nothing is told but errors, and no progress is shown.
        var isQuiet = false
    }

    /// How this process writes.
    static let manner = Mutex(Manner())

    /// Writes a result to standard output; quietly not where nobody reads it any more.
    ///
    /// - Throws: `Failure` where it cannot be written, as on a full disk.
    static func say(_ text: String) throws(Failure) {
        let code = write(ended(text), to: STDOUT_FILENO)
        guard code == 0 || code == EPIPE else {
            if code == EBADF {
                throw Failure(
                    code: .failed, message: "standard output is closed",
                    hint: "leave it open, or send it to a file, such as /dev/null")
            }
            let isFull = code == ENOSPC || code == EDQUOT || code == EFBIG
            throw Failure(
                code: .failed,
                message: "standard output cannot be written: \(String(cString: strerror(code)))",
                hint: isFull ? "make room where it goes to" : "look at where it goes to")
        }
    }

    /// Gets what would be written to standard error; nil except in the daemon, which logs it.
    static let listener = Mutex<(@Sendable (String, Logger.Level) -> Void)?>(nil)

    /// Writes a line to standard error, if it is severe enough; the daemon logs it with that level.
    static func complain(_ line: String, _ level: Logger.Level = .notice) {
        if let listener = listener.withLock({ $0 }) {
            listener(line.hasPrefix("larder: ") ? String(line.dropFirst(8)) : line, level)
        } else if level >= manner.withLock({ $0.isQuiet ? max(.error, $0.level) : $0.level }) {
            writeError(line)
        }
    }

    /// Writes what ends a command to standard error, however little else is told; the daemon logs it as an error.
    static func fail(_ text: String) {
        if let listener = listener.withLock({ $0 }) {
            listener(text.hasPrefix("larder: ") ? String(text.dropFirst(8)) : text, .error)
        } else {
            writeError(text)
        }
    }

    /// Tells what a use case has to say beside its report.
    @Sendable static func notify(_ text: String, _ urgency: Services.Urgency) {
        let level: Logger.Level =
            switch urgency {
            case .detail: .debug
            case .information: .notice
            case .warning: .warning
            case .failure: .error
            }
        complain("larder: \(text)", level)
    }

    /// Writes a line to standard error, whoever listens.
    @Sendable static func writeError(_ line: String) {
        _ = write(ended(line), to: STDERR_FILENO)
    }

    /// A text with the end of its last line, which in CSV is CRLF: one character, that does not end in a line feed.
    static func ended(_ text: String) -> String {
        text.utf8.last == UInt8(ascii: "\n") ? text : text + "\n"
    }

    /// Whether a person reads standard output.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether colours are used on standard output.
    static var isColoured: Bool {
        switch manner.withLock({ $0.color }) {
        case .always: true
        case .never: false
        case .auto:
            isatty(STDOUT_FILENO) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
                && ProcessInfo.processInfo.environment["TERM"] != "dumb"
        }
    }

    /// The columns of standard output: those that `COLUMNS` tells, else the terminal's; without bound where it is no
    /// terminal.
    static var width: Int { width(of: STDOUT_FILENO) ?? unboundedWidth }

    /// The columns of standard error, for messages.
    static var errorColumns: Int { width(of: STDERR_FILENO) ?? unboundedWidth }

    private static func width(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        if let told = ProcessInfo.processInfo.environment["COLUMNS"].flatMap({ Int($0) }), told > 0 {
            return told
        }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
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
    private let isShown =
        isatty(STDERR_FILENO) == 1 && Terminal.listener.withLock { $0 == nil }
        && !Terminal.manner.withLock { $0.isQuiet }
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
