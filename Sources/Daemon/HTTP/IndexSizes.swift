import CLinux
import CacheIndex
import CacheModel
import CacheServices
import Reporting

/// What takes long to make: the capacity report, drawn, and what the next prune would do.
///
/// It needs every entry of every volume and the whole history, which is given back afterwards.
struct IndexSizes: Sendable {
    /// The capacity report.
    var report: CapacityReport
    /// It as JSON, as a page, and its plots for the dashboard.
    var json: String
    var html: String
    var plots: String
    /// The next prune, by volume.
    var previews: [String: NextPrunePreview] = [:]
    /// What it brings at its time, by volume.
    var reliefs: [String: StatusReport.Relief] = [:]
    /// When all that was made.
    var madeAt: Timestamp

    /// Makes them.
    ///
    /// - Parameter away: the names of volumes that are not at their paths, or do not answer.
    init(_ index: CacheIndex, by services: Services, away: Set<String>, now: Timestamp) throws {
        var options = ReportOptions()
        options.away = away
        var previews: [String: NextPrunePreview] = [:]
        var reliefs: [String: StatusReport.Relief] = [:]
        let report = try services.capacityReport(options, index, now: now) { volume, usage in
            previews[volume.name] = NextPrunePreview(
                of: volume, usage, by: services.policy(for: volume, capacity: usage.capacity), now: now)
            reliefs[volume.name] = try services.relief(of: volume, usage, index, now: now)
        }
        (self.previews, self.reliefs) = (previews, reliefs)
        self.report = report
        json = try report.json()
        html = Dashboard.amongPages(report.html())
        plots = Dashboard.plots(report)
        madeAt = now
        _ = larder_give_back_memory()
    }
}
