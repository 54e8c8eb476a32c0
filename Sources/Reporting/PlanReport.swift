import CacheModel

/// What a prune would remove now, in order, and why; what it keeps, and why.
package struct PlanReport: Report {
    /// The plan's ID, which the run that carries it out names.
    package var id: String
    /// When it was made.
    package var createdAt: Timestamp
    /// The plans of the volumes, in the order of configuration.
    package var plans: [EvictionPlan]
    /// The volumes that were passed over.
    package var skipped: [SkippedVolume]

    /// The command that carries it out, as it is typed.
    package var command = "larder prune"
    /// The keys asked for that nothing has.
    package var unknownKeys: [UnknownKey] = []

    /// Makes a report from all it consists of.
    package init(id: String, createdAt: Timestamp, plans: [EvictionPlan], skipped: [SkippedVolume] = []) {
        self.id = id
        self.createdAt = createdAt
        self.plans = plans
        self.skipped = skipped
    }

    /// The plan for people: the outcome, then each volume with what goes first, at most 20 lines of it.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let (outcome, tone) = plans.outcome(unknownKeys)
        page.paragraph(outcome, tone: tone)
        page.unknown(unknownKeys, saidBefore: outcome)
        for plan in plans { plan.write(to: &page) }
        page.skipped(skipped)
        if plans.contains(where: { !$0.evict.isEmpty }) {
            page.blank()
            page.line("Nothing has been evicted. To do it: \(command)", tone: .faint)
        }
        return page.text
    }

    /// The plan as `larder.plan/1`, which `PlanDocument` reads back.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.plan/1", "plan": .text(id), "created_at": .time(createdAt),
            "volumes": .array(plans.map(\.jsonValue)), "skipped": .array(skipped.map(\.jsonValue)),
            "unknown_keys": .array(unknownKeys.map(\.jsonValue)),
        ]
        return try document.document()
    }
}

/// A key that was asked for and that nothing has.
package struct UnknownKey: Sendable, Hashable {
    /// The key or pattern as it was given.
    package var key: String
    /// The names that are closest to it.
    package var nearest: [String]

    /// Makes a record from both.
    package init(key: String, nearest: [String]) {
        self.key = key
        self.nearest = nearest
    }

    /// What is wrong, without a full stop.
    var text: String {
        let near = nearest.isEmpty ? "" : "; the nearest names are: \(nearest.joined(separator: ", "))"
        return "no entry has the key \(key)\(near)"
    }

    var jsonValue: JSONValue { ["key": .text(key), "nearest": .array(nearest.map { .text($0) })] }
}

extension TextPage {
    /// Names the keys that nothing has, where the outcome does not say it.
    mutating func unknown(_ keys: [UnknownKey], saidBefore outcome: String) {
        for unknown in keys where !outcome.contains(unknown.text) {
            paragraph("\(unknown.text.prefix(1).uppercased())\(unknown.text.dropFirst()).", tone: .warning)
        }
    }
}

extension [EvictionPlan] {
    /// What a prune would come to, in one sentence.
    ///
    /// - Parameter unknownKeys: the keys asked for that nothing has.
    func outcome(_ unknownKeys: [UnknownKey] = []) -> (String, Tone) {
        let short = filter { !$0.reachesGoal }
        let count = Int64(reduce(0) { $0 + $1.evict.count })
        // Of one volume the figure is that of its own line, which its sizes before and after add up to.
        let working = filter { !$0.evict.isEmpty }
        let freed =
            working.count == 1
            ? Figures.change(from: working[0].usedBytes, to: working[0].usedAfter).difference
            : "\(reduce(ByteCount.zero) { $0 + $1.freedBytes })"
        let removal = "a prune would evict \(Figures.entries(count)), freeing \(freed)"
        if !short.isEmpty {
            let names = Figures.list(short.map(\.volume))
            return count > 0
                ? ("Not enough: \(removal), and \(names) would stay above its goal.", .bad)
                : ("Nothing can be evicted: \(names) is above its goal, and everything there is kept.", .bad)
        }
        if count > 0 { return ("\(removal.prefix(1).uppercased())\(removal.dropFirst()).", .strong) }
        if let selection = first?.selection {
            guard unknownKeys.count < selection.keys.count else {
                return (
                    "Nothing to evict: \(unknownKeys.map(\.text).joined(separator: "; ")).", .warning
                )
            }
            return (
                "Nothing to evict: every entry with the key \(Figures.list(selection.keys)) is kept.", .good
            )
        }
        if let plan = first, plan.goal != plan.quota.low {
            return (
                "Nothing to prune: \(plan.volume) uses \(plan.usedBytes), which is within the "
                    + "\(plan.goal) asked for.", .good
            )
        }
        let purged = filter { $0.purgedEarlierBytes > .zero }.map {
            "\($0.purgedEarlierBytes) of the trash of \($0.volume)"
        }
        if !purged.isEmpty {
            return (
                "Nothing to evict, but a prune purges about \(Figures.list(purged)), which cannot be brought back "
                    + "then.", .warning
            )
        }
        return ("Nothing to prune: no volume is above its high watermark.", .good)
    }
}

extension EvictionPlan {
    func write(to page: inout TextPage) {
        page.blank()
        page.line(volume, tone: .strong)
        page.bar(QuotaBar(used: usedBytes, quota: quota))
        for warning in warnings {
            page.paragraph("\(warning.text); \(warning.hint)", indent: 2, tone: .warning)
        }
        guard needed else {
            page.paragraph(
                "nothing to evict: a prune starts above \(goal == quota.low ? quota.high : goal)"
                    + (inodes.map { " or \(Figures.grouped($0.quota.high)) inodes" } ?? ""), indent: 2)
            for note in whatBecomes { page.paragraph(note, indent: 2, tone: .warning) }
            writeKept(to: &page)
            return
        }
        if !evict.isEmpty {
            let change = Figures.change(from: usedBytes, to: usedAfter)
            page.paragraph(
                "would evict \(Figures.entries(Int64(evict.count))), freeing \(change.difference): "
                    + "\(change.before) → \(change.after)" + (volumeIsOver ? " (goal \(goal))" : ""),
                indent: 2)
            for note in whatBecomes { page.paragraph(note, indent: 2, tone: .warning) }
            writeInodes(to: &page)
            for pool in poolsOverQuota {
                page.paragraph(
                    "pool \(pool.pool.rawValue) is over its quota: \(pool.usedBytes) → \(pool.usedAfter) (goal "
                        + "\(pool.quota.low))", indent: 2)
            }
            page.blank()
            writeEvictions(to: &page)
        }
        if reachesGoal {
            writeKept(to: &page)
        } else {
            page.blank()
            GoalBlockers(plan: self, usedAfter: usedAfter).write(to: &page)
        }
    }

    /// What waits for later runs, and what the trash would not keep, a sentence each.
    var whatBecomes: [String] {
        var notes: [String] = []
        if let coming {
            notes.append(
                "the next prune, at \(coming.at), would evict \(Figures.entries(coming.entries)) and free \(coming.freed)"
                    + "\(coming.isEnough ? "" : ", and not reach its goal"), if nothing is used until then: by then other "
                    + "entries are older than the idle floor")
        }
        if let later {
            let first = Int64(evict.count) - later.entries
            notes.append(
                "one run takes the first \(Figures.entries(first)); \(Figures.entries(later.entries)) of \(later.bytes) "
                    + "\(later.entries == 1 ? "is" : "are") \(later.reason)")
        }
        if purgedEarlierBytes > .zero {
            let part =
                purgedEarlierBytes >= trashBytes
                ? "all of the \(trashBytes) in the trash" : "about \(purgedEarlierBytes) of the trash"
            notes.append(
                "with its trash the volume is above its critical level: \(part), which earlier runs evicted, is purged "
                    + "first; larder trash restore brings back what is still wanted")
        }
        if purgedBytes > .zero {
            let part =
                purgedBytes >= freedBytes - (later?.bytes ?? .zero) ? "all of it" : "\(purgedBytes) of it"
            notes.append(
                "the volume is above its critical level: \(part) is purged from the trash at once, and cannot be "
                    + "brought back")
        }
        return notes
    }

    /// Says how many inodes come free, and whether the plan works for them or for bytes.
    private func writeInodes(to page: inout TextPage) {
        guard let inodes else { return }
        let change = "\(Figures.grouped(inodes.used)) → \(Figures.grouped(inodes.usedAfter))"
        page.paragraph(
            inodes.areOver
                ? "inodes: \(change) (goal \(Figures.grouped(inodes.quota.low))): "
                    + (volumeIsOver ? "works for bytes and inodes" : "works for inodes, not for bytes")
                : "inodes: \(change)", indent: 2)
    }

    /// Writes what goes first.
    ///
    /// That it was least recently used is the rule; another reason stands below the line.
    private func writeEvictions(to page: inout TextPage) {
        let shown = page.first(20, of: evict)
        var notes: [Int: String] = [:]
        for (place, eviction) in shown.enumerated()
        where eviction.cause != .volume && eviction.cause != .selected {
            notes[place] = eviction.reason
        }
        var table = TextTable(
            ("frees", .right), ("last use", .right), ("evidence", .left),
            ("key, the least recently used first", .left))
        table.rows = shown.map { eviction in
            [
                "\(eviction.freedBytes)", Figures.ago(eviction.entry.lastUsed, now: createdAt),
                eviction.entry.evidence.short, eviction.entry.key,
            ]
        }
        page.table(table, of: evict.count, notes: notes)
    }

    private func writeKept(to page: inout TextPage) {
        guard !kept.isEmpty else { return }
        page.blank()
        page.line("kept whatever the quota says:", indent: 2, tone: .faint)
        for kept in kept {
            let size = "\(kept.bytes)"
            let gap = String(repeating: " ", count: max(0, 10 - size.count))
            page.line(
                "\(gap)\(size)  \(Figures.entries(kept.entries)): \(kept.reason.text)", indent: 2,
                tone: .faint)
        }
    }
}
