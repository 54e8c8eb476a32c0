import Dispatch

/// Threads of their own for work that blocks: scans and prunes must not take the few threads on which the rest of
/// the daemon answers.
final class ActivityExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "larder.activities", attributes: .concurrent)

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        queue.async { unowned.runSynchronously(on: executor) }
    }
}
