import CacheModel
import GRDB

/// The last time of one of the daemon's activities.
package struct ActivityRecord: Sendable, Hashable {
    /// Its name: `scan`.
    package var activity: String
    /// The volume's name; nil for all volumes.
    package var volume: String?
    /// When it began.
    package var startedAt: Timestamp
    /// When it ended.
    package var finishedAt: Timestamp
    /// When it last ended without a failure.
    package var succeededAt: Timestamp?
    /// What was logged at its end.
    package var line: String

    /// Makes a record from all it consists of.
    package init(
        activity: String, volume: String?, startedAt: Timestamp, finishedAt: Timestamp,
        succeededAt: Timestamp?, line: String
    ) {
        self.activity = activity
        self.volume = volume
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.succeededAt = succeededAt
        self.line = line
    }
}

extension CacheIndex {
    /// Replaces what is known of the last time of an activity.
    ///
    /// - Throws: `IndexError`.
    package func record(_ activity: ActivityRecord) throws {
        try writing { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO activities VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    activity.activity, activity.volume ?? "", activity.startedAt.nanoseconds,
                    activity.finishedAt.nanoseconds, activity.succeededAt?.nanoseconds, activity.line,
                ])
        }
    }

    /// The last time of every activity of the daemon.
    ///
    /// - Throws: `IndexError`.
    package func activities() throws -> [ActivityRecord] {
        try reading { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT activity, volume, started_at, finished_at, succeeded_at, line
                    FROM activities ORDER BY activity, volume
                    """)
            var activities: [ActivityRecord] = []
            while let row = try rows.next() {
                let volume = try row.text(1)
                activities.append(
                    ActivityRecord(
                        activity: try row.text(0), volume: volume.isEmpty ? nil : volume,
                        startedAt: try row.time(2), finishedAt: try row.time(3),
                        succeededAt: row.hasNull(atIndex: 4) ? nil : try row.time(4),
                        line: try row.text(5)))
            }
            return activities
        }
    }

    /// A volume's last scan and what it found the file system to hold; nil before the first one.
    ///
    /// - Throws: `IndexError`.
    package func lastReading(of volume: String) throws -> LastReading? {
        try reading { db in
            guard let state = try scanState(of: volume, db),
                let sample = try Row.fetchOne(
                    db,
                    sql: "SELECT total - free, used_bytes + trash_bytes FROM capacity_samples WHERE scan = ?",
                    arguments: [state.record.number])
            else { return nil }
            let known = try Int64.fetchOne(
                db, sql: "SELECT used_bytes + trash_bytes FROM volumes WHERE name = ?", arguments: [volume])
            return LastReading(
                scan: state.record, fileSystemUsed: try sample.size(0), ownBytes: try sample.size(1),
                knownBytes: ByteCount(known ?? 0), facts: try fileSystemFacts(of: state.volume, db))
        }
    }
}

/// What a volume's last scan found of its size.
package struct LastReading: Sendable, Hashable {
    /// The scan.
    package var scan: ScanRecord
    /// What the file system had in use, other tenants' files included.
    package var fileSystemUsed: ByteCount
    /// What the volume's own files occupied, the trash included.
    package var ownBytes: ByteCount
    /// The same less what runs have freed since.
    package var knownBytes: ByteCount
    /// What the file system looked like; nil where an older Larder scanned it.
    package var facts: FileSystemFacts?

    /// What the volume's own files occupy at most, as far as its file system tells, which others may have as well.
    ///
    /// What it gained may be the volume's. What it lost may be what others removed: that does not make the volume any
    /// emptier than it is known to be.
    ///
    /// - Parameter used: what the file system has in use now.
    package func ownBytes(where used: ByteCount) -> ByteCount {
        max(knownBytes, ownBytes + (used - fileSystemUsed))
    }
}
