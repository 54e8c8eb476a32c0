import CacheModel
import Foundation
import Logging

/// Writes what the daemon does to standard error: a line of JSON for each event, or, on a terminal, a plain line
/// with the same values behind it.
///
/// The keys of a JSON line are `time` (RFC 3339, UTC), `level`, `message`, and those of the event: `activity`,
/// `volume`, `result`, `reason`, `milliseconds` and the figures, all numbers as numbers.
package struct DaemonLog: LogHandler {
    /// What goes with every event.
    package var metadata: Logger.Metadata = [:]
    /// What is less severe than this is left out: the shared level, unless this logger was given its own.
    package var logLevel: Logger.Level {
        get { ownLevel ?? level.value }
        set { ownLevel = newValue }
    }

    private let level: LogLevel
    private var ownLevel: Logger.Level?
    private let isJSON: Bool
    private let clock: @Sendable () -> Timestamp
    private let write: @Sendable (String) -> Void

    /// Makes a handler that gives whole lines without their end to `write`.
    package init(
        level: LogLevel, isJSON: Bool, clock: @escaping @Sendable () -> Timestamp,
        write: @escaping @Sendable (String) -> Void
    ) {
        (self.level, self.isJSON, self.clock, self.write) = (level, isJSON, clock, write)
    }

    /// One value that goes with every event.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes an event.
    package func log(event: LogEvent) {
        guard isJSON else {
            write(
                "\(clock()) \(event.level.rawValue): \(event.message)\(plain(event.metadata ?? [:], "\(event.message)"))"
            )
            return
        }
        var line = #"{"time":"\#(clock())","level":"\#(event.level.rawValue)","message":"#
        line += Self.quoted("\(event.message)")
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            let text = "\(value)"
            line += ",\(Self.quoted(key)):" + (Int64(text).map(String.init) ?? Self.quoted(text))
        }
        write(line + "}")
    }

    /// What goes with an event, for a terminal: `  address=127.0.0.1:9847`, without what the message says already.
    private func plain(_ own: Logger.Metadata, _ message: String) -> String {
        let words = Set(message.split { " :,;()".contains($0) }.map(String.init))
        let pairs = metadata.merging(own) { $1 }.sorted { $0.key < $1.key }.compactMap {
            key, value -> String? in
            let text = "\(value)"
            if words.contains(text), Int64(text) == nil { return nil }
            let isPlain =
                !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 32 && $0 != "\"" && $0 != "=" }
            return "\(key)=\(isPlain ? text : Self.quoted(text))"
        }
        return pairs.isEmpty ? "" : "  " + pairs.joined(separator: " ")
    }

    /// The text as a JSON string (RFC 8259, section 7).
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 32 || scalar.value == 127:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// The least severe level that is logged, shared by all loggers.
package final class LogLevel: @unchecked Sendable {
    private let lock = NSLock()
    private var current: Logger.Level

    /// Begins with that level.
    package init(_ level: Logger.Level) { current = level }

    /// The level.
    package var value: Logger.Level {
        get { lock.withLock { current } }
        set { lock.withLock { current = newValue } }
    }
}
