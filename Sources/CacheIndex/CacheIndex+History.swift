import CacheModel
import GRDB

extension CacheIndex {
    /// What is known of a volume's past since the first scan of its file system; nil where it was never scanned.
    ///
    /// Accesses come in the order of time, then of entries. An entry keeps its number through evictions, so a
    /// return is the same entry. The contents are those of the first scan. What was first seen later and has no fetch
    /// before its first use, or no access at all, has arrived when it was seen: it was installed locally, came by copy,
    /// was warmed, or was passed over by an incomplete first scan. So has what came back without a fetch after it had gone.
    ///
    /// - Throws: `IndexError`.
    package func history(of volume: String) throws -> VolumeHistory? {
        try reading { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT volumes.id, volumes.baseline_scan, first.started_at, last.started_at
                    FROM volumes
                    JOIN scans AS first ON first.id = volumes.baseline_scan
                    JOIN scans AS last ON last.id = volumes.last_scan
                    WHERE volumes.name = ?
                    """,
                arguments: [volume])
            guard let row else { return nil }
            let (id, baseline) = (try row.integer(0), try row.integer(1))
            let beganAt = try row.time(2)
            var accesses = try foldedAccesses(of: id, after: beganAt, db)
            try addAccesses(of: id, after: baseline, to: &accesses, db)
            // In order already, but for uses that came to light later than others.
            accesses.sort(by: Self.isEarlier)
            let (contents, arrivals) = try contents(of: id, accesses, beganAt: beganAt, db)
            var history = VolumeHistory(
                beganAt: beganAt, lastScanAt: try row.time(3), contents: contents, accesses: accesses,
                samples: try samples(of: id, from: baseline, db),
                evictions: try evictions(of: id, after: beganAt, db),
                knownSince: try Int64.fetchOne(
                    db, sql: "SELECT at FROM unknown_until WHERE volume = ?", arguments: [id]
                ).map { Timestamp(nanoseconds: $0) },
                arrivals: arrivals, departures: try departures(of: id, after: beganAt, db),
                layers: try allLayers(of: id, db))
            history.wipes = history.foundWipes()
            return history
        }
    }

    /// Writes down what a first scan found: the volume's contents when its history began.
    func recordBaseline(of volume: Int64, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM baselines WHERE volume = ?", arguments: [volume])
        try db.execute(
            sql: "INSERT INTO baselines SELECT volume, id, last_used, bytes FROM entries WHERE volume = ?",
            arguments: [volume])
    }

    private func addAccesses(
        of volume: Int64, after baseline: Int64, to accesses: inout [VolumeHistory.Access], _ db: Database
    ) throws {
        let scans = "SELECT id FROM scans WHERE volume = ? AND id > ?"
        let count = try Int.fetchOne(
            db, sql: "SELECT count(*) FROM accesses WHERE scan IN (\(scans))", arguments: [volume, baseline])
        accesses.reserveCapacity(accesses.count + (count ?? 0))
        var parts: [Int64: [Int64: ByteCount]] = [:]
        let partial = try Row.fetchCursor(db, sql: "SELECT scan, entry, size FROM partial_fetches")
        while let row = try partial.next() {
            parts[try row.integer(0), default: [:]][try row.integer(1)] = try row.size(2)
        }
        // A million rows, each column of which is a call: straight from SQLite.
        let row = try DirectStatement(
            """
            SELECT at, entry, bytes, pool * 4 + hit * 2 + regret, scan FROM accesses
            WHERE scan IN (\(scans)) ORDER BY scan, entry, at
            """, db)
        defer { row.reset() }
        row.bind(volume, at: 1)
        row.bind(baseline, at: 2)
        // Each scan by itself is a short row to sort, and needs no second array.
        var scan = Int64.min
        var begin = accesses.count
        func sortScan() {
            accesses.withUnsafeMutableBufferPointer { all in
                var part = UnsafeMutableBufferPointer(rebasing: all[begin...])
                part.sort(by: Self.isEarlier)
            }
            begin = accesses.count
        }
        defer { sortScan() }
        while try row.step() {
            if row.integer(4) != scan {
                scan = row.integer(4)
                sortScan()
            }
            let packed = row.integer(3)
            let (entry, bytes) = (row.integer(1), ByteCount(row.integer(2)))
            let isHit = packed & 2 != 0
            let size = isHit || parts.isEmpty ? nil : parts[row.integer(4)]?[entry]
            accesses.append(
                VolumeHistory.Access(
                    at: Timestamp(nanoseconds: row.integer(0)), entry: entry, bytes: bytes, size: size,
                    pool: try Pool(code: packed / 4), isHit: isHit, isRegret: packed & 1 != 0))
        }
    }

    private static func isEarlier(_ a: VolumeHistory.Access, _ b: VolumeHistory.Access) -> Bool {
        // By numbers: of a time of another module, each comparison would be a call, of which a million rows take many.
        let (one, other) = (a.at.nanoseconds, b.at.nanoseconds)
        return one == other ? a.entry < b.entry : one < other
    }

    private func departures(
        of volume: Int64, after beganAt: Timestamp, _ db: Database
    ) throws -> [VolumeHistory.Departure] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT run_entries.entry, runs.finished_at AS at, runs.kind = 'prune'
                FROM runs JOIN run_entries ON run_entries.run = runs.id
                WHERE run_entries.volume = ?1 AND run_entries.evicted AND runs.finished_at > ?2
                UNION ALL
                SELECT entry, at, 0 FROM removals WHERE volume = ?1 AND at > ?2
                UNION ALL
                SELECT id, gone_at, 0 FROM ghosts WHERE volume = ?1 AND gone_at > ?2 AND reason = 'vanished'
                ORDER BY at
                """,
            arguments: [volume, beganAt.nanoseconds])
        var departures: [VolumeHistory.Departure] = []
        while let row = try rows.next() {
            departures.append(
                .init(
                    entry: try row.integer(0), at: try row.time(1),
                    reason: try row.flag(2) ? .evicted : .removed))
        }
        return departures
    }

    private func allLayers(of volume: Int64, _ db: Database) throws -> VolumeHistory.Layers {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT image_layers.entry, image_layers.position, image_layers.layer,
                    ifnull(layers.stored_bytes, 0)
                FROM image_layers JOIN entries ON entries.id = image_layers.entry
                LEFT JOIN layers ON layers.volume = entries.volume AND layers.id = image_layers.layer
                WHERE entries.volume = ?1
                UNION ALL
                SELECT ghost_layers.entry, position, layer, ghost_layers.bytes
                FROM ghost_layers JOIN ghosts ON ghosts.id = ghost_layers.entry WHERE ghosts.volume = ?1
                ORDER BY 1, 2
                """,
            arguments: [volume])
        var layers = VolumeHistory.Layers()
        var places: [String: Int32] = [:]
        while let row = try rows.next() {
            let id = try row.text(2)
            let place = places[id] ?? Int32(layers.bytes.count)
            if places.updateValue(place, forKey: id) == nil { layers.bytes.append(.zero) }
            layers.bytes[Int(place)] = max(layers.bytes[Int(place)], try row.size(3))
            layers.ofImage[try row.integer(0), default: []].append(place)
        }
        return layers
    }

    private func contents(
        of volume: Int64, _ accesses: [VolumeHistory.Access], beganAt: Timestamp, _ db: Database
    ) throws -> (contents: [VolumeHistory.Content], arrivals: [VolumeHistory.Arrival]) {
        var contents: [VolumeHistory.Content] = []
        var arrivals: [VolumeHistory.Arrival] = []
        var known = ObjectNumbers(upTo: accesses.lazy.map(\.entry).max() ?? 0, of: accesses.count)
        let rows = try Row.fetchCursor(
            db, sql: "SELECT entry, bytes, used FROM baselines WHERE volume = ? ORDER BY entry",
            arguments: [volume])
        while let row = try rows.next() {
            _ = known.isNew(try row.integer(0))
            contents.append(
                .init(entry: try row.integer(0), bytes: try row.size(1), lastUsed: try row.time(2)))
        }
        var unexplained: [VolumeHistory.Access] = []
        for access in accesses where known.isNew(access.entry) && access.isHit {
            unexplained.append(access)
        }
        let seen = try db.cachedStatement(
            sql: """
                SELECT first_seen FROM entries WHERE id = ?1
                UNION ALL SELECT first_seen FROM ghosts WHERE id = ?1
                """)
        for access in unexplained {
            let time = try Int64.fetchOne(seen, arguments: [access.entry]) ?? beganAt.nanoseconds
            let at = min(Timestamp(nanoseconds: time), access.at)
            if at > beganAt {
                arrivals.append(.init(entry: access.entry, at: at, bytes: access.bytes, pool: access.pool))
            } else {
                contents.append(.init(entry: access.entry, bytes: access.bytes, lastUsed: at))
            }
        }
        let unused = try DirectStatement(
            """
            SELECT id, first_seen, bytes, pool FROM entries WHERE volume = ?1 AND first_seen > ?2
            UNION ALL SELECT id, first_seen, bytes, pool FROM ghosts WHERE volume = ?1 AND first_seen > ?2
            """, db)
        defer { unused.reset() }
        unused.bind(volume, at: 1)
        unused.bind(beganAt.nanoseconds, at: 2)
        while try unused.step() {
            guard known.isNew(unused.integer(0)) else { continue }
            arrivals.append(
                .init(
                    entry: unused.integer(0), at: Timestamp(nanoseconds: unused.integer(1)),
                    bytes: ByteCount(unused.integer(2)), pool: try Pool(code: unused.integer(3))))
        }
        arrivals += try returns(of: volume, after: beganAt, db)
        arrivals.sort { ($0.at, $0.entry) < ($1.at, $1.entry) }
        return (contents, arrivals)
    }

    private func returns(
        of volume: Int64, after beganAt: Timestamp, _ db: Database
    ) throws -> [VolumeHistory.Arrival] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT returns.entry, returns.at, returns.bytes, ifnull(entries.pool, ghosts.pool)
                FROM returns LEFT JOIN entries ON entries.id = returns.entry
                LEFT JOIN ghosts ON ghosts.id = returns.entry
                WHERE returns.volume = ? AND returns.at > ? AND ifnull(entries.pool, ghosts.pool) IS NOT NULL
                """,
            arguments: [volume, beganAt.nanoseconds])
        var returns: [VolumeHistory.Arrival] = []
        while let row = try rows.next() {
            returns.append(
                .init(
                    entry: try row.integer(0), at: try row.time(1), bytes: try row.size(2),
                    pool: try Pool(code: try row.integer(3)), isReturn: true))
        }
        return returns
    }

    private func samples(
        of volume: Int64, from baseline: Int64, _ db: Database
    ) throws -> [VolumeHistory.Sample] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT at, used_bytes, trash_bytes, inodes, inodes - free_inodes, limit_bytes,
                    unmanaged_bytes
                FROM capacity_samples
                WHERE volume = ? AND scan >= ? ORDER BY at, scan
                """,
            arguments: [volume, baseline])
        var samples: [VolumeHistory.Sample] = []
        while let row = try rows.next() {
            samples.append(
                .init(
                    at: try row.time(0), used: try row.size(1), trash: try row.size(2),
                    inodes: try row.integer(3), usedInodes: try row.integer(4),
                    limit: try row.decode(Int64?.self, atIndex: 5).map { ByteCount($0) },
                    unmanaged: try row.decode(Int64?.self, atIndex: 6).map { ByteCount($0) }))
        }
        return samples
    }

    private func evictions(
        of volume: Int64, after beganAt: Timestamp, _ db: Database
    ) throws -> [VolumeHistory.Eviction] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT runs.finished_at, count(run_entries.entry), ifnull(sum(run_entries.bytes), 0),
                    run_volumes.used_after
                FROM runs JOIN run_volumes ON run_volumes.run = runs.id
                LEFT JOIN run_entries ON run_entries.run = runs.id AND run_entries.volume = run_volumes.volume
                    AND run_entries.evicted
                WHERE run_volumes.volume = ? AND runs.finished_at > ? AND runs.kind = 'prune'
                GROUP BY runs.id ORDER BY runs.finished_at
                """,
            arguments: [volume, beganAt.nanoseconds])
        var evictions: [VolumeHistory.Eviction] = []
        while let row = try rows.next() {
            evictions.append(
                .init(
                    at: try row.time(0), entries: try row.integer(1), bytes: try row.size(2),
                    left: try row.size(3)))
        }
        return evictions
    }
}
