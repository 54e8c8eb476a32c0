import CacheModel
import Foundation
import GRDB

/// A container that an event log told of after the volume's last scan.
package struct FollowedUse: Sendable, Hashable {
    /// The container's ID; empty where the line has none.
    package var container: String
    /// The reference the image was named by, or its ID.
    package var image: String
    /// When the container was made.
    package var at: Timestamp
    /// The image's row in the index; nil where the index knows none.
    package var entry: Int64?
    /// The project whose job made the container; nil where that is not known.
    package var project: String?

    /// Makes a use from all it consists of.
    package init(
        container: String, image: String, at: Timestamp, entry: Int64?, project: String? = nil
    ) {
        self.container = container
        self.image = image
        self.at = at
        self.entry = entry
        self.project = project
    }
}

/// Where the following of an image store's event logs stands.
package struct FollowState: Sendable {
    /// How far the logs were read.
    package var cursors: [UInt8]
    /// The images by their rows, with their IDs and names.
    package var images: [(entry: Int64, image: ScannedImage, path: VolumePath)]
}

/// Uses between two scans: known at once, and judged by the next scan together with all else it finds.
///
/// The cursors are the scan's own, moved in the transaction that records the uses. A use raises the entry's last
/// use and its count. The scan takes the raised counts back, gets the uses with those it reads itself, and
/// records them as its accesses: so each is counted once, however the two meet.
extension CacheIndex {
    /// Where the following of a volume's event logs stands; nil before its first scan.
    ///
    /// - Throws: `IndexError`.
    package func followState(of volume: String) throws -> FollowState? {
        try reading { db in
            guard let row = try volumeRow(named: volume, db) else { return nil }
            let cursors = try Row.fetchOne(
                db, sql: "SELECT snapshot FROM walks WHERE volume = ?", arguments: [row])
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT entries.id, images.image, entries.path
                    FROM entries JOIN images ON images.entry = entries.id WHERE entries.volume = ?
                    """, arguments: [row])
            var state = FollowState(cursors: try cursors?.bytes(0) ?? [], images: [])
            while let row = try rows.next() {
                let id = try row.integer(0)
                let names = try String.fetchAll(
                    db, sql: "SELECT name FROM image_names WHERE entry = ? ORDER BY position",
                    arguments: [id])
                let image = ScannedImage(
                    id: try row.text(1), names: names, layers: [], exclusiveBytes: .zero, containers: 0)
                state.images.append((id, image, try row.path(2)))
            }
            return state
        }
    }

    /// Records uses that were read after `cursors`, and how far the logs were read.
    ///
    /// - Parameter isWhole: whether everything since `cursors` could be read.
    /// - Returns: false where a scan or another process read the logs meanwhile; nothing is recorded then.
    /// - Throws: `IndexError`.
    package func recordFollowed(
        _ uses: [FollowedUse], of volume: String, after cursors: [UInt8], to new: [UInt8], isWhole: Bool
    ) throws -> Bool {
        try writing { db in
            guard let row = try volumeRow(named: volume, db) else { return false }
            try db.execute(
                sql: "UPDATE walks SET snapshot = ? WHERE volume = ? AND snapshot = ?",
                arguments: [Data(new), row, Data(cursors)])
            guard db.changesCount == 1 else { return false }
            if !isWhole {
                try db.execute(sql: "INSERT OR IGNORE INTO followed_gaps VALUES (?)", arguments: [row])
            }
            for use in uses {
                let project = try use.project.flatMap { try db.projectRow(named: $0) }
                try db.execute(
                    sql: """
                        INSERT OR IGNORE INTO followed_uses (volume, container, image, at, entry, project)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [row, use.container, use.image, use.at.nanoseconds, use.entry, project])
                guard db.changesCount == 1, let entry = use.entry else { continue }
                try db.execute(
                    sql: """
                        UPDATE entries SET uses = uses + 1, last_used = max(last_used, ?1), warmed_until = NULL,
                            evidence = iif(?1 >= last_used, ?2, evidence)
                        WHERE id = ?3
                        """,
                    arguments: [use.at.nanoseconds, Evidence.podmanEvents.code, entry])
            }
            return true
        }
    }

    /// What was followed since a volume's last scan, in the order of time, and whether all of it could be read.
    ///
    /// - Throws: `IndexError`.
    package func followedUses(of volume: String) throws -> (uses: [FollowedUse], isWhole: Bool) {
        try reading { db in
            guard let row = try volumeRow(named: volume, db) else { return ([], true) }
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT container, image, at, entry, projects.name
                    FROM followed_uses LEFT JOIN projects ON projects.id = project WHERE volume = ? ORDER BY at
                    """,
                arguments: [row])
            var uses: [FollowedUse] = []
            while let row = try rows.next() {
                uses.append(
                    FollowedUse(
                        container: try row.text(0), image: try row.text(1), at: try row.time(2),
                        entry: try row.decode(Int64?.self, atIndex: 3),
                        project: try row.decode(String?.self, atIndex: 4)))
            }
            let hasGap = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM followed_gaps WHERE volume = ?)", arguments: [row])
            return (uses, !(hasGap ?? false))
        }
    }

    /// Takes back what was counted since the last scan: the scan that is being recorded counts it.
    ///
    /// What came after its reading lies behind its cursors, and is read again.
    func takeBackFollowed(of volume: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE entries SET uses = max(0, uses - followed.count)
                FROM (SELECT entry, count(*) AS count FROM followed_uses WHERE volume = ?1 GROUP BY entry)
                    AS followed
                WHERE entries.id = followed.entry AND entries.volume = ?1
                """,
            arguments: [volume])
        try db.execute(sql: "DELETE FROM followed_uses WHERE volume = ?", arguments: [volume])
        try db.execute(sql: "DELETE FROM followed_gaps WHERE volume = ?", arguments: [volume])
    }
}
