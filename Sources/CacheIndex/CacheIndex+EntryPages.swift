import CacheModel
import Foundation
import GRDB

/// Which entries are asked for, in which order, and how many.
package struct EntryQuestion: Sendable, Hashable {
    /// How they are sorted.
    package enum Order: String, Sendable, Hashable, CaseIterable {
        /// By last use, the least recent first.
        case used
        /// By size, the largest first.
        case bytes
        /// By key.
        case key
    }

    /// Where the page before ended.
    package struct Cursor: Sendable, Hashable {
        /// The last entry's value in the order asked for: nanoseconds, bytes or the key.
        package var value: String
        /// The last entry's row in the index.
        package var id: Int64

        /// Makes a cursor from both.
        package init(value: String, id: Int64) {
            self.value = value
            self.id = id
        }
    }

    /// Only on the volume of that name.
    package var volume: String?
    /// Only of that pool.
    package var pool: Pool?
    /// Only those whose key, or one of whose image names, holds this text, whatever its case.
    package var text: String?
    /// How they are sorted.
    package var order: Order
    /// How many at most.
    package var limit: Int
    /// After which one.
    package var after: Cursor?

    /// Makes a question from all it consists of.
    package init(
        volume: String? = nil, pool: Pool? = nil, text: String? = nil, order: Order = .used, limit: Int = 100,
        after: Cursor? = nil
    ) {
        self.volume = volume
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
    /// The sum of their sizes; images that share layers count them each.
    package var totalBytes: ByteCount
    /// Where the next page begins; nil at the end.
    package var next: EntryQuestion.Cursor?
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
                    SELECT count(*), ifnull(sum(entries.bytes), 0)
                    FROM entries JOIN volumes ON volumes.id = entries.volume WHERE \(conditions)
                    """,
                arguments: arguments)
            var page = EntryPage(
                entries: [], totalEntries: try sums?.integer(0) ?? 0, totalBytes: try sums?.size(1) ?? .zero)
            let (sorting, after, more) = Self.sorting(of: question)
            let found = try self.found(
                conditions + after, arguments + more, db, order: "\(sorting) LIMIT \(question.limit + 1)")
            page.entries = Array(found.prefix(question.limit))
            if found.count > question.limit, let last = page.entries.last?.entry {
                let value =
                    switch question.order {
                    case .used: "\(last.lastUsed.nanoseconds)"
                    case .bytes: "\(last.bytes.bytes)"
                    case .key: last.key
                    }
                page.next = EntryQuestion.Cursor(value: value, id: last.id)
            }
            return page
        }
    }

    private static func conditions(of question: EntryQuestion) -> (String, StatementArguments) {
        var (conditions, arguments) = (["1"], StatementArguments())
        if let volume = question.volume {
            conditions.append("volumes.name = ?")
            arguments += [volume]
        }
        if let pool = question.pool {
            conditions.append("entries.pool = ?")
            arguments += [pool.code]
        }
        if let text = question.text, !text.isEmpty {
            let escaped = text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing(
                "_", with: "\\_")
            conditions.append(
                """
                (entries.key LIKE ? ESCAPE '\\' OR entries.id IN (
                    SELECT entry FROM image_names WHERE name LIKE ? ESCAPE '\\'))
                """)
            arguments += ["%\(escaped)%", "%\(escaped)%"]
        }
        return (conditions.joined(separator: " AND "), arguments)
    }

    private static func sorting(of question: EntryQuestion) -> (String, String, StatementArguments) {
        let (column, direction, sign) =
            switch question.order {
            case .used: ("entries.last_used", "ASC", ">")
            case .bytes: ("entries.bytes", "DESC", "<")
            case .key: ("entries.key", "ASC", ">")
            }
        let sorting = "\(column) \(direction), entries.id \(direction)"
        guard let after = question.after else { return (sorting, "", []) }
        // A number in the text must compare as one.
        let value: any DatabaseValueConvertible =
            question.order == .key ? after.value : Int64(after.value) ?? 0
        return (sorting, " AND (\(column), entries.id) \(sign) (?, ?)", [value, after.id])
    }
}
