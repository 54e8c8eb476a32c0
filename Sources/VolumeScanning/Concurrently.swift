import Dispatch

/// Does two things at once, each on a thread of its own.
///
/// Not within one another: Dispatch does the inner two in turn.
func both<A: Sendable, B: Sendable>(
    _ first: @Sendable () -> A, and second: @Sendable () -> B
) -> (A, B) {
    nonisolated(unsafe) var results: (A?, B?) = (nil, nil)
    withUnsafeMutablePointer(to: &results.0) { a in
        withUnsafeMutablePointer(to: &results.1) { b in
            nonisolated(unsafe) let (a, b) = (a, b)
            DispatchQueue.concurrentPerform(iterations: 2) { turn in
                if turn == 0 { a.pointee = first() } else { b.pointee = second() }
            }
        }
    }
    return (results.0 ?? first(), results.1 ?? second())
}

/// Makes an array of so many elements, each half of it on a thread of its own.
func halves<Element: Sendable>(of count: Int, _ element: @Sendable (Int) -> Element) -> [Element] {
    [Element](unsafeUninitializedCapacity: count) { buffer, filled in
        nonisolated(unsafe) let buffer = buffer
        DispatchQueue.concurrentPerform(iterations: 2) { half in
            for at in count * half / 2..<count * (half + 1) / 2 {
                buffer.initializeElement(at: at, to: element(at))
            }
        }
        filled = count
    }
}
