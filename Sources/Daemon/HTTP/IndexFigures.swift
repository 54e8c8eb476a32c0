import CacheIndex
import CacheModel
import CacheServices
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
    init(_ index: CacheIndex, by services: Services, now: Timestamp) throws {
        volumes = try services.figures(index)
        status = try services.status(of: volumes, index, now: now)
        runs = try index.runPage(limit: Dashboard.readRuns, lines: 8).runs
        warm = try services.configuration.volumes.filter { $0.kind == .imageStore }.map {
            Dashboard.Warm(volume: $0.name, images: try index.warmHistory(of: $0.name).values)
        }
        readAt = now
    }

    /// What the sizes and plans rest on: they are made anew when it changes.
    var basis: [String] {
        volumes.map { "\($0.volume.name) \($0.figures.scan.number) \($0.figures.usedBytes)" }
    }
}
