import CacheModel
import GRDB

extension CacheIndex {
    /// Records what a run did to one volume.
    ///
    /// One transaction. What was evicted becomes ghosts of the run, the volume's used bytes sink by it and its
    /// trash grows by what the run moved there. What layers and images share is counted anew by the next scan.
    /// A run that touches several volumes is recorded once for each.
    ///
    /// - Parameter checks: what a verification looked at; nil for any other run.
    /// - Throws: `IndexError`, `unknownVolume` where no scan of the volume was recorded; nothing is recorded then.
    package func record(_ outcome: EvictionOutcome, run: RunRecord, checks: RunChecks? = nil) throws {
        try writing { db in
            guard let state = try scanState(of: outcome.volume, db) else {
                throw IndexError.unknownVolume(name: outcome.volume, path: place.path)
            }
            try db.execute(
                sql: """
                    INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5)
                    ON CONFLICT (id) DO UPDATE SET finished_at = ?4, exit_code = ?5
                    """,
                arguments: [
                    run.id, run.kind, run.startedAt.nanoseconds, run.finishedAt.nanoseconds, run.exitCode,
                ])
            try db.execute(
                sql: "INSERT INTO run_volumes VALUES (?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    run.id, state.volume, outcome.freedBytes.bytes, outcome.trashedBytes.bytes,
                    outcome.usedBefore.bytes, outcome.usedAfter.bytes, outcome.overQuota,
                ])
            if let checks {
                try db.execute(
                    sql: "INSERT INTO run_checks VALUES (?, ?, ?, ?, ?)",
                    arguments: [run.id, state.volume, checks.checked, checks.damaged, checks.unverifiable])
            }
            let insert = try db.cachedStatement(
                sql: "INSERT INTO run_entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
            var position = 0
            for (lines, isEvicted) in [(outcome.evicted, true), (outcome.refused, false)] {
                for line in lines {
                    try insert.execute(arguments: [
                        run.id, state.volume, position, line.entryID, line.pool.code, line.key,
                        line.bytes.bytes, isEvicted, line.reason,
                    ])
                    position += 1
                }
            }
            let writer = EntryWriter(
                db: db, volume: state.volume, scan: state.record.number, startedAt: run.startedAt)
            let reason = run.kind == RunRecord.verify ? "quarantined" : "evicted"
            for line in outcome.evicted {
                try writer.lose(line.entryID, at: run.finishedAt, run: (run.id, reason))
            }
            let evicted = outcome.evicted.reduce(ByteCount.zero) { $0 + $1.bytes }
            try db.execute(
                sql: """
                    UPDATE volumes SET used_bytes = max(0, used_bytes - ?1), trash_bytes = trash_bytes + ?2,
                        accounted_bytes = max(0, accounted_bytes - ?1),
                        used_inodes = max(0, used_inodes - ?4)
                    WHERE id = ?3
                    """,
                arguments: [
                    evicted.bytes, outcome.trashedBytes.bytes, state.volume, outcome.evictedInodes ?? 0,
                ])
        }
    }

    /// The last runs, the newest first, with what each did.
    ///
    /// - Parameter limit: how many at most.
    /// - Throws: `IndexError`.
    package func recentRuns(limit: Int) throws -> [RecordedRun] {
        try reading { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT id, kind, started_at, finished_at, exit_code FROM runs
                    ORDER BY started_at DESC, id DESC LIMIT ?
                    """,
                arguments: [max(0, limit)])
            var runs: [RecordedRun] = []
            while let row = try rows.next() {
                let run = RunRecord(
                    id: try row.text(0), kind: try row.text(1), startedAt: try row.time(2),
                    finishedAt: try row.time(3), exitCode: Int32(truncatingIfNeeded: try row.integer(4)))
                runs.append(RecordedRun(run: run, outcomes: try outcomes(of: run.id, db)))
            }
            return runs
        }
    }

    /// The runs of a kind that touched a volume of that name.
    private static let runsOfKind = """
        FROM runs
        JOIN run_volumes ON run_volumes.run = runs.id
        JOIN volumes ON volumes.id = run_volumes.volume
        WHERE runs.kind = ? AND volumes.name = ?
        """

    /// When the last run of a kind on a volume ended; nil when there was none.
    ///
    /// - Parameters:
    ///   - kind: the command: `prune`.
    ///   - volume: the volume's name.
    /// - Throws: `IndexError`.
    package func lastRun(kind: String, volume: String) throws -> Timestamp? {
        try reading { db in
            let latest = try Int64.fetchOne(
                db,
                sql: "SELECT max(runs.finished_at) \(Self.runsOfKind)",
                arguments: [kind, volume])
            return latest.map { Timestamp(nanoseconds: $0) }
        }
    }

    /// When the last runs of a kind on a volume began, the newest first.
    ///
    /// - Parameters:
    ///   - kind: the command: `prune`.
    ///   - volume: the volume's name.
    ///   - limit: how many at most.
    /// - Throws: `IndexError`.
    package func runStarts(kind: String, volume: String, limit: Int) throws -> [Timestamp] {
        try reading { db in
            try Int64.fetchAll(
                db,
                sql: "SELECT runs.started_at \(Self.runsOfKind) ORDER BY runs.started_at DESC LIMIT ?",
                arguments: [kind, volume, limit]
            ).map { Timestamp(nanoseconds: $0) }
        }
    }

    private func outcomes(of run: String, _ db: Database) throws -> [EvictionOutcome] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT volumes.name, freed_bytes, trashed_bytes, used_before, used_after, over_quota, volumes.id
                FROM run_volumes JOIN volumes ON volumes.id = run_volumes.volume
                WHERE run = ? ORDER BY volumes.name
                """,
            arguments: [run])
        var outcomes: [EvictionOutcome] = []
        while let row = try rows.next() {
            let volume = try row.integer(6)
            outcomes.append(
                EvictionOutcome(
                    volume: try row.text(0), evicted: try lines(of: run, volume, evicted: true, db),
                    refused: try lines(of: run, volume, evicted: false, db), freedBytes: try row.size(1),
                    trashedBytes: try row.size(2), usedBefore: try row.size(3), usedAfter: try row.size(4),
                    overQuota: try row.flag(5)))
        }
        return outcomes
    }

    func lines(
        of run: String, _ volume: Int64, evicted: Bool, limit: Int = -1, _ db: Database
    ) throws -> [EvictionOutcome.Line] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT entry, pool, key, bytes, reason FROM run_entries
                WHERE run = ? AND volume = ? AND evicted = ? ORDER BY position LIMIT ?
                """,
            arguments: [run, volume, evicted, limit])
        var lines: [EvictionOutcome.Line] = []
        while let row = try rows.next() {
            lines.append(
                EvictionOutcome.Line(
                    entryID: try row.integer(0), pool: try row.pool(1), key: try row.text(2),
                    bytes: try row.size(3), reason: try row.text(4)))
        }
        return lines
    }
}
