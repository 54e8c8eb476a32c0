import Foundation

/// A real directory that goes with the value: files are made by plain system tools, not by the code under test.
public final class TemporaryDirectory: Sendable {
    /// Its absolute path.
    public let path: String

    /// Makes a directory below the system's temporary directory, or below `parent`.
    public init(below parent: String = NSTemporaryDirectory()) throws {
        path = (parent as NSString).appendingPathComponent("larder-test-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { _ = try? run("/bin/rm", "-rf", path) }

    /// Writes a file of that content or that many bytes, and the directories above it.
    public func write(_ name: String, _ content: String = "x", bytes: Int? = nil) throws {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        let data = bytes.map { Data(repeating: 120, count: $0) } ?? Data(content.utf8)
        try data.write(to: URL(fileURLWithPath: file))
    }

    /// Whether something is there, of whatever kind.
    public func exists(_ name: String) -> Bool {
        var stat = stat()
        return lstat(path + "/" + name, &stat) == 0
    }

    /// Runs a shell script in the directory; throws with its output where it fails.
    @discardableResult
    public func shell(_ script: String) throws -> String {
        try run("/bin/bash", "-ec", "cd '\(path)'; \(script)").checked().output
    }
}

/// What a process printed and how it ended.
public struct ProcessResult: Sendable {
    /// Its exit status; 128 + the signal's number where one ended it.
    public var status: Int32
    /// Its standard output.
    public var output: String
    /// Its standard error.
    public var errors: String

    /// The result, or an error with all that was printed where the status is not 0.
    @discardableResult
    public func checked() throws -> ProcessResult {
        guard status == 0 else { throw ProcessFailure(description: "exit \(status)\n\(output)\n\(errors)") }
        return self
    }
}

/// A process that failed.
public struct ProcessFailure: Error, CustomStringConvertible {
    /// All that it printed.
    public var description: String
}

/// Runs a program to its end, with variables added to the environment.
///
/// A variable of nil is removed.
@discardableResult
public func run(
    _ program: String, _ arguments: String..., environment: [String: String?] = [:]
) throws -> ProcessResult { try run(program, arguments, environment: environment) }

/// Runs a program to its end, with variables added to the environment.
///
/// A variable of nil is removed.
@discardableResult
public func run(
    _ program: String, _ arguments: [String], environment: [String: String?] = [:]
) throws -> ProcessResult {
    let scratch = NSTemporaryDirectory() + "/larder-run-\(UUID().uuidString)"
    defer { for stream in ["out", "err"] { unlink("\(scratch).\(stream)") } }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    var variables = ProcessInfo.processInfo.environment
    for (name, value) in environment { variables[name] = value }
    process.environment = variables
    // Files, not pipes: a child that prints much must not wait for a reader.
    for stream in ["out", "err"] {
        _ = FileManager.default.createFile(atPath: "\(scratch).\(stream)", contents: nil)
    }
    process.standardOutput = FileHandle(forWritingAtPath: "\(scratch).out")
    process.standardError = FileHandle(forWritingAtPath: "\(scratch).err")
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    func text(_ stream: String) -> String {
        String(
            decoding: FileManager.default.contents(atPath: "\(scratch).\(stream)") ?? Data(), as: UTF8.self)
    }
    let signalled = process.terminationReason == .uncaughtSignal
    return ProcessResult(
        status: signalled ? 128 + process.terminationStatus : process.terminationStatus, output: text("out"),
        errors: text("err"))
}

/// A small generator with a seed, so that a random case can be run again.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// Starts from a seed.
    public init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
