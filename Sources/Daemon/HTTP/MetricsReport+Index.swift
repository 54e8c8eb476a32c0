import CacheIndex
import CacheModel
import Reporting

extension MetricsReport {
    /// The metrics of the configured volumes that were scanned, by what the index knows of them.
    ///
    /// - Throws: `IndexError`.
    package init(
        _ index: CacheIndex, of volumes: [CacheModel.Volume], place: Place, version: String, now: Timestamp
    ) throws {
        let all = Dictionary(try index.figures().map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        self.init(
            volumes: volumes.compactMap { volume in
                all[volume.name].map { Volume($0, quota: volume.quota(capacity: $0.capacity.total)) }
            }, place: place, version: version, readAt: now)
    }
}
