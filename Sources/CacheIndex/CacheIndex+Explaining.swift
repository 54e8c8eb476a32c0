import CacheModel
import Foundation
import GRDB

extension CacheIndex {
    /// The entries that a person means by `key`, with their volumes' names.
    ///
    /// Those of exactly that key; where there are none, the images that carry that name, whose ID begins so, or that
    /// Podman would find by it; where there are none either, the entries at that path, below the volume or absolute,
    /// as Larder prints it.
    ///
    /// - Throws: `IndexError`.
    package func entries(matching key: String) throws -> [(volume: String, entry: CacheEntry)] {
        try reading { db in
            let byKey = try found("entries.key = ?", [key], db)
            if !byKey.isEmpty { return byKey }
            let byName = try found(
                "entries.id IN (SELECT entry FROM image_names WHERE name = ?)", [key], db)
            if !byName.isEmpty { return byName }
            // As Podman shows and takes them: IDs, short ones too, and names without their registry.
            if let id = ImagePattern.id(in: key) {
                let byID = try found(
                    "entries.id IN (SELECT entry FROM images WHERE image GLOB ?)", ["\(id)*"], db)
                if !byID.isEmpty { return byID }
            }
            for name in ImagePattern.names(for: key).dropFirst() {
                let short = try found(
                    "entries.id IN (SELECT entry FROM image_names WHERE name = ?)", [name], db)
                if !short.isEmpty { return short }
            }
            return try pathsMeant(by: key, db).flatMap { volume, path in
                try found("entries.volume = ? AND entries.path = ?", [volume, path], db)
            }
        }
    }

    /// The entries whose key, or one of whose image names, matches a pattern, by key.
    ///
    /// - Parameter limit: how many at most.
    /// - Throws: `IndexError`.
    package func entries(
        matchingPattern pattern: String, limit: Int
    ) throws -> (entries: [(volume: String, entry: CacheEntry)], hasMore: Bool) {
        let known = KeyPattern(pattern)
        return try reading { db in
            var ids: [Int64] = []
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT id, key FROM (
                        SELECT id, key FROM entries
                        UNION SELECT entry, name FROM image_names) ORDER BY key
                    """)
            while let row = try rows.next(), ids.count <= limit {
                let id = try row.integer(0)
                if known.matches(try row.text(1)), !ids.contains(id) { ids.append(id) }
            }
            let list = ids.prefix(limit).map { String($0) }.joined(separator: ", ")
            let found = try found(
                "entries.id IN (\(list))", [], db, order: "entries.key, volumes.name, entries.path")
            return (found, ids.count > limit)
        }
    }

    /// Keys and image names that begin with a text, in order.
    ///
    /// - Throws: `IndexError`.
    package func names(beginning text: String, limit: Int) throws -> [String] {
        try reading { db in
            // What sorts at or behind the text and before all that cannot begin with it.
            try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM (SELECT key AS name FROM entries UNION SELECT name FROM image_names)
                    WHERE name >= ?1 AND name < ?1 || char(1114111) ORDER BY name LIMIT ?2
                    """,
                arguments: [text, limit])
        }
    }

    /// The names that are closest to one that nothing has: keys and image names that hold it, else similar ones.
    ///
    /// - Throws: `IndexError`.
    package func names(near text: String, count: Int) throws -> [String] {
        try reading { db in
            let names = "SELECT key AS name FROM entries UNION SELECT name FROM image_names"
            let escaped = text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing(
                "_", with: "\\_")
            let holding = try String.fetchAll(
                db,
                sql:
                    "SELECT name FROM (\(names)) WHERE name LIKE ? ESCAPE '\\' ORDER BY length(name), name LIMIT ?",
                arguments: ["%\(escaped)%", count])
            if !holding.isEmpty { return holding }
            // Of names in colons or slashes those that share a part; distances to a million names take too long.
            let parts = text.split { $0 == ":" || $0 == "/" || $0 == "@" }.map(String.init).filter {
                $0.count > 2
            }
            for part in parts.sorted(by: { $0.count > $1.count }) {
                let escaped = part.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing(
                    "_", with: "\\_")
                let some = try String.fetchAll(
                    db,
                    sql: "SELECT name FROM (\(names)) WHERE name LIKE ? ESCAPE '\\' ORDER BY name LIMIT 2000",
                    arguments: ["%\(escaped)%"])
                let close = nearest(text, among: some, count: count)
                if !close.isEmpty { return close }
                if !some.isEmpty { return Array(some.prefix(count)) }
            }
            let some = try String.fetchAll(db, sql: "SELECT name FROM (\(names)) ORDER BY name LIMIT 20000")
            return nearest(text, among: some, count: count)
        }
    }

    /// What is known of entries that are gone, the last that went first.
    ///
    /// Those of exactly that key; where there are none, those at that path.
    ///
    /// - Throws: `IndexError`.
    package func ghosts(matching key: String) throws -> [GhostRecord] {
        try reading { db in
            let byKey = try ghosts("ghosts.key = ?", [key], db)
            if !byKey.isEmpty { return byKey }
            return try pathsMeant(by: key, db).flatMap { volume, path in
                try ghosts("ghosts.volume = ? AND ghosts.path = ?", [volume, path], db)
            }
        }
    }

    /// The recorded accesses of an entry or ghost, the newest first.
    ///
    /// - Parameters:
    ///   - id: its row in the index.
    ///   - limit: how many at most.
    /// - Throws: `IndexError`.
    package func accesses(of id: Int64, limit: Int) throws -> [AccessRecord] {
        try reading { db in
            // One seek for each scan: accesses lie in the order of scans, and an index over entries would
            // nearly double the table.
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT accesses.at, accesses.hit, accesses.evidence, accesses.bytes, accesses.regret, scans.id
                    FROM scans CROSS JOIN accesses ON accesses.scan = scans.id AND accesses.entry = ?1
                    WHERE scans.id >= (SELECT min(scan) FROM accesses)
                        AND scans.volume IN (
                            SELECT volume FROM entries WHERE id = ?1 UNION SELECT volume FROM ghosts WHERE id = ?1)
                    ORDER BY accesses.at DESC, scans.id DESC LIMIT ?2
                    """,
                arguments: [id, max(0, limit)])
            let jobs = try jobs(of: id, db)
            var accesses: [AccessRecord] = []
            while let row = try rows.next() {
                let (isHit, scan) = (try row.flag(1), try row.integer(5))
                accesses.append(
                    AccessRecord(
                        at: try row.time(0), kind: isHit ? .hit : .miss, evidence: try row.evidence(2),
                        bytes: try row.size(3), regret: try row.flag(4), scan: scan,
                        jobs: isHit ? [] : jobs[scan] ?? []))
            }
            return accesses
        }
    }

    func found(
        _ condition: String, _ arguments: StatementArguments, _ db: Database,
        order: String = "volumes.name, entries.path, entries.pool"
    ) throws -> [(volume: String, entry: CacheEntry)] {
        let columns = entryColumns.split(separator: ", ").map { "entries.\($0)" }.joined(separator: ", ")
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT \(columns), volumes.name, volumes.id
                FROM entries JOIN volumes ON volumes.id = entries.volume
                WHERE \(condition) ORDER BY \(order)
                """,
            arguments: arguments)
        var entries: [(volume: String, entry: CacheEntry)] = []
        // The images of a volume are read once, not for each row.
        var images: [Int64: [Int64: ScannedImage]] = [:]
        while let row = try rows.next() {
            let volume = try row.integer(entryColumnCount + 1)
            if try row.pool(1) == .images, images[volume] == nil {
                images[volume] = try self.images(of: volume, db)
            }
            entries.append((try row.text(entryColumnCount), try entry(row, images[volume] ?? [:])))
        }
        return entries
    }

    private func ghosts(
        _ condition: String, _ arguments: StatementArguments, _ db: Database
    ) throws -> [GhostRecord] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT ghosts.id, volumes.name, pool, key, ghosts.path, bytes, last_used, gone_at, run, reason
                FROM ghosts JOIN volumes ON volumes.id = ghosts.volume
                WHERE \(condition) ORDER BY gone_at DESC, ghosts.id
                """,
            arguments: arguments)
        var ghosts: [GhostRecord] = []
        while let row = try rows.next() {
            let run = row.hasNull(atIndex: 8) ? nil : try row.text(8)
            let isQuarantined = try row.text(9) == "quarantined"
            let reason =
                run.map { isQuarantined ? GhostRecord.Reason.quarantined(run: $0) : .evicted(run: $0) }
                ?? .vanished
            ghosts.append(
                GhostRecord(
                    id: try row.integer(0), volume: try row.text(1), pool: try row.pool(2),
                    key: try row.text(3), path: try row.path(4), bytes: try row.size(5),
                    lastUsed: try row.time(6), goneAt: try row.time(7), reason: reason))
        }
        return ghosts
    }

    /// The places that a text may name: that path on each volume, or on the one it lies on.
    private func pathsMeant(by text: String, _ db: Database) throws -> [(volume: Int64, path: Data)] {
        let rows = try Row.fetchCursor(db, sql: "SELECT id, path FROM volumes ORDER BY name")
        var places: [(volume: Int64, path: Data)] = []
        while let row = try rows.next() {
            var rest = text[...]
            if rest.hasPrefix("/") {
                let root = try row.text(1)
                guard rest.hasPrefix(root + "/") else { continue }
                rest = rest.dropFirst(root.count + 1)
            }
            while rest.hasSuffix("/") { rest = rest.dropLast() }
            if let bytes = unescaped(String(rest)), !bytes.isEmpty {
                places.append((try row.integer(0), Data(bytes)))
            }
        }
        return places
    }
}
