import CacheModel
import GRDB

/// An image that jobs used, and what speaks for having it ready.
package struct UsedImage: Sendable, Hashable {
    /// Its key: the first of its names.
    package var key: String
    /// How often it had to be fetched in the day before now.
    package var recentMisses: Int64
    /// How often it was used in the coming hours of this weekday, in the weeks before.
    package var soon: Int64
    /// How often it was used or fetched in the window.
    package var uses: Int64
    /// When last.
    package var lastUsed: Timestamp

    /// Makes a record from all it consists of.
    package init(key: String, recentMisses: Int64, soon: Int64, uses: Int64, lastUsed: Timestamp) {
        self.key = key
        self.recentMisses = recentMisses
        self.soon = soon
        self.uses = uses
        self.lastUsed = lastUsed
    }

    /// What speaks for it: `14 uses, 3 at these hours, 1 missed lately`.
    package var reason: String {
        var parts = ["\(uses) use\(uses == 1 ? "" : "s")"]
        if soon > 0 { parts.append("\(soon) at these hours") }
        if recentMisses > 0 { parts.append("\(recentMisses) missed lately") }
        return parts.joined(separator: ", ")
    }
}

extension CacheIndex {
    /// For how many hours from now on `topImages` looks for uses in the weeks before.
    package static let comingHours: Int64 = 4

    /// The images that jobs are likely to want next, on one volume.
    ///
    /// First come those that had to be fetched in the last 24 hours, the most often first; then those that were
    /// used most in the coming four hours of this weekday (in UTC) in the weeks before; then by all uses in the
    /// window; then by the last use. Images that are gone count as well as those that are there. An image whose
    /// use no scan recorded is not known.
    ///
    /// - Throws: `IndexError`.
    package func topImages(
        of volume: String, since: Timestamp, until: Timestamp, limit: Int
    ) throws -> [UsedImage] {
        try reading { db in
            guard let row = try volumeRow(named: volume, db) else { return [] }
            let hour: Int64 = 3_600_000_000_000
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    WITH used AS (
                        SELECT ifnull(entries.key, ghosts.key) AS key, accesses.at AS at, accesses.hit AS hit
                        FROM scans CROSS JOIN accesses ON accesses.scan = scans.id
                            LEFT JOIN entries ON entries.id = accesses.entry
                            LEFT JOIN ghosts ON ghosts.id = accesses.entry
                        WHERE scans.volume = :volume AND scans.started_at > :since AND accesses.pool = :pool
                            AND accesses.at > :since AND accesses.at <= :until)
                    SELECT key, sum(hit = 0 AND at > :day) AS misses,
                        sum((at / :hour - :until / :hour + 168 * 1000) % 168 < :coming AND at <= :day) AS soon,
                        count(*) AS uses, max(at) AS last
                    FROM used WHERE key IS NOT NULL GROUP BY key
                    ORDER BY misses DESC, soon DESC, uses DESC, last DESC, key LIMIT :limit
                    """,
                arguments: [
                    "volume": row, "since": since.nanoseconds, "until": until.nanoseconds,
                    "pool": Pool.images.code, "day": (until - .hours(24)).nanoseconds, "hour": hour,
                    "coming": Self.comingHours, "limit": max(0, limit),
                ])
            var images: [UsedImage] = []
            while let row = try rows.next() {
                images.append(
                    UsedImage(
                        key: try row.text(0), recentMisses: try row.integer(1), soon: try row.integer(2),
                        uses: try row.integer(3), lastUsed: try row.time(4)))
            }
            return images
        }
    }
}
