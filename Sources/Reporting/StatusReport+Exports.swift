import CacheModel

extension StatusReport {
    /// The volumes as CSV with a line of keys (RFC 4180); sizes are in bytes.
    package func csv() -> String {
        let columns = [
            "name", "path", "capacity_bytes", "used_bytes", "limit_bytes", "high_bytes", "low_bytes",
            "trash_bytes",
            "entries", "hit_rate_objects", "hit_rate_bytes", "confidence", "last_scan", "last_prune",
            "over_quota",
        ]
        let table = ReportTable(
            name: "volumes", title: "Volumes", columns: columns.map { ($0, $0) },
            rows: volumes.map { volume in
                let hasEvidence = volume.evidence.confidence != .none
                let rate = volume.hitRates.month
                return [
                    .text(volume.name), .text(volume.path), .size(volume.capacity), .size(volume.usedBytes),
                    .size(volume.quota.limit), .size(volume.quota.high), .size(volume.quota.low),
                    .size(volume.trashBytes), .count(volume.entries), .rate(hasEvidence ? rate.objects : nil),
                    .rate(hasEvidence ? rate.bytes : nil), .text(volume.evidence.confidence.rawValue),
                    volume.lastScan.map { ReportTable.Cell.time($0) } ?? .text(""),
                    volume.lastPrune.map { ReportTable.Cell.time($0) } ?? .text(""),
                    .text(volume.isOver ? "true" : "false"),
                ]
            })
        return table.csv
    }

    /// The state as one HTML file that needs no network and no script.
    ///
    /// - Parameter version: Larder's.
    package func html(version: String, now: Timestamp) -> String {
        let dashboard = Dashboard(status: self, version: version, readAt: now)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Status of the caches</title>
            <style>
            \(Dashboard.style)
            </style>
            </head>
            <body>
            <header><h1>Status of the caches</h1></header>
            <main>
            \(dashboard.attention(now: now))\(dashboard.volumes(now: now))</main>
            \(dashboard.foot(now: now))
            """
    }
}
