import CacheModel
import GRDB

extension CacheIndex {
    /// A page of the runs.
    package struct RunPage: Sendable {
        /// The runs, the newest first.
        package var runs: [RunSummary]
        /// Where the page of older runs begins; nil at the end.
        package var next: RunSummary.Cursor?
        /// Where the page of newer runs ends; nil at the beginning.
        package var previous: RunSummary.Cursor?
    }

    /// One page of the runs.
    ///
    /// A run may have evicted fifty thousand entries: only the first few of them are read.
    ///
    /// - Parameters:
    ///   - limit: how many runs at most, at least one.
    ///   - after: the last of the page before, where its older neighbours are wanted.
    ///   - before: the first of the page behind, where its newer neighbours are wanted; `after` does not count then.
    ///   - lines: how many entries of each volume at most.
    /// - Throws: `IndexError`.
    package func runPage(
        limit: Int, after: RunSummary.Cursor? = nil, before: RunSummary.Cursor? = nil, lines: Int = 10
    ) throws -> RunPage {
        try reading { db in
            let (place, isBack) = (before ?? after, before != nil)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    \(Self.selection)
                    WHERE ?1 IS NULL OR (started_at, id) \(isBack ? ">" : "<") (?1, ?2)
                    ORDER BY started_at \(isBack ? "" : "DESC"), id \(isBack ? "" : "DESC") LIMIT ?3
                    """,
                arguments: [place?.startedAt.nanoseconds, place?.id, max(1, limit)])
            let runs = try (isBack ? rows.reversed() : rows).map { try summary($0, lines: lines, db) }
            return RunPage(
                runs: runs,
                next: try runs.last.flatMap { try Self.hasRun("<", $0.cursor, db) ? $0.cursor : nil },
                previous: try runs.first.flatMap { try Self.hasRun(">", $0.cursor, db) ? $0.cursor : nil })
        }
    }

    private static func hasRun(
        _ relation: String, _ cursor: RunSummary.Cursor, _ db: Database
    ) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM runs WHERE (started_at, id) \(relation) (?, ?))",
            arguments: [cursor.startedAt.nanoseconds, cursor.id]) ?? false
    }

    /// One run; nil where none has that id.
    ///
    /// - Parameter lines: how many entries of each volume at most.
    /// - Throws: `IndexError`.
    package func run(named id: String, lines: Int) throws -> RunSummary? {
        try reading { db in
            guard let row = try Row.fetchOne(db, sql: "\(Self.selection) WHERE id = ?", arguments: [id])
            else { return nil }
            var run = try summary(row, lines: lines, db)
            for place in run.volumes.indices {
                let volume = run.volumes[place]
                if volume.present == nil, volume.evicted > 0 {
                    run.volumes[place].present = try present(of: id, on: volume.volume, db)
                }
                guard volume.inTrash > 0, volume.inTrash < volume.evicted else { continue }
                run.volumes[place].keysInTrash = try String.fetchSet(
                    db,
                    sql: """
                        SELECT key FROM trashed JOIN volumes ON volumes.id = trashed.volume
                        WHERE run = ? AND volumes.name = ?
                        """, arguments: [id, volume.volume])
            }
            return run
        }
    }

    private static let selection = "SELECT id, kind, started_at, finished_at, exit_code FROM runs"

    private func summary(_ row: Row, lines: Int, _ db: Database) throws -> RunSummary {
        let id = try row.text(0)
        return RunSummary(
            id: id, kind: try row.text(1), startedAt: try row.time(2), finishedAt: try row.time(3),
            exitCode: Int32(truncatingIfNeeded: try row.integer(4)),
            volumes: try volumes(of: id, lines: lines, db), warmed: try warmed(by: id, db))
    }

    private func volumes(of run: String, lines: Int, _ db: Database) throws -> [RunSummary.OnVolume] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT volumes.name, volumes.id, freed_bytes, trashed_bytes, used_before, used_after, over_quota,
                    checked, damaged, unverifiable
                FROM run_volumes JOIN volumes ON volumes.id = run_volumes.volume
                LEFT JOIN run_checks USING (run, volume)
                WHERE run = ? ORDER BY volumes.name
                """,
            arguments: [run])
        var volumes: [RunSummary.OnVolume] = []
        while let row = try rows.next() {
            let id = try row.integer(1)
            let sums = try Row.fetchOne(
                db,
                sql: """
                    SELECT ifnull(sum(evicted), 0), ifnull(sum(evicted * bytes), 0), ifnull(sum(1 - evicted), 0)
                    FROM run_entries WHERE run = ? AND volume = ?
                    """,
                arguments: [run, id])
            let (evicted, refused) = (try sums?.integer(0) ?? 0, try sums?.integer(2) ?? 0)
            // Most runs of a long list did nothing, and are not asked for what they did.
            func first(_ count: Int64, evicted: Bool) throws -> [EvictionOutcome.Line] {
                count == 0 ? [] : try self.lines(of: run, id, evicted: evicted, limit: lines, db)
            }
            var volume = RunSummary.OnVolume(
                volume: try row.text(0), evicted: evicted, evictedBytes: try sums?.size(1) ?? .zero,
                refused: refused, firstEvicted: try first(evicted, evicted: true),
                firstRefused: try first(refused, evicted: false),
                freedBytes: try row.size(2), trashedBytes: try row.size(3), usedBefore: try row.size(4),
                usedAfter: try row.size(5), overQuota: try row.flag(6),
                checks: row.hasNull(atIndex: 7)
                    ? nil
                    : RunChecks(
                        checked: try row.integer(7), damaged: try row.integer(8),
                        unverifiable: try row.integer(9)))
            if evicted > 0 {
                (volume.inTrash, volume.inTrashBytes, volume.purge) = try trash(of: run, id, db)
                if volume.inTrash < evicted, evicted <= Self.mostLookedFor {
                    volume.present = try present(of: run, on: volume.volume, db)
                }
            }
            volumes.append(volume)
        }
        return volumes
    }

    /// On a page of runs, what became of the entries of a larger one is not looked for.
    private static let mostLookedFor: Int64 = 2000

    /// How many entries that a run evicted from a volume are on it again.
    private func present(of run: String, on volume: String, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT count(*) FROM run_entries JOIN volumes ON volumes.id = run_entries.volume
                JOIN entries ON entries.id = run_entries.entry AND entries.volume = run_entries.volume
                WHERE run = ? AND volumes.name = ? AND evicted = 1
                """, arguments: [run, volume]) ?? 0
    }

    private func warmed(by run: String, _ db: Database) throws -> [String: Int64] {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT result, count(*) FROM warmings WHERE run = ? GROUP BY result", arguments: [run])
        var warmed: [String: Int64] = [:]
        while let row = try rows.next() { warmed[try row.text(0)] = try row.integer(1) }
        return warmed
    }
}
