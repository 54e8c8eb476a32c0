import CacheModel
import Foundation
import GRDB

extension CacheIndex {
    /// The last scan of a volume, complete or not, and the snapshot it left; nil when there was none.
    ///
    /// - Throws: `IndexError`.
    package func previousScan(of volume: String) throws -> PreviousScan? {
        try reading { db in
            guard let state = try scanState(of: volume, db) else { return nil }
            let row = try Row.fetchOne(
                db, sql: "SELECT snapshot FROM walks WHERE volume = ?", arguments: [state.volume])
            return PreviousScan(record: state.record, snapshot: try row?.bytes(0) ?? [])
        }
    }

    /// What a plan is made from; nil when the volume was never scanned.
    ///
    /// Entries come in the order of their paths.
    /// The used bytes are what the last scan found, less what runs evicted since; the trash is what that scan
    /// found in it, and what runs moved there since.
    ///
    /// - Throws: `IndexError`.
    package func usage(of volume: String) throws -> VolumeUsage? {
        try reading { db in
            guard let state = try scanState(of: volume, db) else { return nil }
            let images = try images(of: state.volume, db)
            let rows = try Row.fetchCursor(
                db, sql: "SELECT \(entryColumns) FROM entries WHERE volume = ? ORDER BY path, pool",
                arguments: [state.volume])
            var entries: [CacheEntry] = []
            let count = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM entries WHERE volume = ?", arguments: [state.volume])
            entries.reserveCapacity(count ?? 0)
            while let row = try rows.next() { entries.append(try entry(row, images)) }
            var usage = VolumeUsage(
                volume: volume, usedBytes: state.usedBytes, trashBytes: state.trashBytes,
                capacity: try capacity(at: state.record.number, db), scan: state.record, entries: entries,
                layers: try layers(of: state.volume, db))
            usage.usedInodes = try usedInodes(of: state.volume, db)
            usage.unmanaged = try unmanaged(of: state.volume, db)
            usage.warnings = try warnings(of: state.volume, db)
            usage.unaccounted = try unaccounted(of: state.volume, db)
            usage.sharedFiles = try sharedFiles(of: state.volume, db)
            return usage
        }
    }

    /// The volumes that a scan was recorded of, in the order of their names.
    ///
    /// - Throws: `IndexError`.
    package func volumes() throws -> [IndexedVolume] {
        try reading { db in
            let rows = try Row.fetchCursor(db, sql: "SELECT name, kind, path FROM volumes ORDER BY name")
            var volumes: [IndexedVolume] = []
            while let row = try rows.next() {
                guard let kind = Volume.Kind(rawValue: try row.text(1)) else {
                    throw UnreadableRow(what: "a volume of the unknown kind \(try row.text(1))")
                }
                volumes.append(IndexedVolume(name: try row.text(0), kind: kind, path: try row.text(2)))
            }
            return volumes
        }
    }

    /// The pools of the user's own that the index has or had entries of.
    ///
    /// - Throws: `IndexError`.
    package func ownPools() throws -> [Pool] {
        try reading(Pool.learnOwn)
    }

    /// What the last scan noticed of a volume; empty where it was never scanned.
    ///
    /// - Throws: `IndexError`.
    package func scanWarnings(of volume: String) throws -> [ScanWarning] {
        try reading { db in
            guard let row = try volumeRow(named: volume, db) else { return [] }
            return try warnings(of: row, db)
        }
    }

    /// What belongs to no pool on a volume, the largest directories first; empty where it was never scanned.
    ///
    /// - Throws: `IndexError`.
    package func unmanaged(of volume: String) throws -> [UnmanagedDirectory] {
        try reading { db in
            guard let row = try volumeRow(named: volume, db) else { return [] }
            return try unmanaged(of: row, db)
        }
    }

    func unmanaged(of volume: Int64, _ db: Database) throws -> [UnmanagedDirectory] {
        let rows = try Row.fetchCursor(
            db,
            sql: "SELECT path, bytes, files, tool FROM unmanaged WHERE volume = ? ORDER BY bytes DESC, path",
            arguments: [volume])
        var found: [UnmanagedDirectory] = []
        while let row = try rows.next() {
            found.append(
                UnmanagedDirectory(
                    path: try row.path(0), bytes: try row.size(1), files: try row.integer(2),
                    tool: try row.text(3)))
        }
        return found
    }

    private func sharedFiles(of volume: Int64, _ db: Database) throws -> [SharedFiles] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT number, path, is_counted_here, is_held_elsewhere, bytes FROM shared_files
                WHERE volume = ? ORDER BY number, path
                """, arguments: [volume])
        var found: [SharedFiles] = []
        var last: Int64?
        while let row = try rows.next() {
            let number = try row.integer(0)
            if number != last {
                found.append(
                    SharedFiles(
                        holders: [], countedIn: nil, isHeldElsewhere: try row.integer(3) != 0,
                        bytes: try row.size(4)))
                last = number
            }
            let path = try row.path(1)
            found[found.count - 1].holders.append(path)
            if try row.integer(2) != 0 { found[found.count - 1].countedIn = path }
        }
        return found
    }

    private func warnings(of volume: Int64, _ db: Database) throws -> [ScanWarning] {
        let rows = try Row.fetchCursor(
            db, sql: "SELECT code, text, hint FROM scan_warnings WHERE volume = ? ORDER BY code, text",
            arguments: [volume])
        var found: [ScanWarning] = []
        while let row = try rows.next() {
            found.append(ScanWarning(code: try row.text(0), text: try row.text(1), hint: try row.text(2)))
        }
        return found
    }

    /// How many inodes a volume's live files and directories take; nil where that is no quota.
    func usedInodes(of volume: Int64, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(db, sql: "SELECT used_inodes FROM volumes WHERE id = ?", arguments: [volume])
    }

    func capacity(at scan: Int64, _ db: Database) throws -> Capacity {
        let row = try Row.fetchOne(
            db,
            sql: "SELECT total, available, free, inodes, free_inodes FROM capacity_samples WHERE scan = ?",
            arguments: [scan])
        guard let row else { throw UnreadableRow(what: "scan \(scan) has no capacity") }
        return Capacity(
            total: try row.size(0), available: try row.size(1), free: try row.size(2),
            inodes: try row.integer(3), freeInodes: try row.integer(4))
    }
}

/// A volume as its last scan and the runs since left it.
struct ScanState {
    var volume: Int64
    var record: ScanRecord
    var finishedAt: Timestamp
    var usedBytes: ByteCount
    var trashBytes: ByteCount

    var interval: AccessRule.Before {
        AccessRule.Before(startedAt: record.startedAt, finishedAt: finishedAt, complete: record.complete)
    }
}

extension CacheIndex {
    func scanState(of volume: String, _ db: Database) throws -> ScanState? {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT volumes.id, scans.id, scans.started_at, scans.finished_at, scans.complete, scans.unreadable,
                    scans.marker, scans.root_inode, scans.atime_confidence, scans.atime_reason,
                    volumes.used_bytes, volumes.trash_bytes
                FROM volumes JOIN scans ON scans.id = volumes.last_scan WHERE volumes.name = ?
                """,
            arguments: [volume])
        guard let row else { return nil }
        return ScanState(
            volume: try row.integer(0),
            record: ScanRecord(
                number: try row.integer(1), startedAt: try row.time(2), complete: try row.flag(4),
                unreadable: try row.integer(5),
                identity: VolumeIdentity(marker: try row.unsigned(6), rootInode: try row.unsigned(7)),
                atimeTrust: EvidenceQuality(try row.confidence(8), reason: try row.text(9))),
            finishedAt: try row.time(3), usedBytes: try row.size(10), trashBytes: try row.size(11))
    }

    /// The columns that `entry(_:_:)` reads, by position, for a query of `entries` beside any other table.
    var entryColumns: String {
        let before = [
            "path", "pool", "id", "key", "inode", "bytes", "apparent_bytes", "files", "accessed", "fetched",
            "protections", "first_seen", "last_used", "evidence", "confidence", "uses", "warmed_until",
        ]
        return
            (before.map { "entries.\($0)" } + [
                "entries.id IN (SELECT entry FROM unused_since_fetch)", "entries.traits",
                "entries.directories",
                "(SELECT at FROM arrivals WHERE arrivals.entry = entries.id)",
            ]).joined(separator: ", ")
    }

    /// How many they are: where a query goes on after them.
    var entryColumnCount: Int { 21 }

    func entry(_ row: Row, _ images: [Int64: ScannedImage]) throws -> CacheEntry {
        let id = try row.integer(2)
        var found = ScannedEntry(
            pool: try row.pool(1), key: try row.text(3), path: try row.path(0), inode: try row.unsigned(4),
            bytes: try row.size(5), apparentBytes: try row.size(6), files: try row.integer(7),
            accessed: try row.time(8), fetched: try row.time(9),
            protections: Protections(rawValue: try row.integer(10)),
            traits: EntryTraits(rawValue: try row.integer(18)), image: images[id])
        found.directories = try row.integer(19)
        var entry = CacheEntry(
            id: id, found: found, firstSeen: try row.time(11), lastUsed: try row.time(12),
            evidence: try row.evidence(13), confidence: try row.confidence(14), uses: try row.integer(15),
            warmedUntil: row.hasNull(atIndex: 16) ? nil : try row.time(16),
            isUnused: try row.flag(17))
        if !row.hasNull(atIndex: 20) { entry.arrived = try row.time(20) }
        return entry
    }
}
