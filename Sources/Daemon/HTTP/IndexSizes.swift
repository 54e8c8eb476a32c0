import CLinux
import CacheIndex
import CacheModel
import Reporting

/// What takes long to make: the capacity report, drawn, and what the next prune would do.
///
/// It needs every entry of every volume and the whole history, which is given back afterwards.
struct IndexSizes: Sendable {
    /// The next prune of a volume without its entries, of which there may be a million.
    struct NextPrunePreview: Sendable {
        var policy: EvictionPolicy
        var decidedAt: Timestamp
        var evictions: [Int64: (position: Int, freed: ByteCount, cause: Eviction.Cause)]
        var shared: Set<Int64>

        /// What would happen to an entry.
        func verdict(on entry: CacheEntry) -> EvictionPlan.Verdict {
            if let (position, freed, cause) = evictions[entry.id] {
                return .evicted(
                    position: position,
                    Eviction(entry: entry, freedBytes: freed, cause: cause, decidedAt: decidedAt))
            }
            if shared.contains(entry.id) { return .kept(.sharedLayers) }
            return policy.protection(of: entry, now: decidedAt).map { .kept($0) } ?? .notNeeded
        }
    }

    /// The capacity report.
    var report: CapacityReport
    /// It as JSON, as a page, and its plots for the dashboard.
    var json: String
    var html: String
    var plots: String
    /// The next prune, by volume.
    var foretold: [String: NextPrunePreview] = [:]
    /// When all that was made.
    var madeAt: Timestamp

    /// Makes them.
    init(_ index: CacheIndex, of volumes: [Volume], idleFloor: Span, now: Timestamp) throws {
        let window = Span.days(30)
        var report = CapacityReport(generatedAt: now, window: window, volumes: [])
        for volume in volumes {
            guard let usage = try index.usage(of: volume.name),
                let history = try index.history(of: volume.name)
            else { continue }
            report.volumes.append(CapacityReport.Volume(volume, usage, history, window: window, now: now))
            report.images = report.images ?? CapacityReport.ImageTax(usage.layers)
            foretold[volume.name] = NextPrunePreview(volume, usage, idleFloor: idleFloor, now: now)
        }
        self.report = report
        json = try report.json()
        html = report.html()
        plots = Dashboard.plots(report)
        madeAt = now
        _ = larder_give_back_memory()
    }
}

extension IndexSizes.NextPrunePreview {
    init(_ volume: Volume, _ usage: VolumeUsage, idleFloor: Span, now: Timestamp) {
        let policy = EvictionPolicy(
            idleFloor: idleFloor, keep: volume.keep, poolQuotas: volume.poolQuotas)
        let plan = policy.plan(usage, under: volume.quota(capacity: usage.capacity.total), now: now)
        self.init(
            policy: policy, decidedAt: now,
            evictions: Dictionary(
                plan.evict.enumerated().map { ($1.entry.id, ($0 + 1, $1.freedBytes, $1.cause)) },
                uniquingKeysWith: { first, _ in first }),
            shared: Set(
                usage.entries.lazy.filter {
                    $0.pool == .images && plan.verdict(on: $0) == .kept(.sharedLayers)
                }
                .map(\.id)))
    }
}
