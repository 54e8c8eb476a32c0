import Foundation
import TestSupport

/// The programs in `Tests/Safety`, which drive the real executable from outside and judge it without its code.
enum Programs {
    /// The package's directory.
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The executable under test.
    static let larder = "\(package)/.build/debug/larder"

    /// Whether this process may mount file systems and make devices.
    static let isRoot = geteuid() == 0

    /// Whether system calls can be made to fail: strace is there.
    static let hasStrace = access("/usr/bin/strace", X_OK) == 0

    /// The testbed's directory, with real Maven and Gradle; nil where none is up.
    static let testbed = ProcessInfo.processInfo.environment["LARDER_TESTBED"]

    /// Whether there is an hour to spend: `LARDER_LONG` is set.
    static let isLong = ProcessInfo.processInfo.environment["LARDER_LONG"] != nil

    /// Runs a program and prints the counts in its last line.
    static func run(_ name: String, _ arguments: String...) throws -> ProcessResult {
        try run(name, arguments)
    }

    /// The same with arguments that depend on the machine.
    static func run(_ name: String, _ arguments: [String]) throws -> ProcessResult {
        let result = try TestSupport.run(
            "/usr/bin/python3", ["\(package)/Tests/Safety/\(name).py"] + arguments,
            environment: ["LARDER": larder])
        print("\(name): \(result.output.split(separator: "\n").last ?? "no output")")
        return result
    }
}
