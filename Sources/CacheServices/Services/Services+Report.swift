import CLinux
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
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func capacityReport(_ options: ReportOptions = ReportOptions()) throws -> CapacityReport {
        let now = clock()
        if let overdue = configuration.report.review.overdue(at: now) { notify(overdue, .information) }
        let report = try capacityReport(options, try index(readOnly: true), now: now)
        guard !report.volumes.isEmpty else { throw nothingKnown }
        return report
    }

    /// The same from an open index, without a volume where none was ever scanned.
    ///
    /// The one builder of every size that anyone is told: the command, the daemon's pages and its metrics.
    ///
    /// - Parameter look: what else is to be found out from a volume's entries, which are given back before its history
    ///   is replayed.
    /// - Throws: `IndexError`, and what `look` throws.
    package func capacityReport(
        _ options: ReportOptions, _ index: CacheIndex, now: Timestamp,
        lookingAt look: (Volume, VolumeUsage) throws -> Void = { _, _ in }
    ) throws -> CapacityReport {
        let settings = configuration.report
        var report = CapacityReport(
            generatedAt: now, window: options.window, volumes: [],
            fetchSpeed: options.fetchSpeed ?? settings.fetchSpeed)
        report.price = settings.price.map { ($0.amount, $0.currency) }
        let isDaemonUp = try index.activities().contains { now - $0.startedAt < .days(7) }
        let beside =
            index.isInMemory
            ? nil
            : try? CacheIndex.open(
                stateDirectory: configuration.stateDirectory, now: now, readOnly: true)
        var capacities: [(volume: Volume, capacity: Capacity)] = []
        for volume in configuration.volumes {
            guard
                let known = try known(of: volume, options, index, beside: beside, now: now, lookingAt: look)
            else { continue }
            capacities.append((volume, known.usage.capacity))
            report.idleWarmings += try index.idleWarmings(of: volume.name, since: now - options.window)
            var line = CapacityReport.Volume(
                volume, known.usage, known.history, window: options.window,
                terms: settings.terms(now: now), simulates: options.simulates,
                containers: known.tax.map { $0.sureContainerBytes } ?? .zero,
                doubtfulContainers: known.tax.map { $0.doubtfulContainerBytes } ?? .zero,
                regime: regime(
                    of: volume, known.usage, known.history, watchesPressure: isDaemonUp, now: now),
                asked: options.size, now: now)
            line.projectShares = try index.projectShares(
                of: volume.name, since: now - options.window, until: now)
            report.volumes.append(line)
            if let left = OrphanSection(volume: volume.name, orphans: try index.orphans(of: volume.name)) {
                report.orphans.append(left)
            }
            report.images = report.images ?? known.tax
        }
        report.sharedDisks = try index.sharedDisks(of: capacities)
        return report
    }

    /// What a report goes by: how a volume stands, what its images cost, and its past.
    private struct Known {
        var usage: UsageFigures
        var tax: CapacityReport.ImageTax?
        var history: VolumeHistory
    }

    /// Reads a volume; nil where it was never scanned.
    ///
    /// Its history takes longest to read: a connection of its own does that beside its entries, where there is one.
    private func known(
        of volume: Volume, _ options: ReportOptions, _ index: CacheIndex, beside: CacheIndex?, now: Timestamp,
        lookingAt look: (Volume, VolumeUsage) throws -> Void
    ) throws -> Known? {
        let name = volume.name
        let (entries, history) = concurrently {
            let found = Result { try lookAtEntries(of: volume, options, index, now: now, lookingAt: look) }
            // The other thread has a heap of its own, to which nothing of this one's comes by itself.
            _ = larder_give_back_memory()
            return found
        } _: {
            beside.map { beside in Result { try beside.history(of: name) } }
        }
        guard let (usage, tax) = try entries.get(),
            let history = try history?.get() ?? (beside == nil ? index.history(of: name) : nil)
        else { return nil }
        return Known(usage: usage, tax: tax, history: history)
    }

    private func lookAtEntries(
        of volume: Volume, _ options: ReportOptions, _ index: CacheIndex, now: Timestamp,
        lookingAt look: (Volume, VolumeUsage) throws -> Void
    ) throws -> (usage: UsageFigures, tax: CapacityReport.ImageTax?)? {
        guard let usage = try index.usage(of: volume.name) else { return nil }
        let isStore = volume.kind == .imageStore
        let isAway = options.away.contains(volume.name)
        let isTaxed = isStore && (isAway || !keepsLayersOnce(volume))
        var tax = isTaxed ? CapacityReport.ImageTax(usage.layers) : nil
        tax?.count(usage)
        if !isAway { tax?.lookIntoEvents(of: volume, usage) }
        if options.measuresSharing { tax?.sharing = measuredSharing(of: volume) }
        let artifacts =
            isStore || !options.looksIntoArtifacts || isAway ? nil : ArtifactLook(path: volume.path)
        let figures = UsageFigures(
            usage, of: volume, policy(for: volume),
            findings: artifacts?.findings(in: usage.entries) ?? ArtifactFindings(),
            since: now - options.window, now: now)
        try look(volume, usage)
        return (figures, tax)
    }

    /// Whether a store's driver keeps each layer once; a store that is not mounted here is judged by its layers.
    private func keepsLayersOnce(_ volume: Volume) -> Bool {
        (try? ImageStoreReader(of: volume).drivers())?.used.name == "overlay"
    }

    /// How a volume is pruned, for replays of its history.
    private func regime(
        of volume: Volume, _ usage: UsageFigures, _ history: VolumeHistory,
        watchesPressure: Bool, now: Timestamp
    ) -> PruneRegime {
        var regime = PruneRegime(
            volume, limit: volume.quota(capacity: usage.capacity).limit,
            watchesPressure: watchesPressure, idleFloor: configuration.idleFloor,
            bytesShare: configuration.limits.bytesShare, entries: configuration.limits.entries,
            times: pruneTimes(history, now: now), pinned: usage.pinned)
        regime.expiring = usage.expiring
        return regime
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
