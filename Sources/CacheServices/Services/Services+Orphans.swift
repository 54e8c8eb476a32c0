import CacheIndex
import CacheModel
import CacheServices
import PodmanClient
import Reporting

/// Gives back what killed pulls and dead pods left in the image stores: `prune --orphans`.
struct OrphanPrune {
    let dryRun: Bool
    let volume: String?

    func run(_ application: Application) async throws -> Failure.Code? {
        var (volumes, skipped) = try application.presentVolumes(named: volume)
        if volume != nil, let other = volumes.first(where: { $0.kind != .imageStore }) {
            throw Failure.usage("--orphans is for image stores, and \(other.name) holds a build cache")
        }
        volumes.removeAll { $0.kind != .imageStore }
        let index = try application.indexOrMemory()
        let run = Trash.newRunID(now: application.clock())
        skipped.removeAll { gone in
            application.configuration.volumes.contains { $0.name == gone.name && $0.kind != .imageStore }
        }
        var report = OrphanReport(run: run, dryRun: dryRun, at: application.clock(), skipped: skipped)
        var failures: [Failure] = []
        for volume in volumes {
            do {
                report.volumes.append(try await prune(volume, index, run: run, application, &failures))
            } catch {
                report.skipped.append(failures.skip(volume, for: error))
            }
        }
        application.warn(index.takeLateNotices())
        if report.volumes.isEmpty, let first = failures.first { throw first }
        guard !report.volumes.isEmpty else {
            throw Failure(
                code: .failed, message: "no image store is mounted",
                hint: "mount one, or name its path with --image-root")
        }
        try application.say(report)
        return failures.isEmpty && report.volumes.allSatisfy(\.refused.isEmpty) ? nil : .inPart
    }

    private func prune(
        _ volume: Volume, _ index: CacheIndex, run: String, _ application: Application,
        _ failures: inout [Failure]
    ) async throws -> OrphanReport.Volume {
        try application.pruner(index).checkClock(for: volume)
        let locked = try application.lock(volume)
        let before = try application.survey(locked, index).scan
        let startedAt = application.clock()
        guard let podman = try application.podman(for: volume) else {
            throw Failure(code: .configuration, message: "volume \(volume.name) has no socket")
        }
        let reclaim = OrphanReclaim(locked, podman: podman, clock: application.clock)
        var result: OrphanReclaim.Result
        if dryRun {
            result = try reclaim.plan(before.orphans)
            result.freedBytes = result.reclaimed.reduce(.zero) { $0 + $1.orphan.bytes }
            return OrphanReport.Volume(
                name: volume.name, lines: result.lines, freedBytes: result.freedBytes,
                usedBefore: before.bytes, usedAfter: before.bytes - result.freedBytes)
        }
        result = try await reclaim.reclaim(before.orphans)
        if let failure = result.failure {
            failures.append(Failure(code: .inPart, message: "volume \(volume.name): \(failure)"))
            application.warn(["volume \(volume.name): \(failure)"])
        }
        let isWhole = failures.isEmpty && result.refused.isEmpty
        var outcome = EvictionOutcome(orphans: result, of: volume.name, usedBefore: before.bytes)
        do {
            try index.record(
                outcome,
                run: RunRecord(
                    id: run, kind: "orphans", startedAt: startedAt, finishedAt: application.clock(),
                    exitCode: isWhole ? 0 : Failure.Code.inPart.rawValue))
            // Once more, so that reports show what is left and not what was.
            outcome.usedAfter = try application.survey(locked, index).scan.bytes
        } catch let error as IndexError {
            // What went is gone all the same, and is told.
            failures.append(Failure(error))
            application.warn(["volume \(volume.name): the run could not be recorded: \(error.message)"])
        }
        return OrphanReport.Volume(
            name: volume.name, lines: result.lines, freedBytes: result.freedBytes, usedBefore: before.bytes,
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
