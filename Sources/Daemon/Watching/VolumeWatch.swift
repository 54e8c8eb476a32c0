import CacheIndex
import CacheModel
import CacheServices
import Logging
import ServiceLifecycle

/// Looks every few seconds whether the volumes are at their paths, and how full they are.
///
/// Where a volume may take its whole file system, `statfs` says how full it is. Where it has a limit of its own,
/// its fill is what its last scan counted, and what the file system gained since: a guess, as others may lie there.
struct VolumeWatch: Service {
    let scheduler: Scheduler
    let clock: @Sendable () -> Timestamp

    /// How long a file system may take to answer before its volume counts as away.
    private static let patience = Span.seconds(20)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskExecutorPreference(ActivityExecutor.shared) { await watch() }
        }
    }

    private func watch() async {
        await scheduler.untilLoaded()
        let rounds = VolumeRounds<VolumePresence>()
        while !Task.isCancelled {
            let configuration = await scheduler.configuration()
            let now = clock()
            let unfinished = rounds.begin(configuration.volumes, now: now) { volume, known in
                await look(at: volume, known, configuration)
            }
            for round in unfinished where now - round.since > Self.patience {
                await scheduler.observe(
                    round.volume,
                    away:
                        "its file system has not answered since \(round.since); until it does, nothing can be "
                        + "done there")
            }
            try? await Task.sleep(for: .nanoseconds(configuration.daemon.pressureInterval.nanoseconds))
        }
    }

    /// One look at a volume, and what is known of it from then on.
    private func look(
        at volume: Volume, _ known: VolumePresence?, _ configuration: Configuration
    ) async -> VolumePresence? {
        guard let presence = VolumePresence(of: volume) else {
            await scheduler.observe(volume, away: "cannot open \(volume.path)")
            return known
        }
        let isKnown = known.map { presence.root.isSameVolume(as: $0.root) } ?? false
        // The index is asked only where it is needed: this is done every few seconds.
        let last = isKnown && volume.limit == nil ? nil : lastReading(of: volume, configuration)
        guard isKnown || isTheVolume(presence, isFirstLook: known == nil, last) else {
            await scheduler.observe(
                volume,
                away: "what is at \(volume.path) is not what was scanned last; mount that again, "
                    + "or, if it was replaced, run 'larder scan' once")
            return known
        }
        await scheduler.observe(volume, away: nil, presence.root)
        await observeFill(volume, presence.capacity, isOwn: presence.isOwn, last)
        return presence
    }

    private func isTheVolume(_ now: VolumePresence, isFirstLook: Bool, _ last: LastReading?) -> Bool {
        guard let last else { return isFirstLook }
        let scan = last.scan
        let marker = now.root.marker ?? now.root.device
        if marker == scan.identity.marker, now.root.inode == scan.identity.rootInode { return true }
        // Its number may have been removed, or be unreadable for a moment.
        if now.root.marker == nil, last.facts?.isSame(as: now.root.facts) == true { return true }
        // At the start another volume may have taken the place; an empty mount point is none.
        return isFirstLook && (now.root.marker != nil || now.isMountPoint)
    }

    private func observeFill(
        _ volume: Volume, _ now: Capacity, isOwn: Bool, _ last: LastReading?
    ) async {
        var fill = PressureGauge.Fill(used: now.used)
        let bytes = volume.quota(capacity: now)
        if bytes.limit < now.usable {
            guard let last else { return }
            fill.used = last.ownBytes(where: now.used)
            fill.counted = (last.scan.startedAt, last.ownBytes(where: last.fileSystemUsed))
        }
        if let quota = volume.inodeQuota(capacity: now), isOwn {
            fill.inodes = .init(
                used: max(0, now.inodes - now.freeInodes), high: quota.high, critical: quota.critical)
        }
        await scheduler.observe(
            volume, fill, high: bytes.high, critical: volume.criticalLevel(on: now))
    }

    /// Nil where there is no scan, and where the index cannot be read just now.
    private func lastReading(of volume: Volume, _ configuration: Configuration) -> LastReading? {
        let index = try? CacheIndex.open(
            stateDirectory: configuration.stateDirectory, now: clock(), readOnly: true)
        return try? index?.lastReading(of: volume.name)
    }
}
