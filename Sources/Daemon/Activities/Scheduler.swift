import CLinux
import CacheModel
import CacheServices
import Logging
import ServiceLifecycle

/// Begins activities when they are due, asked for or needed, and knows how each one stands.
///
/// What it decides is `ScheduleState`'s; here are the clock, the tasks, the log and the record in the index.
package actor Scheduler: DaemonControl, Service {
    var plan: DaemonPlan
    var board = ScheduleState()
    private var tasks: [Int: (key: ActivityKey, task: Task<Void, Never>)] = [:]
    private var begun = 0
    var gauges: [String: PressureGauge] = [:]
    /// Which volumes are at their paths; empty before the first look.
    var presence: [String: Presence] = [:]
    /// What lay at their paths when the watch last saw them.
    var lastSeen: [String: RootPresence] = [:]
    var isLoaded = false
    var isStopping = false
    private var timer: Task<Void, Never>?

    let logger: Logger
    let clock: @Sendable () -> Timestamp
    let (wakes, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Whether a volume is at its path, or why not.
    enum Presence: Equatable {
        case present
        case away(String)
    }

    /// Clocks may be set, and computers sleep: the board is looked at this often at least.
    private static let longestSleep = Span.seconds(30)

    /// Makes a scheduler that works by `plan`.
    package init(_ plan: DaemonPlan, logger: Logger, clock: @escaping @Sendable () -> Timestamp) {
        self.plan = plan
        self.logger = logger
        self.clock = clock
    }

    /// What the daemon was told, as it is now.
    package func configuration() -> Configuration { plan.configuration }

    /// Works until it is to stop, and then until what runs has come to an end.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await work()
        } onGracefulShutdown: {
            Task { await self.stop() }
        }
        for (_, task) in tasks.values { await task.value }
    }

    /// Waits until the index was opened and, where that was needed, made: two that make it disturb each other.
    func untilLoaded() async {
        while !isLoaded, !isStopping, !Task.isCancelled { try? await Task.sleep(for: .milliseconds(50)) }
    }

    private func work() async {
        var isTold = false
        while !isLoaded, !isStopping {
            do {
                board.adopt(plan.configuration, known: try await knownRuns(), now: clock())
                isLoaded = true
            } catch {
                if !isTold { logger.error("nothing begins until the index can be read: \(error)") }
                isTold = true
                try? await Task.sleep(for: .seconds(2))
            }
        }
        step()
        for await _ in wakes {
            if isStopping { break }
            step()
        }
        timer?.cancel()
    }

    /// Begins what is due, and sets the alarm for what comes next.
    private func step() {
        guard isLoaded, !isStopping else { return }
        let now = clock()
        let absent = Set(plan.configuration.volumes.map(\.name).filter { presence[$0] != .present })
        for (key, reason) in board.start(now: now, absent: absent) { begin(key, reason) }
        let wake = board.nextWake(after: now) ?? now + Self.longestSleep
        let pause = min(wake - now, Self.longestSleep)
        timer?.cancel()
        timer = Task { [waker] in
            try? await Task.sleep(for: .nanoseconds(max(pause.nanoseconds, 1_000_000)))
            if !Task.isCancelled { waker.yield() }
        }
    }

    private func begin(_ key: ActivityKey, _ reason: ActivityReason) {
        logger.info(
            "\(key): begins (\(reason.rawValue))",
            metadata: metadata(of: key, ["reason": "\(reason.rawValue)"]))
        let (run, tell, history) = (plan.run, plan.tell, history)
        let seen = key.volume.flatMap { lastSeen[$0] }
        begun += 1
        let number = begun
        let task = Task.detached(executorPreference: ActivityExecutor.shared) {
            let outcome = await run(key, seen)
            if let last = await self.ended(key, reason, outcome) { history.record(last, of: key) }
            // What a scan of a large volume needed goes back to the system.
            _ = larder_give_back_memory()
            // The volume is free by now: a chat server that hangs holds up nothing.
            await tell(outcome.notices)
            await self.forget(number)
        }
        tasks[number] = (key, task)
    }

    private func volume(named name: String?) -> Volume? {
        plan.configuration.volumes.first { $0.name == name }
    }

    private func forget(_ number: Int) { tasks[number] = nil }

    /// Takes note of an end, and gives what is to be kept of it; nil where it is done once more.
    private func ended(
        _ key: ActivityKey, _ reason: ActivityReason, _ outcome: ActivityOutcome
    ) -> LastRun? {
        let now = clock()
        let startedAt = board.slots[key]?.runningSince ?? now
        let retryAt = board.end(key, outcome, now: now)
        var more: Logger.Metadata = [
            "reason": "\(reason.rawValue)", "result": "\(outcome.result.rawValue)",
            "milliseconds": "\((now - startedAt).nanoseconds / 1_000_000)",
        ]
        for (name, figure) in outcome.figures { more[name] = "\(figure)" }
        let again = retryAt.map { "; again at \($0)" } ?? ""
        let result = outcome.result == .done ? "" : "\(outcome.result.rawValue): "
        logger.log(
            level: outcome.level, "\(key): \(result)\(outcome.line)\(again)",
            metadata: metadata(of: key, more))
        if key.activity == .prune, let volume = key.volume { relieve(volume, outcome, now: now) }
        waker.yield()
        return [.held, .stopped].contains(outcome.result) ? nil : board.slots[key]?.last
    }

    private var history: ActivityHistory {
        ActivityHistory(stateDirectory: plan.configuration.stateDirectory, logger: logger, clock: clock)
    }

    /// When activities last ran, as the index tells.
    func knownRuns() async throws -> [ActivityKey: LastRun] {
        let (history, volumes) = (history, plan.configuration.volumes)
        return try await Task.detached(executorPreference: ActivityExecutor.shared) {
            try history.read(of: volumes)
        }.value
    }

    private func relieve(_ volume: String, _ outcome: ActivityOutcome, now: Timestamp) {
        // A prune that failed, or found less than was guessed, says nothing of what could go.
        let isStuck = outcome.result == .overQuota && outcome.figures["evicted"] == 0
        if gauges[volume]?.pruned(evictedNothing: isStuck, now: now) == true {
            logger.warning(
                """
                volume \(volume) is above its critical level, and nothing more can be evicted safely: \
                enlarge it, or see 'larder plan'
                """,
                metadata: ["volume": "\(volume)"])
        }
    }

    private func metadata(of key: ActivityKey, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        metadata["activity"] = "\(key.activity.rawValue)"
        if let volume = key.volume { metadata["volume"] = "\(volume)" }
        return metadata
    }

    /// Ends what runs, as early as that is safe; nothing begins any more.
    func stop() {
        isStopping = true
        for (_, task) in tasks.values { task.cancel() }
        waker.yield()
    }

    /// What runs now, for whoever has to give up waiting for it.
    var running: [String] { tasks.values.map { "\($0.key)" }.sorted() }
}

extension ActivityKey: CustomStringConvertible {
    /// The activity and its volume: `prune of build`.
    package var description: String { activity.rawValue + (volume.map { " of \($0)" } ?? "") }
}

extension ActivityOutcome {
    fileprivate var level: Logger.Level {
        switch result {
        case .done, .held, .stopped: .notice
        case .inPart, .overQuota: .warning
        case .failed: .error
        }
    }
}
