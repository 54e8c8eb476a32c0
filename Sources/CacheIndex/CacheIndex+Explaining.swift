import CacheModel
import Foundation
import GRDB

extension CacheIndex {
    /// The entries that a person means by `key`, with their volumes' names.
    ///
    /// Those of exactly that key; where there are none, the images that carry that name, whose ID begins so, or that
    /// Podman would find by it; where there are none either, the entries that what is at that path belongs to, below the
    /// volume or absolute, as Larder prints it; and at last the images of any registry that have that short name.
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
            let atPath = try pathsMeant(by: key, db).flatMap { volume, path in
                try entries(holding: path, on: volume, db)
            }
            return atPath.isEmpty ? try images(ofShortName: key, db) : atPath
        }
    }

    /// The entries that a file or directory belongs to: those at that path, else those of files whose names begin so,
    /// else those of the nearest directory above it.
    private func entries(
        holding path: Data, on volume: Int64, _ db: Database
    ) throws -> [(volume: String, entry: CacheEntry)] {
        func at(_ place: Data, _ condition: String = "1") throws -> [(volume: String, entry: CacheEntry)] {
            try found(
                "entries.volume = ? AND entries.path = ? AND \(condition)", [volume, place], db)
        }
        let slash = UInt8(ascii: "/")
        let here = try at(path)
        guard here.isEmpty, path.contains(slash) else { return here }
        var shorter = path.dropLast()
        while shorter.last != slash, !shorter.isEmpty {
            if ".-".utf8.contains(path[shorter.endIndex]) {
                let some = try at(Data(shorter), "entries.traits & \(EntryTraits.files.rawValue) <> 0")
                if !some.isEmpty { return some }
            }
            shorter = shorter.dropLast()
        }
        var above = path[...]
        while let end = above.lastIndex(of: slash) {
            above = above[..<end]
            let some = try at(
                Data(above),
                "entries.traits & \(EntryTraits.file.union(.files).rawValue) = 0")
            if !some.isEmpty { return some }
        }
        return []
    }

    /// The images that a short name may mean as a pattern of `keep` does: of any registry.
    private func images(
        ofShortName name: String, _ db: Database
    ) throws -> [(volume: String, entry: CacheEntry)] {
        guard !name.hasPrefix("/"), !name.contains("*"), !name.contains("?") else { return [] }
        let pattern = ImagePattern(name)
        let names = try Row.fetchCursor(db, sql: "SELECT entry, name FROM image_names ORDER BY entry")
        var ids: [Int64] = []
        while let row = try names.next() {
            let id = try row.integer(0)
            if ids.last != id, pattern.matches(try row.text(1), anyRegistry: true) { ids.append(id) }
        }
        guard !ids.isEmpty else { return [] }
        return try found("entries.id IN (\(ids.map(String.init).joined(separator: ", ")))", [], db)
    }

    /// The images that share layers with one, those that share most first.
    ///
    /// - Parameter id: the image's row in the index.
    /// - Throws: `IndexError`.
    package func images(sharingLayersWith id: Int64) throws -> [SharedLayers] {
        try reading { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT entries.key, count(*), sum(layers.stored_bytes) AS shared
                    FROM image_layers AS own
                    JOIN image_layers AS other ON other.layer = own.layer AND other.entry <> own.entry
                    JOIN entries ON entries.id = other.entry
                    JOIN entries AS asked ON asked.id = own.entry AND asked.volume = entries.volume
                    JOIN layers ON layers.volume = entries.volume AND layers.id = own.layer
                    WHERE own.entry = ? GROUP BY entries.id ORDER BY shared DESC, entries.key
                    """, arguments: [id])
            var found: [SharedLayers] = []
            while let row = try rows.next() {
                found.append(
                    SharedLayers(key: try row.text(0), layers: try row.integer(1), bytes: try row.size(2)))
            }
            return found
        }
    }

    /// The directories of what belongs to no pool that a path names or lies in, with their volumes' names.
    ///
    /// - Throws: `IndexError`.
    package func unmanaged(
        holding text: String
    ) throws -> [(volume: String, directory: UnmanagedDirectory)] {
        try reading { db in
            try pathsMeant(by: text, db).compactMap { volume, path in
                let place = VolumePath(listed: Array(path))
                // The deepest of them: one that is told by itself lies in another.
                let directory = try unmanaged(of: volume, db).filter {
                    !$0.path.bytes.isEmpty && place.isInside($0.path)
                }.max { $0.path.bytes.count < $1.path.bytes.count }
                guard let directory else { return nil }
                let name = try String.fetchOne(
                    db, sql: "SELECT name FROM volumes WHERE id = ?", arguments: [volume])
                return name.map { ($0, directory) }
            }
        }
    }

    /// What lies below the directories that a path names, on each volume where that is anything.
    ///
    /// - Parameter limit: how many entries are named at most.
    /// - Throws: `IndexError`.
    package func below(_ text: String, limit: Int) throws -> [DirectoryContents] {
        try reading { db in
            try pathsMeant(by: text, db, orRoot: true).compactMap { volume, path in
                let place = VolumePath(listed: Array(path))
                // What sorts behind the directory's slash and before all that does not begin with it.
                let (first, end) = (path + [UInt8(ascii: "/")], path + [UInt8(ascii: "/") + 1])
                let condition =
                    path.isEmpty
                    ? "entries.volume = ?"
                    : "entries.volume = ? AND entries.path >= ? AND entries.path < ?"
                let arguments: StatementArguments = path.isEmpty ? [volume] : [volume, first, end]
                guard
                    let sums = try Row.fetchOne(
                        db, sql: "SELECT count(*), coalesce(sum(bytes), 0) FROM entries WHERE \(condition)",
                        arguments: arguments),
                    let name = try String.fetchOne(
                        db, sql: "SELECT name FROM volumes WHERE id = ?", arguments: [volume])
                else { return nil }
                let unmanaged = try unmanaged(of: volume, db).filter {
                    $0.path != place && !$0.path.bytes.isEmpty
                        && (path.isEmpty || $0.path.isInside(place))
                }
                let entries = try sums.integer(0)
                guard entries > 0 || !unmanaged.isEmpty else { return nil }
                let largest = try found(
                    condition, arguments, db, order: "entries.bytes DESC, entries.key LIMIT \(limit)")
                return DirectoryContents(
                    volume: name, path: place, entries: entries, bytes: try sums.size(1),
                    largest: largest.map(\.entry), unmanaged: unmanaged)
            }
        }
    }

    /// What somebody meant by a pattern that matches nothing: the same pattern with the names that there are.
    ///
    /// It is compared part by part, as in `group:artifact:version`. Nil where a part is like none that there is.
    ///
    /// - Throws: `IndexError`.
    package func pattern(near text: String) throws -> String? {
        func isSeparator(_ character: Character) -> Bool { ":/@".contains(character) }
        let wanted = text.split(omittingEmptySubsequences: false, whereSeparator: isSeparator).map {
            (
                literal: String($0.prefix { $0 != "*" && $0 != "?" }),
                isWhole: !$0.contains { "*?".contains($0) }
            )
        }
        return try reading { db in
            let names = try String.fetchAll(
                db,
                sql: """
                    SELECT key AS name FROM entries UNION SELECT name FROM image_names ORDER BY name LIMIT 200000
                    """)
            var known = [Set<String>](repeating: [], count: wanted.count)
            for name in names {
                let parts = name.split(omittingEmptySubsequences: false, whereSeparator: isSeparator)
                for (place, (part, wanted)) in zip(parts, wanted).enumerated() where !wanted.literal.isEmpty {
                    if wanted.isWhole {
                        known[place].insert(String(part))
                    } else {
                        // Of a name that goes on as it likes, the beginning: a letter may be missing or too much.
                        let length = wanted.literal.count
                        for count in [length, length - 1, length + 1] {
                            known[place].insert(String(part.prefix(count)))
                        }
                    }
                }
            }
            var meant = ""
            var rest = text[...]
            for (place, part) in wanted.enumerated() {
                var literal = part.literal
                if !literal.isEmpty, !known[place].contains(literal) {
                    // Of two as close, the one of the same length is meant sooner.
                    let candidates = known[place].sorted {
                        (abs($0.count - literal.count), $0) < (abs($1.count - literal.count), $1)
                    }
                    guard let near = nearest(literal, among: candidates) else { return nil }
                    literal = near
                }
                rest = rest.dropFirst(part.literal.count)
                let tail = rest.prefix { !isSeparator($0) }
                rest = rest.dropFirst(tail.count)
                meant += literal + tail + String(rest.prefix(1))
                rest = rest.dropFirst()
            }
            let pattern = KeyPattern(meant)
            return meant != text && names.contains { pattern.matches($0) } ? meant : nil
        }
    }

    /// What is known of entries that are gone and whose key holds a text, whatever its case: the last that
    /// went first.
    ///
    /// - Throws: `IndexError`.
    package func ghosts(holding text: String, limit: Int) throws -> [GhostRecord] {
        let escaped = text.escapedForLike
        return try reading { db in
            try ghosts("ghosts.key LIKE ? ESCAPE '\\'", ["%\(escaped)%"], db, limit: limit)
        }
    }

    /// The entries whose key, or one of whose image names, matches a pattern, by key.
    ///
    /// - Parameter limit: how many at most.
    /// - Throws: `IndexError`.
    package func entries(
        matchingPattern pattern: String, limit: Int
    ) throws -> (entries: [(volume: String, entry: CacheEntry)], hasMore: Bool) {
        let (known, image) = (KeyPattern(pattern), ImagePattern(pattern))
        return try reading { db in
            var ids: [Int64] = []
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT id, key, is_image FROM (
                        SELECT id, key, pool = ? AS is_image FROM entries
                        UNION SELECT entry, name, 1 FROM image_names) ORDER BY key
                    """, arguments: [Pool.images.code])
            while let row = try rows.next(), ids.count <= limit {
                let id = try row.integer(0)
                let name = try row.text(1)
                let isImage = try row.flag(2)
                let isMeant = known.matches(name) || isImage && image.matches(name, anyRegistry: true)
                if isMeant, !ids.contains(id) { ids.append(id) }
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
            let escaped = text.escapedForLike
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
                let escaped = part.escapedForLike
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
                    SELECT accesses.at, accesses.hit, accesses.evidence, accesses.bytes, accesses.regret, scans.id,
                        projects.name
                    FROM scans CROSS JOIN accesses ON accesses.scan = scans.id AND accesses.entry = ?1
                    LEFT JOIN access_projects ON access_projects.scan = accesses.scan
                        AND access_projects.entry = accesses.entry AND access_projects.at = accesses.at
                    LEFT JOIN projects ON projects.id = access_projects.project
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
                        jobs: isHit ? [] : jobs[scan] ?? [], project: try row.decode(String?.self, atIndex: 6)
                    ))
            }
            return accesses
        }
    }

    func found(
        _ condition: String, _ arguments: StatementArguments, _ db: Database,
        order: String = "volumes.name, entries.path, entries.pool"
    ) throws -> [(volume: String, entry: CacheEntry)] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT \(entryColumns), volumes.name, volumes.id
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
        _ condition: String, _ arguments: StatementArguments, _ db: Database, limit: Int = -1
    ) throws -> [GhostRecord] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT ghosts.id, volumes.name, pool, key, ghosts.path, bytes, last_used, gone_at, run, reason, volumes.id
                FROM ghosts JOIN volumes ON volumes.id = ghosts.volume
                WHERE \(condition) ORDER BY gone_at DESC, ghosts.id LIMIT \(limit)
                """,
            arguments: arguments)
        var ghosts: [GhostRecord] = []
        while let row = try rows.next() {
            let run = row.hasNull(atIndex: 8) ? nil : try row.text(8)
            let isQuarantined = try row.text(9) == "quarantined"
            let reason =
                run.map { isQuarantined ? GhostRecord.Reason.quarantined(run: $0) : .evicted(run: $0) }
                ?? .vanished
            var ghost = GhostRecord(
                id: try row.integer(0), volume: try row.text(1), pool: try row.pool(2),
                key: try row.text(3), path: try row.path(4), bytes: try row.size(5),
                lastUsed: try row.time(6), goneAt: try row.time(7), reason: reason)
            if let run {
                let volume = try row.integer(10)
                ghost.isInTrash =
                    try Bool.fetchOne(
                        db,
                        sql: "SELECT EXISTS (SELECT 1 FROM trashed WHERE volume = ? AND run = ? AND key = ?)",
                        arguments: [volume, run, ghost.key]) ?? false
                if !ghost.isInTrash { ghost.purge = try trash(of: run, volume, db).purge }
            }
            ghosts.append(ghost)
        }
        return ghosts
    }

    /// The places that a text may name: that path on each volume, or on the one it lies on.
    ///
    /// - Parameter orRoot: whether a volume's own path counts, which gives an empty one.
    private func pathsMeant(
        by text: String, _ db: Database, orRoot: Bool = false
    ) throws -> [(volume: Int64, path: Data)] {
        let rows = try Row.fetchCursor(db, sql: "SELECT id, path FROM volumes ORDER BY name")
        var places: [(volume: Int64, path: Data)] = []
        while let row = try rows.next() {
            var rest = text[...]
            if rest.hasPrefix("/") {
                let root = try row.text(1)
                if orRoot, rest == root || rest == root + "/" {
                    places.append((try row.integer(0), Data()))
                    continue
                }
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
