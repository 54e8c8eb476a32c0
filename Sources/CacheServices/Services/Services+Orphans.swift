import CacheIndex
import CacheModel
import PodmanClient
import Reporting

extension Services {
    /// Gives back what killed pulls and dead pods left in the image stores.
    ///
    /// - Throws: `Failure` and the errors of the parts below where nothing could be done on any store.
    package func pruneOrphans(dryRun: Bool, volume: String?) async throws -> ServiceResult<OrphanReport> {
        var (volumes, skipped) = try presentVolumes(named: volume)
        if volume != nil, let other = volumes.first(where: { $0.kind != .imageStore }) {
            throw Failure.usage("--orphans is for image stores, and \(other.name) holds a build cache")
        }
        volumes.removeAll { $0.kind != .imageStore }
        let index = try indexOrMemory()
        let run = Trash.newRunID(now: clock())
        skipped.removeAll { gone in
            configuration.volumes.contains { $0.name == gone.name && $0.kind != .imageStore }
        }
        var report = OrphanReport(run: run, dryRun: dryRun, at: clock(), skipped: skipped)
        var failures: [Failure] = []
        for volume in volumes {
            do {
                report.volumes.append(
                    try await pruneOrphans(of: volume, index, run: run, dryRun: dryRun, &failures))
            } catch {
                report.skipped.append(failures.skip(volume, for: error))
            }
        }
        warn(index.takeLateNotices())
        if report.volumes.isEmpty, let first = failures.first { throw first }
        guard !report.volumes.isEmpty else {
            throw Failure(
                code: .failed, message: "no image store is mounted",
                hint: "mount one, or name its path with --image-root")
        }
        let isWhole = failures.isEmpty && report.volumes.allSatisfy(\.refused.isEmpty)
        return ServiceResult(report, isWhole ? nil : .inPart)
    }

    private func pruneOrphans(
        of volume: Volume, _ index: CacheIndex, run: String, dryRun: Bool, _ failures: inout [Failure]
    ) async throws -> OrphanReport.Volume {
        try pruner(index).checkClock(for: volume)
        let locked = try lock(volume)
        let before = try survey(locked, index).scan
        let startedAt = clock()
        guard let podman = try podman(for: volume) else {
            throw Failure(code: .configuration, message: "volume \(volume.name) has no socket")
        }
        if !dryRun { try checkWritable(volume) }
        let reclaim = OrphanReclaim(locked, podman: podman, clock: clock)
        var result = try reclaim.plan(before.orphans)
        if dryRun {
            result.freedBytes = result.reclaimed.reduce(.zero) { $0 + $1.orphan.bytes }
            return OrphanReport.Volume(
                name: volume.name, lines: result.lines, freedBytes: result.freedBytes,
                usedBefore: before.usedBytes, usedAfter: before.usedBytes - result.freedBytes)
        }
        // A Podman that is asked anything removes half-pulled layers by itself: not where nothing is to go.
        if try reclaim.asksPodman(for: result) { try await checkStore(of: volume, podman) }
        result = try await reclaim.reclaim(result)
        note([result.failure].compactMap { $0 }, of: volume, &failures)
        let isWhole = failures.isEmpty && result.refused.isEmpty
        var outcome = EvictionOutcome(orphans: result, of: volume.name, usedBefore: before.usedBytes)
        do {
            try index.record(
                outcome,
                run: RunRecord(
                    id: run, kind: "orphans", startedAt: startedAt, finishedAt: clock(),
                    exitCode: isWhole ? 0 : Failure.Code.inPart.rawValue))
            // Once more, so that reports show what is left and not what was.
            outcome.usedAfter = try survey(locked, index).scan.usedBytes
        } catch let error as IndexError {
            // What went is gone all the same, and is told.
            failures.append(Failure(error))
            warn(["volume \(volume.name): the run could not be recorded: \(error.message)"])
        }
        return OrphanReport.Volume(
            name: volume.name, lines: result.lines, freedBytes: result.freedBytes,
            usedBefore: before.usedBytes,
            usedAfter: outcome.usedAfter)
    }
}

extension Orphan.Kind {
    /// Why such a thing goes.
    fileprivate var reason: String {
        switch self {
        case .incompleteLayer: "a layer that a killed pull did not finish"
        case .unreferencedLayer: "a layer that no image and no container needs"
        case .directory: "a directory without a record in the store"
        case .deadContainer: "a container whose pod is dead"
        case .workingContainer: "a working container of a killed build"
        }
    }
}

extension EvictionOutcome {
    /// What a reclaim did, as the index records runs.
    fileprivate init(orphans result: OrphanReclaim.Result, of volume: String, usedBefore: ByteCount) {
        func line(_ found: OrphanLine) -> Line {
            Line(
                entryID: 0, pool: .images, key: found.orphan.key, bytes: found.orphan.bytes,
                reason: found.refusal.isEmpty ? found.orphan.kind.reason : found.refusal)
        }
        let gone = result.reclaimed.reduce(ByteCount.zero) { $0 + $1.orphan.bytes }
        self.init(
            volume: volume, evicted: result.reclaimed.map(line), refused: result.refused.map(line),
            freedBytes: result.freedBytes, usedBefore: usedBefore, usedAfter: usedBefore - gone,
            overQuota: false)
    }
}
