import CacheModel
import Foundation
import GRDB

/// Writes the entries, ghosts and accesses of one scan or run, by statements that are prepared once.
struct EntryWriter {
    let db: Database
    /// The volume's row.
    let volume: Int64
    /// The scan's number.
    let scan: Int64
    let startedAt: Timestamp
    /// When the scan before began; nil where there was none.
    var since: Timestamp?
    /// The layers of an image store, by their IDs.
    var layers: [String: ScannedLayer] = [:]

    /// What a ghost hands on to the entry that returns.
    struct Ghost {
        var id: Int64
        var firstSeen: Timestamp
        var uses: Int64
        var gone: AccessRule.Gone
    }

    func hasGhosts() throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM ghosts WHERE volume = ?)", arguments: [volume]) ?? false
    }

    func ghost(of found: ScannedEntry) throws -> Ghost? {
        let statement = try db.cachedStatement(
            sql: """
                SELECT id, first_seen, uses, inode, gone_at, reason = 'evicted' FROM ghosts
                WHERE volume = ? AND path = ? AND pool = ?
                """)
        let row = try Row.fetchOne(
            statement, arguments: [volume, Data(found.path.bytes), found.pool.code])
        return try row.map { row in
            Ghost(
                id: try row.integer(0), firstSeen: try row.time(1), uses: try row.integer(2),
                gone: AccessRule.Gone(
                    inode: try row.unsigned(3), goneAt: try row.time(4), evicted: try row.flag(5)))
        }
    }

    /// Writes what changed.
    ///
    /// - Returns: the ids of new images by their place in the scan.
    func write(_ merge: ScanMerge) throws -> [Int: Int64] {
        for id in merge.gone {
            try lose(id, at: startedAt, run: nil)
            // The row was just read. Otherwise it would be told to be gone again at each scan.
            guard db.changesCount == 1 else {
                throw UnreadableRow(what: "entry \(id) cannot be found by its number")
            }
        }
        for id in merge.hidden { try protect(id, .unreadable) }
        let hasGhosts = try hasGhosts()
        var next = try Int64.fetchOne(db, sql: "SELECT id FROM next_entry") ?? 1
        var added: [Int: Int64] = [:]
        let insertion = try DirectStatement(Self.insertion, db)
        try merge.entries.withUnsafeBufferPointer { entries in
            for change in merge.changes {
                var id = change.id
                if let id {
                    try update(id, entries[change.index], change.verdict)
                    if change.isInstalledAnew { try noteReturn(of: id, entries[change.index]) }
                } else {
                    let ghost = hasGhosts ? try ghost(of: entries[change.index]) : nil
                    if let ghost {
                        try forget(ghost)
                        if change.verdict.access == .none {
                            try noteReturn(of: ghost.id, entries[change.index])
                        }
                    } else {
                        next += 1
                    }
                    id = ghost?.id ?? (next - 1)
                    try insert(id ?? 0, entries[change.index], change.verdict, ghost, by: insertion)
                    if entries[change.index].image != nil { added[change.index] = id }
                }
                try record(change.verdict, of: id ?? 0, entries[change.index], before: change.before)
            }
        }
        try db.execute(sql: "UPDATE next_entry SET id = ?", arguments: [next])
        return added
    }

    /// Adds a protection to an entry, until a scan sees it again.
    private func protect(_ id: Int64, _ protection: Protection) throws {
        let statement = try db.cachedStatement(
            sql: "UPDATE entries SET protections = protections | ? WHERE id = ? AND volume = ?")
        try statement.execute(arguments: [Protections(protection).rawValue, id, volume])
        guard db.changesCount == 1 else {
            throw UnreadableRow(what: "entry \(id) cannot be found by its number")
        }
    }

    private static let insertion = """
        INSERT INTO entries (volume, pool, id, inode, bytes, apparent_bytes, files, accessed, fetched, protections,
            first_seen, last_used, evidence, confidence, uses, path, key, traits, directories)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """

    private func insert(
        _ id: Int64, _ found: ScannedEntry, _ verdict: AccessRule.Verdict, _ ghost: Ghost?,
        by statement: DirectStatement
    ) throws {
        statement.reset()
        statement.bind(volume, at: 1)
        statement.bind(found.pool.code, at: 2)
        statement.bind(id, at: 3)
        statement.bind(Int64(bitPattern: found.inode), at: 4)
        statement.bind(found.bytes.bytes, at: 5)
        statement.bind(found.apparentBytes.bytes, at: 6)
        statement.bind(found.files, at: 7)
        statement.bind(verdict.watermark.nanoseconds, at: 8)
        statement.bind(found.fetched.nanoseconds, at: 9)
        statement.bind(Int64(found.protections.rawValue), at: 10)
        statement.bind((ghost?.firstSeen ?? startedAt).nanoseconds, at: 11)
        statement.bind(verdict.lastUsed.nanoseconds, at: 12)
        statement.bind(verdict.evidence.code, at: 13)
        statement.bind(verdict.confidence.code, at: 14)
        statement.bind((ghost?.uses ?? 0) + verdict.hits, at: 15)
        statement.bind(found.traits.rawValue, at: 18)
        statement.bind(found.directories, at: 19)
        var key = found.key
        try key.withUTF8 { key in
            try found.path.bytes.withUnsafeBufferPointer { path in
                statement.bind(blob: path, at: 16)
                statement.bind(text: key, at: 17)
                _ = try statement.step()
            }
        }
    }

    private func update(_ id: Int64, _ found: ScannedEntry, _ verdict: AccessRule.Verdict) throws {
        let statement = try db.cachedStatement(
            sql: """
                UPDATE entries SET key = ?, inode = ?, bytes = ?, apparent_bytes = ?, files = ?, accessed = ?,
                    fetched = ?, protections = ?, last_used = ?, evidence = ?, confidence = ?, uses = uses + ?,
                    warmed_until = iif(?, NULL, warmed_until), traits = ?, directories = ?
                WHERE volume = ? AND path = ? AND pool = ?
                """)
        try statement.execute(arguments: [
            found.key, Int64(bitPattern: found.inode), found.bytes.bytes, found.apparentBytes.bytes,
            found.files, verdict.watermark.nanoseconds, found.fetched.nanoseconds,
            found.protections.rawValue, verdict.lastUsed.nanoseconds, verdict.evidence.code,
            verdict.confidence.code, verdict.hits, verdict.hits > 0, found.traits.rawValue, found.directories,
            volume,
            Data(found.path.bytes),
            found.pool.code,
        ])
        guard db.changesCount == 1 else {
            throw UnreadableRow(what: "entry \(id) cannot be found by its path")
        }
    }

    private func record(
        _ verdict: AccessRule.Verdict, of id: Int64, _ found: ScannedEntry, before: ByteCount
    ) throws {
        if verdict.isCopy {
            let arrival = try db.cachedStatement(sql: "INSERT OR REPLACE INTO arrivals VALUES (?, ?)")
            try arrival.execute(arguments: [id, startedAt.nanoseconds])
        }
        switch verdict.access {
        case .none: break
        case .hit(let at): try record(id, found, at: at, found.bytes, hitBy: verdict.evidence)
        case .miss(let at, let regret):
            let bytes = max(.zero, fetchedBytes(found) - before)
            try record(id, found, at: at, bytes, regret: regret)
            if bytes != found.bytes {
                let part = try db.cachedStatement(
                    sql: "INSERT OR REPLACE INTO partial_fetches VALUES (?, ?, ?)")
                try part.execute(arguments: [scan, id, found.bytes.bytes])
            }
            let unused = try db.cachedStatement(sql: "INSERT OR IGNORE INTO unused_since_fetch VALUES (?)")
            try unused.execute(arguments: [id])
        }
        for at in verdict.laterHits { try record(id, found, at: at, found.bytes, hitBy: .podmanEvents) }
        if found.image != nil { try recordProjects(verdict, of: id, found) }
        // What is added to is used along with that.
        let isAddition = before > .zero && verdict.access != .none
        if verdict.hits > 0 || isAddition {
            let used = try db.cachedStatement(sql: "DELETE FROM unused_since_fetch WHERE entry = ?")
            try used.execute(arguments: [id])
        }
    }

    private func record(
        _ id: Int64, _ found: ScannedEntry, at time: Timestamp, _ bytes: ByteCount,
        hitBy evidence: Evidence? = nil,
        regret: Bool = false
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO accesses (scan, entry, at, pool, hit, regret, evidence, bytes)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            scan, id, time.nanoseconds, found.pool.code, evidence != nil, regret,
            (evidence ?? .firstSeen).code,
            bytes.bytes,
        ])
    }

    /// Notes whose jobs made an image's accesses, as far as event logs name their projects.
    ///
    /// The first container after a pull is a part of that pull's miss, on whichever side of a scan it fell
    /// (`AccessRule.pullersTime`): its project is the one that fetched.
    private func recordProjects(
        _ verdict: AccessRule.Verdict, of id: Int64, _ found: ScannedEntry
    ) throws {
        guard found.uses.contains(where: { $0.project != nil }) else { return }
        var hits = Set(verdict.laterHits)
        if case .hit(let at) = verdict.access { hits.insert(at) }
        var noted: Set<Timestamp> = []
        let note = try db.cachedStatement(sql: "INSERT OR IGNORE INTO access_projects VALUES (?, ?, ?, ?)")
        for use in found.uses {
            let at = min(use.at, startedAt)
            guard let name = use.project, hits.contains(at), noted.insert(at).inserted,
                let project = try db.projectRow(named: name)
            else { continue }
            try note.execute(arguments: [scan, id, at.nanoseconds, project])
        }
        guard let first = found.uses.first(where: { $0.at >= found.fetched }), let name = first.project,
            first.at <= found.fetched + AccessRule.pullersTime, !hits.contains(min(first.at, startedAt)),
            let project = try db.projectRow(named: name)
        else { return }
        let fetch = try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO access_projects
                SELECT accesses.scan, accesses.entry, accesses.at, ?
                FROM scans CROSS JOIN accesses ON accesses.scan = scans.id AND accesses.entry = ?
                WHERE scans.volume = ? AND scans.started_at >= ? AND hit = 0 ORDER BY scans.id LIMIT 1
                """)
        try fetch.execute(arguments: [project, id, volume, found.fetched.nanoseconds])
    }

    /// What the fetch of an entry brought: of an image, the layers that were not there at the scan before.
    private func fetchedBytes(_ found: ScannedEntry) -> ByteCount {
        guard let image = found.image, let since, !layers.isEmpty else { return found.bytes }
        return image.layers.reduce(.zero) { sum, id in
            guard let layer = layers[id], layer.created > since else { return sum }
            return sum + layer.storedBytes
        }
    }
}

extension AccessRule.Verdict {
    fileprivate var hits: Int64 {
        if case .hit = access { return Int64(laterHits.count) + 1 }
        return Int64(laterHits.count)
    }
}

extension EntryWriter {
    private static let ghostColumns =
        "volume, path, pool, id, key, inode, bytes, first_seen, last_used, uses, gone_at, reason, run"

    /// Moves an entry to the ghosts: evicted or quarantined by that run, or vanished.
    func lose(_ id: Int64, at time: Timestamp, run: (id: String, reason: String)?) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO ghosts (\(Self.ghostColumns))
                SELECT volume, path, pool, id, key, inode, bytes, first_seen, last_used, uses, ?, ?, ?
                FROM entries WHERE id = ? AND volume = ?
                """)
        try statement.execute(arguments: [
            time.nanoseconds, run?.reason ?? "vanished", run?.id, id, volume,
        ])
        try keepLayers(of: id)
        let unused = try db.cachedStatement(sql: "DELETE FROM unused_since_fetch WHERE entry = ?")
        try unused.execute(arguments: [id])
        let arrival = try db.cachedStatement(sql: "DELETE FROM arrivals WHERE entry = ?")
        try arrival.execute(arguments: [id])
        // Last, for whoever asks how many rows that changed.
        let delete = try db.cachedStatement(sql: "DELETE FROM entries WHERE id = ? AND volume = ?")
        try delete.execute(arguments: [id, volume])
    }

    /// Moves all entries to the ghosts: another file system took the volume's place.
    func loseAll() throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO ghosts (\(Self.ghostColumns))
                SELECT volume, path, pool, id, key, inode, bytes, first_seen, last_used, uses, ?, 'vanished', NULL
                FROM entries WHERE volume = ?
                """,
            arguments: [startedAt.nanoseconds, volume])
        try keepLayers(of: nil)
        for table in ["unused_since_fetch", "arrivals"] {
            try db.execute(
                sql: "DELETE FROM \(table) WHERE entry IN (SELECT id FROM entries WHERE volume = ?)",
                arguments: [volume])
        }
        try db.execute(sql: "DELETE FROM entries WHERE volume = ?", arguments: [volume])
    }

    /// Notes that an entry is there again, or anew, although no job fetched it.
    private func noteReturn(of id: Int64, _ found: ScannedEntry) throws {
        let note = try db.cachedStatement(sql: "INSERT OR IGNORE INTO returns VALUES (?, ?, ?, ?)")
        try note.execute(arguments: [volume, id, startedAt.nanoseconds, found.bytes.bytes])
    }

    private func forget(_ ghost: Ghost) throws {
        if !ghost.gone.evicted {
            let note = try db.cachedStatement(sql: "INSERT OR IGNORE INTO removals VALUES (?, ?, ?)")
            try note.execute(arguments: [volume, ghost.id, ghost.gone.goneAt.nanoseconds])
        }
        let statement = try db.cachedStatement(sql: "DELETE FROM ghosts WHERE id = ?")
        try statement.execute(arguments: [ghost.id])
        let layers = try db.cachedStatement(sql: "DELETE FROM ghost_layers WHERE entry = ?")
        try layers.execute(arguments: [ghost.id])
    }

    /// Keeps what images consist of that are about to go: one, or all of the volume's.
    private func keepLayers(of entry: Int64?) throws {
        // Each by an index: a prune loses tens of thousands of entries, one by one.
        let which = entry == nil ? "IN (SELECT id FROM entries WHERE volume = ?1)" : "= ?2"
        let statement = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO ghost_layers
                SELECT image_layers.entry, image_layers.position, image_layers.layer, layers.stored_bytes
                FROM image_layers JOIN layers ON layers.volume = ?1 AND layers.id = image_layers.layer
                WHERE image_layers.entry \(which)
                """)
        try statement.execute(arguments: entry.map { [volume, $0] } ?? [volume])
    }
}
