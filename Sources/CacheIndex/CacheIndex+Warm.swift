import CacheModel
import GRDB

extension CacheIndex {
    /// How many runs `warmHistory` looks back.
    package static let warmHistoryRuns = 30

    /// Records a run of `warm` with the scan that followed it, in that scan's transaction.
    ///
    /// Images that are ready are protected until `protectedUntil` or their first use. A pull, even one that finds
    /// everything there, looks like a use to that scan: what it took for uses of these images since the run began
    /// is forgotten before anyone reads it, so that warming does not count as a miss, keeps no image from being
    /// the least recently used, is not taken for a use of what was warmed before, and no counter goes back. A job
    /// that used one of them in those minutes is not seen.
    func record(
        _ warm: WarmRun, on row: Int64, scan: Int64, usedAfter: ByteCount, _ db: Database
    ) throws {
        let run = warm.run
        try db.execute(
            sql: "INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
            arguments: [
                run.id, run.kind, run.startedAt.nanoseconds, run.finishedAt.nanoseconds, run.exitCode,
            ])
        try db.execute(
            sql: "INSERT INTO run_volumes VALUES (?, ?, 0, 0, ?, ?, ?)",
            arguments: [run.id, row, warm.usedBefore.bytes, usedAfter.bytes, usedAfter > warm.high])
        for image in warm.images {
            let entry = try image.image.flatMap { try warmEntry($0, row, db) }
            if let entry {
                if image.attempts > 0 {
                    try forgetOwnUse(of: entry, scan: scan, since: run.startedAt, db)
                }
                try markUsed(entry, db)
            }
            try db.execute(
                sql: "INSERT OR REPLACE INTO warmings VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
                arguments: [
                    run.id, row, image.reference, run.finishedAt.nanoseconds, image.result.rawValue,
                    image.bytes.bytes, image.isReady ? entry : nil,
                ])
            if let entry, image.isReady {
                try db.execute(
                    sql: "UPDATE entries SET warmed_until = ? WHERE id = ?",
                    arguments: [warm.protectedUntil.nanoseconds, entry])
            }
        }
    }

    /// What warming each image brought in its last runs, by reference.
    ///
    /// - Throws: `IndexError`.
    package func warmHistory(of volume: String) throws -> [String: WarmHistory] {
        try reading { db in
            guard let row = try volumeRow(named: volume, db) else { return [:] }
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT reference, sum(entry IS NOT NULL), sum(result IN ('pulled', 'updated')),
                        sum(used OR (number = 1 AND EXISTS (
                            SELECT 1 FROM accesses WHERE accesses.entry = latest.entry AND accesses.at > latest.at))),
                        max(at)
                    FROM (
                        SELECT *, row_number() OVER (PARTITION BY reference ORDER BY at DESC) AS number
                        FROM warmings WHERE volume = ?
                    ) AS latest
                    WHERE number <= ? GROUP BY reference
                    """,
                arguments: [row, Self.warmHistoryRuns])
            var history: [String: WarmHistory] = [:]
            while let row = try rows.next() {
                let reference = try row.text(0)
                history[reference] = WarmHistory(
                    reference: reference, warmed: Int(try row.integer(1)), pulled: Int(try row.integer(2)),
                    used: Int(try row.integer(3)), lastWarmed: try row.time(4))
            }
            return history
        }
    }

    /// The images that were warmed again and again, the last time not before `since`, and that no job used; by name.
    ///
    /// - Throws: `IndexError`.
    package func idleWarmings(of volume: String, since: Timestamp) throws -> [WarmHistory] {
        try warmHistory(of: volume).values
            .filter { $0.isIdle && ($0.lastWarmed ?? since) >= since }
            .sorted { $0.reference < $1.reference }
    }

    /// What an image occupied when it was last in the store: from the last time it was warmed, else from what
    /// stayed of the one of that name that went last.
    ///
    /// Nil where it was never there.
    ///
    /// - Throws: `IndexError`.
    package func lastSize(of reference: String, on volume: String) throws -> ByteCount? {
        try reading { db in
            guard let row = try volumeRow(named: volume, db) else { return nil }
            let bytes = try Int64.fetchOne(
                db,
                sql: """
                    SELECT bytes FROM (
                        SELECT at AS seen, bytes FROM warmings
                        WHERE volume = ?1 AND reference = ?2 AND entry IS NOT NULL
                        UNION ALL
                        SELECT gone_at, bytes FROM ghosts WHERE volume = ?1 AND pool = ?3 AND key = ?2
                    ) ORDER BY seen DESC LIMIT 1
                    """,
                arguments: [row, reference, Pool.images.code])
            return bytes.map { ByteCount($0) }
        }
    }

    private func warmEntry(_ image: String, _ volume: Int64, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT entries.id FROM images JOIN entries ON entries.id = images.entry
                WHERE entries.volume = ? AND images.image = ?
                """,
            arguments: [volume, image])
    }

    private func forgetOwnUse(
        of entry: Int64, scan: Int64, since: Timestamp, _ db: Database
    ) throws {
        let range: StatementArguments = [scan, entry, since.nanoseconds]
        let hits = try Int64.fetchOne(
            db, sql: "SELECT ifnull(sum(hit), 0) FROM accesses WHERE scan = ? AND entry = ? AND at >= ?",
            arguments: range)
        try db.execute(sql: "DELETE FROM accesses WHERE scan = ? AND entry = ? AND at >= ?", arguments: range)
        guard let hits, hits > 0 else { return }
        try db.execute(
            sql: """
                UPDATE entries SET uses = max(0, uses - ?1),
                    last_used = max(fetched, ifnull((SELECT max(at) FROM accesses WHERE entry = ?2), 0))
                WHERE id = ?2
                """,
            arguments: [hits, entry])
    }

    /// Marks the last time this image was warmed if a job used it since.
    private func markUsed(_ entry: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE warmings SET used = 1
                WHERE entry = ?1 AND at = (SELECT max(at) FROM warmings WHERE entry = ?1)
                    AND EXISTS (SELECT 1 FROM accesses WHERE entry = ?1 AND accesses.at > warmings.at)
                """,
            arguments: [entry])
    }
}
