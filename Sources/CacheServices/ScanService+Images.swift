import CacheIndex
import CacheModel
import Caches
import FileAccess

extension ScanService {
    /// Reads an image store and the event logs beside it.
    ///
    /// The logs are read first: what they tell lies before the scan's beginning, and the images are there still.
    func scanImageStore(
        _ locked: LockedVolume, _ recognized: RecognizedVolume, _ notices: inout [String]
    ) throws -> (scan: VolumeScan, events: PodmanEventLogs.Reading) {
        let volume = locked.volume
        let previous = try index.previousScan(of: volume.name)
        let before = previous.flatMap {
            [recognized.identity, recognized.former].contains($0.record.identity) ? $0 : nil
        }
        var events = PodmanEventLogs(directory: volume.eventsPath).read(
            after: before?.snapshot ?? [], needed: clock() - Self.eventLogTime)
        if before != nil { events.add(try index.followedUses(of: volume.name)) }
        let startedAt = clock()
        let reader = ImageStoreReader(of: volume)
        let store = try reader.read()
        let others = try reader.drivers().others
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
            volume: volume.name, startedAt: startedAt, finishedAt: clock(), identity: recognized.identity,
            complete: true, directories: Int64(store.layers.count), files: 0, bytes: store.bytes,
            apparentBytes: store.bytes, capacity: capacity, atimeTrust: trust(in: events, silent, volume),
            entries: entries, layers: store.layers, snapshot: events.cursors)
        scan.eventLogs = events.logs
        let space = StoreSpace(root: locked.root, driver: store.driver, others: others)
        let written = space.containerLayers(of: store)
        for place in scan.layers.indices {
            guard let bytes = written[scan.layers[place].id] else { continue }
            scan.bytes += bytes - scan.layers[place].storedBytes
            scan.layers[place].storedBytes = bytes
        }
        scan.apparentBytes = scan.bytes
        scan.orphans = try StoreOrphans(root: locked.root, driver: store.driver).find(
            in: store, now: startedAt
        ) {
            try reader.read()
        }
        scan.unaccounted = space.unaccounted(
            at: volume.path, orphans: scan.orphans, now: startedAt
        ).filter { $0.bytes > .zero }
        if let own = OwnFileSystem(locked) {
            scan.fileSystemUsed = own.used
            let named = scan.unaccounted.reduce(ByteCount.zero) { $0 + $1.bytes }
            let rest = own.used - scan.bytes - named
            // A file system's own records take a little, too.
            if rest > ByteCount(1 << 20) {
                scan.unaccounted.append(UnaccountedSpace(kind: .unknown, bytes: rest))
            }
        }
        return (scan, events)
    }

    /// How long event logs are kept: reports look back so far.
    static let eventLogTime = Span.days(31)

    /// The reader opens the path anew: what is mounted there now may not be what was locked.
    private func checkPath(of locked: LockedVolume) throws {
        let volume = locked.volume
        let now = try RootPresence(of: try OpenDirectory.open(root: volume.path))
        guard now.isSameVolume(as: try RootPresence(of: locked.root)) else {
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
        events += followed.uses.map {
            PodmanEvent(container: $0.container, image: $0.image, at: $0.at, project: $0.project)
        }.filter { !told.contains($0) }
        events.sort { $0.at < $1.at }
    }
}
