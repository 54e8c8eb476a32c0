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
        let holds = capacity == quota.limit ? "" : "; the disk holds \(capacity)"
        page.paragraph(
            "a prune starts above \(quota.high) and stops at \(quota.low)\(holds)", indent: 2)
        if let inodes { page.paragraph(inodes.sentence, indent: 2, tone: inodes.isOver ? .bad : .plain) }
        writeHitRates(to: &page)
        if let outlook, outlook.fullAt != nil || outlook.advised != nil {
            page.paragraph(outlook.sentence(now: now, isOver: isOver), indent: 2)
            if let cost = outlook.cost { page.paragraph("cost a month: \(cost)", indent: 2) }
        }
        let trash = trashBytes > .zero ? ", \(trashBytes) more in the trash" : ""
        let pruned = lastPrune == nil ? "never pruned" : "pruned \(Figures.ago(lastPrune, now: now))"
        page.paragraph(
            "\(Figures.entries(entries))\(trash); scanned \(Figures.ago(lastScan, now: now)), \(pruned)",
            indent: 2)
        if let poolSentence { page.paragraph(poolSentence, indent: 2) }
        if let groups = SpaceUse.sentence(outlook?.largest ?? []) {
            page.paragraph("\(groups); all: larder report", indent: 2, hanging: 2)
        }
        page.unmanaged(unmanaged, most: 3)
        writeUnaccounted(to: &page)
        writeComing(to: &page, now: now)
        if let expectation {
            let plan = "larder plan --volume \(name)"
            let more =
                expectation.isBad
                ? "; what stands in the way: \(plan)" : relief?.entries == 0 ? "" : "; which: \(plan)"
            page.paragraph(expectation.text + more, indent: 2, tone: expectation.isBad ? .warning : .plain)
        }
    }

    /// What the next prune will do, or one would do now; where nobody asked, that the last one could not reach its goal, or nil.
    ///
    /// Where it is of the next one, it goes on after what says when that comes.
    var expectation: (text: String, isBad: Bool)? {
        guard let relief else {
            return isStuck && usedBytes > quota.low ? ("the last prune could not reach its goal", true) : nil
        }
        let who = relief.isOfNext ? "it" : "a prune"
        let unless = relief.isOfNext ? ", if nothing is used until then" : ""
        guard relief.isEnough else {
            return relief.entries == 0
                ? ("nothing may be evicted\(relief.isOfNext ? " then" : "")", true)
                : ("\(who) would free \(relief.freed)\(unless), and not reach its goal", true)
        }
        if relief.entries == 0 { return ("as things stand, \(who) would evict nothing", false) }
        // As the plan has it, where a − b = c as printed.
        let freed = Figures.change(from: usedBytes, to: usedBytes - relief.freed).difference
        return ("\(who) would evict \(Figures.entries(relief.entries)) and free \(freed)\(unless)", false)
    }

    /// Says what comes next: what a daemon was told, else what the prunes so far tell.
    private func writeComing(to page: inout TextPage, now: Timestamp) {
        if let criticalSentence { page.paragraph(criticalSentence, indent: 2, tone: .bad) }
        if !next.isEmpty {
            let coming = next.prefix(3).map { "\($0.activity) \(Figures.ahead($0.at, now: now))" }
            page.paragraph("next: \(coming.joined(separator: ", "))", indent: 2)
        }
        guard let prunes else { return }
        page.paragraph(prunes.sentence(now: now), indent: 2, tone: prunes.isLate(at: now) ? .warning : .plain)
    }

    /// That the volume is above its critical level, and what comes of it; nil where it is not.
    var criticalSentence: String? {
        guard let critical else { return nil }
        let who = next.isEmpty ? "a prune" : "the daemon prunes it at its next look, and"
        guard trashBytes > .zero else {
            return "above its critical level of \(critical): \(who) purges from the trash as well"
        }
        return
            "with its trash \(usedBytes + trashBytes), above its critical level of \(critical): \(who) purges about "
            + "\(purgedFirst) that earlier runs evicted; what is still wanted must be brought back first: larder trash list"
    }

    /// What the pools hold; nil where there is one.
    private var poolSentence: String? {
        let pools = pools.filter { $0.bytes > .zero }
        guard pools.count > 1 else { return nil }
        return "holds " + Figures.list(pools.map { "\($0.bytes) of \($0.pool.rawValue)" })
    }

    private func writeUnaccounted(to page: inout TextPage) {
        if let eventLogs, eventLogs.kept > 0 {
            page.line(
                "\(Figures.count(eventLogs.kept, "event log", "event logs")) kept, \(eventLogs.bytes)",
                indent: 2)
        }
        let parts = unaccounted.filter { $0.bytes > ByteCount(1 << 20) }
        guard !parts.isEmpty else { return }
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

    /// How urgent it is: used bytes as a part of the level where a prune starts.
    var need: Double {
        guard lastScan != nil else { return 0 }
        let inodeNeed = inodes.map { Double($0.used) / Double(max(1, $0.quota.high)) } ?? 0
        return max(Double(usedBytes.bytes) / Double(max(1, quota.high.bytes)), inodeNeed)
    }

    /// Whether a prune starts, for its bytes or for its inodes.
    package var isOver: Bool { usedBytes > quota.high || inodes?.isOver == true }

    private func writeHitRates(to page: inout TextPage) {
        let reason = evidence.reason.isEmpty ? "" : ": \(evidence.reason)"
        guard evidence.confidence != .none else {
            page.paragraph(
                "hit rate: unknown, as the volume gives no evidence of use\(reason)", indent: 2,
                tone: .warning)
            return
        }
        guard hitRates.all.contains(where: { $0.objects != nil }) else {
            page.paragraph(
                "hit rate: no use seen yet; evidence \(evidence.confidence.rawValue)\(reason)", indent: 2)
            return
        }
        let bytes = hitRates.month.bytes.map { " (\(Figures.rate($0)) of bytes)" } ?? ""
        let windows = [("30 d", hitRates.month), ("7 d", hitRates.week), ("24 h", hitRates.day)]
        let rates = windows.filter { $0.1.objects != nil }.enumerated().map { place, window in
            "\(window.0) \(Figures.rate(window.1.objects))\(place == 0 ? bytes : "")"
        }.joined(separator: ", ")
        let line = Figures.sparkline(hitRates.trend.map(\.objects))
        let trend = line.allSatisfy { $0 == " " } ? "" : "  \(line.drop { $0 == " " })"
        page.paragraph("hit rate: \(rates)\(trend)", indent: 2, hanging: 2)
        // What is as good as it can be is no news.
        guard evidence.confidence < .high || !reason.isEmpty else { return }
        let tone: Tone = evidence.confidence < .high ? .warning : .plain
        page.paragraph(
            "evidence \(evidence.confidence.rawValue)\(reason)", indent: 2, hanging: 2, tone: tone)
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
            "unmanaged": .array(unmanaged.map(\.jsonValue)), "hit_rate": hitRates.month.jsonValue(trust),
            "hit_rates": [
                "last_scan": hitRates.lastScan.jsonValue(trust), "24h": hitRates.day.jsonValue(trust),
                "7d": hitRates.week.jsonValue(trust), "30d": hitRates.month.jsonValue(trust),
            ],
            "evidence": ["confidence": .text(trust.rawValue), "reason": .text(evidence.reason)],
            "last_scan": .optional(lastScan), "last_prune": .optional(lastPrune),
            "over_quota": .bool(isOver), "inodes": inodes?.jsonValue ?? .null,
            "last_prune_reached_goal": .bool(!isStuck),
        ]
    }
}

extension StatusReport.Prunes {
    /// Whether the next one should have come.
    func isLate(at now: Timestamp) -> Bool {
        if case .regular(let rhythm) = self { rhythm.isLate(at: now) } else { false }
    }

    /// When the next one comes, as far as those before tell.
    package func sentence(now: Timestamp) -> String {
        guard case .regular(let rhythm) = self else {
            return "next: not known, as no daemon runs here and the prunes so far tell no schedule"
        }
        if rhythm.isLate(at: now) {
            return
                "prunes came every \(rhythm.interval.age), and the next one is \((now - rhythm.next).age) late: is "
                + "what starts them suspended?"
        }
        let ahead = rhythm.next > now ? "in about \((rhythm.next - now).age)" : "about now"
        return "next: prune \(ahead), as they came every \(rhythm.interval.age) so far"
    }
}

extension StatusReport.Outlook {
    /// When the volume is full, and what is to be done about its size.
    func sentence(now: Timestamp, isOver: Bool) -> String {
        let size = advised.map { "advised: \($0)" } ?? "no size can be recommended yet"
        // What is over its quota is past being full.
        if isOver { return size }
        // When it must grow is before it is full.
        if mustGrow { return size }
        guard let fullAt else { return "not filling up; \(size)" }
        let time = fullAt > now ? "in \((fullAt - now).age)" : "by now"
        return "full about \(fullAt.description.prefix(10)) (\(time)); \(size)"
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
