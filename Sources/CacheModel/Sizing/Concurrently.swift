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
package func concurrently<One: Sendable, Other: Sendable>(
    _ one: @Sendable () -> One, _ other: @Sendable () -> Other
) -> (One, Other) {
    let results = Mutex<(One?, Other?)>((nil, nil))
    DispatchQueue.concurrentPerform(iterations: 2) { place in
        if place == 0 {
            let result = one()
            results.withLock { $0.0 = result }
        } else {
            let result = other()
            results.withLock { $0.1 = result }
        }
    }
    guard case (let first?, let second?) = results.withLock({ $0 }) else {
        fatalError("work without a result")
    }
    return (first, second)
}
