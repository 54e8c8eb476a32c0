import CacheModel
import GRDB

/// Whose jobs made which accesses.
///
/// A project is noted beside the access (`access_projects`): of an image by the event log that is called after the
/// job's pod, of an artifact's fetch by the job's ingested log. An access is one project's: where two fetched the same
/// between two scans, it was one fetch, and the first's. Days whose accesses are folded keep sums by project; what
/// each entry was used by is then no longer known.
extension CacheIndex {
    /// More projects than that are not told apart, for jobs choose the names: the others' accesses are nobody's.
    package static let mostProjects = 2000

    /// Hits and misses of a volume by project in the window after `since`, up to and including `until`, as far as
    /// scans recorded them.
    ///
    /// Empty where nothing names a project. Days whose accesses were folded count when they lie in the window as a
    /// whole.
    ///
    /// - Throws: `IndexError`.
    package func projectShares(
        of volume: String, since: Timestamp, until: Timestamp
    ) throws -> [ProjectUse.Share] {
        try reading { db in
            guard let row = try volumeRow(named: volume, db) else { return [] }
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT name, sum(hits), sum(misses), sum(hit_bytes), sum(miss_bytes) FROM (
                        SELECT project, sum(hit) AS hits, sum(1 - hit) AS misses,
                            sum(hit * accesses.bytes) AS hit_bytes, sum((1 - hit) * accesses.bytes) AS miss_bytes
                        FROM volumes
                        CROSS JOIN scans ON scans.volume = volumes.id AND scans.id > volumes.baseline_scan
                        CROSS JOIN access_projects ON access_projects.scan = scans.id
                        CROSS JOIN accesses ON accesses.scan = access_projects.scan
                            AND accesses.entry = access_projects.entry AND accesses.at = access_projects.at
                        WHERE volumes.id = ?1 AND scans.started_at > ?2 AND accesses.at > ?2 AND accesses.at <= ?3
                        GROUP BY project
                        UNION ALL
                        SELECT project, hits, misses, hit_bytes, miss_bytes FROM project_days
                        WHERE volume = ?1 AND day >= ?2 AND day <= ?3 - \(Self.dayLength)
                            AND day > \(Self.dayBeforeBaseline))
                    JOIN projects ON projects.id = project GROUP BY project
                    """,
                arguments: [row, since.nanoseconds, until.nanoseconds])
            var shares: [ProjectUse.Share] = []
            while let row = try rows.next() {
                let rate = HitRate(
                    hits: try row.integer(1), misses: try row.integer(2), hitBytes: try row.size(3),
                    missBytes: try row.size(4))
                shares.append(ProjectUse.Share(project: try row.text(0), rate: rate))
            }
            return shares
        }
    }

    /// What the jobs of each project did with an entry or ghost, the last that used it first.
    ///
    /// - Parameters:
    ///   - id: its row in the index.
    ///   - limit: how many projects at most.
    /// - Throws: `IndexError`.
    package func projects(of id: Int64, limit: Int) throws -> [ProjectAccesses] {
        try reading { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT name, sum(hit), sum(1 - hit), max(accesses.at) AS last
                    FROM scans CROSS JOIN access_projects ON access_projects.scan = scans.id
                    CROSS JOIN accesses ON accesses.scan = access_projects.scan
                        AND accesses.entry = access_projects.entry AND accesses.at = access_projects.at
                    CROSS JOIN projects ON projects.id = project
                    WHERE access_projects.entry = ?1 AND scans.id >= (SELECT min(scan) FROM access_projects)
                        AND scans.volume IN (
                            SELECT volume FROM entries WHERE id = ?1 UNION SELECT volume FROM ghosts WHERE id = ?1)
                    GROUP BY project ORDER BY last DESC, name LIMIT ?2
                    """,
                arguments: [id, max(0, limit)])
            var projects: [ProjectAccesses] = []
            while let row = try rows.next() {
                projects.append(
                    ProjectAccesses(
                        project: try row.text(0), hits: try row.integer(1), misses: try row.integer(2),
                        last: try row.time(3)))
            }
            return projects
        }
    }

    /// Adds the accesses that are about to be folded to the sums by project and day.
    ///
    /// - Parameters:
    ///   - range: the last scan, and the time before which an access is folded.
    ///   - day: what SQL says of an access's day.
    func foldProjects(_ range: StatementArguments, day: String, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO project_days
                SELECT scans.volume, accesses.pool, project, \(day) AS day, sum(hit), sum(1 - hit),
                    sum(hit * accesses.bytes), sum((1 - hit) * accesses.bytes)
                FROM access_projects
                CROSS JOIN accesses ON accesses.scan = access_projects.scan
                    AND accesses.entry = access_projects.entry AND accesses.at = access_projects.at
                CROSS JOIN scans ON scans.id = accesses.scan
                WHERE access_projects.scan <= ? AND access_projects.at < ?
                GROUP BY scans.volume, accesses.pool, project, day
                ON CONFLICT (volume, pool, project, day) DO UPDATE SET hits = hits + excluded.hits,
                    misses = misses + excluded.misses, hit_bytes = hit_bytes + excluded.hit_bytes,
                    miss_bytes = miss_bytes + excluded.miss_bytes
                """,
            arguments: range)
        try db.execute(sql: "DELETE FROM access_projects WHERE scan <= ? AND at < ?", arguments: range)
    }

    /// Forgets the sums of days before that time, and the projects of which nothing is left.
    func forgetProjects(before: Timestamp, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM project_days WHERE day < ?", arguments: [before.nanoseconds])
        guard db.changesCount > 0 else { return }
        try db.execute(
            sql: """
                DELETE FROM projects WHERE id NOT IN (
                    SELECT project FROM access_projects UNION SELECT project FROM project_days
                    UNION SELECT project FROM followed_uses WHERE project IS NOT NULL
                    UNION SELECT project FROM job_downloads WHERE project IS NOT NULL)
                """)
    }
}

extension Database {
    /// The row of a project of that name, which is added where there is none; nil where there are too many.
    func projectRow(named name: String) throws -> Int64? {
        let known = try cachedStatement(sql: "SELECT id FROM projects WHERE name = ?")
        if let row = try Int64.fetchOne(known, arguments: [name]) { return row }
        let adding = try cachedStatement(
            sql: "INSERT INTO projects (name) SELECT ? WHERE (SELECT count(*) FROM projects) < ?")
        try adding.execute(arguments: [name, CacheIndex.mostProjects])
        return changesCount > 0 ? lastInsertedRowID : nil
    }
}
