import CacheModel

extension CapacityReport {
    /// All tables of a volume.
    func tables(of volume: Volume) -> [ReportTable] {
        [
            adviceTable(volume), policyTable(volume), poolTable(volume), projectTable(volume),
            curveTable(volume), dayTable(volume), sampleTable(volume),
            shareTable("groups", "Where the space goes", "group", volume.space.groups),
            shareTable("ages", "By age of last use", "last used", volume.space.ages),
            savingTable(volume), imageTable(volume),
            entryTable("largest", "Largest entries", volume.space.largest, volume),
            entryTable("stalest", "Unused for longest", volume.space.stalest, volume),
        ]
    }

    private func adviceTable(_ volume: Volume) -> ReportTable {
        var columns = [
            ("size", "bytes"), ("hit rate", "object_hit_rate"), ("of bytes", "byte_hit_rate"),
            ("fetches/day", "fetches_saved_per_day"), ("bytes/day", "bytes_saved_per_day"),
            ("avoidable", "avoidable_fetches_per_day"),
        ]
        if fetchSpeed != nil { columns.append(("min/day", "minutes_saved_per_day")) }
        if let price { columns.append(("\(price.currency)/month", "cost_per_month")) }
        columns.append(("", "note"))
        var table = ReportTable(
            name: "advice", title: "What other sizes save, compared with today's", columns: columns,
            rows: volume.sizing.advice.map { line in
                let isRecommended = line.bytes == volume.sizing.recommendation?.bytes
                let notes = [
                    line.bytes == volume.limit ? "today" : "",
                    isRecommended ? (volume.isHeldBack ? "enough as it is set" : "recommended") : "",
                    line.bytes == volume.sizing.asked?.bytes ? "asked for" : "", line.fits ? "" : "too small",
                ]
                var row: [ReportTable.Cell] = [
                    .size(line.bytes), .rate(line.rate.objects), .rate(line.rate.bytes),
                    .number(line.fetchesSaved), .size(ByteCount(Int64(line.bytesSaved))),
                    .number(Double(line.outcome.avoidable) / (volume.sizing.curve?.days ?? 1)),
                ]
                if let fetchSpeed { row.append(.number(line.minutesSaved(at: fetchSpeed))) }
                if let price { row.append(.cost(line.bytes.monthlyCost(at: price.amount))) }
                // What does not fit fails: nothing can reach such figures. Today's limit may lie below the capacity.
                if !line.fits, line.bytes != volume.limit {
                    row = [row[0]] + row.dropFirst().map { _ in .rate(nil) }
                }
                return row + [.text(notes.filter { !$0.isEmpty }.joined(separator: ", "))]
            })
        // Where more columns were asked for, the least telling give way.
        let more = (fetchSpeed == nil ? 0 : 1) + (price == nil ? 0 : 1)
        table.leftOutOfText = Set(["byte_hit_rate", "bytes_saved_per_day"].prefix(more))
        return table
    }

    private func policyTable(_ volume: Volume) -> ReportTable {
        ReportTable(
            name: "policies", title: "Other rules of eviction at today's size",
            columns: [
                ("hit rate", "object_hit_rate"), ("of bytes", "byte_hit_rate"),
                ("one by one", "ideal_object_hit_rate"), ("rule", "policy"),
            ],
            rows: volume.sizing.policies.map {
                [
                    .rate($0.rate.objects), .rate($0.rate.bytes), .rate($0.ideal.objects),
                    .text($0.policy.title),
                ]
            })
    }

    private func poolTable(_ volume: Volume) -> ReportTable {
        ReportTable(
            name: "pools", title: "Pools, in \(windowDays) days",
            columns: [
                ("pool", "pool"), ("entries", "entries"), ("size", "bytes"), ("hit rate", "object_hit_rate"),
                ("hits", "hits"), ("misses", "misses"), ("regret", "regret_entries"),
            ],
            rows: volume.space.pools.map { pool, entries, bytes in
                let rate = volume.sizing.rates[pool] ?? HitRate()
                return [
                    .text(pool.rawValue), .count(entries), .size(bytes), .rate(rate.objects),
                    .count(rate.hits),
                    .count(rate.misses), .count(volume.sizing.regret[pool]?.misses ?? 0),
                ]
            }, summed: [1, 2, 4, 5, 6])
    }

    private func curveTable(_ volume: Volume) -> ReportTable {
        ReportTable(
            name: "curve", title: "Hit rate at each size",
            columns: [
                ("size", "bytes"), ("hit rate", "object_hit_rate"), ("of bytes", "byte_hit_rate"),
                ("avoidable/day", "avoidable_fetches_per_day"), ("ideal", "ideal_object_hit_rate"),
            ],
            rows: volume.curveSizes.filter { volume.sizing.curve?.fits(from: $0) ?? false }.map { size in
                let outcome = volume.sizing.curve?[size] ?? ReplayOutcome()
                let ideal = volume.sizing.ideal?.rate(at: max(.zero, size - volume.sizing.fixed))
                return [
                    .size(size), .rate(outcome.rate.objects), .rate(outcome.rate.bytes),
                    .number(Double(outcome.avoidable) / (volume.sizing.curve?.days ?? 1)),
                    .rate(ideal?.objects),
                ]
            }, isForText: false)
    }

    private func dayTable(_ volume: Volume) -> ReportTable {
        ReportTable(
            name: "days", title: "Day by day",
            columns: [
                ("day", "day"), ("hit rate", "object_hit_rate"), ("hits", "hits"), ("misses", "misses"),
                ("inflow", "inflow_bytes"), ("evicted", "evicted_bytes"), ("used", "distinct_bytes"),
            ],
            rows: volume.sizing.days.map { day in
                [
                    .time(day.end), .rate(day.rate.objects), .count(day.rate.hits), .count(day.rate.misses),
                    .size(day.rate.missBytes), .size(day.evictedBytes), .size(day.distinctBytes),
                ]
            }, isForText: false, summed: [2, 3, 4, 5])
    }

    private func sampleTable(_ volume: Volume) -> ReportTable {
        ReportTable(
            name: "sizes", title: "Size at each scan",
            columns: [("scan", "at"), ("size", "used_bytes"), ("trash", "trash_bytes")],
            rows: volume.samples.map { [.time($0.at), .size($0.used), .size($0.trash)] }, isForText: false)
    }

    private func savingTable(_ volume: Volume) -> ReportTable {
        ReportTable(
            name: "savings", title: "What takes space without much need",
            columns: [
                ("size", "bytes"), ("entries", "entries"), ("kind", "kind"), ("what", "name"),
                ("reason", "reason"), ("command", "reclaim"),
            ],
            rows: volume.savings.prefix(200).map {
                [
                    .size($0.bytes), .count($0.entries), .text($0.kind.rawValue), .text($0.name),
                    .text($0.reason), .text($0.command ?? ""),
                ]
            }, isForText: false, summed: [0, 1])
    }

    private func imageTable(_ volume: Volume) -> ReportTable {
        return ReportTable(
            name: "images", title: "Images: what each occupies, shares and would free",
            columns: [
                ("size", "bytes"), ("shared", "shared_bytes"), ("frees", "exclusive_bytes"),
                ("containers", "containers"), ("last used", "last_used"), ("image", "key"),
            ],
            rows: volume.space.images.map {
                [
                    .size($0.bytes), .size($0.sharedBytes), .size($0.exclusiveBytes), .count($0.containers),
                    .time($0.lastUsed), .text($0.key),
                ]
            }, summed: [3],
            reclaim: volume.space.example(of: volume.space.images))
    }

    private func shareTable(
        _ name: String, _ title: String, _ column: String, _ shares: [SpaceUse.Share]
    ) -> ReportTable {
        ReportTable(
            name: name, title: title, columns: [(column, "name"), ("entries", "entries"), ("size", "bytes")],
            rows: shares.prefix(200).map { [.text($0.name), .count($0.entries), .size($0.bytes)] },
            summed: [1, 2],
            reclaim: shares.last { $0.reclaim != nil && name == "ages" }?.reclaim
                ?? shares.first { $0.reclaim != nil }?.reclaim)
    }

    private func entryTable(
        _ name: String, _ title: String, _ entries: [CacheEntry], _ volume: Volume
    ) -> ReportTable {
        ReportTable(
            name: name, title: title,
            columns: [("size", "bytes"), ("last used", "last_used"), ("entry", "key")],
            rows: entries.map { [.size($0.bytes), .time($0.lastUsed), .text($0.key)] },
            // Images share layers: their sizes do not add up.
            summed: volume.kind == .imageStore ? [] : [0],
            reclaim: volume.space.example(of: entries))
    }
}
