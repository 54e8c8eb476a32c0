import CacheModel

/// The entries of the volumes with size, last use and evidence.
package struct ListReport: Report {
    /// How the entries are sorted.
    package typealias Order = EntryOrder

    /// One entry.
    package struct Row: Sendable, Hashable {
        /// The name of the volume it lies on.
        package var volume: String
        /// The entry.
        package var entry: CacheEntry
        /// Why no prune takes it; nil where one could.
        package var protected: Protection?

        /// Makes a row from its three values.
        package init(volume: String, entry: CacheEntry, protected: Protection?) {
            self.volume = volume
            self.entry = entry
            self.protected = protected
        }
    }

    /// The rows shown, sorted.
    package let rows: [Row]
    /// How they are sorted.
    package let order: Order
    /// How many rows there were before the limit.
    package let totalEntries: Int64
    /// What they occupy together: a layer of several images counts once.
    package let totalBytes: ByteCount
    /// Where the next page begins; nil at the end.
    package var cursor: String?
    /// Where the page before ends; nil at the beginning.
    package var previous: String?
    /// Whether there are several volumes, so that a key alone does not say which entry is meant.
    package var hasSeveralVolumes = false

    /// Sorts the rows and keeps the first `limit` of them; images that share layers count them each in the total.
    package init(rows: [Row], order: Order, limit: Int? = nil) {
        let sorted = rows.sorted { order.precedes($0.entry, on: $0.volume, $1.entry, on: $1.volume) }
        self.init(
            page: limit.map { Array(sorted.prefix(max(0, $0))) } ?? sorted, order: order,
            totalEntries: Int64(rows.count), totalBytes: rows.reduce(.zero) { $0 + $1.entry.bytes })
    }

    /// Takes one page of a list that is sorted already.
    package init(
        page rows: [Row], order: Order, totalEntries: Int64, totalBytes: ByteCount, cursor: String? = nil,
        previous: String? = nil
    ) {
        self.previous = previous
        self.rows = rows
        self.order = order
        self.totalEntries = totalEntries
        self.totalBytes = totalBytes
        self.cursor = cursor
    }
}

extension ListReport {
    /// The entries for people, one line each; `*` marks the protected ones.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let first =
            switch order {
            case .used: "the least recently used first"
            case .bytes: "the largest first"
            case .key: "by key"
            case .frees: "those that free most first"
            }
        page.paragraph("\(Figures.entries(totalEntries)), \(totalBytes); \(first).", tone: .strong)
        guard !rows.isEmpty else { return page.text }
        page.blank()
        var columns: [(title: String, alignment: TextTable.Alignment)] = [
            (order == .frees ? "frees" : "size", .right), ("used", .right), ("evidence", .left),
        ]
        if namesVolumes { columns.append(("volume", .left)) }
        columns += [("pool", .left), ("key", .left)]
        var table = TextTable(columns: columns)
        table.rows = rows.map { row in
            let entry = row.entry
            let key = row.protected == nil ? "  \(entry.key)" : "* \(entry.key)"
            return [
                "\(order == .frees ? entry.removalFrees : entry.bytes)",
                entry.useInWords(now: now), entry.evidence.short,
            ] + (namesVolumes ? [row.volume] : []) + [entry.pool.rawValue, key]
        }
        page.table(table, indent: 0)
        let more = totalEntries - Int64(rows.count)
        if more > 0 { page.line("… and \(Figures.grouped(more)) more (without --limit all are listed)") }
        writeProtections(to: &page)
        return page.text
    }

    private var namesVolumes: Bool { hasSeveralVolumes || Set(rows.map(\.volume)).count > 1 }

    private func writeProtections(to page: inout TextPage) {
        let counts = Dictionary(grouping: rows.compactMap(\.protected), by: \.self).mapValues(\.count)
        guard !counts.isEmpty else { return }
        page.blank()
        page.line("* kept whatever the quota says:", tone: .faint)
        for protection in Protection.allCases {
            guard let count = counts[protection] else { continue }
            page.line("\(Figures.entries(Int64(count))): \(protection.text)", indent: 2, tone: .faint)
        }
    }

    /// The entries as `larder.list/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.list/1", "total_entries": .integer(totalEntries),
            "total_bytes": .bytes(totalBytes),
            "entries": .array(rows.map { $0.entry.jsonValue(volume: $0.volume, protected: $0.protected) }),
            "next_cursor": .optional(cursor), "previous_cursor": .optional(previous),
        ]
        return try document.document()
    }

    /// The entries as JSON lines: one object as in `larder.list/1` on each.
    package func jsonLines() throws -> String {
        try rows.map { try $0.entry.jsonValue(volume: $0.volume, protected: $0.protected).line() + "\n" }
            .joined()
    }

    /// The entries as CSV with a line of keys (RFC 4180); sizes are in bytes.
    package func csv() -> String {
        let columns = [
            "volume", "pool", "key", "path", "bytes", "frees_bytes", "apparent_bytes", "files", "first_seen",
            "last_used", "evidence", "confidence", "uses", "protected",
        ]
        let table = ReportTable(
            name: "entries", title: "Entries", columns: columns.map { ($0, $0) },
            rows: rows.map { row in
                let entry = row.entry
                return [
                    .text(row.volume), .text(entry.pool.rawValue), .text(entry.key),
                    .text(entry.found.path.description), .size(entry.bytes), .size(entry.removalFrees),
                    .size(entry.found.apparentBytes), .count(entry.found.files), .time(entry.firstSeen),
                    .time(entry.lastUsed), .text(entry.evidence.rawValue), .text(entry.confidence.rawValue),
                    .count(entry.uses), .text(row.protected?.rawValue ?? ""),
                ]
            })
        return table.csv
    }
}

extension CacheEntry {
    /// The entry as in `larder.list/1`; images have their ID, names, layers and what their removal would free.
    func jsonValue(volume: String, protected: Protection?) -> JSONValue {
        var members: [(key: String, value: JSONValue)] = [
            ("volume", .text(volume)), ("pool", .text(pool.rawValue)), ("key", .text(key)),
            ("path", .text(found.path.description)), ("bytes", .bytes(bytes)),
            ("apparent_bytes", .bytes(found.apparentBytes)), ("files", .integer(found.files)),
            ("first_seen", .time(firstSeen)), ("fetched", .time(found.fetched)),
            ("last_used", .time(lastUsed)),
            ("evidence", .text(evidence.rawValue)), ("confidence", .text(confidence.rawValue)),
            ("uses", .integer(uses)), ("warmed_until", .optional(warmedUntil)),
            ("protected", .optional(protected?.rawValue)),
        ]
        if let image = found.image {
            members += [
                ("id", .text(image.id)), ("names", .array(image.names.map { .text($0) })),
                ("layers", .array(image.layers.map { .text($0) })),
                ("exclusive_bytes", .bytes(image.exclusiveBytes)),
                ("role", .text(image.role.rawValue)), ("origin", .text(image.origin.rawValue)),
                ("lists", .array(image.listNames.map { .text($0) })),
            ]
        }
        return .object(members)
    }
}
