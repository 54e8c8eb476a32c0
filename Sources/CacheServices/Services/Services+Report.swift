import CacheIndex
import CacheModel
import Caches
import Reporting

/// What a capacity report covers.
package struct ReportOptions: Sendable {
    /// The accesses of this time until now count.
    package var window = Configuration.reportWindow
    /// A size that is asked for beside the recommended one.
    package var size: ByteCount?
    /// Whether to compare the eviction by last use with other rules and with the best possible.
    package var simulates = false
    /// What jobs fetch a second, in place of the configured speed.
    package var fetchSpeed: ByteCount?
    /// Whether to measure what the image stores' files share on disk, which opens every file.
    package var measuresSharing = false
    /// Whether to look into the largest artifacts for duplicates and replaced builds, where a volume is mounted.
    package var looksIntoArtifacts = true
    /// The names of volumes that are not to be touched: their file systems do not answer.
    package var away: Set<String> = []

    /// The options of the daemon's report, and of the command's without any flag.
    package init() {}
}

extension Services {
    /// How large the volumes should be, and why.
    ///
    /// The one builder of every size that anyone is told: the command, the daemon's pages and its metrics.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func capacityReport(_ options: ReportOptions = ReportOptions()) throws -> CapacityReport {
        let index = try index(readOnly: true)
        let now = clock()
        if let overdue = configuration.report.review.overdue(at: now) { notify(overdue, .information) }
        let (known, first) = try usagesWithFirst(index, now: now)
        return try capacityReport(options, index, of: known, now: now, first: first)
    }

    /// What was found of the first volume while the others were read.
    package struct FirstVolume {
        let name: String
        let history: VolumeHistory?
        let space: SpaceUse?
        let pinned: Set<Int64>
    }

    /// What the index knows of the volumes, and more of the first one: its history takes longest to read, and what needs
    /// only its entries is worked out beside that.
    private func usagesWithFirst(
        _ index: CacheIndex, now: Timestamp
    ) throws -> (usages: [(volume: Volume, usage: VolumeUsage)], first: FirstVolume?) {
        guard let volume = configuration.volumes.first, !index.isInMemory,
            let beside = try? CacheIndex.open(
                stateDirectory: configuration.stateDirectory, now: now, readOnly: true)
        else { return (try usages(index), nil) }
        let (found, history) = concurrently {
            Result { try usagesWithSpace(of: volume, index, now: now) }
        } _: {
            Result { try beside.history(of: volume.name) }
        }
        let (known, space, pinned) = try found.get()
        return (
            known, FirstVolume(name: volume.name, history: try history.get(), space: space, pinned: pinned)
        )
    }

    private func usagesWithSpace(
        of volume: Volume, _ index: CacheIndex, now: Timestamp
    ) throws -> (known: [(volume: Volume, usage: VolumeUsage)], space: SpaceUse?, pinned: Set<Int64>) {
        let known = try usages(index)
        guard let usage = known.first(where: { $0.volume.name == volume.name })?.usage else {
            return (known, nil, [])
        }
        return (
            known, SpaceUse(usage, of: volume, policy(for: volume), now: now),
            pinned(of: volume, usage, now: now)
        )
    }

    /// The same of volumes that were read already.
    ///
    /// - Throws: `IndexError`.
    package func capacityReport(
        _ options: ReportOptions, _ index: CacheIndex, of known: [(volume: Volume, usage: VolumeUsage)],
        now: Timestamp, first: FirstVolume? = nil
    ) throws -> CapacityReport {
        let settings = configuration.report
        var report = CapacityReport(
            generatedAt: now, window: options.window, volumes: [],
            fetchSpeed: options.fetchSpeed ?? settings.fetchSpeed)
        report.price = settings.price.map { ($0.amount, $0.currency) }
        let isDaemonUp = try index.activities().contains { now - $0.startedAt < .days(7) }
        for (volume, usage) in known {
            report.idleWarmings += try index.idleWarmings(of: volume.name, since: now - options.window)
            let found = first?.name == volume.name ? first : nil
            guard let history = try found == nil ? index.history(of: volume.name) : found?.history else {
                continue
            }
            let pinned = found?.pinned ?? self.pinned(of: volume, usage, now: now)
            let isStore = volume.kind == .imageStore
            let isAway = options.away.contains(volume.name)
            let isTaxed = isStore && (isAway || !keepsLayersOnce(volume))
            var tax = isTaxed ? CapacityReport.ImageTax(usage.layers) : nil
            tax?.count(usage)
            if !isAway { tax?.lookIntoEvents(of: volume, usage) }
            if options.measuresSharing { tax?.sharing = measuredSharing(of: volume) }
            let look =
                isStore || !options.looksIntoArtifacts || isAway
                ? nil : ArtifactLook(path: volume.path)
            var line = CapacityReport.Volume(
                volume, usage, history, window: options.window, terms: settings.terms(now: now),
                simulates: options.simulates,
                findings: look?.findings(in: usage.entries) ?? ArtifactFindings(),
                containers: tax.map { $0.sureContainerBytes } ?? .zero,
                doubtfulContainers: tax.map { $0.doubtfulContainerBytes } ?? .zero,
                regime: regime(
                    of: volume, usage, history, pinned: pinned, watchesPressure: isDaemonUp, now: now),
                asked: options.size, rank: Self.rank(of: usage.entries),
                policy: policy(for: volume), space: found?.space, now: now)
            line.projectShares = try index.projectShares(
                of: volume.name, since: now - options.window, until: now)
            report.volumes.append(line)
            if let left = OrphanSection(volume: volume.name, orphans: try index.orphans(of: volume.name)) {
                report.orphans.append(left)
            }
            report.images = report.images ?? tax
        }
        report.sharedDisks = try index.sharedDisks(of: known.map { ($0.volume, $0.usage.capacity) })
        return report
    }

    /// Whether a store's driver keeps each layer once; a store that is not mounted here is judged by its layers.
    private func keepsLayersOnce(_ volume: Volume) -> Bool {
        (try? ImageStoreReader(of: volume).drivers())?.used.name == "overlay"
    }

    /// The entries that no prune of any day takes, by their rows in the index.
    private func pinned(of volume: Volume, _ usage: VolumeUsage, now: Timestamp) -> Set<Int64> {
        var policy = policy(for: volume)
        policy.idleFloor = .zero
        // What passes with time is no obstacle to a prune of another day.
        let passing: Set<Protection> = [
            .inFlight, .inUse, .gradleRunning, .idleFloor, .warmed, .sharedLayers, .sharedFiles,
        ]
        return Set(
            usage.entries.indices.lazy.filter { place in
                policy.protection(of: usage.entries[place], now: now).map { !passing.contains($0) } ?? false
            }.map { usage.entries[$0].id })
    }

    /// How a volume is pruned, for replays of its history.
    private func regime(
        of volume: Volume, _ usage: VolumeUsage, _ history: VolumeHistory, pinned: Set<Int64>,
        watchesPressure: Bool, now: Timestamp
    ) -> PruneRegime {
        PruneRegime(
            volume, limit: volume.quota(capacity: usage.capacity).limit,
            watchesPressure: watchesPressure, idleFloor: configuration.idleFloor,
            bytesShare: configuration.limits.bytesShare, entries: configuration.limits.entries,
            times: pruneTimes(history, now: now), pinned: pinned)
    }

    /// When prunes come: where they were recorded, then; else by the schedule, or nightly where there is none.
    func pruneTimes(_ history: VolumeHistory, now: Timestamp) -> [Timestamp] {
        let recorded = history.evictions.map(\.at)
        var scheduled: [Timestamp] = []
        if let schedule = configuration.daemon.prune {
            var next = schedule.next(after: history.beganAt, in: configuration.daemon.timeZone)
            while let time = next, time <= now, scheduled.count < 20_000 {
                scheduled.append(time)
                next = schedule.next(after: time, in: configuration.daemon.timeZone)
            }
        }
        if scheduled.isEmpty { scheduled = PruneRegime.nightly(from: history.beganAt, to: now) }
        let intervals = zip(recorded.dropFirst(), recorded).map { $0 - $1 }.sorted()
        // Runs that come by another schedule than the daemon's, such as a weekly CronJob, are that schedule.
        var half = Span.hours(12)
        if intervals.count >= 3 {
            half = max(half, Span(nanoseconds: intervals[intervals.count / 2].nanoseconds / 2))
        }
        var times = recorded
        var place = 0
        for time in scheduled {
            while place < recorded.count, recorded[place] < time - half { place += 1 }
            if place < recorded.count, recorded[place] < time + half { continue }
            times.append(time)
        }
        return times.sorted()
    }

    /// The order of entries that were used at one instant and are of one size: by key, then by path.
    private static func rank(of entries: [CacheEntry]) -> [Int64: Int] {
        guard entries.count <= 50_000 else { return [:] }
        let order = entries.indices.sorted { a, b in
            let (one, other) = (entries[a].found, entries[b].found)
            return one.key != other.key ? one.key < other.key : one.path < other.path
        }
        return Dictionary(
            order.enumerated().map { (entries[$1].id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    private func measuredSharing(of volume: Volume) -> StoreSharing? {
        guard volume.kind == .imageStore else { return nil }
        let sharing = StoreSharing(
            measuring: volume.path + "/"
                + ((try? ImageStoreReader(of: volume).drivers().used.name) == "overlay"
                    ? "overlay" : "vfs/dir"))
        if sharing == nil {
            notify(
                "--measure-sharing: the file system of \(volume.path) shares no extents; "
                    + "XFS with reflinks and btrfs do", .information)
        }
        return sharing
    }
}

extension CapacityReport.ImageTax {
    /// Adds how many containers the last scan saw.
    fileprivate mutating func count(_ usage: VolumeUsage) {
        containers = usage.entries.reduce(0) { $0 + ($1.found.image?.containers ?? 0) }
    }

    /// Adds what the event logs tell of containers.
    fileprivate mutating func lookIntoEvents(of volume: Volume, _ usage: VolumeUsage) {
        var sizes: [String: ByteCount] = [:]
        for image in usage.entries where image.found.image != nil {
            // A container's copy is the top layer's tree; events name the image by a reference or its ID.
            let top = image.found.image?.layers.first
            let size = usage.layers.first { $0.id == top }?.storedBytes ?? .zero
            for name in [image.found.image?.id ?? image.key] + (image.found.image?.names ?? []) {
                sizes[name] = size
            }
        }
        peak = ContainerPeak(logsIn: volume.eventsPath) { sizes[$0] ?? .zero }
    }
}
