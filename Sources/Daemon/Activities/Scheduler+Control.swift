import CacheModel
import CacheServices
import Logging

/// What others tell the scheduler and ask of it: the watches, a reload, the web server.
extension Scheduler {
    /// Takes over another configuration; what runs is let run by the old one.
    package func adopt(_ plan: DaemonPlan) async {
        self.plan = plan
        let names = Set(plan.configuration.volumes.map(\.name))
        gauges = gauges.filter { names.contains($0.key) }
        presence = presence.filter { names.contains($0.key) }
        lastSeen = lastSeen.filter { names.contains($0.key) }
        if isLoaded {
            // Without the index what this process knows of its own runs is enough.
            let known = try? await knownRuns()
            board.adopt(plan.configuration, known: known ?? [:], now: clock())
        }
        waker.yield()
    }

    /// The names of volumes that are not at their paths, or do not answer.
    package func awayVolumes() -> Set<String> {
        Set(presence.filter { $0.value != .present }.keys)
    }

    /// Takes note of whether a volume is at its path, or why it is away; says so where that changed.
    ///
    /// - Parameter seen: what lies at its path; nil where it is away.
    func observe(_ volume: Volume, away: String?, _ seen: RootPresence? = nil) {
        if let seen { lastSeen[volume.name] = seen }
        let before = presence.updateValue(away.map { .away($0) } ?? .present, forKey: volume.name)
        guard before != presence[volume.name] else { return }
        let metadata: Logger.Metadata = ["volume": "\(volume.name)"]
        if let away {
            logger.warning("volume \(volume.name) is unavailable: \(away)", metadata: metadata)
        } else if before != nil {
            logger.notice("volume \(volume.name) is available again at \(volume.path)", metadata: metadata)
        }
        waker.yield()
    }

    /// Takes a reading of a volume's fill, and begins a prune where it cannot wait.
    func observe(_ volume: Volume, _ fill: PressureGauge.Fill, high: ByteCount, critical: ByteCount) {
        let now = clock()
        let advice = gauges[volume.name, default: PressureGauge()].read(
            fill, high: high, critical: critical, now: now)
        let metadata: Logger.Metadata = [
            "volume": "\(volume.name)", "used_bytes": "\(fill.used.bytes)",
        ]
        switch advice {
        case .none: break
        case .scan:
            logger.notice(
                """
                volume \(volume.name): \(fill.used) used, above the critical level of \(critical), if all that its \
                file system gained since the last scan is its own: scanning
                """, metadata: metadata)
            board.ask(ActivityKey(.scan, on: volume.name), .pressure, now: now)
            waker.yield()
        case .prune:
            let pressure =
                fill.used > critical
                ? "volume \(volume.name): \(fill.used) used, above the critical level of \(critical): pruning"
                : "volume \(volume.name): \(fill.inodes?.used ?? 0) inodes used, above the critical level of "
                    + "\(fill.inodes?.critical ?? 0): pruning"
            logger.warning(
                "\(pressure)",
                metadata: metadata)
            board.ask(ActivityKey(.prune, on: volume.name), .pressure, now: now)
            waker.yield()
        case .relieved:
            logger.notice(
                "volume \(volume.name): \(fill.used) used, back below the high level of \(high)",
                metadata: metadata)
        }
    }

    /// Whether anything runs on a volume, and so reads its event logs itself.
    func isBusy(_ volume: String) -> Bool { board.running(on: volume) != nil }
}

extension Scheduler {
    /// What the daemon still waits for before its figures can be trusted; empty when it is ready.
    package func waitingFor() -> [String] {
        guard isLoaded else { return ["the index in the state directory"] }
        // It looks at no volume.
        if plan.configuration.daemon.onlyShows { return [] }
        let volumes = plan.configuration.volumes.filter { presence[$0.name] == .present }
        if volumes.isEmpty { return ["a mounted volume"] }
        return volumes.filter { board.slots[ActivityKey(.scan, on: $0.name)]?.last?.succeededAt == nil }
            .map { "the first scan of volume \($0.name)" }
    }

    /// How every activity stands; none where nothing is ever begun.
    package func activityStates() -> [ActivityState] {
        if plan.configuration.daemon.onlyShows { return [] }
        return board.states().map { state in
            var state = state
            if state.runningSince != nil {
                state.progress = plan.progress.text(of: ActivityKey(state.activity, on: state.volume))
            }
            return state
        }
    }

    /// Begins an activity as soon as its volume is free.
    package func request(_ activity: Activity, volume: String?) throws(RequestRefusal) {
        if isStopping { throw .stopping }
        if !isLoaded { throw .loading }
        if let volume, !plan.configuration.volumes.contains(where: { $0.name == volume }) {
            throw .unknownVolume(volume)
        }
        let keys = plan.configuration.activityKeys.filter {
            $0.activity == activity && (volume == nil || $0.volume == volume || $0.volume == nil)
        }
        let free = keys.filter { board.running(on: $0.volume) == nil }
        guard !free.isEmpty else {
            if let running = keys.compactMap({ board.running(on: $0.volume) }).first { throw .busy(running) }
            throw .unknownVolume(volume ?? "")
        }
        for key in free { board.ask(key, .request, now: clock()) }
        waker.yield()
    }
}
