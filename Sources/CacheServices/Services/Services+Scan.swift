import CLinux
import CacheIndex
import CacheModel
import Reporting

extension Services {
    /// Walks the mounted volumes, brings the index up to date and records what was used.
    ///
    /// - Throws: `Failure` and the errors of the parts below where not one volume could be scanned.
    package func scan() throws -> ServiceResult<ScanReport> {
        let startedAt = clock()
        let (volumes, skipped) = try presentVolumes()
        let index = try index()
        var report = ScanReport(startedAt: startedAt, duration: .zero, volumes: [], skipped: skipped)
        var failures: [Failure] = []
        for volume in volumes {
            do {
                let locked = try lock(volume)
                report.volumes.append(ScanReport.Volume(try survey(locked, index), of: volume))
            } catch {
                report.skipped.append(failures.skip(volume, for: error))
            }
        }
        if report.volumes.isEmpty, let first = failures.first { throw first }
        report.duration = clock() - startedAt
        let isWhole = failures.isEmpty && report.volumes.allSatisfy(\.complete)
        return ServiceResult(report, isWhole ? nil : .inPart)
    }

    /// Scans a locked volume into the index, with its progress and its notices.
    @discardableResult func survey(
        _ locked: LockedVolume, _ index: CacheIndex, warm: WarmRun? = nil
    ) throws -> ScanService.Result {
        let display = progress("scanning", locked.volume.name)
        defer { display.end() }
        let scan = ScanService(
            index: index, regretWindow: configuration.regretWindow, history: configuration.report.history,
            clock: clock
        ) { done in
            display.update("\(done) directories")
        }
        let result = try scan.run(locked, warm: warm)
        // What a tree of many directories took is not needed again.
        _ = larder_give_back_memory()
        warn(result.notices)
        return result
    }

    /// Scans a locked volume and reads back what the index now knows of it.
    func surveyed(_ locked: LockedVolume, _ index: CacheIndex) throws -> VolumeUsage {
        try survey(locked, index)
        guard var usage = try index.usage(of: locked.volume.name) else {
            throw MaintenanceError.unusablePlan(reason: "volume \(locked.volume.name) was not recorded")
        }
        // From here on nothing of this run changes a file of an entry: arming was the last.
        let settledAt = (try? locked.folder.get())?.volumeTime()
        for place in usage.entries.indices { usage.entries[place].found.settledAt = settledAt }
        return usage
    }

    /// Refuses to work by a clock that is ahead of the volume's own, as that of another node may be.
    ///
    /// - Throws: `MaintenanceError.clockIsAhead`.
    func checkClock(of locked: LockedVolume) throws(MaintenanceError) {
        guard let time = (try? locked.folder.get())?.volumeTime() else { return }
        let now = clock()
        guard now > time + ClockJumpDetector.aheadOfVolume else { return }
        throw .clockIsAhead(volume: locked.volume.name, volumeTime: time, now: now)
    }
}

extension ScanReport.Volume {
    /// The lines of one volume's scan.
    fileprivate init(_ result: ScanService.Result, of volume: Volume) {
        let scan = result.scan
        self.init(
            name: volume.name, path: volume.path, scan: result.recorded.number,
            baseline: result.recorded.baseline,
            complete: scan.complete, directories: scan.directories, files: scan.files, bytes: scan.bytes,
            apparentBytes: scan.apparentBytes, unreadable: scan.unreadableCount,
            unreadablePaths: scan.unreadable,
            evidence: scan.atimeTrust,
            pools: result.recorded.pools.map {
                ScanReport.PoolLine(
                    pool: $0.pool, entries: $0.entries, files: $0.files, bytes: $0.bytes, new: $0.new,
                    used: $0.used, gone: $0.gone)
            })
        copied = (result.recorded.copied.entries, result.recorded.copied.bytes)
        unmanaged = scan.unmanaged
        inodes = InodeUse(used: scan.usedInodes, quota: volume.inodeQuota(capacity: scan.capacity))
    }
}
