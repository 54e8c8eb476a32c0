import CacheModel
import CacheServices
import Foundation

/// What is due, what runs and what begins next: every decision of the daemon about its activities, without its
/// clock, its tasks and its files.
///
/// - A volume does one thing at a time; different volumes may work at once, as many as are allowed.
/// - An activity that falls due again while it runs or waits is not run twice.
/// - What fell due while the daemon was down, or its volume away, is done once when that is over.
/// - What is held by another Larder is tried again, after a pause that doubles each time.
struct ScheduleState {
    /// Everything known of one activity on one volume.
    struct Slot {
        var schedule: CronSchedule?
        var dueAt: Timestamp?
        /// The time of the schedule that `dueAt` stands for.
        var dueFor: Timestamp?
        var isMissed = false
        var asked: ActivityReason?
        var askedAt: Timestamp?
        var retryAt: Timestamp?
        var retries = 0
        var runningSince: Timestamp?
        var runningFor: ActivityReason?
        var last: LastRun?
    }

    private(set) var slots: [ActivityKey: Slot] = [:]
    private(set) var zone = TimeZone.gmt
    private var keys: Set<ActivityKey> = []
    private var jitter = Jitter()
    private var parallel = 1
    private var generator = SystemRandomNumberGenerator()

    static let firstPause = Span.seconds(5)
    static let longestPause = Span.minutes(5)

    /// Takes over a configuration, the first or another one.
    ///
    /// - Parameters:
    ///   - known: when activities last ran, as the index tells.
    ///   - now: what was due between the last run and now counts as missed.
    mutating func adopt(_ configuration: Configuration, known: [ActivityKey: LastRun], now: Timestamp) {
        let daemon = configuration.daemon
        (zone, parallel) = (daemon.timeZone, max(1, daemon.parallel))
        jitter = Jitter(most: daemon.jitter, kind: daemon.jitterKind)
        keys = configuration.activityKeys
        // What runs is let run; its slot goes when it ends.
        slots = slots.filter { keys.contains($0.key) || $0.value.runningSince != nil }
        for key in keys {
            var slot = slots[key] ?? Slot()
            if slot.last.map({ last in known[key].map { $0.endedAt > last.endedAt } ?? false }) ?? true {
                slot.last = known[key]
            }
            let schedule = daemon.schedules[key.activity]
            if slots[key] == nil || slot.schedule != schedule {
                slot.schedule = schedule
                (slot.dueAt, slot.dueFor, slot.isMissed) = (nil, nil, false)
                catchUp(&slot, key, now: now)
            }
            slots[key] = slot
        }
    }

    private mutating func catchUp(_ slot: inout Slot, _ key: ActivityKey, now: Timestamp) {
        if slot.last == nil, key.activity == .scan {
            (slot.asked, slot.askedAt) = (.first, now)
        } else if let last = slot.last, let schedule = slot.schedule,
            let missed = schedule.next(after: last.startedAt, in: zone), missed <= now
        {
            (slot.dueAt, slot.dueFor, slot.isMissed) = (now, now, true)
            return
        }
        setNext(&slot, key, now: now)
    }

    private mutating func setNext(_ slot: inout Slot, _ key: ActivityKey, now: Timestamp) {
        let before = slot.dueFor
        (slot.dueAt, slot.dueFor, slot.isMissed) = (nil, nil, false)
        guard let schedule = slot.schedule else { return }
        let delay = jitter.delay(of: key, using: &generator)
        let start = max(before ?? now - delay, now - delay)
        guard let next = schedule.next(after: start, in: zone) else { return }
        (slot.dueAt, slot.dueFor) = (next + delay, next)
    }

    /// What begins now, in order; each is marked as running.
    ///
    /// - Parameter absent: the volumes that cannot be worked on; what is due there waits.
    mutating func start(now: Timestamp, absent: Set<String>) -> [(key: ActivityKey, reason: ActivityReason)] {
        var busy = Set(slots.filter { $0.value.runningSince != nil }.map { $0.key.volume })
        var started: [(ActivityKey, ActivityReason)] = []
        var count = busy.count
        for (key, reason, _) in ready(now: now) where count < parallel {
            guard !busy.contains(key.volume), !absent.contains(key.volume ?? "") else { continue }
            busy.insert(key.volume)
            count += 1
            started.append((key, reason))
            slots[key]?.runningSince = now
            slots[key]?.runningFor = reason
            slots[key]?.asked = nil
            slots[key]?.askedAt = nil
            slots[key]?.retryAt = nil
        }
        return started
    }

    /// Pressure first, then what was asked for, then by time.
    private func ready(now: Timestamp) -> [(key: ActivityKey, reason: ActivityReason, since: Timestamp)] {
        var ready: [(key: ActivityKey, reason: ActivityReason, since: Timestamp)] = []
        for (key, slot) in slots where slot.runningSince == nil {
            if let pause = slot.retryAt, pause > now { continue }
            if let asked = slot.asked {
                ready.append((key, asked, slot.askedAt ?? now))
            } else if let due = slot.dueAt, due <= now {
                ready.append((key, slot.isMissed ? .missed : .schedule, due))
            }
        }
        func rank(_ reason: ActivityReason) -> Int {
            reason == .pressure ? 0 : reason == .request ? 1 : 2
        }
        let order = Activity.allCases
        func place(_ key: ActivityKey) -> Int { order.firstIndex(of: key.activity) ?? 0 }
        return ready.sorted {
            (rank($0.reason), $0.since, place($0.key), $0.key.volume ?? "")
                < (rank($1.reason), $1.since, place($1.key), $1.key.volume ?? "")
        }
    }

    /// Takes note of an end.
    ///
    /// - Returns: when it is tried again; nil where it is not.
    mutating func end(_ key: ActivityKey, _ outcome: ActivityOutcome, now: Timestamp) -> Timestamp? {
        guard var slot = slots[key], let startedAt = slot.runningSince else { return nil }
        guard keys.contains(key) else {
            slots[key] = nil
            return nil
        }
        let reason = slot.runningFor
        (slot.runningSince, slot.runningFor) = (nil, nil)
        if outcome.isTriedAgain {
            let pause = Span(
                nanoseconds: min(
                    Self.firstPause.nanoseconds << Int64(min(slot.retries, 10)),
                    Self.longestPause.nanoseconds))
            slot.retries += 1
            slot.retryAt = now + pause
            if slot.asked == nil, reason != .schedule, reason != .missed {
                (slot.asked, slot.askedAt) = (reason, now)
            }
        } else if outcome.result != .stopped {
            slot.retries = 0
            slot.last = LastRun(
                startedAt: startedAt, endedAt: now,
                succeededAt: outcome.isSuccess ? now : slot.last?.succeededAt, line: outcome.line)
            if slot.dueAt.map({ $0 <= now }) ?? true { setNext(&slot, key, now: now) }
        }
        slots[key] = slot
        return slot.retryAt
    }

    /// Takes on an activity to begin as soon as its volume is free.
    mutating func ask(_ key: ActivityKey, _ reason: ActivityReason, now: Timestamp) {
        guard slots[key] != nil else { return }
        slots[key]?.asked = reason
        slots[key]?.askedAt = now
        slots[key]?.retryAt = nil
    }

    /// What runs on a volume.
    func running(on volume: String?) -> Activity? {
        slots.first { $0.key.volume == volume && $0.value.runningSince != nil }?.key.activity
    }

    /// When something may begin next that does not begin now; nil where nothing is planned.
    func nextWake(after now: Timestamp) -> Timestamp? {
        slots.values.filter { $0.runningSince == nil }.compactMap { slot in
            let wanted = slot.asked != nil ? slot.askedAt : slot.dueAt
            return wanted.map { max($0, slot.retryAt ?? $0) }
        }.filter { $0 > now }.min()
    }

    /// How each activity stands that was scheduled, asked for or run.
    func states() -> [ActivityState] {
        let order = Activity.allCases
        return slots.filter { _, slot in
            slot.schedule != nil || slot.last != nil || slot.runningSince != nil || slot.asked != nil
        }.map { key, slot in
            ActivityState(
                activity: key.activity, volume: key.volume, runningSince: slot.runningSince,
                lastSuccess: slot.last?.succeededAt, lastEnd: slot.last?.endedAt, lastResult: slot.last?.line,
                nextDue: slot.dueAt)
        }.sorted {
            ($0.volume ?? "", order.firstIndex(of: $0.activity) ?? 0)
                < ($1.volume ?? "", order.firstIndex(of: $1.activity) ?? 0)
        }
    }
}
