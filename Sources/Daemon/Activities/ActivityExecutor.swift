import CLinux
import Foundation

/// Threads of its own for work that blocks: scans, prunes and looks at volumes that may hang.
///
/// They are no threads of Dispatch, which Swift's tasks share on Linux: two scans on two cores would take them all,
/// and nothing else of the daemon, not even SIGTERM, would get an answer until they end. They and the threads they
/// begin step back behind those that answer requests (nice(2)).
final class ActivityExecutor: TaskExecutor, @unchecked Sendable {
    /// The daemon's.
    static let shared = ActivityExecutor()

    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var idle = 0

    private static let idleTime: TimeInterval = 30
    /// About a tenth of the processor's time where all want it (sched(7)).
    private static let niceness: Int32 = 10

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        defer { condition.unlock() }
        jobs.append(job)
        if idle >= jobs.count {
            condition.signal()
        } else {
            Thread.detachNewThread { self.work() }
        }
    }

    private func work() {
        larder_step_back(Self.niceness)
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// The next job; nil where none came for a while.
    private func next() -> UnownedJob? {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty {
            idle += 1
            let isWoken = condition.wait(until: Date() + Self.idleTime)
            idle -= 1
            if !isWoken, jobs.isEmpty { return nil }
        }
        return jobs.removeFirst()
    }
}
