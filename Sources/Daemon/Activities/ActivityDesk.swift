import CLinux
import CacheIndex
import CacheModel
import Logging
import ServiceLifecycle

/// Begins activities when they are due, asked for or needed, and knows how each one stands.
///
/// What it decides is `ActivityBoard`'s; here are the clock, the tasks, the log and the record in the index.
public actor ActivityDesk: DaemonControl, Service {
    var plan: DaemonPlan
    var board = ActivityBoard()
    private var tasks: [ActivityKey: Task<Void, Never>] = [:]
    var gauges: [String: PressureGauge] = [:]
    /// Which volumes are at their paths; empty before the first look.
    var presence: [String: Presence] = [:]
    var isLoaded = false
    var isStopping = false
    private var timer: Task<Void, Never>?

    let logger: Logger
    let clock: @Sendable () -> Timestamp
    private let executor = ActivityExecutor()
    let (wakes, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// Whether a volume is at its path, or why not.
    enum Presence: Equatable {
        case present
        case away(String)
    }

    /// Clocks may be set, and computers sleep: the board is looked at this often at least.
    private static let longestSleep = Span.seconds(30)

    /// Makes a desk that works by `plan`.
    public init(_ plan: DaemonPlan, logger: Logger, clock: @escaping @Sendable () -> Timestamp) {
        self.plan = plan
        self.logger = logger
        self.clock = clock
    }

    /// What the daemon was told.
    public var settings: DaemonSettings { plan.settings }

    /// Works until it is to stop, and then until what runs has come to an end.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await work()
        } onGracefulShutdown: {
            Task { await self.stop() }
        }
        for task in tasks.values { await task.value }
    }

    private func work() async {
        while !isLoaded, !isStopping {
            load()
            if !isLoaded { try? await Task.sleep(for: .seconds(2)) }
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
        let absent = Set(plan.settings.volumes.map(\.name).filter { presence[$0] != .present })
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
        let run = plan.run
        tasks[key] = Task(executorPreference: executor) {
            let startedAt = self.clock()
            let outcome = await run(key)
            await self.ended(key, reason, outcome, startedAt: startedAt)
        }
    }

    private func ended(
        _ key: ActivityKey, _ reason: ActivityReason, _ outcome: ActivityOutcome, startedAt: Timestamp
    ) {
        let now = clock()
        tasks[key] = nil
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
        keep(key)
        // What a scan of a large volume needed goes back to the system.
        _ = larder_give_back_memory()
        waker.yield()
    }

    private func relieve(_ volume: String, _ outcome: ActivityOutcome, now: Timestamp) {
        let evicted = outcome.figures["evicted", default: 0]
        if gauges[volume]?.pruned(evictedNothing: evicted == 0, now: now) == true {
            logger.warning(
                "volume \(volume) is above its critical level, and nothing more can be evicted safely: enlarge it, or see 'larder plan'",
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
        for task in tasks.values { task.cancel() }
        waker.yield()
    }

    /// What runs now, for whoever has to give up waiting for it.
    var running: [String] { tasks.keys.map { "\($0)" }.sorted() }
}

extension ActivityDesk {
    /// Reads from the index when activities last ran; without it nothing begins.
    private func load() {
        do {
            let known = try knownRuns()
            board.adopt(plan.settings, known: known, now: clock())
            isLoaded = true
        } catch {
            logger.error("the index cannot be read, and nothing begins until it can: \(error)")
        }
    }

    func knownRuns() throws -> [ActivityKey: LastRun] {
        let index = try CacheIndex.open(stateDirectory: plan.settings.stateDirectory, now: clock())
        for notice in index.notices { logger.warning("\(notice)") }
        var known: [ActivityKey: LastRun] = [:]
        for record in try index.activities() {
            guard let activity = Activity(rawValue: record.activity) else { continue }
            known[ActivityKey(activity, on: record.volume)] = LastRun(
                startedAt: record.startedAt, endedAt: record.finishedAt, succeededAt: record.succeededAt,
                line: record.line)
        }
        // What commands did counts as well.
        for volume in plan.settings.volumes {
            for (activity, time) in [
                (Activity.scan, try index.lastScan(of: volume.name)),
                (.prune, try index.lastRun(kind: "prune", volume: volume.name)),
            ] {
                let key = ActivityKey(activity, on: volume.name)
                guard let time, known[key].map({ $0.endedAt < time }) ?? true else { continue }
                known[key] = LastRun(startedAt: time, endedAt: time, succeededAt: time, line: "by a command")
            }
        }
        return known
    }

    private func keep(_ key: ActivityKey) {
        guard let last = board.slots[key]?.last else { return }
        do {
            let index = try CacheIndex.open(stateDirectory: plan.settings.stateDirectory, now: clock())
            try index.record(
                ActivityRecord(
                    activity: key.activity.rawValue, volume: key.volume, startedAt: last.startedAt,
                    finishedAt: last.endedAt, succeededAt: last.succeededAt, line: last.line))
        } catch {
            logger.warning("\(key): its end could not be recorded: \(error)")
        }
    }
}

extension ActivityKey: CustomStringConvertible {
    /// The activity and its volume: `prune of build`.
    public var description: String { activity.rawValue + (volume.map { " of \($0)" } ?? "") }
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
