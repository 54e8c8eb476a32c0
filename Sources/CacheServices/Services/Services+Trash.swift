import CacheIndex
import CacheModel
import Reporting

extension Services {
    /// The runs in the trash with their entries.
    ///
    /// - Throws: `Failure`, `MaintenanceError`.
    package func trashedRuns() throws -> TrashReport {
        var report = TrashReport(runs: [])
        for (volume, trash) in try trashes() {
            report.runs += try trash.runs().map { TrashReport.Run($0, on: volume) }
        }
        return report
    }

    /// Brings back the entries of a run, or those with that key or pattern; nothing is overwritten.
    ///
    /// The closing scan's result tells of itself by notices.
    ///
    /// - Throws: `Failure`, `MaintenanceError`; what was brought back stays where the closing scan fails.
    package func restore(run: String, key: String?) throws -> ServiceResult<RestoreReport> {
        for (volume, trash) in try trashes() where try trash.runs().contains(where: { $0.id == run }) {
            let locked = try lock(volume)
            let (restored, refused) = try trash.restore(run: run, key: key)
            let report = RestoreReport(
                run: run, volume: volume.name,
                restored: restored.map { .init(key: $0.key, bytes: $0.bytes) },
                refused: refused.map { .init(key: $0.0.key, bytes: $0.0.bytes, reason: $0.1) })
            var code: Failure.Code? = refused.isEmpty ? nil : .inPart
            do { if try !survey(locked, try index()).scan.complete { code = .inPart } } catch {
                let failure = Failure(error)
                warn(["volume \(volume.name): \(failure.sentence)"])
                code = failure.code
            }
            return ServiceResult(report, code)
        }
        let purge = (try? index(readOnly: true).purge(ofRun: run)) ?? nil
        throw MaintenanceError.trash(
            reason: purge.map { "run \(run) is not in the trash any more: it was \($0.text)" }
                ?? "run \(run) is not in the trash", hint: "'larder trash list' shows what is")
    }

    /// Empties the trash of all volumes for good.
    ///
    /// - Throws: `Failure`, `MaintenanceError`, `IndexError`.
    package func purgeTrash() throws -> ServiceResult<PurgeReport> {
        var report = PurgeReport(volumes: [])
        let index = try index()
        for (volume, trash) in try trashes() {
            let locked = try lock(volume)
            defer { withExtendedLifetime(locked) {} }
            var left = try trash.runs()
            let result = trash.purge(&left)
            try index.recordPurge(of: volume.name, trashLeft: left.reduce(.zero) { $0 + $1.bytes })
            try index.record(
                TrashPurge(at: clock(), by: nil, cause: .asked), ofRuns: result.runs, on: volume.name)
            try index.recordTrash(of: volume.name, holding: left.map(\.stock))
            report.volumes.append(
                PurgeReport.Volume(
                    name: volume.name, purgedBytes: result.bytes, failures: result.failures))
        }
        return ServiceResult(report, report.volumes.allSatisfy(\.failures.isEmpty) ? nil : .inPart)
    }

    /// The trashes of the mounted build caches; images have none.
    private func trashes() throws -> [(volume: Volume, trash: Trash)] {
        try presentVolumes().present.filter { $0.kind == .buildCache && !$0.isReadOnly }.map { volume in
            (volume, try Trash(opening: volume))
        }
    }
}

extension TrashReport.Run {
    fileprivate init(_ run: Trash.Run, on volume: Volume) {
        self.init(
            id: run.id, volume: volume.name, createdAt: run.createdAt, retention: volume.trashRetention,
            entries: run.entries.map { .init(key: $0.key, bytes: $0.bytes) })
    }
}
