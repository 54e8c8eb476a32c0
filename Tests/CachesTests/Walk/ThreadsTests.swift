import FileAccess
import Foundation
import Synchronization
import Testing

/// Work on threads of its own.
@Suite struct ThreadsTests {
    @Test(arguments: [0, 1, 2, 7]) func eachNumberIsDoneOnceOnItsOwnThread(count: Int) {
        let seen = Mutex<[Int: pthread_t]>([:])
        onThreads(count) { number in
            let before = seen.withLock { $0.updateValue(pthread_self(), forKey: number) }
            #expect(before == nil)
        }
        let threads = seen.withLock { $0 }
        #expect(threads.keys.sorted() == Array(0..<max(1, count)))
        #expect(threads[0] == pthread_self())
    }

    @Test func theThreadsHaveThePriorityOfTheirMaker() async {
        @Sendable func level() -> Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }
        let levels: [Int32] = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                _ = nice(3)
                let seen = Mutex([level()])
                onThreads(3) { _ in seen.withLock { $0.append(level()) } }
                continuation.resume(returning: seen.withLock { $0 })
            }
        }
        #expect(levels == Array(repeating: level() + 3, count: 4))
    }

    @Test func halvesAndBothGiveWhatOneThreadWould() {
        for count in [0, 1, 2, 999] {
            #expect(halves(of: count) { $0 * 2 } == (0..<count).map { $0 * 2 })
        }
        let (text, number) = both {
            "text"
        } and: {
            7
        }
        #expect(text == "text" && number == 7)
    }
}
