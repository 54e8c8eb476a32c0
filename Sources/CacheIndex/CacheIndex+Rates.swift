import CacheModel
import GRDB

extension CacheIndex {
    /// Hits and misses of a volume by pool, in the window after `since`, up to and including `until`.
    ///
    /// Pools without any access are left out, and so is what was seen of another file system that the volume was on.
    /// Days whose accesses were folded count when they lie in the window as a whole.
    ///
    /// - Throws: `IndexError`.
    package func hitRates(
        of volume: String, since: Timestamp, until: Timestamp
    ) throws -> [Pool: HitRate] {
        try reading { db in
            var rates: [Pool: HitRate] = [:]
            for sums in try sums(of: volume, since: since, until: until, db) {
                var rate = rates[sums.pool] ?? HitRate()
                rate.hits += sums.hits
                rate.misses += sums.misses
                rate.hitBytes += sums.hitBytes
                rate.missBytes += sums.missBytes
                rates[sums.pool] = rate
            }
            return rates.filter { $0.value.hits + $0.value.misses > 0 }
        }
    }

    /// What runs evicted and jobs fetched again within the regret window, by pool, after `since`.
    ///
    /// Pools without regret are left out; an entry that came back twice counts twice.
    ///
    /// - Throws: `IndexError`.
    package func regret(
        of volume: String, since: Timestamp
    ) throws -> [Pool: (entries: Int64, bytes: ByteCount)] {
        try reading { db in
            var regret: [Pool: (entries: Int64, bytes: ByteCount)] = [:]
            for sums in try sums(
                of: volume, since: since, until: Timestamp(nanoseconds: .max), db) where sums.regrets > 0
            {
                let before = regret[sums.pool] ?? (0, .zero)
                regret[sums.pool] = (before.entries + sums.regrets, before.bytes + sums.regretBytes)
            }
            return regret
        }
    }

    /// The time by which it is told what is old enough to be forgotten; nil where too few scans say.
    ///
    /// Now, but at most two months after the hundredth last scan: a clock that was years ahead for some scans must not
    /// take the history with it.
    ///
    /// - Throws: `IndexError`.
    package func settledTime(of volume: String, now: Timestamp) throws -> Timestamp? {
        try reading { db in
            let before = try Int64.fetchOne(
                db,
                sql: """
                    SELECT started_at FROM scans WHERE volume = (SELECT id FROM volumes WHERE name = ?)
                    ORDER BY id DESC LIMIT 1 OFFSET 99
                    """, arguments: [volume])
            return before.map { min(now, Timestamp(nanoseconds: $0) + .days(60)) }
        }
    }

    /// Forgets ghosts that went before `goneBefore`, so that they do not add up over the years.
    ///
    /// What returns later is a new entry, and so are the lines of a log of that time. Call it with a time well
    /// outside the regret window.
    ///
    /// - Returns: how many were forgotten.
    /// - Throws: `IndexError`; nothing is forgotten then.
    package func forgetGhosts(goneBefore: Timestamp) throws -> Int {
        try writing { db in
            try db.execute(
                sql: "DELETE FROM ghosts WHERE gone_at < ?", arguments: [goneBefore.nanoseconds])
            let count = db.changesCount
            if count > 0 {
                try db.execute(sql: "DELETE FROM ghost_layers WHERE entry NOT IN (SELECT id FROM ghosts)")
            }
            for table in ["removals", "returns"] {
                try db.execute(sql: "DELETE FROM \(table) WHERE at < ?", arguments: [goneBefore.nanoseconds])
            }
            try db.execute(sql: "DELETE FROM use_days WHERE day < ?", arguments: [goneBefore.nanoseconds])
            try db.execute(
                sql: "DELETE FROM job_downloads WHERE latest < ?", arguments: [goneBefore.nanoseconds])
            try forgetProjects(before: goneBefore, db)
            return count
        }
    }

    private struct Sums {
        var pool: Pool
        var hits: Int64
        var misses: Int64
        var hitBytes: ByteCount
        var missBytes: ByteCount
        var regrets: Int64
        var regretBytes: ByteCount
    }

    private func sums(
        of volume: String, since: Timestamp, until: Timestamp, _ db: Database
    ) throws -> [Sums] {
        guard let row = try volumeRow(named: volume, db) else { return [] }
        // An access is not later than its scan: scans up to `since` need no look.
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT accesses.pool, sum(hit), sum(1 - hit), sum(hit * accesses.bytes),
                    sum((1 - hit) * accesses.bytes), sum(regret), sum(regret * accesses.bytes)
                FROM volumes CROSS JOIN scans ON scans.volume = volumes.id AND scans.id > volumes.baseline_scan
                CROSS JOIN accesses ON accesses.scan = scans.id
                WHERE volumes.id = ?1 AND scans.started_at > ?2 AND accesses.at > ?2 AND accesses.at <= ?3
                GROUP BY accesses.pool
                UNION ALL
                SELECT pool, sum(hits), sum(misses), sum(hit_bytes), sum(miss_bytes), sum(regrets),
                    sum(regret_bytes)
                FROM access_days WHERE volume = ?1 AND day >= ?2 AND day <= ?3 - \(Self.dayLength)
                    AND day > \(Self.dayBeforeBaseline)
                GROUP BY pool
                UNION ALL
                SELECT entries.pool, count(*), 0, sum(entries.bytes), 0, 0, 0
                FROM followed_uses JOIN entries ON entries.id = followed_uses.entry
                WHERE followed_uses.volume = ?1 AND at > ?2 AND at <= ?3
                GROUP BY entries.pool
                """,
            arguments: [row, since.nanoseconds, until.nanoseconds])
        var sums: [Sums] = []
        while let row = try rows.next() {
            sums.append(
                Sums(
                    pool: try row.pool(0), hits: try row.integer(1), misses: try row.integer(2),
                    hitBytes: try row.size(3), missBytes: try row.size(4), regrets: try row.integer(5),
                    regretBytes: try row.size(6)))
        }
        return sums
    }
}
