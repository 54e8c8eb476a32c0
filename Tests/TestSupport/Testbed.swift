import Foundation

/// The testbed of real Podman, registry, Maven and Gradle; see `Tests/Testbed/README.md`.
public struct Testbed: Sendable {
    /// Its directory.
    public let directory: String
    /// The settings in its file `env`.
    public let settings: [String: String]

    /// The testbed of this run, which `Tests/run` brought up; nil where there is none.
    public static var shared: Testbed? {
        ProcessInfo.processInfo.environment["LARDER_TESTBED"].flatMap { try? Testbed(directory: $0) }
    }

    /// The same where it has images and Podman; nil where those were left out.
    public static var withImages: Testbed? { shared.flatMap { $0.settings["JOB_SOCKET"] == nil ? nil : $0 } }

    /// Why tests that need it are skipped.
    public static let absence = "needs LARDER_TESTBED, a directory that Tests/Testbed/testbed.py brought up"

    /// The command that brings testbeds up and down.
    public static let program = packageRoot + "/Tests/Testbed/testbed.py"

    /// The root of the package.
    public static let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Whether pages can be looked at: by Chromium and axe-core.
    public static let canCheckPages =
        (try? TestSupport.run(
            "/usr/bin/env", "python3", "-c",
            """
            import importlib.util, shutil, sys
            sys.exit(not (shutil.which("chromium") and importlib.util.find_spec("axe_playwright_python")))
            """
        ).status) == 0

    /// Reads the settings of a testbed that is up.
    public init(directory: String) throws {
        self.directory = directory
        let text = try String(contentsOfFile: directory + "/env", encoding: .utf8)
        settings = Dictionary(
            text.split(separator: "\n").compactMap { line in
                line.firstIndex(of: "=").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
            }, uniquingKeysWith: { _, last in last })
    }

    /// One of its settings, or an error that names it.
    public func setting(_ name: String) throws -> String {
        guard let value = settings[name] else {
            throw ProcessFailure(description: "the testbed has no \(name)")
        }
        return value
    }

    /// Runs the Podman client against the job's service; gives what it prints, without the last newline.
    public func podman(_ arguments: [String]) throws -> String {
        let url = "unix://\(try setting("JOB_SOCKET"))"
        let result = try TestSupport.run("/usr/bin/env", ["podman", "--remote", "--url", url] + arguments)
        return try result.checked().output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// As above, with the arguments one by one.
    public func podman(_ arguments: String...) throws -> String { try podman(arguments) }

    /// Runs a command of the testbed on this directory.
    @discardableResult
    public func run(_ command: String, _ arguments: String...) throws -> ProcessResult {
        try TestSupport.run("/usr/bin/env", ["python3", Self.program, command, directory] + arguments)
    }

    /// Makes or unmounts a file system (Tests/Testbed/filesystems.py); throws where it cannot.
    @discardableResult
    public static func filesystems(_ arguments: String...) throws -> ProcessResult {
        let script = packageRoot + "/Tests/Testbed/filesystems.py"
        return try TestSupport.run("/usr/bin/env", ["python3", script] + arguments).checked()
    }
}

/// A testbed of a test's own, for tests that change what others read.
///
/// It goes with the value.
public final class OwnTestbed: Sendable {
    /// The testbed.
    public let testbed: Testbed

    /// Brings one up with those parts left out: `--no-builds`, `--no-images`.
    public init(_ options: String...) throws {
        let directory = "/tmp/larder-own-\(UUID().uuidString.prefix(8))"
        let owner = "\(ProcessInfo.processInfo.processIdentifier)"
        try TestSupport.run(
            "/usr/bin/env",
            [
                "python3", Testbed.program, "up", directory, "--owner", owner, "--lifetime", "1800",
                "--discard",
            ]
                + options
        ).checked()
        testbed = try Testbed(directory: directory)
    }

    deinit { _ = try? testbed.run("down") }
}
