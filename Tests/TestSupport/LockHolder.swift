import Foundation

/// Another process that holds a lock until it is told to end, or until its user is gone.
public final class LockHolder {
    private let process = Process()
    private let input = Pipe()

    /// Takes the `flock` of a directory, as another Larder does.
    public init(ofDirectory path: String) throws {
        try start("/usr/bin/flock", [path, "-c", "echo held; read line"])
    }

    /// Takes the `flock` of a file, as Go, Cargo and Python's libraries do.
    public init(byFlockOf path: String, shared: Bool) throws {
        try start("/usr/bin/flock", [shared ? "-s" : "-x", path, "-c", "echo held; read line"])
    }

    /// Takes the lock of a cache that Gradle takes.
    public convenience init(ofGradleCache path: String) throws {
        try self.init(javaLockOf: path, shared: false, bytes: 17)
    }

    /// Takes the lock of an artifact as Maven's resolver does, shared while it looks and exclusive while it fetches.
    public convenience init(ofMavenArtifact path: String, shared: Bool) throws {
        try self.init(javaLockOf: path, shared: shared, bytes: 1)
    }

    /// Java's FileLock is a POSIX lock, as lockf takes it; a file that is not there is made.
    private init(javaLockOf path: String, shared: Bool, bytes: Int) throws {
        let program = """
            import fcntl, sys
            path, kind, length = sys.argv[1:]
            f = open(path, "a+b"); fcntl.lockf(f, getattr(fcntl, kind), int(length), 0, 0)
            print("held", flush=True); sys.stdin.read()
            """
        try start("/usr/bin/python3", ["-c", program, path, shared ? "LOCK_SH" : "LOCK_EX", "\(bytes)"])
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
