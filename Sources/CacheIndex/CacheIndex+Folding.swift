import CacheModel
import Foundation
import GRDB

extension CacheIndex {
    /// How long single accesses are kept unless the configuration says otherwise.
    package static let keptSingly = Span.days(120)

    /// How many single accesses are kept at most: with more, older ones are folded before their time, so that a
    /// year of scans each quarter of an hour stays below 300 MB.
    package static let mostKeptSingly = 3_000_000

    /// Adds accesses before `before` to daily sums (in UTC) and to the days of use of their entries, and no longer
    /// keeps them one by one.
    ///
    /// Sums by pool stay exact. Of each entry and day stay the number of uses, the last one to the minute, and the
    /// size, so that a replay and what is used in a day or a week stay right.
    ///
    /// - Returns: how many accesses were folded.
    /// - Throws: `IndexError`; nothing is folded then.
    package func foldAccesses(before: Timestamp) throws -> Int {
        try writing { db in
            // An access is not later than its scan, so those of the scans after this one are later than
            // `before`, but for a few that came to light late: the next call folds them.
            let last = try Int64.fetchOne(
                db,
                sql: """
                    SELECT max(first) FROM (
                        SELECT ifnull(min(scans.id) FILTER (WHERE scans.started_at >= ?), max(scans.id)) AS first
                        FROM scans GROUP BY scans.volume)
                    """,
                arguments: [before.nanoseconds])
            let range: StatementArguments = [last, before.nanoseconds]
            try db.execute(
                sql: """
                    INSERT INTO access_days
                    SELECT scans.volume, accesses.pool, \(Self.day) AS day, sum(hit), sum(1 - hit),
                        sum(hit * accesses.bytes), sum((1 - hit) * accesses.bytes), sum(regret),
                        sum(regret * accesses.bytes)
                    FROM accesses CROSS JOIN scans ON scans.id = accesses.scan
                    WHERE accesses.scan <= ? AND accesses.at < ?
                    GROUP BY scans.volume, accesses.pool, day
                    ON CONFLICT (volume, pool, day) DO UPDATE SET hits = hits + excluded.hits,
                        misses = misses + excluded.misses, hit_bytes = hit_bytes + excluded.hit_bytes,
                        miss_bytes = miss_bytes + excluded.miss_bytes, regrets = regrets + excluded.regrets,
                        regret_bytes = regret_bytes + excluded.regret_bytes
                    """,
                arguments: range)
            try foldUses(range, db)
            try foldProjects(range, day: Self.day, db)
            try db.execute(
                sql: "DELETE FROM partial_fetches WHERE scan <= ? AND NOT EXISTS (SELECT 1 FROM accesses "
                    + "WHERE accesses.scan = partial_fetches.scan AND accesses.entry = partial_fetches.entry "
                    + "AND at >= ?)", arguments: range)
            try db.execute(sql: "DELETE FROM accesses WHERE scan <= ? AND at < ?", arguments: range)
            return db.changesCount
        }
    }

    /// Folds the oldest days until no more than that many accesses are kept one by one.
    ///
    /// What is younger than `keptOneByOne` stays in any case.
    ///
    /// - Returns: how many accesses were folded.
    /// - Throws: `IndexError`; nothing is folded then.
    package func foldAccesses(beyond most: Int, now: Timestamp) throws -> Int {
        let before = try reading { db -> Timestamp? in
            let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM accesses") ?? 0
            guard count > most else { return nil }
            let rows = try Row.fetchCursor(
                db, sql: "SELECT \(Self.day) AS day, count(*) FROM accesses GROUP BY day ORDER BY day")
            var left = count
            while let row = try rows.next() {
                if left <= most { return try row.time(0) }
                left -= Int(try row.integer(1))
            }
            return nil
        }
        guard let before else { return 0 }
        return try foldAccesses(before: min(before, now - Self.keptOneByOne))
    }

    private func foldUses(_ range: StatementArguments, _ db: Database) throws {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT scans.volume, \(Self.day) AS day, accesses.entry, accesses.pool, sum(hit), sum(1 - hit),
                    max(regret), max(accesses.at), ifnull(partial_fetches.size, accesses.bytes),
                    sum((1 - hit) * accesses.bytes)
                FROM accesses CROSS JOIN scans ON scans.id = accesses.scan
                LEFT JOIN partial_fetches ON partial_fetches.scan = accesses.scan
                    AND partial_fetches.entry = accesses.entry AND NOT hit
                WHERE accesses.scan <= ? AND accesses.at < ?
                GROUP BY scans.volume, day, accesses.entry ORDER BY scans.volume, day, accesses.entry
                """,
            arguments: range)
        var (volume, day): (Int64, Int64) = (0, 0)
        var uses: [UseDay.Use] = []
        while let row = try rows.next() {
            let (itsVolume, itsDay) = (try row.integer(0), try row.integer(1))
            if itsVolume != volume || itsDay != day {
                try add(uses, to: day, of: volume, db)
                (volume, day, uses) = (itsVolume, itsDay, [])
            }
            // With max(), SQLite takes the other columns from the row that has it: the size is that of the last use.
            uses.append(
                UseDay.Use(
                    entry: try row.integer(2), pool: try row.pool(3), hits: try row.integer(4),
                    misses: try row.integer(5), isRegret: try row.flag(6),
                    minute: (try row.integer(7) - day) / 60_000_000_000, size: try row.size(8),
                    fetched: try row.size(9)))
        }
        try add(uses, to: day, of: volume, db)
    }

    private func add(_ uses: [UseDay.Use], to day: Int64, of volume: Int64, _ db: Database) throws {
        guard !uses.isEmpty else { return }
        let known = try Row.fetchOne(
            db, sql: "SELECT uses FROM use_days WHERE volume = ? AND day = ?", arguments: [volume, day])
        var all = uses
        if let known {
            var merged = Dictionary(
                try UseDay.unpacked(known.bytes(0)).map { ($0.entry, $0) }, uniquingKeysWith: { $1 })
            for use in uses where merged[use.entry]?.add(use) == nil { merged[use.entry] = use }
            all = merged.values.sorted { $0.entry < $1.entry }
        }
        try db.execute(
            sql: """
                INSERT INTO use_days VALUES (?1, ?2, ?3) ON CONFLICT (volume, day) DO UPDATE SET uses = ?3
                """,
            arguments: [volume, day, Data(UseDay.packed(all))])
    }

    /// The uses of days that were folded, as accesses: of each entry and day those at its last use.
    func foldedAccesses(
        of volume: Int64, after began: Timestamp, _ db: Database
    ) throws -> [VolumeHistory.Access] {
        let rows = try Row.fetchCursor(
            db,
            sql:
                "SELECT day, uses FROM use_days WHERE volume = ? AND day > ? - \(Self.dayLength) ORDER BY day",
            arguments: [volume, began.nanoseconds])
        var accesses: [VolumeHistory.Access] = []
        while let row = try rows.next() {
            let day = try row.time(0)
            for use in try UseDay.unpacked(row.bytes(1)) {
                let at = max(began, day + .seconds(use.minute * 60))
                for number in 0..<min(use.misses, 100) {
                    accesses.append(
                        VolumeHistory.Access(
                            at: at - Span(nanoseconds: 1), entry: use.entry,
                            bytes: ByteCount(use.fetched.bytes / use.misses), size: use.size, pool: use.pool,
                            isHit: false, isRegret: use.isRegret && number == 0))
                }
                if use.hits > 0 {
                    accesses.append(
                        VolumeHistory.Access(
                            at: at, entry: use.entry, bytes: use.size, pool: use.pool, isHit: true,
                            count: use.hits))
                }
            }
        }
        return accesses
    }

    static let dayLength: Int64 = 86_400_000_000_000
    /// What SQL says of the time a day before the first scan of a volume's file system, `?1` being the volume's row: what
    /// days hold that begin later was seen there.
    static let dayBeforeBaseline = """
        (SELECT started_at - \(dayLength) FROM volumes JOIN scans ON scans.id = baseline_scan WHERE volumes.id = ?1)
        """
    private static let day = "accesses.at - (accesses.at % \(dayLength) + \(dayLength)) % \(dayLength)"
}
