import CacheModel
import GRDB

/// Counts the downloads that wait, where a scan has had its say: in the caller's transaction.
struct DownloadReconciliation {
    let db: Database
    /// The volume's row.
    let volume: Int64
    let regretWindow: Span
    /// The scan that the transaction records, of which nobody has read anything; nil for none.
    var unpublished: Int64?

    /// How far a job's clock may be behind this machine's.
    private static let clockDifference = Span.minutes(1)

    /// How a download was counted, and as whose.
    struct Settled {
        var result: IngestedDownload.Result
        var key: String?
    }

    /// The downloads of one directory in the interval that ends with one scan.
    private struct Group {
        var ids: [Int64] = []
        var directory: String
        var pool: Int64
        var bytes = ByteCount.zero
        var earliest: Timestamp
        var latest: Timestamp
        /// The row of the project that fetched first, of those whose logs name one.
        var project: Int64?

        var name: String { "\(pool) \(directory)" }
        /// The keys that its entry may have.
        let keys: [String]

        init(directory: String, pool: Int64, earliest: Timestamp, latest: Timestamp) {
            (self.directory, self.pool, self.earliest, self.latest) = (directory, pool, earliest, latest)
            keys = JobDownload.keys(
                directory: directory.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) })
        }
    }

    /// A scan, as far as it matters here.
    private struct Scan {
        var number: Int64
        var startedAt: Timestamp
    }

    /// An entry or a ghost that downloads may belong to.
    private struct Holder {
        var id: Int64
        var key: String
        var bytes: ByteCount
        /// When a run evicted it; nil for an entry and for what vanished.
        var evictedAt: Timestamp?
    }

    /// Whether any download waits on the volume.
    func isNeeded() throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM job_downloads WHERE volume = ? AND scan IS NULL)",
            arguments: [volume]) ?? false
    }

    /// Counts what can be; gives how, by the downloads' ids.
    func run() throws -> [Int64: Settled] {
        var settled: [Int64: Settled] = [:]
        guard let bounds = try bounds() else { return settled }
        let groups = try waiting()
        let holders = try holders(of: groups)
        for group in groups {
            let found = holders[group.name] ?? []
            let count = try count(group, found, bounds)
            let key = count.holder?.key ?? group.keys.first
            for id in group.ids {
                settled[id] = Settled(result: count.result, key: key)
                guard let scan = count.scan else { continue }
                try db.cachedStatement(sql: "UPDATE job_downloads SET scan = ?, entry = ? WHERE id = ?")
                    .execute(arguments: [scan, count.holder?.id, id])
            }
            if let project = group.project, let scan = count.scan, let holder = count.holder {
                try db.cachedStatement(
                    sql: """
                        INSERT OR IGNORE INTO access_projects
                        SELECT scan, entry, at, ? FROM accesses WHERE scan = ? AND entry = ? AND hit = 0
                        """
                ).execute(arguments: [project, scan, holder.id])
            }
        }
        return settled
    }

    private func count(
        _ group: Group, _ holders: [Holder], _ bounds: (baseline: Timestamp, kept: Timestamp)
    ) throws -> (result: IngestedDownload.Result, holder: Holder?, scan: Int64?) {
        let scan = try scan(after: group.latest)
        for holder in holders.reversed() {
            if let seen = try miss(of: holder.id, after: group.earliest, upTo: scan) {
                return (.seen, holder, seen)
            }
        }
        guard let scan else { return (.waiting, holders.last, nil) }
        guard let last = holders.last else { return (.notHere, nil, scan.number) }
        if group.earliest <= bounds.baseline { return (.beforeFirstScan, last, scan.number) }
        if group.earliest < bounds.kept { return (.tooOld, last, scan.number) }
        try recordMiss(of: last, group, scan)
        return (.recorded, last, scan.number)
    }

    /// The first scan that began when all of it had been downloaded; nil where there is none yet.
    private func scan(after latest: Timestamp) throws -> Scan? {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT id, started_at FROM scans WHERE volume = ? AND started_at >= ?
                    ORDER BY started_at, id LIMIT 1
                    """),
            arguments: [volume, latest.nanoseconds])
        return try row.map { Scan(number: try $0.integer(0), startedAt: try $0.time(1)) }
    }

    /// When the volume's first scan began, and from when accesses are there one by one.
    private func bounds() throws -> (baseline: Timestamp, kept: Timestamp)? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT scans.started_at, (SELECT max(started_at) FROM scans)
                FROM volumes JOIN scans ON scans.id = volumes.baseline_scan WHERE volumes.id = ?
                """,
            arguments: [volume])
        return try row.map { (try $0.time(0), try $0.time(1) - CacheIndex.keptOneByOne) }
    }

    private func waiting() throws -> [Group] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, directory, pool, bytes, earliest, latest, project FROM job_downloads
                WHERE volume = ? AND scan IS NULL ORDER BY directory, pool, latest, id
                """,
            arguments: [volume])
        var groups: [Group] = []
        while let row = try rows.next() {
            let (directory, pool) = (try row.text(1), try row.integer(2))
            let (earliest, latest) = (try row.time(4), try row.time(5))
            // The files of one entry are fetched one after the other: no scan lies between them, or it is
            // another fetch.
            if let last = groups.last, last.directory == directory, last.pool == pool,
                try scan(after: last.latest)?.number == scan(after: latest)?.number
            {
                groups[groups.count - 1].latest = latest
                groups[groups.count - 1].earliest = min(last.earliest, earliest)
            } else {
                groups.append(Group(directory: directory, pool: pool, earliest: earliest, latest: latest))
            }
            groups[groups.count - 1].ids.append(try row.integer(0))
            groups[groups.count - 1].bytes += try row.size(3)
            if groups[groups.count - 1].project == nil {
                groups[groups.count - 1].project = try row.decode(Int64?.self, atIndex: 6)
            }
        }
        return groups
    }
}

extension DownloadReconciliation {
    /// The entries and ghosts that the downloads of each directory may belong to, entries last: those whose
    /// group is the longest that the URL allows.
    private func holders(of groups: [Group]) throws -> [String: [Holder]] {
        var wanted: [String: [(name: String, rank: Int)]] = [:]
        for group in groups {
            for (rank, key) in group.keys.enumerated() {
                let place = "\(group.pool) \(key)"
                if wanted[place]?.contains(where: { $0.name == group.name }) != true {
                    wanted[place, default: []].append((group.name, rank))
                }
            }
        }
        var best: [String: (rank: Int, holders: [Holder])] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, pool, key, bytes, gone_at, run IS NOT NULL FROM ghosts WHERE volume = ?1
                UNION ALL
                SELECT id, pool, key, bytes, 0, 0 FROM entries WHERE volume = ?1
                """,
            arguments: [volume])
        while let row = try rows.next() {
            let key = try row.text(2)
            for (name, rank) in wanted["\(try row.integer(1)) \(key)"] ?? [] {
                let holder = Holder(
                    id: try row.integer(0), key: key, bytes: try row.size(3),
                    evictedAt: try row.flag(5) ? try row.time(4) : nil)
                switch best[name] {
                case .some(let found) where found.rank == rank: best[name]?.holders.append(holder)
                case .some(let found) where found.rank < rank: break
                default: best[name] = (rank, [holder])
                }
            }
        }
        return best.mapValues(\.holders)
    }

    /// The scan that recorded a miss of that entry since `earliest`, up to and with `scan`; nil for none.
    ///
    /// A scan sees what comes while it walks, too.
    private func miss(of entry: Int64, after earliest: Timestamp, upTo scan: Scan?) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT scans.id FROM scans
                    CROSS JOIN accesses ON accesses.scan = scans.id AND accesses.entry = ?
                    WHERE scans.volume = ? AND scans.finished_at >= ? AND scans.started_at <= ? AND hit = 0
                    ORDER BY scans.started_at DESC LIMIT 1
                    """),
            arguments: [
                entry, volume, (earliest - Self.clockDifference).nanoseconds,
                scan?.startedAt.nanoseconds ?? .max,
            ])
    }

    private func recordMiss(of holder: Holder, _ group: Group, _ scan: Scan) throws {
        // What the entry was used for in that interval was the job that fetched.
        let hits = try Int64.fetchOne(
            db, sql: "SELECT count(*) FROM accesses WHERE scan = ? AND entry = ? AND hit = 1",
            arguments: [scan.number, holder.id])
        if scan.number != unpublished { try keepInCounters(holder, of: scan) }
        try db.execute(
            sql: "DELETE FROM accesses WHERE scan = ? AND entry = ? AND hit = 1",
            arguments: [scan.number, holder.id])
        let regret = holder.evictedAt.map { group.latest > $0 && group.latest - $0 <= regretWindow } ?? false
        try db.execute(
            sql: "INSERT OR REPLACE INTO accesses VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
            arguments: [
                scan.number, holder.id, group.latest.nanoseconds, group.pool, regret, Evidence.jobLog.code,
                (group.bytes > .zero ? group.bytes : holder.bytes).bytes,
            ])
        try db.execute(
            sql: "UPDATE entries SET uses = max(0, uses - ?) WHERE id = ?", arguments: [hits, holder.id])
        try db.execute(
            sql: "UPDATE entries SET last_used = ?1, evidence = ?2 WHERE id = ?3 AND last_used < ?1",
            arguments: [group.latest.nanoseconds, Evidence.jobLog.code, holder.id])
    }

    /// Notes the hits that are about to be forgotten: counters must not go back between two scrapes.
    private func keepInCounters(_ holder: Holder, of scan: Scan) throws {
        try db.execute(
            sql: """
                INSERT INTO withdrawn_hits
                SELECT ?1, pool, count(*), sum(bytes) FROM accesses
                WHERE scan = ?2 AND entry = ?3 AND hit = 1 GROUP BY pool
                ON CONFLICT DO UPDATE SET hits = hits + excluded.hits, bytes = bytes + excluded.bytes
                """,
            arguments: [volume, scan.number, holder.id])
    }
}
