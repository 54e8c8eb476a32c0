import CacheModel

/// The entries of the volumes with size, last use and evidence.
package struct ListReport: Report {
    /// How the entries are sorted.
    package enum Order: String, Sendable, Hashable, CaseIterable {
        /// By last use, the least recent first: those that a prune takes first.
        case used
        /// By size, the largest first.
        case bytes
        /// By key.
        case key
    }

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
    package private(set) var rows: [Row]
    /// How they are sorted.
    package let order: Order
    /// How many rows there were before the limit.
    package let totalEntries: Int64
    /// The sum of their sizes; images that share layers count them each.
    package let totalBytes: ByteCount
    /// Where the next page begins, for a page of `/api/v1/entries`; nil at the end and for a command.
    package var cursor: String?
    /// Whether this is a page, whose JSON names the next one.
    private var isPage = false

    /// Takes one page of a list that is sorted already.
    package init(
        page rows: [Row], order: Order, totalEntries: Int64, totalBytes: ByteCount, cursor: String?
    ) {
        self.rows = rows
        self.order = order
        self.totalEntries = totalEntries
        self.totalBytes = totalBytes
        self.cursor = cursor
        isPage = true
    }

    /// Sorts the rows and keeps the first `limit` of them.
    package init(rows: [Row], order: Order, limit: Int? = nil) {
        self.order = order
        totalEntries = Int64(rows.count)
        totalBytes = rows.reduce(.zero) { $0 + $1.entry.bytes }
        self.rows = rows.sorted { a, b in
            switch order {
            case .used where a.entry.lastUsed != b.entry.lastUsed: a.entry.lastUsed < b.entry.lastUsed
            case .used where a.entry.bytes != b.entry.bytes, .bytes where a.entry.bytes != b.entry.bytes:
                a.entry.bytes > b.entry.bytes
            default: (a.entry.key, a.volume, a.entry.found.path) < (b.entry.key, b.volume, b.entry.found.path)
            }
        }
        if let limit { self.rows.removeLast(max(0, self.rows.count - max(0, limit))) }
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
            }
        page.paragraph("\(Figures.entries(totalEntries)), \(totalBytes); \(first).", tone: .strong)
        guard !rows.isEmpty else { return page.text }
        page.blank()
        var table = TextTable(
            ("size", .right), ("used", .right), ("evidence", .left), ("pool", .left), ("key", .left))
        table.rows = rows.map { row in
            let entry = row.entry
            let key = row.protected == nil ? "  \(entry.key)" : "* \(entry.key)"
            return [
                "\(entry.bytes)", Figures.ago(entry.lastUsed, now: now), entry.evidence.short,
                entry.pool.rawValue, key,
            ]
        }
        page.table(table, indent: 0)
        let more = totalEntries - Int64(rows.count)
        if more > 0 { page.line("… and \(Figures.grouped(more)) more (--limit \(totalEntries) lists all)") }
        writeProtections(to: &page)
        return page.text
    }

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
        var members: [(key: String, value: JSONValue)] = [
            ("schema", "larder.list/1"), ("total_entries", .integer(totalEntries)),
            ("total_bytes", .bytes(totalBytes)),
            (
                "entries",
                .array(rows.map { $0.entry.jsonValue(volume: $0.volume, protected: $0.protected) })
            ),
        ]
        if isPage { members.append(("next_cursor", .optional(cursor))) }
        return try JSONValue.object(members).document()
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
