import Dispatch
import FileAccess
import Glibc
import NIOCore

/// Whether the event loops of a server can begin: where they cannot, NIO ends the process without a sentence.
enum EventLoopRoom {
    /// Each loop has an epoll, an event and a timer descriptor; as many more are for the server itself.
    private static let descriptorsEach = 3
    private static let descriptorsBeside = 16

    /// What is missing, for a person; nil where there is enough.
    static func lack() -> String? {
        let loops = System.coreCount
        if let code = firstFailure(ofFiles: loops * descriptorsEach + descriptorsBeside) {
            return "its \(loops) event loops need more open files (\(SystemError(code: code)))"
        }
        if let code = firstFailure(ofThreads: loops) {
            return "its \(loops) event loops need more threads (\(SystemError(code: code)))"
        }
        return nil
    }

    private static func firstFailure(ofFiles count: Int) -> Int32? {
        var files: [Int32] = []
        defer { for file in files { close(file) } }
        for _ in 0..<count {
            let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return errno }
            files.append(file)
        }
        return nil
    }

    private static func firstFailure(ofThreads count: Int) -> Int32? {
        let end = DispatchSemaphore(value: 0)
        var threads: [pthread_t] = []
        defer {
            for _ in threads { end.signal() }
            for thread in threads { pthread_join(thread, nil) }
        }
        for _ in 0..<count {
            var thread = pthread_t()
            let code = pthread_create(
                &thread, nil,
                { end in
                    // Never nil: it is what is passed below.
                    if let end { Unmanaged<DispatchSemaphore>.fromOpaque(end).takeUnretainedValue().wait() }
                    return nil
                }, Unmanaged.passUnretained(end).toOpaque())
            guard code == 0 else { return code }
            threads.append(thread)
        }
        return nil
    }
}
