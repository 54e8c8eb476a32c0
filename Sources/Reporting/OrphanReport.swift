import CacheModel

/// What `prune --orphans` did, or, run dry, what it would have done.
package struct OrphanReport: Report {
    /// One image store.
    package struct Volume: Sendable {
        /// Its name.
        package var name: String
        /// Every orphan that was found, with the reason where it stays.
        package var lines: [OrphanLine]
        /// What the file system got back; run dry, what it would get.
        package var freedBytes: ByteCount
        /// What the store occupied before.
        package var usedBefore: ByteCount
        /// What it occupies now.
        package var usedAfter: ByteCount

        /// Makes a volume from all it consists of.
        package init(
            name: String, lines: [OrphanLine], freedBytes: ByteCount, usedBefore: ByteCount,
            usedAfter: ByteCount
        ) {
            self.name = name
            self.lines = lines
            self.freedBytes = freedBytes
            self.usedBefore = usedBefore
            self.usedAfter = usedAfter
        }

        /// What went.
        package var reclaimed: [Orphan] { lines.filter(\.refusal.isEmpty).map(\.orphan) }
        /// What stays.
        package var refused: [OrphanLine] { lines.filter { !$0.refusal.isEmpty } }
    }

    /// The run's ID.
    package var run: String
    /// Whether nothing was touched.
    package var dryRun: Bool
    /// When it was made: ages count up to then.
    package var at: Timestamp
    /// The image stores in the order of configuration.
    package var volumes: [Volume]
    /// The volumes that were passed over, or that failed as a whole.
    package var skipped: [SkippedVolume]

    /// Makes a report from all it consists of.
    package init(
        run: String, dryRun: Bool, at: Timestamp, volumes: [Volume] = [], skipped: [SkippedVolume] = []
    ) {
        self.run = run
        self.dryRun = dryRun
        self.at = at
        self.volumes = volumes
        self.skipped = skipped
    }

    /// The run for people: the outcome, what went, and what stays with its reason.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let (outcome, tone) = outcome
        page.paragraph(outcome, tone: tone)
        for volume in volumes where !volume.lines.isEmpty { write(volume, to: &page) }
        page.skipped(skipped)
        return page.text
    }

    private var outcome: (String, Tone) {
        let gone = volumes.reduce(0) { $0 + $1.reclaimed.count }
        let freed = volumes.reduce(ByteCount.zero) { $0 + $1.freedBytes }
        let refused = volumes.reduce(0) { $0 + $1.refused.count }
        if gone + refused == 0 {
            return (
                "No layer and no container was left behind in the image store.",
                skipped.isEmpty ? .good : .warning
            )
        }
        let number = Figures.count(Int64(gone), "orphan", "orphans")
        var text =
            dryRun
            ? "Dry run, nothing was touched: would remove \(number), freeing about \(freed)"
            : "\(number) reclaimed, \(freed) freed"
        if refused > 0 { text += "; \(refused) \(refused == 1 ? "stays" : "stay")" }
        return ("\(text).", refused > 0 || !skipped.isEmpty ? .warning : .good)
    }

    private func write(_ volume: Volume, to page: inout TextPage) {
        page.blank()
        let change = "\(volume.usedBefore) → \(volume.usedAfter)"
        page.line(
            "\(volume.name)  \(volume.reclaimed.isEmpty ? "\(volume.usedAfter)" : change)", tone: .strong)
        if !volume.reclaimed.isEmpty {
            var table = TextTable(
                (dryRun ? "would remove" : "reclaimed", .right), ("age", .right), ("kind", .left),
                ("name", .left)
            )
            table.rows = page.first(20, of: volume.reclaimed).map(row)
            page.table(table, of: volume.reclaimed.count)
        }
        let refused = volume.refused
        let groups = Dictionary(grouping: refused.indices, by: { refused[$0].refusal })
        for (reason, places) in groups.sorted(by: { $0.value[0] < $1.value[0] }) {
            page.paragraph(
                "\(Figures.count(Int64(places.count), "stays", "stay")): \(reason)", indent: 2, hanging: 2,
                tone: .warning)
            for place in page.first(10, of: places) {
                page.line(row(refused[place].orphan).joined(separator: "  "), indent: 6, tone: .faint)
            }
            page.more(places.count - 10, indent: 6)
        }
    }

    private func row(_ orphan: Orphan) -> [String] {
        [
            "\(orphan.bytes)", (at - orphan.created).age, orphan.kind.rawValue,
            orphan.name.prefix(12) + (orphan.pins.isEmpty ? "" : " of \(orphan.pins)"),
        ]
    }

    /// The run as `larder.prune/1`, with `orphans` true and each orphan's kind, age and image.
    package func json() throws -> String {
        func line(_ orphan: Orphan, _ refusal: String) -> JSONValue {
            guard case .object(let members) = orphan.jsonValue(now: at) else { return .null }
            var all: [(key: String, value: JSONValue)] = [
                ("pool", .text(Pool.images.rawValue)), ("key", .text(orphan.key)),
            ]
            if !refusal.isEmpty { all.append(("reason", .text(refusal))) }
            return .object(all + members)
        }
        let document: JSONValue = [
            "schema": "larder.prune/1", "run": .text(run), "dry_run": .bool(dryRun), "orphans": .bool(true),
            "volumes": .array(
                volumes.map { volume in
                    [
                        "name": .text(volume.name),
                        "evicted": .array(volume.reclaimed.map { line($0, "") }),
                        "refused": .array(volume.refused.map { line($0.orphan, $0.refusal) }),
                        "freed_bytes": .bytes(volume.freedBytes), "trashed_bytes": .bytes(.zero),
                        "used_bytes_before": .bytes(volume.usedBefore),
                        "used_bytes_after": .bytes(volume.usedAfter), "over_quota": .bool(false),
                    ]
                }),
            "skipped": .array(skipped.map(\.jsonValue)),
        ]
        return try document.document()
    }
}
