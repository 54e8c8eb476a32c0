import CacheModel
import GRDB

extension CacheIndex {
    /// What is known of a volume's past since the first scan of its file system; nil where it was never scanned.
    ///
    /// Accesses come in the order of time, then of entries. An entry keeps its number through evictions, so a
    /// return is the same entry. The contents are those of the first scan, and what else must have been there
    /// before: entries whose first recorded access is a hit, as after accesses were folded, after an incomplete
    /// first scan, or where they were restored. Those count as used last when they were first seen.
    ///
    /// - Throws: `IndexError`.
    package func history(of volume: String) throws -> VolumeHistory? {
        try reading { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT volumes.id, volumes.baseline_scan, first.started_at, last.started_at
                    FROM volumes
                    JOIN scans AS first ON first.id = volumes.baseline_scan
                    JOIN scans AS last ON last.id = volumes.last_scan
                    WHERE volumes.name = ?
                    """,
                arguments: [volume])
            guard let row else { return nil }
            let (id, baseline) = (try row.integer(0), try row.integer(1))
            let beganAt = try row.time(2)
            var accesses = try self.accesses(of: id, after: baseline, db)
            accesses.sort { $0.at == $1.at ? $0.entry < $1.entry : $0.at < $1.at }
            return VolumeHistory(
                beganAt: beganAt, lastScanAt: try row.time(3),
                contents: try contents(of: id, accesses, beganAt: beganAt, db), accesses: accesses,
                samples: try samples(of: id, from: baseline, db),
                evictions: try evictions(of: id, after: beganAt, db))
        }
    }

    /// Writes down what a first scan found: the volume's contents when its history began.
    func recordBaseline(of volume: Int64, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM baselines WHERE volume = ?", arguments: [volume])
        try db.execute(
            sql: "INSERT INTO baselines SELECT volume, id, last_used, bytes FROM entries WHERE volume = ?",
            arguments: [volume])
    }

    private func accesses(
        of volume: Int64, after baseline: Int64, _ db: Database
    ) throws -> [VolumeHistory.Access] {
        let scans = "SELECT id FROM scans WHERE volume = ? AND id > ?"
        var accesses: [VolumeHistory.Access] = []
        let count = try Int.fetchOne(
            db, sql: "SELECT count(*) FROM accesses WHERE scan IN (\(scans))", arguments: [volume, baseline])
        accesses.reserveCapacity(count ?? 0)
        // Small numbers share a column: each column of a million rows is a call more.
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT at, entry, bytes, pool * 4 + hit * 2 + regret FROM accesses
                WHERE scan IN (\(scans)) ORDER BY scan, entry, at
                """,
            arguments: [volume, baseline])
        while let row = try rows.next() {
            let packed = try row.integer(3)
            accesses.append(
                VolumeHistory.Access(
                    at: try row.time(0), entry: try row.integer(1), bytes: try row.size(2),
                    pool: try Pool(code: packed / 4), isHit: packed & 2 != 0, isRegret: packed & 1 != 0))
        }
        return accesses
    }

    private func contents(
        of volume: Int64, _ accesses: [VolumeHistory.Access], beganAt: Timestamp, _ db: Database
    ) throws -> [VolumeHistory.Content] {
        var contents: [VolumeHistory.Content] = []
        var known: Set<Int64> = []
        let rows = try Row.fetchCursor(
            db, sql: "SELECT entry, bytes, used FROM baselines WHERE volume = ? ORDER BY entry",
            arguments: [volume])
        while let row = try rows.next() {
            known.insert(try row.integer(0))
            contents.append(
                .init(entry: try row.integer(0), bytes: try row.size(1), lastUsed: try row.time(2)))
        }
        var unexplained: [VolumeHistory.Access] = []
        for access in accesses where known.insert(access.entry).inserted && access.isHit {
            unexplained.append(access)
        }
        let seen = try db.cachedStatement(
            sql: """
                SELECT first_seen FROM entries WHERE id = ?1
                UNION ALL SELECT first_seen FROM ghosts WHERE id = ?1
                """)
        for access in unexplained {
            let time = try Int64.fetchOne(seen, arguments: [access.entry]) ?? beganAt.nanoseconds
            contents.append(
                .init(
                    entry: access.entry, bytes: access.bytes,
                    lastUsed: min(Timestamp(nanoseconds: time), access.at)))
        }
        return contents
    }

    private func samples(
        of volume: Int64, from baseline: Int64, _ db: Database
    ) throws -> [VolumeHistory.Sample] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT at, used_bytes, trash_bytes, inodes, inodes - free_inodes FROM capacity_samples
                WHERE volume = ? AND scan >= ? ORDER BY at, scan
                """,
            arguments: [volume, baseline])
        var samples: [VolumeHistory.Sample] = []
        while let row = try rows.next() {
            samples.append(
                .init(
                    at: try row.time(0), used: try row.size(1), trash: try row.size(2),
                    inodes: try row.integer(3), usedInodes: try row.integer(4)))
        }
        return samples
    }

    private func evictions(
        of volume: Int64, after beganAt: Timestamp, _ db: Database
    ) throws -> [VolumeHistory.Eviction] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT runs.finished_at, count(*), sum(run_entries.bytes)
                FROM runs JOIN run_entries ON run_entries.run = runs.id
                WHERE run_entries.volume = ? AND run_entries.evicted AND runs.finished_at > ?
                GROUP BY runs.id ORDER BY runs.finished_at
                """,
            arguments: [volume, beganAt.nanoseconds])
        var evictions: [VolumeHistory.Eviction] = []
        while let row = try rows.next() {
            evictions.append(.init(at: try row.time(0), entries: try row.integer(1), bytes: try row.size(2)))
        }
        return evictions
    }
}
