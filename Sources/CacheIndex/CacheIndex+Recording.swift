import CacheModel
import Foundation
import GRDB

extension CacheIndex {
    /// Records a scan: brings the entries up to date and writes down what was used, fetched and lost.
    ///
    /// One transaction. The first scan of a volume is a baseline, and so is the first after its file system
    /// was replaced (another marker or root inode, and not what it was known by before): the entries of the old one
    /// become ghosts. In an incomplete scan, what was not found stays as it was. Where a scan lists one path twice in
    /// one pool, the first counts.
    ///
    /// - Parameters:
    ///   - scan: what was found; its entries are in the order of their paths.
    ///   - volume: the volume it was found on.
    ///   - regretWindow: how long after its eviction an entry's return is regret.
    ///   - warm: the run of `warm` that came before; what it pulled counts neither as a use nor as a miss.
    /// - Returns: the scan's number and the changes by pool.
    /// - Throws: `IndexError`; nothing is recorded then.
    package func record(
        _ scan: VolumeScan, of volume: Volume, regretWindow: Span = .days(14), warm: WarmRun? = nil
    ) throws -> RecordedScan {
        try record(scan, of: volume, regretWindow: regretWindow, warm: warm) { _ in }
    }

    /// As above; `beforeCommit` lets a test fail where a process may die.
    func record(
        _ scan: VolumeScan, of volume: Volume, regretWindow: Span, warm: WarmRun? = nil,
        beforeCommit: (Database) throws -> Void
    ) throws -> RecordedScan {
        try writing { db in
            let known = try scanState(of: volume.name, db)
            let before = known.flatMap {
                [scan.identity, scan.formerIdentity].contains($0.record.identity) ? $0 : nil
            }
            let number = try Int64.fetchOne(db, sql: "SELECT ifnull(max(id), 0) + 1 FROM scans") ?? 1
            try recordPools(of: scan, db)
            let row = try upsertVolume(volume, scan, number: number, baseline: before == nil, db)
            try insertScan(scan, number: number, volume: row, baseline: before == nil, db)
            try takeBackFollowed(of: row, db)
            let writer = EntryWriter(
                db: db, volume: row, scan: number, startedAt: scan.startedAt, since: before?.record.startedAt,
                layers: Dictionary(scan.layers.map { ($0.id, $0) }, uniquingKeysWith: { $1 }))
            if known != nil, before == nil { try writer.loseAll() }
            let rule = AccessRule(
                before: before?.interval, startedAt: scan.startedAt, trust: scan.atimeTrust.confidence,
                regretWindow: regretWindow)
            let hasGhosts = try writer.hasGhosts()
            let merge = try ScanMerge(scan, volume: row, rule: rule, db) {
                hasGhosts ? try writer.ghost(of: $0)?.gone : nil
            }
            let added = try writer.write(merge)
            if before == nil { try recordBaseline(of: row, db) }
            let downloads = DownloadReconciliation(
                db: db, volume: row, regretWindow: regretWindow, unpublished: number)
            if try downloads.isNeeded() { _ = try downloads.run() }
            try recordImages(scan, merge, added: added, volume: row, db)
            try recordOrphans(scan, volume: row, db)
            try recordUnmanaged(scan, volume: row, db)
            try recordUnaccounted(scan.unaccounted, volume: row, db)
            if let facts = scan.fileSystem { try recordFileSystem(facts, volume: row, db) }
            try recordSample(scan, of: volume, number: number, row: row, db)
            try recordSnapshot(scan.snapshot, volume: row, db)
            if let warm { try record(warm, on: row, scan: number, usedAfter: scan.usedBytes, db) }
            try beforeCommit(db)
            var pools = merge.pools
            for place in pools.indices where pools[place].pool == .images {
                // Images share layers: the pool occupies each of them once.
                pools[place].bytes = scan.layers.reduce(.zero) { $1.images > 0 ? $0 + $1.storedBytes : $0 }
            }
            var recorded = RecordedScan(number: number, baseline: before == nil, pools: pools)
            recorded.copied = merge.copied
            return recorded
        }
    }

    /// Takes down the names of the pools of the user's own, which their codes do not tell.
    private func recordPools(of scan: VolumeScan, _ db: Database) throws {
        for pool in Set(scan.entries.lazy.map(\.pool).filter(\.isOwn)) {
            try db.execute(
                sql: "INSERT OR IGNORE INTO pools (code, name) VALUES (?, ?)",
                arguments: [pool.code, pool.rawValue])
        }
    }

    private func insertScan(
        _ scan: VolumeScan, number: Int64, volume: Int64, baseline: Bool, _ db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO scans (id, volume, started_at, finished_at, baseline, complete, unreadable, directories,
                    files, bytes, apparent_bytes, trash_bytes, marker, root_inode, atime_confidence, atime_reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                number, volume, scan.startedAt.nanoseconds, scan.finishedAt.nanoseconds, baseline,
                scan.complete, scan.unreadableCount, scan.directories, scan.files, scan.bytes.bytes,
                scan.apparentBytes.bytes, scan.trashBytes.bytes, Int64(bitPattern: scan.identity.marker),
                Int64(bitPattern: scan.identity.rootInode), scan.atimeTrust.confidence.code,
                scan.atimeTrust.reason,
            ])
    }

    private func upsertVolume(
        _ volume: Volume, _ scan: VolumeScan, number: Int64, baseline: Bool, _ db: Database
    ) throws -> Int64 {
        try db.execute(
            sql: """
                INSERT INTO volumes (name, kind, path, marker, root_inode, baseline_scan, last_scan, used_bytes,
                    trash_bytes, accounted_bytes, event_logs, event_log_bytes, used_inodes)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?10, ?11, ?12, ?13)
                ON CONFLICT (name) DO UPDATE SET kind = ?2, path = ?3, marker = ?4, root_inode = ?5,
                    baseline_scan = iif(?9, ?6, baseline_scan), last_scan = ?6, used_bytes = ?7, trash_bytes = ?8,
                    accounted_bytes = ?10, event_logs = ?11, event_log_bytes = ?12, used_inodes = ?13
                """,
            arguments: [
                volume.name, volume.kind.rawValue, volume.path, Int64(bitPattern: scan.identity.marker),
                Int64(bitPattern: scan.identity.rootInode), number, scan.usedBytes.bytes,
                scan.trashBytes.bytes, baseline, scan.bytes.bytes, scan.eventLogs.kept,
                scan.eventLogs.bytes.bytes, scan.usedInodes,
            ])
        return try volumeRow(named: volume.name, db) ?? 0
    }

    private func recordSample(
        _ scan: VolumeScan, of volume: Volume, number: Int64, row: Int64, _ db: Database
    ) throws {
        try db.execute(
            sql: "INSERT INTO capacity_samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                number, row, scan.startedAt.nanoseconds, scan.capacity.total.bytes,
                scan.capacity.available.bytes, scan.capacity.free.bytes, scan.capacity.inodes,
                scan.capacity.freeInodes, scan.usedBytes.bytes, scan.trashBytes.bytes,
                volume.quota(capacity: scan.capacity).limit.bytes, scan.unmanagedBytes.bytes,
            ])
    }

    private func recordUnmanaged(_ scan: VolumeScan, volume: Int64, _ db: Database) throws {
        try db.execute(sql: "DELETE FROM unmanaged WHERE volume = ?", arguments: [volume])
        for directory in scan.unmanaged {
            try db.execute(
                sql: "INSERT INTO unmanaged (volume, path, bytes, files, tool) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    volume, Data(directory.path.bytes), directory.bytes.bytes, directory.files,
                    directory.tool,
                ])
        }
        try db.execute(sql: "DELETE FROM shared_files WHERE volume = ?", arguments: [volume])
        for (number, files) in scan.sharedFiles.enumerated() {
            for holder in files.holders {
                try db.execute(
                    sql: """
                        INSERT INTO shared_files (volume, number, path, is_counted_here, is_held_elsewhere, bytes)
                        VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        volume, number, Data(holder.bytes), holder == files.countedIn,
                        files.isHeldElsewhere, files.bytes.bytes,
                    ])
            }
        }
        try db.execute(sql: "DELETE FROM scan_warnings WHERE volume = ?", arguments: [volume])
        for warning in scan.warnings {
            try db.execute(
                sql: "INSERT OR IGNORE INTO scan_warnings (volume, code, text, hint) VALUES (?, ?, ?, ?)",
                arguments: [volume, warning.code, warning.text, warning.hint])
        }
    }

    private func recordSnapshot(_ snapshot: [UInt8], volume: Int64, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO walks VALUES (?1, ?2)
                ON CONFLICT (volume) DO UPDATE SET snapshot = ?2 WHERE snapshot <> ?2
                """,
            arguments: [volume, Data(snapshot)])
    }
}
