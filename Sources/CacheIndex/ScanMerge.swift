import CacheModel
import Foundation
import GRDB

/// Holds what a scan found against what the index has, in one pass over both in the order of paths.
///
/// It only reads; what is to be written is collected in `changes` and `gone`, which stay empty for an
/// unchanged volume.
struct ScanMerge {
    /// An entry of the scan whose row must be written.
    struct Change {
        /// Its place in `entries`.
        var index: Int
        /// Its id; nil where the index did not hold it.
        var id: Int64?
        var verdict: AccessRule.Verdict
        /// What it had before, where it is a directory that is added to rather than fetched as a whole.
        var before = ByteCount.zero
    }

    /// What the scan found, in the order of path and pool.
    let entries: [ScannedEntry]
    private(set) var changes: [Change] = []
    /// The ids of entries that the scan did not find.
    private(set) var gone: [Int64] = []
    /// The ids of the images found, by their place in `entries`; nil for new ones.
    private(set) var images: [(index: Int, id: Int64?)] = []
    private var tally: [Int64: PoolChange] = [:]

    /// Compares the scan with the rows of a volume.
    ///
    /// - Parameter ghost: what is known of an entry that had gone.
    init(
        _ scan: VolumeScan, volume: Int64, rule: AccessRule, _ db: Database,
        ghost: (ScannedEntry) throws -> AccessRule.Gone?
    ) throws {
        entries = Self.inOrder(scan.entries)
        for pool in Pool.allCases { tally[pool.code] = PoolChange(pool: pool) }
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT path, pool, id, key, inode, bytes, apparent_bytes, files, accessed, fetched, protections,
                        last_used, evidence, confidence, warmed_until IS NOT NULL
                    FROM entries WHERE volume = ? ORDER BY path, pool
                    """),
            arguments: [volume])
        var row = try rows.next()
        for (index, found) in entries.enumerated() {
            if index > 0, Self.isSame(entries[index - 1], found) { continue }
            var order = try row.map { try Self.order(of: $0, to: found) } ?? 1
            while let passed = row, order < 0 {
                try missed(passed, scan)
                row = try rows.next()
                order = try row.map { try Self.order(of: $0, to: found) } ?? 1
            }
            if let known = row, order == 0 {
                try compare(found, at: index, with: known, rule)
                row = try rows.next()
            } else {
                let verdict = rule.judge(found, returned: try ghost(found))
                count(found, verdict.access, isNew: true)
                changes.append(Change(index: index, id: nil, verdict: verdict))
                if found.image != nil { images.append((index, nil)) }
            }
        }
        while let passed = row {
            try missed(passed, scan)
            row = try rows.next()
        }
    }

    /// The changes by pool, without pools that are and were empty.
    var pools: [PoolChange] {
        Pool.allCases.compactMap { tally[$0.code] }.filter { $0.entries > 0 || $0.gone > 0 }
    }

    private mutating func compare(
        _ found: ScannedEntry, at index: Int, with row: Row, _ rule: AccessRule
    ) throws {
        let id = try row.integer(2)
        let known = AccessRule.Known(
            inode: try row.unsigned(4), bytes: try row.size(5), accessed: try row.time(8),
            fetched: try row.time(9), lastUsed: try row.time(11), evidence: try row.evidence(12),
            confidence: try row.confidence(13), warmed: try row.flag(14))
        let verdict = rule.judge(found, known: known)
        count(found, verdict.access, isNew: false)
        if found.image != nil { images.append((index, id)) }
        let after = AccessRule.Known(
            inode: found.inode, bytes: found.bytes, accessed: verdict.watermark, fetched: found.fetched,
            lastUsed: verdict.lastUsed, evidence: verdict.evidence, confidence: verdict.confidence,
            warmed: known.warmed)
        if verdict.access == .none, after == known, try isSame(found, row) { return }
        // Gradle's build cache and metadata: what a build adds is a fetch, the rest of the directory is not.
        let isAddedTo = found.pool == .gradleOther && found.inode == known.inode
        changes.append(
            Change(index: index, id: id, verdict: verdict, before: isAddedTo ? known.bytes : .zero))
    }

    /// Whether the row holds the rest of what the scan found.
    private func isSame(_ found: ScannedEntry, _ row: Row) throws -> Bool {
        let (apparent, files) = (try row.size(6), try row.integer(7))
        guard found.apparentBytes == apparent, found.files == files else { return false }
        return try found.protections.rawValue == row.integer(10) && found.key == row.text(3)
    }

    private mutating func missed(_ row: Row, _ scan: VolumeScan) throws {
        guard scan.complete else { return }
        gone.append(try row.integer(2))
        tally[try row.integer(1)]?.gone += 1
    }

    private mutating func count(_ found: ScannedEntry, _ access: AccessRule.Access, isNew: Bool) {
        var change = tally[found.pool.code] ?? PoolChange(pool: found.pool)
        change.entries += 1
        change.files += found.files
        change.bytes += found.bytes
        switch access {
        case .hit: change.used += 1
        case .miss: change.new += 1
        case .none: change.new += isNew ? 1 : 0
        }
        tally[found.pool.code] = change
    }
}

extension ScanMerge {
    private static func inOrder(_ entries: [ScannedEntry]) -> [ScannedEntry] {
        func precedes(_ a: ScannedEntry, _ b: ScannedEntry) -> Bool {
            let order = order(a.path.bytes, b.path.bytes)
            return order == 0 ? a.pool.code < b.pool.code : order < 0
        }
        let isSorted = !zip(entries, entries.dropFirst()).contains { precedes($1, $0) }
        return isSorted ? entries : entries.sorted(by: precedes)
    }

    private static func isSame(_ a: ScannedEntry, _ b: ScannedEntry) -> Bool {
        a.path == b.path && a.pool == b.pool
    }

    /// Negative where the row comes first, zero where it is the same entry, positive where it comes later.
    private static func order(of row: Row, to found: ScannedEntry) throws -> Int64 {
        let paths = try row.withUnsafeData(atIndex: 0) { path in
            (path ?? Data()).withUnsafeBytes { row in
                found.path.bytes.withUnsafeBytes { Self.order(row, $0) }
            }
        }
        return paths == 0 ? try row.integer(1) - found.pool.code : paths
    }

    private static func order(_ a: [UInt8], _ b: [UInt8]) -> Int64 {
        a.withUnsafeBytes { a in b.withUnsafeBytes { order(a, $0) } }
    }

    /// The order that SQLite gives blobs: by bytes, then by length.
    private static func order(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int64 {
        var order: Int32 = 0
        if let first = a.baseAddress, let second = b.baseAddress {
            order = memcmp(first, second, min(a.count, b.count))
        }
        return order == 0 ? Int64(a.count - b.count) : Int64(order)
    }
}
