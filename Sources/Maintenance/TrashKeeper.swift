import CacheIndex
import CacheModel
import DirectoryAccess
import VolumeScanning

/// Decides how long evicted entries wait: until their time is over, the volume is about to overflow, or at once
/// where that was asked for.
struct TrashKeeper {
    let index: CacheIndex
    let clock: @Sendable () -> Timestamp

    /// Purges what is due after a run, and corrects the run's figures to what is left.
    func keep(
        _ locked: LockedVolume, run: String, purgeAll: Bool, _ result: inout Pruner.Result
    ) throws {
        let trash = Trash(try locked.folder.get())
        let isStopped: () -> Bool = { Task.isCancelled }
        let gain = FreeSpaceGain(on: locked.root)
        if purgeAll || locked.volume.trashRetention == .zero {
            result.failures += try trash.purge(until: isStopped).failures
        } else {
            result.failures += try purgeDue(trash, locked)
        }
        let left = try trash.runs()
        result.outcome.freedBytes = result.outcome.freedBytes + gain.bytes
        result.outcome.trashedBytes = left.first { $0.id == run }?.bytes ?? .zero
        do {
            try index.recordPurge(
                of: locked.volume.name, trashLeft: left.reduce(.zero) { $0 + $1.bytes }, run: run,
                freed: result.outcome.freedBytes, trashed: result.outcome.trashedBytes)
        } catch IndexError.full(let path) {
            result.failures.append("the purge could not be recorded: \(IndexError.full(path: path))")
        }
    }

    /// Purges runs older than their time; and, above the critical watermark, the oldest first until the file
    /// system is back at the high one.
    private func purgeDue(_ trash: Trash, _ locked: LockedVolume) throws -> [String] {
        let volume = locked.volume
        var failures = try trash.purge(before: clock() - volume.trashRetention).failures
        guard let now = Capacity(descriptor: locked.root.descriptor) else { return failures }
        let limit = min(volume.limit ?? now.total, now.total)
        guard now.used > volume.critical.of(limit) else { return failures }
        let enough = volume.high.of(limit)
        failures += try trash.purge(until: {
            Capacity(descriptor: locked.root.descriptor).map { $0.used <= enough } ?? true
        }).failures
        return failures
    }
}
