import CacheModel
import Foundation
import GRDB

/// Which entries are asked for, in which order, and how many.
package struct EntryQuestion: Sendable, Hashable {
    /// How they are sorted.
    package typealias Order = EntryOrder

    /// Where the page before ended: the last entry's place in the order.
    package struct Cursor: Sendable, Hashable {
        /// The order it belongs to.
        package var order: Order
        /// What the last entry is sorted by, the numbers first.
        var numbers: [Int64]
        var key: String
        var volume: String
        var path: [UInt8]

        /// The place after an entry.
        package init(after entry: CacheEntry, on volume: String, in order: Order) {
            self.order = order
            numbers = order.values(of: entry)
            (key, self.volume, path) = (entry.key, volume, Array(entry.found.path.bytes))
        }

        /// Reads what `text` wrote; nil for anything else.
        package init?(_ text: String) {
            let standard = text.replacing("-", with: "+").replacing("_", with: "/")
            let padded = standard + String(repeating: "=", count: (4 - standard.count % 4) % 4)
            guard let data = Data(base64Encoded: padded),
                let written = try? JSONDecoder().decode(Written.self, from: data),
                let order = Order(rawValue: written.o), written.n.count == order.count
            else { return nil }
            (self.order, numbers, key, volume) = (order, written.n, written.k, written.v)
            path = Array(written.p)
        }

        /// The cursor as text that a URL can hold.
        package var text: String {
            let written = Written(o: order.rawValue, n: numbers, k: key, v: volume, p: Data(path))
            let data = (try? JSONEncoder().encode(written)) ?? Data()
            return data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                .replacing("=", with: "")
        }

        private struct Written: Codable {
            var o: String
            var n: [Int64]
            var k: String
            var v: String
            var p: Data
        }
    }

    /// Only on the volume of that name.
    package var volume: String?
    /// Only on the volumes of these names; nil for all.
    package var volumes: [String]?
    /// Only of that pool.
    package var pool: Pool?
    /// Only those whose key, or one of whose image names, holds this text, whatever its case, or whose image has that ID.
    package var text: String?
    /// How they are sorted.
    package var order: Order
    /// How many at most; nil for all.
    package var limit: Int?
    /// After which one.
    package var after: Cursor?
    /// Before which one: the page that ends there.
    package var before: Cursor?

    /// Makes a question from all it consists of.
    package init(
        volume: String? = nil, volumes: [String]? = nil, pool: Pool? = nil, text: String? = nil,
        order: Order = .used, limit: Int? = 100, after: Cursor? = nil
    ) {
        self.volume = volume
        self.volumes = volumes
        self.pool = pool
        self.text = text
        self.order = order
        self.limit = limit
        self.after = after
    }
}

/// A part of the entries, in order.
package struct EntryPage: Sendable {
    /// The entries, with their volumes' names.
    package var entries: [(volume: String, entry: CacheEntry)]
    /// How many there are on all pages.
    package var totalEntries: Int64
    /// What they occupy together: a layer of several images counts once.
    package var totalBytes: ByteCount
    /// Where the next page begins; nil at the end.
    package var next: EntryQuestion.Cursor?
    /// Where the page before ends; nil at the beginning.
    package var previous: EntryQuestion.Cursor?
}

extension CacheIndex {
    /// One page of the entries that a question asks for.
    ///
    /// Entries that come or go between two pages shift none of the others.
    ///
    /// - Throws: `IndexError`.
    package func entryPage(_ question: EntryQuestion) throws -> EntryPage {
        try reading { db in
            let (conditions, arguments) = Self.conditions(of: question)
            let sums = try Row.fetchOne(
                db,
                sql: """
                    SELECT count(*), ifnull(sum(entries.bytes) FILTER (WHERE entries.pool <> ?), 0)
                    FROM entries JOIN volumes ON volumes.id = entries.volume WHERE \(conditions)
                    """,
                arguments: [Pool.images.code] + arguments)
            let layers = try Row.fetchOne(
                db,
                sql: """
                    SELECT ifnull(sum(layers.stored_bytes), 0) FROM layers WHERE (layers.volume, layers.id) IN (
                        SELECT entries.volume, image_layers.layer FROM image_layers
                        JOIN entries ON entries.id = image_layers.entry
                        JOIN volumes ON volumes.id = entries.volume WHERE \(conditions))
                    """,
                arguments: arguments)
            var page = EntryPage(
                entries: [], totalEntries: try sums?.integer(0) ?? 0,
                totalBytes: (try sums?.size(1) ?? .zero) + (try layers?.size(0) ?? .zero))
            let isBackwards = question.before != nil
            let (after, behind) = Self.condition(beside: question.after, ">")
            let (before, ahead) = Self.condition(beside: question.before, "<")
            let limit = question.limit.map { "LIMIT \($0 + 1)" } ?? ""
            let order = question.order.columns.map { isBackwards ? "\($0) DESC" : $0 }.joined(separator: ", ")
            let found = try self.found(
                conditions + after + before, arguments + behind + ahead, db, order: "\(order) \(limit)")
            page.entries = Array(found.prefix(question.limit ?? found.count))
            let hasMore = found.count > page.entries.count
            if isBackwards { page.entries.reverse() }
            if let first = page.entries.first, let last = page.entries.last {
                func place(_ one: (volume: String, entry: CacheEntry)) -> EntryQuestion.Cursor {
                    EntryQuestion.Cursor(after: one.entry, on: one.volume, in: question.order)
                }
                // Where it came from there is always another page.
                page.next = isBackwards || hasMore ? place(last) : nil
                page.previous = (isBackwards ? hasMore : question.after != nil) ? place(first) : nil
            }
            return page
        }
    }

    /// What layers occupy, each once.
    ///
    /// - Parameter ids: their IDs, by the names of their volumes.
    /// - Throws: `IndexError`.
    package func storedBytes(ofLayers ids: [String: Set<String>]) throws -> ByteCount {
        try reading { db in
            var sum = ByteCount.zero
            for (volume, wanted) in ids where !wanted.isEmpty {
                guard let row = try volumeRow(named: volume, db) else { continue }
                for layer in try layers(of: row, db) where wanted.contains(layer.id) {
                    sum += layer.storedBytes
                }
            }
            return sum
        }
    }

    private static func conditions(of question: EntryQuestion) -> (String, StatementArguments) {
        var (conditions, arguments) = (["1"], StatementArguments())
        if let volume = question.volume {
            conditions.append("volumes.name = ?")
            arguments += [volume]
        }
        if let volumes = question.volumes {
            conditions.append("volumes.name IN (\(volumes.map { _ in "?" }.joined(separator: ", ")))")
            arguments += StatementArguments(volumes)
        }
        if let pool = question.pool {
            conditions.append("entries.pool = ?")
            arguments += [pool.code]
        }
        if let text = question.text, !text.isEmpty {
            let escaped = text.escapedForLike
            let id = ImagePattern.id(in: text).map { "\($0)*" }
            conditions.append(
                """
                (entries.id IN (SELECT entry FROM images WHERE image GLOB ?) OR entries.key LIKE ? ESCAPE '\\' OR entries.id IN (
                    SELECT entry FROM image_names WHERE name LIKE ? ESCAPE '\\'))
                """)
            arguments += [id, "%\(escaped)%", "%\(escaped)%"]
        }
        return (conditions.joined(separator: " AND "), arguments)
    }

    private static func condition(
        beside cursor: EntryQuestion.Cursor?, _ comparison: String
    ) -> (String, StatementArguments) {
        guard let cursor else { return ("", []) }
        let values: [(any DatabaseValueConvertible)?] =
            cursor.numbers.map { $0 } + [cursor.key, cursor.volume, Data(cursor.path)]
        let places = values.map { _ in "?" }.joined(separator: ", ")
        let columns = cursor.order.columns.joined(separator: ", ")
        return (" AND (\(columns)) \(comparison) (\(places))", StatementArguments(values))
    }
}

extension EntryOrder {
    private static let frees =
        "ifnull((SELECT exclusive_bytes FROM images WHERE entry = entries.id), entries.bytes)"

    /// What entries are sorted by, all rising: what is to fall is negative.
    fileprivate var columns: [String] {
        let ties = ["entries.key", "volumes.name", "entries.path"]
        return switch self {
        case .used: ["entries.last_used", "-entries.bytes"] + ties
        case .bytes: ["-entries.bytes"] + ties
        case .key: ties
        case .frees: ["-\(Self.frees)", "-entries.bytes"] + ties
        }
    }

    /// The numbers among them, of one entry.
    fileprivate func values(of entry: CacheEntry) -> [Int64] {
        switch self {
        case .used: [entry.lastUsed.nanoseconds, -entry.bytes.bytes]
        case .bytes: [-entry.bytes.bytes]
        case .key: []
        case .frees: [-entry.removalFrees.bytes, -entry.bytes.bytes]
        }
    }

    fileprivate var count: Int {
        switch self {
        case .used, .frees: 2
        case .bytes: 1
        case .key: 0
        }
    }
}
