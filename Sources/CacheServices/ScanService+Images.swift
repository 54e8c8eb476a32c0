import CacheIndex
import CacheModel
import Caches
import FileAccess

extension ScanService {
    /// Reads an image store and the event logs beside it.
    ///
    /// The logs are read first: what they tell lies before the scan's beginning, and the images are there still.
    func scanImageStore(_ locked: LockedVolume, _ notices: inout [String]) throws -> VolumeScan {
        let volume = locked.volume
        let previous = try index.previousScan(of: volume.name)
        let before = previous?.record.identity == locked.identity ? previous : nil
        var events = PodmanEventLogs(directory: volume.eventsPath).read(after: before?.snapshot ?? [])
        if before != nil { events.add(try index.followedUses(of: volume.name)) }
        let startedAt = clock()
        let store = try ImageStoreReader(root: volume.path).read()
        try checkPath(of: locked)
        notices += (store.problems + events.notices).map { "volume \(volume.name): \($0)" }
        guard let capacity = Capacity(descriptor: locked.root.descriptor) else {
            throw ScanError.unreadableRoot(path: volume.path, reason: "statfs failed")
        }
        var entries = store.entries().sorted { $0.path < $1.path }
        ImageUses(entries).add(events.events, to: &entries)
        let silent =
            before.map { silentContainers(in: store, events, from: $0.record.startedAt, to: startedAt) } ?? 0
        var scan = VolumeScan(
            volume: volume.name, startedAt: startedAt, finishedAt: clock(), identity: locked.identity,
            complete: true, directories: Int64(store.layers.count), files: 0, bytes: store.bytes,
            apparentBytes: store.bytes, capacity: capacity, atimeTrust: trust(in: events, silent, volume),
            entries: entries, layers: store.layers, snapshot: events.cursors)
        scan.orphans = try StoreOrphans(root: locked.root).find(in: store, now: startedAt) {
            try ImageStoreReader(root: volume.path).read()
        }
        return scan
    }

    /// The reader opens the path anew: what is mounted there now may not be what was locked.
    private func checkPath(of locked: LockedVolume) throws {
        let volume = locked.volume
        let now = try RootPresence(of: try OpenDirectory.open(root: volume.path))
        guard now == (try RootPresence(of: locked.root)) else {
            throw MaintenanceError.otherVolume(volume: volume.name, path: volume.path)
        }
    }

    /// How many containers were made since the scan before, a minute ago at least, without an event.
    private func silentContainers(
        in store: ImageStore, _ events: PodmanEventLogs.Reading, from start: Timestamp, to end: Timestamp
    ) -> Int {
        let told = Set(events.events.map(\.container))
        return store.containers.count {
            $0.created > start && $0.created + .minutes(1) <= end && !$0.imageID.isEmpty
                && !told.contains($0.id)
        }
    }

    private func trust(in events: PodmanEventLogs.Reading, _ silent: Int, _ volume: Volume) -> EvidenceQuality
    {
        if events.files == 0 {
            return EvidenceQuality(
                .low,
                reason:
                    "only containers in the store and pulls show use; there is no event log in \(volume.eventsPath)"
            )
        }
        if silent > 0 {
            return EvidenceQuality(
                .medium,
                reason: "\(silent) containers have no event: some pods write no log to \(volume.eventsPath)")
        }
        if !events.isWhole {
            return EvidenceQuality(
                .medium, reason: "a part of the event logs in \(volume.eventsPath) could not be read")
        }
        return EvidenceQuality(.high)
    }
}

extension PodmanEventLogs.Reading {
    /// Adds what was followed since the last scan, so that the scan judges all uses of its interval.
    fileprivate mutating func add(_ followed: (uses: [FollowedUse], isWhole: Bool)) {
        isWhole = isWhole && followed.isWhole
        guard !followed.uses.isEmpty else { return }
        let told = Set(events)
        events += followed.uses.map { PodmanEvent(container: $0.container, image: $0.image, at: $0.at) }
            .filter { !told.contains($0) }
        events.sort { $0.at < $1.at }
    }
}
