import Glibc

/// Calls `body` with each number from 0 below `count`, each on a thread of its own, and returns when all are done.
///
/// Number 0 is done on the calling thread, within its task. The others' threads have its priority (nice(2)), which
/// threads of Dispatch have not. Where no more threads may be had, as below a limit of processes, their numbers are
/// done one after another.
package func onThreads(_ count: Int, _ body: @Sendable (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
        var threads: [pthread_t] = []
        var left: [Int] = []
        for number in 1..<max(1, count) {
            let work = Unmanaged.passRetained(Work { body(number) })
            var thread = pthread_t()
            let result = pthread_create(
                &thread, nil,
                { work in
                    // Never nil: it is what is passed below.
                    if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
                    return nil
                }, work.toOpaque())
            if result == 0 {
                threads.append(thread)
            } else {
                work.release()
                left.append(number)
            }
        }
        body(0)
        left.forEach(body)
        for thread in threads { pthread_join(thread, nil) }
    }
}

/// Does two things at once, each on a thread of its own.
package func both<A: Sendable, B: Sendable>(
    _ first: @Sendable () -> A, and second: @Sendable () -> B
) -> (A, B) {
    nonisolated(unsafe) var results: (A?, B?) = (nil, nil)
    withUnsafeMutablePointer(to: &results.0) { a in
        withUnsafeMutablePointer(to: &results.1) { b in
            nonisolated(unsafe) let (a, b) = (a, b)
            onThreads(2) { number in
                if number == 0 { a.pointee = first() } else { b.pointee = second() }
            }
        }
    }
    return (results.0 ?? first(), results.1 ?? second())
}

/// Makes an array of so many elements, each half of it on a thread of its own.
package func halves<Element: Sendable>(
    of count: Int, _ element: @Sendable (Int) -> Element
) -> [Element] {
    [Element](unsafeUninitializedCapacity: count) { buffer, filled in
        nonisolated(unsafe) let buffer = buffer
        onThreads(2) { half in
            for at in count * half / 2..<count * (half + 1) / 2 {
                buffer.initializeElement(at: at, to: element(at))
            }
        }
        filled = count
    }
}

/// Whether so many threads can be had at once.
///
/// Below a limit of processes (`RLIMIT_NPROC`, a pod's `pids.max`) Dispatch waits for a thread for ever.
package func canStartThreads(_ count: Int) -> Bool {
    var threads: [pthread_t] = []
    var gate = pthread_mutex_t()
    pthread_mutex_init(&gate, nil)
    defer { pthread_mutex_destroy(&gate) }
    return withUnsafeMutablePointer(to: &gate) { gate in
        // Each waits for the gate, so that all of them are there at once.
        pthread_mutex_lock(gate)
        for _ in 0..<count {
            var thread = pthread_t()
            let result = pthread_create(
                &thread, nil,
                { gate in
                    let gate = gate?.assumingMemoryBound(to: pthread_mutex_t.self)
                    if let gate, pthread_mutex_lock(gate) == 0 { pthread_mutex_unlock(gate) }
                    return nil
                }, gate)
            if result != 0 { break }
            threads.append(thread)
        }
        pthread_mutex_unlock(gate)
        for thread in threads { pthread_join(thread, nil) }
        return threads.count == count
    }
}

/// What a new thread is to do.
private final class Work {
    let body: () -> Void

    init(_ body: @escaping () -> Void) { self.body = body }
}
