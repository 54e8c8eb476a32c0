import CacheModel
import Caches
import FileAccess
import PodmanClient

/// Evicts images through podman.sock: never by force, never by unlinking, one name after the other.
///
/// Before each image the store's records are read again: one that a container uses by now, that was pulled
/// again or got another name stays. Afterwards they are read once more, and what they say counts, not the
/// answer of the socket. A refusal (409) is no failure: the rest goes on.
package struct ImagePruner: Sendable {
    private let locked: LockedVolume
    private let podman: PodmanClient
    private let progress: (@Sendable (Int, Int) -> Void)?

    /// Makes a pruner for the locked store.
    ///
    /// `progress` gets images done and planned.
    package init(
        _ locked: LockedVolume, podman: PodmanClient, progress: (@Sendable (Int, Int) -> Void)? = nil
    ) {
        self.locked = locked
        self.podman = podman
        self.progress = progress
    }

    /// What became of a prune, and the socket's failure that ended it early, if any.
    package struct Result: Sendable {
        /// What went and what was refused.
        package var outcome: EvictionOutcome
        /// Why the socket could not be used; nil where it could.
        package var failure: String?
    }

    /// Removes the plan's images.
    ///
    /// - Throws: `MaintenanceError.otherVolume` where the root is not the one that was scanned, `ImageStoreError`
    ///   where the store's records cannot be read.
    package func apply(_ plan: EvictionPlan, scan: ScanRecord) async throws -> Result {
        let volume = locked.volume
        guard locked.isVolume(scan.identity) else {
            throw MaintenanceError.otherVolume(volume: volume.name, path: volume.path)
        }
        let reader = ImageStoreReader(of: volume)
        // What containers wrote is in the plan's figure, and not in the records.
        let beyondRecords = max(.zero, plan.usedBytes - (try reader.read(recordsOnly: true).bytes))
        let gain = FreeSpaceGain(on: locked.root)
        var result = Result(
            outcome: EvictionOutcome(
                volume: volume.name, usedBefore: plan.usedBytes, usedAfter: plan.usedBytes, overQuota: false))
        for (number, eviction) in plan.evict.enumerated() {
            let entry = eviction.entry
            var line = EvictionOutcome.Line(
                entryID: entry.id, pool: entry.pool, key: entry.key, bytes: eviction.freedBytes,
                reason: eviction.reason)
            var refusal: String?
            var isGone = false
            if Task.isCancelled {
                refusal = Refusal.stopped.text
            } else if let failure = result.failure {
                refusal = failure
            } else {
                do {
                    switch try await remove(entry.found, seenUntil: scan.startedAt, reader) {
                    case .done: break
                    case .goneBefore: isGone = true
                    case .refused(let reason): refusal = reason
                    }
                } catch let error as PodmanError {
                    refusal = "\(error)"
                    // An answer, even a 500 for this image, is no reason to give up on the others.
                    if case .status = error {} else { result.failure = refusal }
                }
            }
            if let refusal {
                line.reason = refusal
                result.outcome.refused.append(line)
            } else {
                if isGone { (line.bytes, line.reason) = (.zero, "somebody else removed it meanwhile") }
                result.outcome.evicted.append(line)
            }
            progress?(number + 1, plan.evict.count)
        }
        result.outcome.freedBytes = gain.bytes
        result.outcome.usedAfter =
            try OwnFileSystem(locked).map(\.used) ?? reader.read(recordsOnly: true).bytes + beyondRecords
        result.outcome.overQuota = plan.isExceeded(by: result.outcome.usedAfter)
        return result
    }

    private enum Removal {
        case done
        /// Somebody else removed it before.
        case goneBefore
        case refused(String)
    }

    /// Removes one image.
    ///
    /// What the store says afterwards counts, and not Podman's answer.
    private func remove(
        _ entry: ScannedEntry, seenUntil: Timestamp, _ reader: ImageStoreReader
    ) async throws -> Removal {
        guard let planned = entry.image else { return .refused("it is no image") }
        guard let now = try reader.read().entries().first(where: { $0.image?.id == planned.id }) else {
            return .goneBefore
        }
        if let change = Self.change(from: entry, to: now, seenUntil: seenUntil) { return .refused(change) }
        var refusal: String?
        // An image without a name goes by its ID; with names that would be refused, or take all of them at once.
        for name in planned.names.isEmpty ? [planned.id] : planned.names where refusal == nil {
            if case .refused(let reason) = try await podman.removeImage(name, isList: planned.role == .list) {
                refusal = reason
            }
        }
        guard try reader.read(recordsOnly: true).images.contains(where: { $0.id == planned.id }) else {
            return .done
        }
        return .refused(refusal ?? "it is still in the store after its names were removed")
    }

    /// What happened to an image since the scan that forbids its removal.
    ///
    /// - Parameter seenUntil: When the scan began: the plan knows of uses before. Of two such times within a second, a
    ///   coarse clock does not tell the later one.
    static func change(
        from planned: ScannedEntry, to now: ScannedEntry, seenUntil: Timestamp
    ) -> String? {
        if now.protections.contains(Protections(.inUse)) { return "a container uses it by now" }
        if now.fetched != planned.fetched { return "it was pulled again since the scan" }
        if now.accessed > max(planned.accessed, seenUntil - .seconds(1)) {
            return "it was used or pulled since the scan"
        }
        if now.image?.names != planned.image?.names { return "its names changed since the scan" }
        return nil
    }
}
