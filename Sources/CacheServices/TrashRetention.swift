import CacheIndex
import CacheModel
import Caches
import FileAccess

/// Decides how long evicted entries wait: until their time is over, the volume is about to overflow, or at once
/// where that was asked for.
struct TrashRetention {
    let index: CacheIndex
    let clock: @Sendable () -> Timestamp

    /// Purges what is due after a run, and corrects the run's figures to what is left.
    func keep(
        _ locked: LockedVolume, run: String, purgeAll: Bool, _ result: inout Pruner.Result
    ) throws {
        let trash = Trash(try locked.folder.get())
        var left = try trash.runs()
        let isStopped: (ByteCount) -> Bool = { _ in Task.isCancelled }
        var freed = ByteCount.zero
        if purgeAll {
            let purged = trash.purge(&left, until: isStopped)
            freed = purged.bytes
            result.failures += purged.failures
            try record(purged.runs, .asked, by: run, on: locked)
        } else {
            let purge = try purgeDue(
                trash, &left, locked, live: result.outcome.usedAfter, run: run)
            freed = purge.bytes
            result.failures += purge.failures
            result.notices += purge.notices
        }
        result.outcome.freedBytes = result.outcome.freedBytes + freed
        result.outcome.trashedBytes = left.first { $0.id == run }?.bytes ?? .zero
        do {
            try index.recordPurge(
                of: locked.volume.name, trashLeft: left.reduce(.zero) { $0 + $1.bytes }, run: run,
                freed: result.outcome.freedBytes, trashed: result.outcome.trashedBytes)
            try index.recordTrash(of: locked.volume.name, holding: left.map(\.stock))
        } catch IndexError.full(let path) {
            result.failures.append("the purge could not be recorded: \(IndexError.full(path: path))")
        }
    }

    /// Purges what is due before more is evicted: a volume that is nearly full must not be filled by what was evicted
    /// before.
    ///
    /// What an earlier run promised to keep stays for its time, unless the volume is above its critical level.
    func makeRoom(_ locked: LockedVolume, live: ByteCount, run: String) throws -> Purge {
        let trash = Trash(try locked.folder.get())
        var runs = try trash.runs()
        return try purgeDue(trash, &runs, locked, live: live, run: run)
    }

    /// What a prune by a plan takes from the trash for good, to come down from the critical level to the high watermark:
    /// what waits there goes before anything is evicted, and then what was evicted where that was not enough.
    ///
    /// Whole entries go, the oldest first, so that somewhat more may.
    static func purged(
        _ plan: EvictionPlan, of volume: Volume, _ capacity: Capacity
    ) -> (earlier: ByteCount, own: ByteCount) {
        guard volume.kind == .buildCache, volume.trashRetention > .zero, plan.isCritical else {
            return (.zero, .zero)
        }
        let fill = fill(plan.usedBytes, trash: plan.trashBytes, under: plan.quota, on: capacity)
        let earlier = purgedFirst(
            of: plan.trashBytes, beside: plan.usedBytes, under: plan.quota, on: capacity)
        guard fill - earlier > volume.criticalLevel(on: capacity) else { return (earlier, .zero) }
        let needed = fill - earlier - plan.quota.high
        let goes = plan.freedBytes - (plan.later?.bytes ?? .zero)
        // In the order in which they came.
        var purged = ByteCount.zero
        for place in plan.evict.indices where purged < min(needed, goes) {
            purged = purged + plan.evict[place].freedBytes
        }
        return (earlier, min(purged, goes))
    }

    /// What a prune takes from the trash before it evicts anything, to come down to the high watermark from above the
    /// critical level.
    static func purgedFirst(
        of trash: ByteCount, beside used: ByteCount, under quota: Quota, on capacity: Capacity
    ) -> ByteCount {
        max(.zero, min(trash, fill(used, trash: trash, under: quota, on: capacity) - quota.high))
    }

    /// The critical level of a volume, where it holds more with its trash; nil where it does not.
    static func criticalLevel(
        exceededBy used: ByteCount, trash: ByteCount, of volume: Volume, under quota: Quota,
        on capacity: Capacity
    ) -> ByteCount? {
        let level = volume.criticalLevel(on: capacity)
        return fill(used, trash: trash, under: quota, on: capacity) > level ? level : nil
    }

    /// What counts against the critical level: what is moved into the trash is not free.
    private static func fill(
        _ used: ByteCount, trash: ByteCount, under quota: Quota, on capacity: Capacity
    ) -> ByteCount {
        quota.limit < capacity.usable ? used + trash : max(used + trash, capacity.used)
    }

    /// Takes down of which runs entries are gone for good, so that nobody is told that they can be brought back.
    private func record(
        _ runs: [String], _ cause: TrashPurge.Cause, by run: String, on locked: LockedVolume
    ) throws {
        do {
            try index.record(
                TrashPurge(at: clock(), by: run, cause: cause), ofRuns: runs, on: locked.volume.name)
        } catch IndexError.full {
            // What is gone is gone; the next scan says what the trash still holds.
        }
    }

    /// What could not be purged, and what a person should know of what was.
    struct Purge {
        var failures: [String] = []
        var notices: [String] = []
        /// What was unlinked: no more than this run got back.
        var bytes = ByteCount.zero
        /// The runs of which something was unlinked before its time.
        var early: [String] = []
    }

    /// Purges runs older than their time, and than the time that they promised; and, above the critical watermark, the
    /// oldest first until the volume is back at the high one.
    ///
    /// `runs` is what the trash holds, and what is left of it; `live` is what the volume holds beside it. A volume that
    /// is a part of its file system is measured by what is its own, not by what others wrote there.
    private func purgeDue(
        _ trash: Trash, _ runs: inout [Trash.Run], _ locked: LockedVolume, live: ByteCount, run: String
    ) throws -> Purge {
        let volume = locked.volume
        let now = clock()
        // What a run promised holds whatever the configuration says by now, and whoever's it is.
        let soon = now + volume.trashSlack
        let due = trash.purge(&runs, before: soon - volume.trashRetention, promisedBefore: soon)
        try record(
            due.runs, volume.trashRetention == .zero ? .noRetention : .overdue, by: run, on: locked)
        var purge = Purge(failures: due.failures)
        purge.bytes = due.bytes
        guard let disk = Capacity(descriptor: locked.root.descriptor) else { return purge }
        let quota = volume.quota(capacity: disk)
        let (critical, enough) = (volume.criticalLevel(on: disk), quota.high)
        if quota.limit < disk.usable {
            let fill = runs.reduce(live) { $0 + $1.bytes }
            if fill > critical {
                purge.add(trash.purge(&runs, isUrgent: true) { $0 >= fill - enough }, on: volume)
            }
        } else if disk.used > critical {
            purge.add(
                trash.purge(&runs, isUrgent: true) { _ in
                    Capacity(descriptor: locked.root.descriptor).map { $0.used <= enough } ?? true
                }, on: volume)
        }
        if let inodes = volume.inodeQuota(capacity: disk),
            let used = OwnFileSystem.usedInodes(volume, locked.root, disk), used > inodes.critical
        {
            purge.add(
                trash.purge(&runs, isUrgent: true) { _ in
                    Capacity(descriptor: locked.root.descriptor).map {
                        $0.inodes - $0.freeInodes <= inodes.high
                    }
                        ?? true
                }, on: volume)
        }
        try record(purge.early, .critical, by: run, on: locked)
        return purge
    }
}

extension TrashRetention.Purge {
    /// Adds what was purged before its time.
    fileprivate mutating func add(
        _ early: (bytes: ByteCount, failures: [String], runs: [String]), on volume: Volume
    ) {
        failures += early.failures
        self.early += early.runs
        bytes = bytes + early.bytes
        guard early.bytes > .zero else { return }
        notices.append(
            "volume \(volume.name) was above its critical level: \(early.bytes) were purged from the trash before "
                + "their time, and cannot be brought back")
    }
}
