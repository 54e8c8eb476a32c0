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
        let isStopped: (ByteCount) -> Bool = { _ in Task.isCancelled }
        var freed = ByteCount.zero
        if purgeAll || locked.volume.trashRetention == .zero {
            let purged = try trash.purge(until: isStopped)
            freed = purged.bytes
            result.failures += purged.failures
        } else {
            result.failures += try purgeDue(trash, locked, live: result.outcome.usedAfter, &freed)
        }
        let left = try trash.runs()
        result.outcome.freedBytes = result.outcome.freedBytes + freed
        result.outcome.trashedBytes = left.first { $0.id == run }?.bytes ?? .zero
        do {
            try index.recordPurge(
                of: locked.volume.name, trashLeft: left.reduce(.zero) { $0 + $1.bytes }, run: run,
                freed: result.outcome.freedBytes, trashed: result.outcome.trashedBytes)
        } catch IndexError.full(let path) {
            result.failures.append("the purge could not be recorded: \(IndexError.full(path: path))")
        }
    }

    /// Purges runs older than their time; and, above the critical watermark, the oldest first until the volume is
    /// back at the high one.
    ///
    /// `live` is what the volume holds beside the trash. A volume that is a part of its file system is measured by
    /// what is its own, not by what others wrote there.
    private func purgeDue(
        _ trash: Trash, _ locked: LockedVolume, live: ByteCount, _ freed: inout ByteCount
    ) throws -> [String] {
        let volume = locked.volume
        let due = try trash.purge(before: clock() - volume.trashRetention)
        freed = freed + due.bytes
        var failures = due.failures
        guard let disk = Capacity(descriptor: locked.root.descriptor) else { return failures }
        let limit = min(volume.limit ?? disk.total, disk.total)
        let (critical, enough) = (volume.critical.of(limit), volume.high.of(limit))
        if limit < disk.total {
            let fill = try trash.runs().reduce(live) { $0 + $1.bytes }
            guard fill > critical else { return failures }
            let purged = try trash.purge(until: { $0 >= fill - enough })
            freed = freed + purged.bytes
            failures += purged.failures
        } else if disk.used > critical {
            let purged = try trash.purge { _ in
                Capacity(descriptor: locked.root.descriptor).map { $0.used <= enough } ?? true
            }
            freed = freed + purged.bytes
            failures += purged.failures
        }
        return failures
    }
}
