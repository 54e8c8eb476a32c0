import CacheIndex
import CacheModel
import PodmanClient

/// Carries out a plan on one volume and makes the index say what happened.
///
/// The order makes a kill at any instant harmless: journal, moves, record, and only then purging.
package struct Pruner: Sendable {
    /// How much one run may evict, whatever the plan asks for.
    package struct Limits: Sendable, Hashable {
        /// The part of a volume's used bytes.
        package var bytesShare: Watermark
        /// The number of entries.
        package var entries: Int

        /// Makes limits from both.
        package init(bytesShare: Watermark, entries: Int) {
            self.bytesShare = bytesShare
            self.entries = entries
        }
    }

    /// What became of one volume.
    package struct Result: Sendable {
        /// What went and what was refused.
        package var outcome: EvictionOutcome
        /// What failed besides single entries: the socket, a purge.
        package var failures: [String]
        /// What a person should know besides.
        package var notices: [String] = []
    }

    let index: CacheIndex
    let limits: Limits?
    let idleFloor: Span
    let clock: @Sendable () -> Timestamp

    /// Makes a pruner.
    ///
    /// Without limits a plan is carried out whole.
    package init(
        index: CacheIndex, limits: Limits?, idleFloor: Span, clock: @escaping @Sendable () -> Timestamp
    ) {
        self.index = index
        self.limits = limits
        self.idleFloor = idleFloor
        self.clock = clock
    }

    /// Refuses to work by a clock that shows a time more than a day before the last scan, or was set by more
    /// than a day since.
    ///
    /// Ages would mean nothing. To be asked before the scan that precedes a prune, which would take the time for the right one.
    ///
    /// - Throws: `MaintenanceError.clockWentBack`, `.clockWasSet`, `IndexError`.
    package func checkClock(for volume: Volume) throws {
        let now = clock()
        if let last = try index.lastScan(of: volume.name), now < last - .days(1) {
            throw MaintenanceError.clockWentBack(volume: volume.name, lastScan: last, now: now)
        }
        if let expected = ClockJumpDetector(stateDirectory: index.stateDirectory).expected(now: now) {
            throw MaintenanceError.clockWasSet(volume: volume.name, expected: expected, now: now)
        }
    }

    /// Carries out `plan` on the locked volume.
    ///
    /// - Parameters:
    ///   - refused: What was planned and already turned down; it is recorded with the rest.
    ///   - podman: The client for an image store's socket.
    ///   - purge: Whether the trash is emptied at once, this run's entries with it.
    /// - Throws: `MaintenanceError`, `IndexError`, `ImageStoreError`.
    package func prune(
        _ locked: LockedVolume, _ plan: consuming EvictionPlan, refused: [EvictionOutcome.Line],
        scan: ScanRecord,
        run: String, podman: PodmanClient?, purge: Bool,
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) async throws -> Result {
        guard scan.complete else {
            throw MaintenanceError.incompleteScan(
                volume: locked.volume.name, first: "named by 'larder scan'", count: scan.unreadable)
        }
        let startedAt = clock()
        guard startedAt > scan.startedAt - .days(1) else {
            throw MaintenanceError.clockWentBack(
                volume: locked.volume.name, lastScan: scan.startedAt, now: startedAt)
        }
        // The scan belongs to this run: so much later it is another time that the clock shows.
        guard startedAt < scan.startedAt + .days(1) else {
            throw MaintenanceError.clockWasSet(
                volume: locked.volume.name, expected: scan.startedAt, now: startedAt)
        }
        var result: Result
        switch locked.volume.kind {
        case .buildCache:
            var early = TrashRetention.Purge()
            if !plan.evict.isEmpty {
                early = try TrashRetention(index: index, clock: clock).makeRoom(
                    locked, live: plan.usedBytes, run: run)
            }
            let outcome = try BuildPruner(
                locked, quietSince: quietSince(scan), clock: clock, progress: progress
            )
            .apply(plan, run: run, scan: scan, limits: limits)
            result = Result(
                outcome: outcome, failures: early.failures + outcome.failures, notices: early.notices)
        case .imageStore:
            guard let podman else {
                throw MaintenanceError.unusablePlan(reason: "volume \(locked.volume.name) has no socket")
            }
            let (allowed, beyond) = limited(plan)
            let pruned = try await ImagePruner(locked, podman: podman, progress: progress)
                .apply(allowed, scan: scan)
            result = Result(outcome: pruned.outcome, failures: pruned.failure.map { [$0] } ?? [])
            result.outcome.refused += beyond
        }
        // A hundred thousand of them take as much memory as what is written of them now.
        plan.evict = []
        result.outcome.refused = refused + result.outcome.refused
        let exitCode: Int32 = result.outcome.overQuota ? 3 : result.outcome.refused.isEmpty ? 0 : 4
        do {
            try index.record(
                result.outcome,
                run: RunRecord(
                    id: run, kind: RunRecord.prune, startedAt: startedAt, finishedAt: clock(),
                    exitCode: exitCode))
        } catch IndexError.full(let path) {
            // The moves are done and the journal tells of them: the next scan that has room records the run.
            result.failures.append("the run could not be recorded: \(IndexError.full(path: path))")
        }
        if locked.volume.kind == .buildCache {
            try TrashRetention(index: index, clock: clock).keep(locked, run: run, purgeAll: purge, &result)
        }
        return result
    }

    /// Where no idle floor is set: the scan, less what a file server's clock may be behind.
    func quietSince(_ scan: ScanRecord) -> Timestamp {
        let beforeScan = scan.startedAt - .minutes(1)
        return idleFloor > .zero ? min(clock() - idleFloor, beforeScan) : beforeScan
    }

    /// The plan as far as the limits of one run allow if all of it goes, and the rest, refused.
    func limited(_ plan: EvictionPlan) -> (EvictionPlan, [EvictionOutcome.Line]) {
        var allowance = RunAllowance(limits, used: plan.usedBytes)
        var limited = plan
        limited.evict = []
        var beyond: [EvictionOutcome.Line] = []
        for eviction in plan.evict {
            guard let reason = allowance.refusal(of: eviction.freedBytes) else {
                allowance.use(eviction.freedBytes)
                limited.evict.append(eviction)
                continue
            }
            beyond.append(
                EvictionOutcome.Line(
                    entryID: eviction.entry.id, pool: eviction.entry.pool, key: eviction.entry.key,
                    bytes: eviction.freedBytes, reason: reason))
        }
        return (limited, beyond)
    }
}
