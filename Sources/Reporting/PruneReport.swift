import CacheModel

/// What a prune did, or, run dry, what it would have done.
package struct PruneReport: Report {
    /// One volume.
    package struct Volume: Sendable {
        /// What happened to it.
        package var outcome: EvictionOutcome
        /// The plan that was carried out: it says what stands in the way of a goal that was not reached.
        ///
        /// Nil where it is not at hand.
        package var plan: EvictionPlan?
        /// How long what was evicted waits in the trash; nil where that is not known.
        package var retention: Span?

        /// Makes a volume from its two parts.
        package init(outcome: EvictionOutcome, plan: EvictionPlan?) {
            self.outcome = outcome
            self.plan = plan
        }

        /// What a prune that meets no refusal would do.
        package init(dryRunOf plan: EvictionPlan) {
            let lines = plan.evict.map {
                EvictionOutcome.Line(
                    entryID: $0.entry.id, pool: $0.entry.pool, key: $0.entry.key, bytes: $0.freedBytes,
                    reason: $0.reason)
            }
            self.init(
                outcome: EvictionOutcome(
                    volume: plan.volume, evicted: lines, freedBytes: plan.freedBytes,
                    usedBefore: plan.usedBytes,
                    usedAfter: plan.usedAfter, overQuota: !plan.reachesGoal),
                plan: plan)
        }
    }

    /// The run's ID, by which its trash is restored.
    package var run: String
    /// Whether nothing was touched.
    package var dryRun: Bool
    /// The volumes in the order of configuration.
    package var volumes: [Volume]
    /// The volumes that were passed over, or that failed as a whole.
    package var skipped: [SkippedVolume]
    /// The keys asked for that nothing has, where nothing was evicted.
    package var unknownKeys: [UnknownKey] = []

    /// Makes a report from all it consists of.
    package init(run: String, dryRun: Bool, volumes: [Volume], skipped: [SkippedVolume] = []) {
        self.run = run
        self.dryRun = dryRun
        self.volumes = volumes
        self.skipped = skipped
    }

    /// The run as `larder.prune/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.prune/1", "run": .text(run), "dry_run": .bool(dryRun),
            "volumes": .array(volumes.map(\.outcome.jsonValue)), "skipped": .array(skipped.map(\.jsonValue)),
            "unknown_keys": .array(unknownKeys.map(\.jsonValue)),
        ]
        return try document.document()
    }
}

extension PruneReport {
    /// The run for people: the outcome, then each volume with what went and what was refused.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let (outcome, tone) = outcome
        page.paragraph(outcome, tone: tone)
        page.unknown(unknownKeys, saidBefore: outcome)
        for volume in volumes { volume.write(to: &page, dryRun: dryRun, run: run) }
        page.skipped(skipped)
        return page.text
    }

    private var outcome: (String, Tone) {
        let outcomes = volumes.map(\.outcome)
        let evicted = Figures.entries(Int64(outcomes.reduce(0) { $0 + $1.evicted.count }))
        let freed = outcomes.reduce(ByteCount.zero) { $0 + $1.freedBytes }
        // Of one volume the figure is that of its own line, which its sizes before and after add up to.
        let working = outcomes.filter { !$0.evicted.isEmpty }
        let left =
            working.count == 1
            ? Figures.change(from: working[0].usedBefore, to: working[0].usedAfter).difference
            : "\(outcomes.reduce(ByteCount.zero) { $0 + max(.zero, $1.usedBefore - $1.usedAfter) })"
        let trashed = outcomes.reduce(ByteCount.zero) { $0 + $1.trashedBytes }
        let refused = outcomes.reduce(0) { $0 + $1.refused.count }
        let over = volumes.filter(\.outcome.overQuota)

        var text = "\(evicted) evicted, \(freed) freed"
        if dryRun {
            text = "Dry run, nothing was touched: would evict \(evicted), freeing \(left)"
        } else if trashed > .zero {
            let retention = volumes.compactMap(\.retention).max()
            let when =
                retention.map { $0 == .days(1) ? "tomorrow" : "in \($0.age)" } ?? "when the trash is emptied"
            text = "\(evicted) evicted: \(left) left the cache; the disk "
            text += freed > .zero ? "got \(freed) back, and gets \(trashed) \(when)" : "gets it back \(when)"
        }
        if outcomes.allSatisfy({ $0.evicted.isEmpty && $0.refused.isEmpty && !$0.overQuota }) {
            text = dryRun ? "Dry run: nothing to evict" : "Nothing to evict"
            if !unknownKeys.isEmpty { text += ": \(unknownKeys.map(\.text).joined(separator: "; "))" }
        }
        if refused > 0 { text += "; \(Figures.count(Int64(refused), "entry", "entries")) refused" }
        if !over.isEmpty {
            // What was asked for may be less than the quota.
            let isAsked = over.allSatisfy { volume in
                volume.plan.map { volume.outcome.usedAfter <= $0.quota.high && $0.goal != $0.quota.low }
                    ?? false
            }
            let names = Figures.list(over.map(\.outcome.volume))
            return (
                "\(isAsked ? "Above the size asked for still" : "Over quota still"): \(names). \(text).", .bad
            )
        }
        return ("\(text).", refused > 0 || !skipped.isEmpty ? .warning : .good)
    }
}

extension PruneReport.Volume {
    fileprivate func write(to page: inout TextPage, dryRun: Bool, run: String) {
        page.blank()
        let sizes = Figures.change(from: outcome.usedBefore, to: outcome.usedAfter)
        let change = "\(sizes.before) → \(sizes.after)"
        page.line(
            "\(outcome.volume)  \(outcome.evicted.isEmpty ? "\(outcome.usedAfter)" : change)", tone: .strong)
        if let plan { page.bar(QuotaBar(used: outcome.usedAfter, quota: plan.quota)) }
        if outcome.trashedBytes > .zero {
            let isAll = outcome.trashedBytes == outcome.usedBefore - outcome.usedAfter
            page.paragraph(
                "\(isAll ? sizes.difference : "\(outcome.trashedBytes)") in the trash; to bring it back: larder trash restore \(run); to free it "
                    + "now: larder trash purge --volume \(outcome.volume)", indent: 2)
        }
        if let inodes = plan?.inodes, let evicted = outcome.evictedInodes, evicted > 0 {
            page.line(
                "inodes: \(Figures.grouped(inodes.used)) → \(Figures.grouped(inodes.used - evicted)) of "
                    + Figures.grouped(inodes.quota.limit), indent: 2)
        }
        if dryRun { for note in plan?.whatBecomes ?? [] { page.paragraph(note, indent: 2, tone: .warning) } }
        if !outcome.evicted.isEmpty {
            var table = TextTable(
                (dryRun ? "would evict" : "evicted", .right), ("pool", .left), ("key", .left))
            table.rows = page.first(20, of: outcome.evicted).map {
                ["\($0.bytes)", $0.pool.rawValue, $0.key]
            }
            page.table(table, of: outcome.evicted.count)
        }
        if !outcome.refused.isEmpty {
            page.line("refused: \(Figures.entries(Int64(outcome.refused.count)))", indent: 2, tone: .warning)
            writeRefused(outcome.refused, to: &page)
        }
        if let plan, outcome.evicted.isEmpty, plan.selection != nil {
            for kept in plan.kept {
                page.paragraph("kept, \(Figures.entries(kept.entries)): \(kept.reason.text)", indent: 2)
            }
        }
        if !dryRun, !outcome.overQuota, let plan, plan.volumeIsOver, !plan.reachesGoal {
            page.paragraph(
                "It is within its quota, and above the goal of \(plan.goal) still, as nothing more may go; what stands in "
                    + "the way: larder plan --volume \(outcome.volume) --to \(plan.goal.quantity)", indent: 2,
                tone: .warning)
        }
        if outcome.overQuota, let plan {
            page.blank()
            GoalBlockers(
                plan: plan, usedAfter: outcome.usedAfter, refused: outcome.refused,
                emptied: outcome.emptiedBytes
            ).write(to: &page)
        }
    }

    /// The reasons in the order of their first entry, each with its first ten: one cause often stops many.
    private func writeRefused(_ lines: [EvictionOutcome.Line], to page: inout TextPage) {
        let groups = Dictionary(grouping: lines.indices, by: { lines[$0].reason })
        for (reason, places) in groups.sorted(by: { $0.value[0] < $1.value[0] }) {
            page.paragraph("\(Figures.entries(Int64(places.count))): \(reason)", indent: 4, hanging: 2)
            for place in page.first(10, of: places) { page.line(lines[place].key, indent: 8, tone: .faint) }
            page.more(places.count - 10, indent: 8)
        }
    }
}

extension EvictionOutcome {
    fileprivate var jsonValue: JSONValue {
        [
            "name": .text(volume),
            "evicted": .array(
                evicted.map { line in
                    [
                        "pool": .text(line.pool.rawValue), "key": .text(line.key),
                        "bytes": .bytes(line.bytes), "reason": .text(line.reason),
                    ]
                }),
            "refused": .array(
                refused.map { line in
                    ["pool": .text(line.pool.rawValue), "key": .text(line.key), "reason": .text(line.reason)]
                }),
            "freed_bytes": .bytes(freedBytes), "trashed_bytes": .bytes(trashedBytes),
            "evicted_inodes": evictedInodes.map { .integer($0) } ?? .null,
            "used_bytes_before": .bytes(usedBefore), "used_bytes_after": .bytes(usedAfter),
            "over_quota": .bool(overQuota),
        ]
    }
}
