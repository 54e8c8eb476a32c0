import ArgumentParser
import CacheIndex
import CacheModel
import Reporting

/// How the volumes stand, from the index alone.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show size against quota, hit rates and the last runs.",
        discussion: "Reads the index only: it is as fresh as the last scan, and says how old that is.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await Application.run(global, output) { try Self.run($0) }
    }

    static func run(_ application: Application) throws -> Failure.Code? {
        let index = try application.index(readOnly: true)
        let now = application.clock()
        var report = StatusReport(volumes: [])
        for (volume, usage) in try application.usages(index) {
            report.volumes.append(
                StatusReport.Volume(
                    name: volume.name, path: volume.path, capacity: usage.capacity.total,
                    usedBytes: usage.usedBytes, quota: volume.quota(capacity: usage.capacity.total),
                    trashBytes: usage.trashBytes, entries: Int64(usage.entries.count),
                    hitRates: try recentRates(of: volume.name, usage, index, now: now),
                    lastScan: usage.scan.startedAt,
                    lastPrune: try index.lastRun(kind: "prune", volume: volume.name),
                    evidence: usage.scan.atimeTrust))
            report.warnings += warnings(on: volume, usage, now: now)
            report.warnings += try idleWarnings(on: volume, index, now: now)
        }
        try application.say(report)
        return nil
    }

    private static func recentRates(
        of volume: String, _ usage: VolumeUsage, _ index: CacheIndex, now: Timestamp
    ) throws -> RecentHitRates {
        func rate(since: Timestamp) throws -> HitRate {
            try index.hitRates(of: volume, since: since, until: now).values.reduce(HitRate()) { sum, rate in
                HitRate(
                    hits: sum.hits + rate.hits, misses: sum.misses + rate.misses,
                    hitBytes: sum.hitBytes + rate.hitBytes, missBytes: sum.missBytes + rate.missBytes)
            }
        }
        return RecentHitRates(
            lastScan: try index.lastScanRates(of: volume), day: try rate(since: now - .hours(24)),
            week: try rate(since: now - .days(7)), month: try rate(since: now - .days(30)))
    }

    /// What is warmed day after day, and no job uses it.
    private static func idleWarnings(
        on volume: Volume, _ index: CacheIndex, now: Timestamp
    ) throws -> [StatusReport.Warning] {
        try index.idleWarmings(of: volume.name, since: now - .days(7)).map { idle in
            StatusReport.Warning(
                code: "idle-warming", text: "\(idle.reference) on \(volume.name): \(idle.sentence)",
                hint: "take it off the list in warm.images, or name it no more to larder warm")
        }
    }

    private static func warnings(
        on volume: Volume, _ usage: VolumeUsage, now: Timestamp
    ) -> [StatusReport.Warning] {
        var warnings: [StatusReport.Warning] = []
        let quota = volume.quota(capacity: usage.capacity.total)
        if usage.usedBytes > quota.high {
            warnings.append(
                StatusReport.Warning(
                    code: "over-quota", text: "\(volume.name) is above its high watermark (\(quota.high))",
                    hint: "larder prune"))
        }
        if usage.capacity.total < quota.limit {
            warnings.append(
                StatusReport.Warning(
                    code: "limit-beyond-capacity",
                    text: "the limit of \(volume.name), \(quota.limit), is more than its file system holds, "
                        + "\(usage.capacity.total)", hint: "lower `limit`, or enlarge the PVC"))
        }
        if usage.capacity.inodes > 0, usage.capacity.freeInodes * 20 < usage.capacity.inodes {
            warnings.append(
                StatusReport.Warning(
                    code: "inodes",
                    text: "\(volume.name) has \(usage.capacity.freeInodes) inodes left of "
                        + "\(usage.capacity.inodes)",
                    hint: "larder prune --to a smaller size frees inodes too"))
        }
        if !usage.scan.complete {
            warnings.append(
                StatusReport.Warning(
                    code: "incomplete-scan",
                    text: "the last scan of \(volume.name) could not read \(usage.scan.unreadable) paths",
                    hint: "larder scan names them; prune refuses until they can be read"))
        }
        if now - usage.scan.startedAt > .days(2) {
            warnings.append(
                StatusReport.Warning(
                    code: "old-scan",
                    text: "\(volume.name) was last scanned \((now - usage.scan.startedAt).age) ago",
                    hint: "larder scan"))
        }
        if usage.scan.atimeTrust.confidence < .medium, volume.kind == .buildCache {
            warnings.append(
                StatusReport.Warning(
                    code: "weak-evidence", text: "\(volume.name): \(usage.scan.atimeTrust.reason)",
                    hint: "hit rates and last uses of this volume are that much less certain"))
        }
        return warnings
    }
}
