import CacheModel
import GRDB

/// When an entry was last held against its checksums.
package struct Verification: Sendable, Hashable {
    /// When.
    package var at: Timestamp
    /// Whether something in it did not stand.
    package var isDamaged: Bool

    /// Makes a record from its two values.
    package init(at: Timestamp, isDamaged: Bool) {
        self.at = at
        self.isDamaged = isDamaged
    }
}

extension CacheIndex {
    /// The last verifications of a volume's entries, by their rows.
    ///
    /// Entries that were never verified are left out, and so are those whose directory, time of the last fetch or
    /// length is no longer what it was then.
    ///
    /// - Throws: `IndexError`.
    package func verifications(of volume: String) throws -> [Int64: Verification] {
        try reading { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT entries.id, verifications.at, verifications.damaged
                    FROM volumes
                    JOIN entries ON entries.volume = volumes.id
                    JOIN verifications ON verifications.entry = entries.id
                    WHERE volumes.name = ? AND verifications.inode = entries.inode
                        AND verifications.fetched = entries.fetched
                        AND verifications.apparent_bytes = entries.apparent_bytes
                    """,
                arguments: [volume])
            var found: [Int64: Verification] = [:]
            while let row = try rows.next() {
                found[try row.integer(0)] = Verification(at: try row.time(1), isDamaged: try row.flag(2))
            }
            return found
        }
    }

    /// Records verifications, in one transaction.
    ///
    /// What is no entry any more is passed over.
    ///
    /// - Throws: `IndexError`.
    package func record(_ verifications: [Int64: Verification]) throws {
        guard !verifications.isEmpty else { return }
        try writing { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT OR REPLACE INTO verifications (entry, at, damaged, inode, fetched, apparent_bytes)
                    SELECT id, ?, ?, inode, fetched, apparent_bytes FROM entries WHERE id = ?
                    """)
            for (entry, verification) in verifications.sorted(by: { $0.key < $1.key }) {
                try statement.execute(arguments: [
                    verification.at.nanoseconds, verification.isDamaged, entry,
                ])
            }
        }
    }
}
