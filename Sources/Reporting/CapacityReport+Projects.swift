import CacheModel

/// Use by project.
///
/// For images a hit is a container made of an image that was there, a miss an image that was fetched. For artifacts only
/// fetches are known: a read leaves no name.
extension CapacityReport {
    /// The table of a volume's use by project; without rows where no log names a project.
    ///
    /// What is not known comes first, so that no cut hides it.
    func projectTable(_ volume: Volume) -> ReportTable {
        let use = volume.projects
        let unknown = use.map { [("not known", $0.unknown)] } ?? []
        let rows = unknown + (use?.shares ?? []).map { ($0.project, $0.rate) }
        guard volume.tellsHitsByProject else {
            return ReportTable(
                name: "projects", title: "Fetches by project, in \(windowDays) days, by ingested logs",
                columns: [("misses", "misses"), ("fetched", "miss_bytes"), ("project", "project")],
                rows: rows.map { [.count($1.misses), .size($1.missBytes), .text($0)] }, summed: [0, 1])
        }
        return ReportTable(
            name: "projects", title: "Use by project, in \(windowDays) days, by the names of event logs",
            columns: [
                ("hit rate", "object_hit_rate"), ("hits", "hits"), ("misses", "misses"),
                ("used", "hit_bytes"),
                ("fetched", "miss_bytes"), ("project", "project"),
            ],
            rows: rows.map {
                [
                    .rate($1.objects), .count($1.hits), .count($1.misses), .size($1.hitBytes),
                    .size($1.missBytes),
                    .text($0),
                ]
            }, summed: [1, 2, 3, 4])
    }
}

extension CapacityReport.Volume {
    /// Whether hits have a project here: containers do, reads of artifacts do not.
    var tellsHitsByProject: Bool { kind == .imageStore }

    /// The use by project; null where no log names any.
    ///
    /// Hits are null where nothing tells whose they are.
    var projectsValue: JSONValue {
        guard let use = projects else { return .null }
        func value(_ project: String?, _ rate: HitRate) -> JSONValue {
            [
                "project": .optional(project), "hits": tellsHitsByProject ? .integer(rate.hits) : .null,
                "misses": .integer(rate.misses),
                "hit_bytes": tellsHitsByProject ? .bytes(rate.hitBytes) : .null,
                "miss_bytes": .bytes(rate.missBytes),
            ]
        }
        return .array([value(nil, use.unknown)] + use.shares.map { value($0.project, $0.rate) })
    }
}
