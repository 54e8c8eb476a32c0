import CacheModel

extension StatusReport.Volume {
    func write(to page: inout TextPage, now: Timestamp) {
        page.blank()
        page.line("\(name)  \(path)", tone: .strong)
        guard lastScan != nil else {
            page.line("never scanned", indent: 2, tone: .warning)
            return
        }
        page.bar(QuotaBar(used: usedBytes, quota: quota))
        page.paragraph(
            "a prune starts above \(quota.high) and stops at \(quota.low); the file system holds \(capacity)",
            indent: 2)
        let trash = trashBytes > .zero ? ", \(trashBytes) more in the trash" : ""
        page.paragraph(
            "\(Figures.entries(entries))\(trash); scanned \(Figures.ago(lastScan, now: now)), "
                + (lastPrune == nil ? "never pruned" : "pruned \(Figures.ago(lastPrune, now: now))"),
            indent: 2)
        if let eventLogs, eventLogs.kept > 0 {
            page.line(
                "\(Figures.count(eventLogs.kept, "event log", "event logs")) kept, \(eventLogs.bytes)",
                indent: 2)
        }
        let parts = unaccounted.filter { $0.bytes > ByteCount(1 << 20) }
        if !parts.isEmpty {
            let rest = usedBytes - accountedBytes
            page.paragraph(
                rest > .zero
                    ? "\(rest) of what is used is no image and no container:"
                    : "Beside what is counted there are:",
                indent: 2, tone: .warning)
            for part in parts {
                let least = part.isLowerBound ? "at least " : ""
                page.paragraph("\(least)\(part.bytes): \(part.text)", indent: 4, hanging: 2, tone: .warning)
            }
        }
        writeHitRates(to: &page)
        if !evidence.reason.isEmpty {
            page.paragraph(
                "evidence \(evidence.confidence.rawValue): \(evidence.reason)", indent: 2, tone: .warning)
        }
    }

    private func writeHitRates(to page: inout TextPage) {
        guard evidence.confidence != .none else {
            page.line("hit rate: unknown, as the volume gives no evidence of use", indent: 2, tone: .warning)
            return
        }
        guard hitRates.all.contains(where: { $0.objects != nil }) else {
            page.line("hit rate: no use seen yet", indent: 2)
            return
        }
        var table = TextTable(
            ("hit rate", .left), ("last scan", .right), ("24 h", .right), ("7 d", .right), ("30 d", .right),
            ("evidence", .left))
        table.rows = [
            ["of entries"] + hitRates.all.map { Figures.rate($0.objects) } + [evidence.confidence.rawValue],
            ["of bytes"] + hitRates.all.map { Figures.rate($0.bytes) },
        ]
        page.table(table)
    }

    var jsonValue: JSONValue {
        let trust = evidence.confidence
        return [
            "name": .text(name), "path": .text(path), "capacity_bytes": .bytes(capacity),
            "used_bytes": .bytes(usedBytes), "accounted_bytes": .bytes(accountedBytes),
            "unaccounted_bytes": .bytes(max(.zero, usedBytes - accountedBytes)),
            "unaccounted": .array(unaccounted.map(\.jsonValue)),
            "event_logs": eventLogs.map {
                ["kept": .integer($0.kept), "bytes": .bytes($0.bytes)] as JSONValue
            } ?? .null,
            "limit_bytes": .bytes(quota.limit),
            "high_bytes": .bytes(quota.high), "low_bytes": .bytes(quota.low),
            "trash_bytes": .bytes(trashBytes), "entries": .integer(entries),
            "hit_rate": hitRates.month.jsonValue(trust),
            "hit_rates": [
                "last_scan": hitRates.lastScan.jsonValue(trust), "24h": hitRates.day.jsonValue(trust),
                "7d": hitRates.week.jsonValue(trust), "30d": hitRates.month.jsonValue(trust),
            ],
            "evidence": ["confidence": .text(trust.rawValue), "reason": .text(evidence.reason)],
            "last_scan": .optional(lastScan), "last_prune": .optional(lastPrune),
        ]
    }
}

extension UnaccountedSpace {
    /// The part as reports have it.
    var jsonValue: JSONValue {
        [
            "kind": .text(kind.rawValue), "bytes": .bytes(bytes), "lower_bound": .bool(isLowerBound),
            "detail": detail.isEmpty ? .null : .text(detail), "text": .text(text),
        ]
    }
}
