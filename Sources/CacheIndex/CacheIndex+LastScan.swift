import CacheModel
import GRDB

extension CacheIndex {
    /// Hits and misses of all pools in the interval that ended with a volume's last scan.
    ///
    /// - Throws: `IndexError`.
    package func lastScanRates(of volume: String) throws -> HitRate {
        try reading { db in
            guard let row = try volumeRow(named: volume, db),
                let sums = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT ifnull(sum(hit), 0), ifnull(sum(1 - hit), 0), ifnull(sum(hit * bytes), 0),
                            ifnull(sum((1 - hit) * bytes), 0)
                        FROM accesses WHERE scan = (SELECT max(id) FROM scans WHERE volume = ?)
                        """,
                    arguments: [row])
            else { return HitRate() }
            return HitRate(
                hits: try sums.integer(0), misses: try sums.integer(1), hitBytes: try sums.size(2),
                missBytes: try sums.size(3))
        }
    }

    /// When the last scan of a volume began, by the clock of that time; nil where none was recorded.
    ///
    /// - Throws: `IndexError`.
    package func lastScan(of volume: String) throws -> Timestamp? {
        try reading { db in
            let start = try Int64.fetchOne(
                db,
                sql: """
                    SELECT scans.started_at FROM volumes JOIN scans ON scans.id = volumes.last_scan
                    WHERE volumes.name = ?
                    """,
                arguments: [volume])
            return start.map { Timestamp(nanoseconds: $0) }
        }
    }

    /// Whether a run was recorded: one that was not, but left a folder in a trash, was interrupted.
    ///
    /// - Throws: `IndexError`.
    package func knows(run: String) throws -> Bool {
        try reading { db in
            try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM runs WHERE id = ?)", arguments: [run])
                ?? false
        }
    }

    /// Records what is left in a volume's trash after a purge, and what the run that purged it freed and left.
    ///
    /// - Throws: `IndexError`.
    package func recordPurge(
        of volume: String, trashLeft: ByteCount, run: String? = nil, freed: ByteCount = .zero,
        trashed: ByteCount = .zero
    ) throws {
        try writing { db in
            guard let row = try volumeRow(named: volume, db) else { return }
            try db.execute(
                sql: "UPDATE volumes SET trash_bytes = ? WHERE id = ?", arguments: [trashLeft.bytes, row])
            try db.execute(
                sql: "UPDATE run_volumes SET freed_bytes = ?, trashed_bytes = ? WHERE run = ? AND volume = ?",
                arguments: [freed.bytes, trashed.bytes, run, row])
        }
    }
}
