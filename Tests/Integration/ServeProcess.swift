import Foundation
import TestSupport
import Testing

/// A `larder serve` of a test's own, with its log; killed where the test does not end it.
final class ServeProcess {
    let directory: TemporaryDirectory
    private let process = Process()
    private var log: String { directory.path + "/log" }

    /// Starts the daemon with these lines as its configuration, beside the state directory; it listens at a socket
    /// in its directory unless told where.
    init(
        in directory: TemporaryDirectory, _ configuration: String, listen: String? = nil,
        options: [String] = []
    ) throws {
        self.directory = directory
        try configure(configuration)
        _ = FileManager.default.createFile(atPath: directory.path + "/log", contents: nil)
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments =
            [
                "--config", directory.path + "/larder.yaml", "--log-level", "info", "serve", "--listen",
                listen ?? "unix:\(directory.path)/http.sock",
            ] + options
        // The tests' own variables, such as where their testbed is, are none of Larder's.
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LARDER_") }
        process.standardError = FileHandle(forWritingAtPath: directory.path + "/log")
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// Writes the configuration; the daemon reads it at its next SIGHUP.
    func configure(_ text: String) throws {
        try directory.write("larder.yaml", "state: \(directory.path)/state\n" + text)
    }

    var pid: Int32 { process.processIdentifier }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Ends the daemon and gives its exit status.
    func stop() -> Int32 {
        signal(SIGTERM)
        return waitForEnd()
    }

    /// Waits for the daemon to end by itself and gives its exit status.
    func waitForEnd() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// The events logged so far.
    func events() throws -> [JSON] {
        let text = try String(contentsOfFile: log, encoding: .utf8)
        return try text.split(separator: "\n").dropLast(text.hasSuffix("\n") ? 0 : 1).map { line in
            try JSON(String(line))
        }
    }

    /// Waits until an event is logged whose message contains the words, after the first `count` ones.
    @discardableResult
    func wait(for words: String, after count: Int = 0) throws -> JSON {
        var found: JSON?
        try waitUntil("\(words) is logged") {
            found = try events().dropFirst(count).first {
                $0["message"].string?.contains(words) == true
            }
            return found != nil
        }
        return try #require(found)
    }

    /// Expects an event whose message contains the words.
    func expect(_ words: String) throws {
        let messages = try events().compactMap { $0["message"].string }
        #expect(messages.contains { $0.contains(words) }, "\(messages)")
    }

    /// Waits for a condition, half a minute at most; then the log is part of the error.
    func waitUntil(_ what: String, _ condition: () throws -> Bool) throws {
        let deadline = Date() + 30
        while try !condition() {
            guard Date() < deadline, process.isRunning else {
                let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                throw NeverHappened(description: "never: \(what)\n\(text)")
            }
            usleep(20_000)
        }
    }

    /// What the sqlite3 command answers from the index.
    func sql(_ query: String) throws -> String {
        try run(
            "/usr/bin/env", "sqlite3", "-readonly", "-cmd", ".timeout 10000",
            directory.path + "/state/larder.db", query
        ).checked().output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A condition that was waited for in vain, with the log.
struct NeverHappened: Error, CustomStringConvertible {
    var description: String
}
