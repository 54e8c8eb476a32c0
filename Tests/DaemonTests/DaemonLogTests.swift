import CacheModel
import Foundation
import Logging
import Synchronization
import Testing

@testable import Daemon

/// What the log looks like to programs and people.
@Suite struct DaemonLogTests {
    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    private func logger(_ lines: Lines, isJSON: Bool, level: LogLevel = LogLevel(.notice)) -> Logger {
        Logger(label: "test") { _ in
            DaemonLog(level: level, isJSON: isJSON, clock: { Timestamp(seconds: 1_800_000_000) }) { line in
                lines.all.withLock { $0.append(line) }
            }
        }
    }

    @Test func everyLineIsOneJSONObject() throws {
        let lines = Lines()
        let text = "a \"quoted\" \\ line\nwith\u{1}\u{7f} control, é and 🚚"
        logger(lines, isJSON: true).error("\(text)", metadata: ["volume": "\(text)", "entries": "12"])
        let line = try #require(lines.all.withLock { $0 }.first)
        #expect(!line.contains("\n"))
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["message"] as? String == text)
        #expect(object["volume"] as? String == text)
        #expect(object["entries"] as? Int == 12)
        #expect(object["level"] as? String == "error")
        #expect(object["time"] as? String == "2027-01-15T08:00:00Z")
    }

    @Test func theLevelIsSharedAndCanChange() {
        let (lines, level) = (Lines(), LogLevel(.notice))
        let log = logger(lines, isJSON: false, level: level)
        log.info("no")
        level.value = .info
        log.info("yes")
        var quiet = log
        quiet.logLevel = .critical
        quiet.error("no")
        log.info("again")
        let time = "2027-01-15T08:00:00Z"
        #expect(lines.all.withLock { $0 } == ["\(time) info: yes", "\(time) info: again"])
    }
}
