import Foundation

/// Another process that holds a lock until it is told to end, or until its user is gone.
public final class LockHolder {
    private let process = Process()
    private let input = Pipe()

    /// Takes the `flock` of a directory, as another Larder does.
    public init(ofDirectory path: String) throws {
        try start("/usr/bin/flock", [path, "-c", "echo held; read line"])
    }

    /// Takes the lock of a cache that Gradle takes: Java's FileLock is a POSIX lock, as lockf takes it.
    public init(ofGradleCache path: String) throws {
        let program = """
            import fcntl, sys
            f = open(sys.argv[1], "r+b"); fcntl.lockf(f, fcntl.LOCK_EX, 17, 0, 0)
            print("held", flush=True); sys.stdin.read()
            """
        try start("/usr/bin/python3", ["-c", program, path])
    }

    /// Takes the lock of an artifact as Maven's resolver does, shared while it looks and exclusive while it fetches.
    public init(ofMavenArtifact path: String, shared: Bool) throws {
        let program = """
            import fcntl, sys
            f = open(sys.argv[1], "a+b"); fcntl.lockf(f, int(sys.argv[2]), 1, 0, 0)
            print("held", flush=True); sys.stdin.read()
            """
        // LOCK_SH and LOCK_EX of Python's fcntl.
        try start("/usr/bin/python3", ["-c", program, path, shared ? "1" : "2"])
    }

    private func start(_ program: String, _ arguments: [String]) throws {
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        _ = output.fileHandleForReading.readData(ofLength: 5)
    }

    /// Ends the process and waits for that, so that the lock is free.
    public func release() throws {
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
