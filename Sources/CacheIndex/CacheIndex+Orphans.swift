import CacheModel
import GRDB

extension CacheIndex {
    /// What killed pulls and dead pods left on a volume, as its last scan found it, the largest first.
    ///
    /// - Throws: `IndexError`.
    package func orphans(of volume: String) throws -> [Orphan] {
        try reading { db in
            guard let number = try volumeRow(named: volume, db) else { return [] }
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT kind, name, bytes, lower_bound, created, pins FROM orphans
                    WHERE volume = ? ORDER BY bytes DESC, kind, name
                    """,
                arguments: [number])
            var orphans: [Orphan] = []
            while let row = try rows.next() {
                guard let kind = Orphan.Kind(rawValue: try row.text(0)) else { continue }
                orphans.append(
                    Orphan(
                        kind: kind, name: try row.text(1), bytes: try row.size(2),
                        isLowerBound: try row.flag(3), created: try row.time(4), pins: try row.text(5)))
            }
            return orphans
        }
    }

    /// What lies on a volume and no record explains, as its last scan found it.
    func unaccounted(of volume: Int64, _ db: Database) throws -> [UnaccountedSpace] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT kind, bytes, lower_bound, detail FROM unaccounted WHERE volume = ?
                ORDER BY bytes DESC, kind, detail
                """, arguments: [volume])
        var found: [UnaccountedSpace] = []
        while let row = try rows.next() {
            found.append(
                UnaccountedSpace(
                    kind: UnaccountedSpace.Kind(rawValue: try row.text(0)) ?? .unknown,
                    bytes: try row.size(1),
                    isLowerBound: try row.flag(2), detail: try row.text(3)))
        }
        return found
    }

    /// Replaces what no record explains of a volume by what a scan found.
    func recordUnaccounted(_ parts: [UnaccountedSpace], volume: Int64, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM unaccounted WHERE volume = ?", arguments: [volume])
        for part in parts {
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO unaccounted (volume, kind, bytes, lower_bound, detail)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [volume, part.kind.rawValue, part.bytes.bytes, part.isLowerBound, part.detail])
        }
    }

    /// Replaces a volume's orphans by those of a scan.
    func recordOrphans(_ scan: VolumeScan, volume: Int64, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM orphans WHERE volume = ?", arguments: [volume])
        let insert = try db.cachedStatement(
            sql: "INSERT OR REPLACE INTO orphans VALUES (?, ?, ?, ?, ?, ?, ?)")
        for orphan in scan.orphans {
            try insert.execute(arguments: [
                volume, orphan.kind.rawValue, orphan.name, orphan.bytes.bytes, orphan.isLowerBound,
                orphan.created.nanoseconds, orphan.pins,
            ])
        }
    }
}
