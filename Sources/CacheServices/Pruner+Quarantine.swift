import CacheIndex
import CacheModel

extension Pruner {
    /// Moves the damaged entries of a verification into the trash, each directory as a whole, and records the run.
    ///
    /// A prune of these entries alone: whatever protects an entry from a prune protects it here, and so does the
    /// last look before each move. The trash is not emptied for it first.
    ///
    /// - Parameter usage: The volume as the verification saw it.
    /// - Returns: The verification with what became of each finding, and what failed besides.
    /// - Throws: `MaintenanceError`, `IndexError`.
    package func quarantine(
        _ locked: LockedVolume, _ verified: VerifiedVolume, usage: VolumeUsage, run: String
    ) throws -> (verified: VerifiedVolume, failures: [String]) {
        let scan = usage.scan
        let startedAt = clock()
        guard scan.complete else {
            throw MaintenanceError.incompleteScan(
                volume: locked.volume.name, first: "named by 'larder scan'", count: scan.unreadable)
        }
        guard startedAt > scan.startedAt - .days(1) else {
            throw MaintenanceError.clockWentBack(
                volume: locked.volume.name, lastScan: scan.startedAt, now: startedAt)
        }
        let plan = quarantinePlan(verified, usage, on: locked.volume)
        var outcome = EvictionOutcome(
            volume: locked.volume.name, usedBefore: usage.usedBytes, usedAfter: usage.usedBytes,
            overQuota: false)
        if !plan.evict.isEmpty {
            outcome = try BuildPruner(
                locked, quietSince: quietSince(scan), kind: RunRecord.verify, clock: clock
            ).apply(plan, run: run, scan: scan, limits: limits)
            outcome.overQuota = false
            for place in outcome.evicted.indices {
                outcome.evicted[place].reason = verified.damage(of: outcome.evicted[place].entryID)
            }
        }
        outcome.refused += kept(by: plan, verified, usage)
        let marked = verified.marked(with: outcome)
        var result = Result(outcome: outcome, failures: outcome.failures)
        do {
            try index.record(
                outcome,
                run: RunRecord(
                    id: run, kind: RunRecord.verify, startedAt: startedAt, finishedAt: clock(),
                    exitCode: marked.isClean ? 0 : 4), checks: RunChecks(marked))
        } catch IndexError.full(let path) {
            // The moves are done and the journal tells of them: the next scan that has room records the run.
            result.failures.append("the run could not be recorded: \(IndexError.full(path: path))")
        }
        try TrashRetention(index: index, clock: clock).keep(locked, run: run, purgeAll: false, &result)
        return (marked, result.failures)
    }

    /// The findings of a verification that moves nothing, with why a quarantine would leave an entry where it is.
    package func foreseen(
        _ verified: VerifiedVolume, usage: VolumeUsage, on volume: Volume
    ) -> VerifiedVolume {
        let plan = quarantinePlan(verified, usage, on: volume)
        let reasons = Dictionary(
            kept(by: plan, verified, usage).map { ($0.entryID, $0.reason) },
            uniquingKeysWith: { first, _ in first })
        var foreseen = verified
        for place in foreseen.damaged.indices where foreseen.damaged[place].pool != .images {
            let reason = reasons[foreseen.damaged[place].entryID]
            foreseen.damaged[place].refusal =
                reason ?? (usage.scan.complete ? nil : "a part of the volume cannot be read")
        }
        return foreseen
    }

    /// Every damaged entry goes, whatever the quota says, but for those that a prune would keep.
    private func quarantinePlan(
        _ verified: VerifiedVolume, _ usage: VolumeUsage, on volume: Volume
    ) -> EvictionPlan {
        let damaged = Set(verified.damaged.map(\.entryID))
        var concerned = usage
        concerned.entries = usage.entries.filter { damaged.contains($0.id) && $0.pool != .images }
        return EvictionPolicy(idleFloor: idleFloor, keep: volume.keep, target: .zero)
            .plan(concerned, under: volume.quota(capacity: usage.capacity), now: clock())
    }

    private func kept(
        by plan: EvictionPlan, _ verified: VerifiedVolume, _ usage: VolumeUsage
    ) -> [EvictionOutcome.Line] {
        let damaged = Set(verified.damaged.map(\.entryID))
        return usage.entries.compactMap { entry in
            guard damaged.contains(entry.id), case .kept(let protection) = plan.verdict(on: entry) else {
                return nil
            }
            return EvictionOutcome.Line(
                entryID: entry.id, pool: entry.pool, key: entry.key, bytes: entry.bytes,
                reason: protection.text)
        }
    }
}

extension VerifiedVolume {
    /// What is wrong with an entry, by the first of its files that did not stand.
    func damage(of entry: Int64) -> String {
        guard let found = damaged.first(where: { $0.entryID == entry }) else { return "damaged" }
        return "\(found.kind.rawValue): \(found.detail)"
    }

    /// The findings with what became of their entries.
    func marked(with outcome: EvictionOutcome) -> VerifiedVolume {
        let moved = Set(outcome.evicted.map(\.entryID))
        let reasons = Dictionary(
            outcome.refused.map { ($0.entryID, $0.reason) }, uniquingKeysWith: { first, _ in first })
        var marked = self
        for place in marked.damaged.indices {
            let id = marked.damaged[place].entryID
            marked.damaged[place].isQuarantined = moved.contains(id)
            if !moved.contains(id) { marked.damaged[place].refusal = reasons[id] ?? "it is gone already" }
        }
        return marked
    }
}
