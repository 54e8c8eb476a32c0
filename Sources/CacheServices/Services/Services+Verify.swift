import CacheIndex
import CacheModel
import Reporting

/// What is verified, and what becomes of damage.
package struct VerifyOptions: Sendable {
    /// The only pool; nil for all.
    package var pool: Pool?
    /// The only volume; nil for all.
    package var volume: String?
    /// Whether damaged build entries move into the trash.
    package var quarantine = false
    /// Whether more may move than one run normally may evict.
    package var beyondLimits = false

    /// Everything is verified, and nothing moved.
    package init() {}
}

extension Services {
    /// Rechecks artifacts against their checksums and images against their layers.
    ///
    /// - Throws: `Failure` and the errors of the parts below where nothing could be verified.
    package func verify(_ options: VerifyOptions) throws -> ServiceResult<VerifyReport> {
        let startedAt = clock()
        let (volumes, skipped) = try presentVolumes(named: options.volume)
        let index = try index()
        try checkPool(options.pool, index)
        let run = Trash.newRunID(now: startedAt)
        var report = VerifyReport(
            run: run, quarantine: options.quarantine, duration: .zero, volumes: [], skipped: skipped)
        var failures: [Failure] = []
        for volume in volumes
        where options.pool.map({ ($0 == .images) == (volume.kind == .imageStore) }) ?? true {
            do {
                report.volumes.append(try verify(volume, index, run: run, options, &failures))
            } catch {
                report.skipped.append(failures.skip(volume, for: error))
            }
        }
        warn(index.takeLateNotices())
        if report.volumes.isEmpty, let first = failures.first { throw first }
        report.duration = clock() - startedAt
        let isClean = failures.isEmpty && report.volumes.allSatisfy(\.isClean)
        return ServiceResult(report, isClean ? nil : .inPart)
    }

    /// The volume is locked for the scan and for the moves, not while files are read: a prune need not wait.
    private func verify(
        _ volume: Volume, _ index: CacheIndex, run: String, _ options: VerifyOptions,
        _ failures: inout [Failure]
    ) throws -> VerifiedVolume {
        let pruner = pruner(index, beyondLimits: options.beyondLimits)
        try pruner.checkClock(for: volume)
        let usage = try scanned(volume, index)
        let startedAt = clock()
        var verified = try read(volume, usage, index, pool: options.pool)
        if !options.quarantine, volume.kind == .buildCache {
            verified = pruner.foreseen(verified, usage: usage, on: volume)
        }
        guard options.quarantine, volume.kind == .buildCache, !verified.damaged.isEmpty else {
            try index.record(verified, usage, run: run, startedAt: startedAt, finishedAt: clock())
            return verified
        }
        do {
            let locked = try lock(volume)
            try locked.requireLock()
            let result = try pruner.quarantine(locked, verified, usage: usage, run: run)
            note(result.failures, of: volume, &failures)
            return result.verified
        } catch let error as MaintenanceError {
            // What was found is told all the same.
            var kept = verified
            for place in kept.damaged.indices { kept.damaged[place].refusal = "\(error): \(error.hint)" }
            return kept
        }
    }

    private func scanned(_ volume: Volume, _ index: CacheIndex) throws -> VolumeUsage {
        let locked = try lock(volume)
        try checkClock(of: locked)
        return try surveyed(locked, index)
    }

    private func read(
        _ volume: Volume, _ usage: VolumeUsage, _ index: CacheIndex, pool: Pool?
    ) throws -> VerifiedVolume {
        let display = progress("verifying", volume.name)
        defer { display.end() }
        let settings = configuration.verify
        let verifier = Verifier(
            index: index, pace: ReadingPace(rate: settings.maxRate, duration: settings.maxDuration),
            idleFloor: configuration.idleFloor, clock: clock
        ) { done, all in
            display.update(
                "\(done.entries) of \(all) entries, \(done.bytes) read, \(done.damaged.count) damaged")
        }
        return try verifier.verify(volume, usage, pool: pool)
    }
}

extension CacheIndex {
    /// Records a verification that moved nothing.
    fileprivate func record(
        _ verified: VerifiedVolume, _ usage: VolumeUsage, run: String, startedAt: Timestamp,
        finishedAt: Timestamp
    ) throws {
        try record(
            EvictionOutcome(
                volume: verified.name, usedBefore: usage.usedBytes, usedAfter: usage.usedBytes,
                overQuota: false),
            run: RunRecord(
                id: run, kind: RunRecord.verify, startedAt: startedAt, finishedAt: finishedAt,
                exitCode: verified.isClean ? 0 : 4), checks: RunChecks(verified))
    }
}
