import CacheIndex
import CacheModel
import Reporting

extension Services {
    /// How the volumes stand, from the index alone.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func status() throws -> StatusReport {
        let index = try index(readOnly: true)
        let known = try figures(index)
        guard !known.isEmpty else { throw nothingKnown }
        return try status(of: known, index, now: clock())
    }

    /// The same with what is to be expected of each volume, which takes the capacity report: for people.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func statusWithOutlook() throws -> StatusReport {
        var report = try status()
        var options = ReportOptions()
        options.looksIntoArtifacts = false
        let index = try index(readOnly: true)
        let now = clock()
        var reliefs: [String: StatusReport.Relief] = [:]
        let capacity = try capacityReport(options, index, now: now) { volume, usage in
            reliefs[volume.name] = try relief(of: volume, usage, index, now: now)
        }
        report.expect(reliefs)
        for volume in capacity.volumes {
            guard let place = report.volumes.firstIndex(where: { $0.name == volume.name }) else { continue }
            report.volumes[place].outlook = .init(
                fullAt: volume.sizing.bytesForecast?.fullAt,
                advised: volume.sizing.recommendation.map { _ in volume.advised },
                mustGrow: volume.action == "grow",
                largest: Array(volume.space.groups.prefix(3)), cost: volume.cost(at: capacity.price))
        }
        return report
    }

    /// What the next prune of a volume brings at its time, where that is known; else what one would bring now.
    ///
    /// - Throws: `IndexError`.
    package func relief(
        of volume: Volume, _ usage: VolumeUsage, _ index: CacheIndex, now: Timestamp
    ) throws -> StatusReport.Relief {
        let policy = policy(for: volume, capacity: usage.capacity)
        let next = try coming(of: volume, usage, by: policy, index, now: now)
        let prune = next ?? planned(of: volume, usage, by: policy, at: now)
        return .init(
            entries: prune.entries, freed: prune.freed, isEnough: prune.isEnough, isOfNext: next != nil)
    }

    /// What the next prune of a volume does at its time; nil where that is not known.
    ///
    /// - Throws: `IndexError`.
    func coming(
        of volume: Volume, _ usage: VolumeUsage, by policy: EvictionPolicy, _ index: CacheIndex,
        now: Timestamp
    ) throws -> EvictionPlan.Coming? {
        try nextPrune(of: volume, index, now: now).map { planned(of: volume, usage, by: policy, at: $0) }
    }

    private func planned(
        of volume: Volume, _ usage: VolumeUsage, by policy: EvictionPolicy, at time: Timestamp
    ) -> EvictionPlan.Coming {
        let quota = volume.quota(capacity: usage.capacity)
        return EvictionPlan.Coming(policy.plan(usage, under: quota, now: time), at: time)
    }

    /// When the next prune of a volume comes: by the daemon's schedule, else as they came so far.
    ///
    /// Nil where neither tells, and where it is late.
    func nextPrune(of volume: Volume, _ index: CacheIndex, now: Timestamp) throws -> Timestamp? {
        if volume.isReadOnly { return nil }
        let daemon = configuration.daemon
        if DaemonPresence.isSeen(stateDirectory: configuration.stateDirectory) {
            return daemon.prune?.next(after: now, in: daemon.timeZone)
        }
        let rhythm = RunRhythm(try index.runStarts(kind: "prune", volume: volume.name, limit: 15))
        return rhythm.map(\.next).flatMap { $0 > now ? $0 : nil }
    }

    /// The same from figures that were read already; empty where nothing was scanned.
    ///
    /// - Throws: `IndexError`.
    package func status(
        of known: [(volume: Volume, figures: VolumeFigures)], _ index: CacheIndex, now: Timestamp
    ) throws -> StatusReport {
        var report = try StatusReport(known, index, now: now)
        // Without a daemon a schedule in the configuration is nobody's.
        guard DaemonPresence.isSeen(stateDirectory: configuration.stateDirectory) else {
            for (place, volume) in known.map(\.volume).enumerated() where !volume.isReadOnly {
                let starts = try index.runStarts(kind: "prune", volume: volume.name, limit: 15)
                report.volumes[place].prunes = RunRhythm(starts).map { .regular($0) } ?? .irregular
            }
            return report
        }
        let daemon = configuration.daemon
        for place in report.volumes.indices {
            report.volumes[place].next = daemon.schedules.compactMap { activity, schedule in
                guard [.scan, .prune, .verify].contains(activity) else { return nil }
                return schedule.next(after: now, in: daemon.timeZone).map {
                    .init(activity: activity.rawValue, at: $0)
                }
            }.sorted { ($0.at, $0.activity) < ($1.at, $1.activity) }
        }
        return report
    }

    /// The cluster and the node that metrics are labelled with.
    package var place: MetricsReport.Place {
        MetricsReport.Place(cluster: configuration.cluster ?? "", node: configuration.node ?? "")
    }

    /// The figures of the volumes for Prometheus, from the index alone.
    ///
    /// - Throws: `IndexError`.
    package func metrics() throws -> MetricsReport {
        let index = try index(readOnly: true)
        let now = clock()
        var report = metrics(of: try figures(index), readAt: now)
        var options = ReportOptions()
        options.looksIntoArtifacts = false
        report.capacity = try capacityReport(options, index, now: now)
        return report
    }

    /// The same from figures that were read already.
    ///
    /// - Parameter activities: how the daemon's activities stand; none for a command.
    package func metrics(
        of known: [(volume: Volume, figures: VolumeFigures)], activities: [MetricsReport.Activity] = [],
        readAt: Timestamp
    ) -> MetricsReport {
        MetricsReport(
            volumes: known.map {
                .init(
                    $0.figures, quota: $0.volume.quota(capacity: $0.figures.capacity),
                    inodes: InodeUse(
                        used: $0.figures.usedInodes,
                        quota: $0.volume.inodeQuota(capacity: $0.figures.capacity)))
            },
            activities: activities,
            place: place, version: LarderVersion.current, readAt: readAt)
    }
}

extension StatusReport {
    /// How the scanned volumes stand, by their figures, with the warnings; what `larder status` shows.
    ///
    /// - Throws: `IndexError`.
    fileprivate init(
        _ volumes: [(volume: CacheModel.Volume, figures: VolumeFigures)], _ index: CacheIndex,
        now: Timestamp
    ) throws {
        self.init(volumes: [])
        for (volume, figures) in volumes {
            let quota = volume.quota(capacity: figures.capacity)
            func rate(since: Timestamp) throws -> HitRate {
                try index.hitRates(of: volume.name, since: since, until: now).values.reduce(HitRate(), +)
            }
            let trend = try (0..<10).reversed().map { part in
                try index.hitRates(
                    of: volume.name, since: now - .days(Int64(part) * 3 + 3),
                    until: now - .days(Int64(part) * 3)
                ).values.reduce(HitRate(), +)
            }
            var line = Volume(
                name: volume.name, path: volume.path, capacity: figures.capacity.total,
                usedBytes: figures.usedBytes, quota: quota, trashBytes: figures.trashBytes,
                entries: figures.entries,
                hitRates: RecentHitRates(
                    lastScan: try index.lastScanRates(of: volume.name),
                    day: try rate(since: now - .hours(24)), week: try rate(since: now - .days(7)),
                    month: try rate(since: now - .days(30)), trend: trend),
                lastScan: figures.scan.startedAt,
                lastPrune: try index.lastRun(kind: "prune", volume: volume.name),
                evidence: figures.scan.atimeTrust, accountedBytes: figures.accountedBytes)
            let inodes = InodeUse(
                used: figures.usedInodes, quota: volume.inodeQuota(capacity: figures.capacity))
            line.inodes = inodes
            line.pools = figures.pools
            line.critical = TrashRetention.criticalLevel(
                exceededBy: figures.usedBytes, trash: figures.trashBytes, of: volume, under: quota,
                on: figures.capacity)
            line.purgedFirst = TrashRetention.purgedFirst(
                of: figures.trashBytes, beside: figures.usedBytes, under: quota, on: figures.capacity)
            line.unaccounted = figures.unaccounted
            line.eventLogs = volume.kind == .imageStore ? figures.eventLogs : nil
            line.unmanaged = try index.unmanaged(of: volume.name)
            line.isStuck = figures.overQuota
            self.volumes.append(line)
            warnings += Warning.about(
                figures, of: volume, quota: quota, inodes: inodes, now: now)
            warnings += try index.scanWarnings(of: volume.name).map {
                Warning(code: $0.code, text: "\(volume.name): \($0.text)", hint: $0.hint)
            }
            warnings += try index.idleWarmings(of: volume.name, since: now - .days(7)).map { idle in
                Warning(
                    code: "idle-warming", text: "\(idle.reference) on \(volume.name): \(idle.sentence)",
                    hint: "take it off the list in warm.images, or name it no more to larder warm")
            }
        }
        warnings += try index.sharedDisks(of: volumes.map { ($0.volume, $0.figures.capacity) })
            .compactMap { disk in
                disk.sentence.map {
                    Warning(code: "limits-beyond-capacity", text: $0, hint: SharedDisk.hint)
                }
            }
    }
}

extension StatusReport {
    /// Takes over what the next prune of each volume brings.
    package mutating func expect(_ reliefs: [String: Relief]) {
        for place in volumes.indices { volumes[place].relief = reliefs[volumes[place].name] }
    }
}
