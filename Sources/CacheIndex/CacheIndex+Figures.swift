import CacheModel
import GRDB

extension CacheIndex {
    /// A number that changes whenever another connection has changed the index (`PRAGMA data_version`).
    ///
    /// - Throws: `IndexError`.
    package func dataVersion() throws -> Int64 {
        try reading { db in try Int64.fetchOne(db, sql: "PRAGMA data_version") ?? 0 }
    }

    /// The figures of all scanned volumes, in the order of their names, from one transaction.
    ///
    /// - Throws: `IndexError`.
    package func figures() throws -> [VolumeFigures] {
        try reading { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT volumes.id, name, kind, path, used_bytes, volumes.trash_bytes, scans.started_at,
                        scans.finished_at, scans.files, accounted_bytes, event_logs, event_log_bytes
                    FROM volumes JOIN scans ON scans.id = volumes.last_scan ORDER BY name
                    """)
            var all: [VolumeFigures] = []
            while let row = try rows.next() {
                let name = try row.text(1)
                guard let kind = Volume.Kind(rawValue: try row.text(2)),
                    let state = try scanState(of: name, db)
                else { throw UnreadableRow(what: "a volume of the unknown kind \(try row.text(2))") }
                let id = try row.integer(0)
                var figures = VolumeFigures(
                    name: name, kind: kind, path: try row.text(3), usedBytes: try row.size(4),
                    trashBytes: try row.size(5), capacity: try capacity(at: state.record.number, db),
                    scan: state.record, scanDuration: try row.time(7) - row.time(6),
                    files: try row.integer(8), pools: try pools(of: id, db),
                    freedBytes: try freed(on: id, db), overQuota: try wasOverQuota(id, db),
                    lastSuccess: try lastSuccess(on: id, db), warmings: try warmings(on: id, db),
                    warmingsUsed: try used(on: id, db), accountedBytes: try row.size(9))
                figures.usedInodes = try usedInodes(of: id, db)
                figures.unaccounted = try unaccounted(of: id, db)
                figures.eventLogs = EventLogs(kept: try row.integer(10), bytes: try row.size(11))
                all.append(figures)
            }
            return all
        }
    }

    private func pools(of volume: Int64, _ db: Database) throws -> [VolumeFigures.PoolFigures] {
        var pools: [Pool: VolumeFigures.PoolFigures] = [:]
        func each(_ sql: String, _ take: (Row, inout VolumeFigures.PoolFigures) throws -> Void) throws {
            let rows = try Row.fetchCursor(db, sql: sql, arguments: [volume])
            while let row = try rows.next() {
                let pool = try row.pool(0)
                try take(row, &pools[pool, default: .init(pool: pool)])
            }
        }
        try each("SELECT pool, count(*), sum(bytes) FROM entries WHERE volume = ? GROUP BY pool") {
            row, pool in
            pool.entries = try row.integer(1)
            pool.bytes = try row.size(2)
        }
        if pools[.images] != nil {
            pools[.images]?.bytes = ByteCount(
                try Int64.fetchOne(
                    db,
                    sql: "SELECT ifnull(sum(stored_bytes), 0) FROM layers WHERE volume = ? AND images > 0",
                    arguments: [volume]) ?? 0)
        }
        // Folding moves accesses to the days in one transaction: the sum of both stays.
        try each(
            """
            SELECT accesses.pool, sum(hit), sum(1 - hit), sum(hit * accesses.bytes),
                sum((1 - hit) * accesses.bytes), sum(regret), sum(regret * accesses.bytes)
            FROM scans CROSS JOIN accesses ON accesses.scan = scans.id
            WHERE scans.volume = ?1 GROUP BY accesses.pool
            UNION ALL
            SELECT pool, sum(hits), sum(misses), sum(hit_bytes), sum(miss_bytes), sum(regrets), sum(regret_bytes)
            FROM access_days WHERE volume = ?1 GROUP BY pool
            UNION ALL
            SELECT pool, hits, 0, bytes, 0, 0, 0 FROM withdrawn_hits WHERE volume = ?1
            """
        ) { row, pool in
            pool.rates.hits += try row.integer(1)
            pool.rates.misses += try row.integer(2)
            pool.rates.hitBytes += try row.size(3)
            pool.rates.missBytes += try row.size(4)
            pool.regrets += try row.integer(5)
            pool.regretBytes += try row.size(6)
        }
        try each(
            "SELECT pool, count(*), sum(bytes) FROM run_entries WHERE volume = ? AND evicted GROUP BY pool"
        ) { row, pool in
            pool.evictions = try row.integer(1)
            pool.evictedBytes = try row.size(2)
        }
        return pools.values.sorted { $0.pool < $1.pool }
    }

    private func freed(on volume: Int64, _ db: Database) throws -> ByteCount {
        ByteCount(
            try Int64.fetchOne(
                db, sql: "SELECT sum(max(0, freed_bytes)) FROM run_volumes WHERE volume = ?",
                arguments: [volume]) ?? 0)
    }

    private func wasOverQuota(_ volume: Int64, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db,
            sql: """
                SELECT over_quota FROM run_volumes JOIN runs ON runs.id = run_volumes.run
                WHERE volume = ? AND kind = 'prune' ORDER BY finished_at DESC LIMIT 1
                """,
            arguments: [volume]) ?? false
    }

    private func lastSuccess(on volume: Int64, _ db: Database) throws -> [String: Timestamp] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT kind, max(finished_at) FROM runs
                WHERE exit_code = 0 AND (id IN (SELECT run FROM run_volumes WHERE volume = ?1)
                    OR id IN (SELECT run FROM warmings WHERE volume = ?1))
                GROUP BY kind
                UNION ALL
                SELECT 'scan', max(finished_at) FROM scans WHERE volume = ?1 AND complete
                HAVING max(finished_at) IS NOT NULL
                """,
            arguments: [volume])
        var last: [String: Timestamp] = [:]
        while let row = try rows.next() { last[try row.text(0)] = try row.time(1) }
        return last
    }

    private func warmings(on volume: Int64, _ db: Database) throws -> [String: Int64] {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT result, count(*) FROM warmings WHERE volume = ? GROUP BY result",
            arguments: [volume])
        var warmings: [String: Int64] = [:]
        while let row = try rows.next() { warmings[try row.text(0)] = try row.integer(1) }
        return warmings
    }

    private func used(on volume: Int64, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db, sql: "SELECT count(*) FROM warmings WHERE volume = ? AND used", arguments: [volume]) ?? 0
    }
}
