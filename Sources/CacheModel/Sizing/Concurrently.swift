import Dispatch
import Synchronization

/// Does pieces of work that need nothing of each other on all processors; what they give, in their order.
func concurrently<Result: Sendable>(_ count: Int, _ work: @Sendable (Int) -> Result) -> [Result] {
    guard count > 1 else { return (0..<count).map(work) }
    let results = Mutex([Result?](repeating: nil, count: count))
    DispatchQueue.concurrentPerform(iterations: count) { place in
        let result = work(place)
        results.withLock { $0[place] = result }
    }
    return results.withLock { $0.compactMap(\.self) }
}

/// Does two pieces of work side by side.
///
/// Not by `concurrentPerform`, within which another one has no further processors.
package func concurrently<One, Other: Sendable>(
    _ one: () -> One, _ other: @escaping @Sendable () -> Other
) -> (One, Other) {
    let (beside, isDone) = (Beside(work: other), DispatchSemaphore(value: 0))
    // Not among the threads that answer a daemon's requests.
    DispatchQueue.global(qos: .utility).async {
        beside.run()
        isDone.signal()
    }
    let result = one()
    isDone.wait()
    return (result, beside.result)
}

/// Work that another thread does, and what it gave.
private final class Beside<Result: Sendable>: Sendable {
    private let work: @Sendable () -> Result
    private let found = Mutex<Result?>(nil)

    init(work: @escaping @Sendable () -> Result) { self.work = work }

    func run() {
        let result = work()
        found.withLock { $0 = result }
    }

    /// To be asked for when it has run.
    var result: Result { found.withLock { $0 } ?? work() }
}
