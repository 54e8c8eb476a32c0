import CacheIndex
import CacheModel
import Reporting

/// What the pages and metrics show, read from the index in one go.
struct IndexFigures: Sendable {
    /// The configured volumes that were scanned, with their figures.
    var volumes: [(volume: Volume, figures: VolumeFigures)]
    /// How they stand.
    var status: StatusReport
    /// The last runs.
    var runs: [RunSummary]
    /// The warm lists.
    var warm: [Dashboard.Warm]
    /// When they were read.
    var readAt: Timestamp

    /// Reads them.
    init(_ index: CacheIndex, of volumes: [Volume], now: Timestamp) throws {
        let all = Dictionary(try index.figures().map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        self.volumes = volumes.compactMap { volume in all[volume.name].map { (volume, $0) } }
        status = try StatusReport(self.volumes, index, now: now)
        runs = try index.runPage(limit: Dashboard.readRuns, lines: 8).runs
        warm = try volumes.filter { $0.kind == .imageStore }.map {
            Dashboard.Warm(volume: $0.name, images: try index.warmHistory(of: $0.name).values)
        }
        readAt = now
    }

    /// What the sizes and plans rest on: they are made anew when it changes.
    var basis: [String] {
        volumes.map { "\($0.volume.name) \($0.figures.scan.number) \($0.figures.usedBytes)" }
    }
}

extension StatusReport {
    /// How the scanned volumes stand, by their figures, with the warnings; what `larder status` shows.
    ///
    /// - Throws: `IndexError`.
    package init(
        _ volumes: [(volume: CacheModel.Volume, figures: VolumeFigures)], _ index: CacheIndex,
        now: Timestamp
    ) throws {
        self.init(volumes: [])
        for (volume, figures) in volumes {
            let quota = volume.quota(capacity: figures.capacity.total)
            func rate(since: Timestamp) throws -> HitRate {
                try index.hitRates(of: volume.name, since: since, until: now).values.reduce(HitRate(), +)
            }
            self.volumes.append(
                Volume(
                    name: volume.name, path: volume.path, capacity: figures.capacity.total,
                    usedBytes: figures.usedBytes, quota: quota, trashBytes: figures.trashBytes,
                    entries: figures.entries,
                    hitRates: RecentHitRates(
                        lastScan: try index.lastScanRates(of: volume.name),
                        day: try rate(since: now - .hours(24)), week: try rate(since: now - .days(7)),
                        month: try rate(since: now - .days(30))),
                    lastScan: figures.scan.startedAt,
                    lastPrune: try index.lastRun(kind: "prune", volume: volume.name),
                    evidence: figures.scan.atimeTrust))
            warnings += Warning.about(figures, quota: quota, now: now)
            warnings += try index.idleWarmings(of: volume.name, since: now - .days(7)).map { idle in
                Warning(
                    code: "idle-warming", text: "\(idle.reference) on \(volume.name): \(idle.sentence)",
                    hint: "take it off the list in warm.images, or name it no more to larder warm")
            }
        }
    }
}
