import CacheModel
import GRDB

extension CacheIndex {
    /// No key that a tool gives is longer; any job can write a journal.
    private static let longestKey = 1024

    /// Replaces what is known of a volume's trash by what it holds now.
    ///
    /// Runs of which nothing changed are left alone: each scan asks.
    ///
    /// - Throws: `IndexError`.
    package func recordTrash(of volume: String, holding runs: [TrashedRun]) throws {
        try writing { db in
            guard let row = try volumeRow(named: volume, db) else { return }
            let known = try Row.fetchAll(
                db, sql: "SELECT run, count(*), sum(bytes) FROM trashed WHERE volume = ? GROUP BY run",
                arguments: [row])
            var before: [String: (entries: Int64, bytes: ByteCount)] = [:]
            for known in known {
                before[try known.text(0)] = (try known.integer(1), try known.size(2))
            }
            let forget = try db.cachedStatement(sql: "DELETE FROM trashed WHERE volume = ? AND run = ?")
            let insert = try db.cachedStatement(
                sql: "INSERT INTO trashed (volume, run, number, key, bytes) VALUES (?, ?, ?, ?, ?)")
            for run in runs {
                let bytes = run.entries.reduce(ByteCount.zero) { $0 + $1.bytes }
                let old = before.removeValue(forKey: run.run)
                if let old, old.entries == run.entries.count, old.bytes == bytes { continue }
                if old != nil { try forget.execute(arguments: [row, run.run]) }
                for entry in run.entries {
                    let key = String(decoding: entry.key.utf8.prefix(Self.longestKey), as: UTF8.self)
                    try insert.execute(arguments: [row, run.run, entry.number, key, entry.bytes.bytes])
                }
            }
            for run in before.keys { try forget.execute(arguments: [row, run]) }
        }
    }

    /// Records that entries of runs were taken out of a volume's trash for good.
    ///
    /// - Throws: `IndexError`.
    package func record(_ purge: TrashPurge, ofRuns runs: [String], on volume: String) throws {
        guard !runs.isEmpty else { return }
        try writing { db in
            guard let row = try volumeRow(named: volume, db) else { return }
            for run in runs {
                try db.execute(
                    sql: """
                        INSERT OR REPLACE INTO trash_purges (volume, run, at, by_run, cause)
                        VALUES (?, ?, ?, ?, ?)
                        """,
                    arguments: [row, run, purge.at.nanoseconds, purge.by, purge.cause.rawValue])
            }
        }
    }

    /// The last purge of a run's entries, on whichever volume; nil where nothing of it was purged.
    ///
    /// - Throws: `IndexError`.
    package func purge(ofRun run: String) throws -> TrashPurge? {
        try reading { db in
            let row = try Row.fetchOne(
                db,
                sql: "SELECT at, by_run, cause FROM trash_purges WHERE run = ? ORDER BY at DESC LIMIT 1",
                arguments: [run])
            return try row.map { try Self.purge($0, at: 0) }
        }
    }

    /// The keys of a run's entries in the trash that begin with a text, in order.
    ///
    /// - Throws: `IndexError`.
    package func trashedKeys(of run: String, beginning text: String, limit: Int) throws -> [String] {
        try reading { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT DISTINCT key FROM trashed
                    WHERE run = ?1 AND key >= ?2 AND key < ?2 || char(1114111) ORDER BY key LIMIT ?3
                    """,
                arguments: [run, text, limit])
        }
    }

    /// The runs of which something waits in the trash, the newest first.
    ///
    /// - Throws: `IndexError`.
    package func trashedRuns(limit: Int) throws -> [String] {
        try reading { db in
            try String.fetchAll(
                db, sql: "SELECT DISTINCT run FROM trashed ORDER BY run DESC LIMIT ?", arguments: [limit])
        }
    }

    /// What of a run waits in a volume's trash, and what took the rest away.
    func trash(
        of run: String, _ volume: Int64, _ db: Database
    ) throws -> (entries: Int64, bytes: ByteCount, purge: TrashPurge?) {
        let sums = try Row.fetchOne(
            db, sql: "SELECT count(*), ifnull(sum(bytes), 0) FROM trashed WHERE volume = ? AND run = ?",
            arguments: [volume, run])
        let purge = try Row.fetchOne(
            db, sql: "SELECT at, by_run, cause FROM trash_purges WHERE volume = ? AND run = ?",
            arguments: [volume, run])
        return (
            try sums?.integer(0) ?? 0, try sums?.size(1) ?? .zero,
            try purge.map { try Self.purge($0, at: 0) }
        )
    }

    private static func purge(_ row: Row, at place: Int) throws -> TrashPurge {
        TrashPurge(
            at: try row.time(place),
            by: row.hasNull(atIndex: place + 1) ? nil : try row.text(place + 1),
            cause: TrashPurge.Cause(rawValue: try row.text(place + 2)) ?? .asked)
    }
}
