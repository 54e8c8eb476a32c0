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
        /// Whether it was installed once more, with another size.
        var isInstalledAnew = false
    }

    /// What the scan found, in the order of path and pool.
    let entries: [ScannedEntry]
    private(set) var changes: [Change] = []
    /// The ids of entries that the scan did not find.
    private(set) var gone: [Int64] = []
    /// The ids of entries that lie where the scan could not look: they are not gone.
    private(set) var hidden: [Int64] = []
    /// What arrived by copy.
    private(set) var copied = RecordedScan.Copied()
    private let unseen: Set<[UInt8]>
    /// The ids of the images found, by their place in `entries`; nil for new ones.
    private(set) var images: [(index: Int, id: Int64?)] = []
    /// By the pools' codes, the first of which is 1; then those of the user's own, as they are found.
    private var tally = Pool.allCases.map { PoolChange(pool: $0) }.sorted { $0.pool.code < $1.pool.code }
    private var ownPlaces: [Int64: Int] = [:]

    /// Compares the scan with the rows of a volume.
    ///
    /// - Parameter ghost: what is known of an entry that had gone.
    init(
        _ scan: VolumeScan, volume: Int64, rule: AccessRule, _ db: Database,
        ghost: (ScannedEntry) throws -> AccessRule.Gone?
    ) throws {
        entries = Self.inOrder(scan.entries)
        unseen = Set(scan.unseen.map(\.bytes))
        let row = try DirectStatement(
            """
            SELECT path, pool, id, key, inode, bytes, apparent_bytes, files, accessed, fetched, protections,
                last_used, evidence, confidence, warmed_until IS NOT NULL, traits,
                directories
            FROM entries WHERE volume = ? ORDER BY path, pool
            """, db)
        defer { row.reset() }
        row.bind(volume, at: 1)
        var hasRow = try row.step()
        if !hasRow { changes.reserveCapacity(entries.count) }
        // In place: to copy an entry for a look at it costs as much as the look.
        let entries = entries
        try entries.withUnsafeBufferPointer { entries in
            for index in entries.indices {
                if index > 0, Self.isSame(entries[index - 1], entries[index]) { continue }
                var order = hasRow ? Self.order(of: row, to: entries[index]) : 1
                while hasRow, order < 0 {
                    try missed(row, scan)
                    hasRow = try row.step()
                    order = hasRow ? Self.order(of: row, to: entries[index]) : 1
                }
                if hasRow, order == 0 {
                    try compare(entries[index], at: index, with: row, rule)
                    hasRow = try row.step()
                } else {
                    let verdict = rule.judge(entries[index], returned: try ghost(entries[index]))
                    try count(entries[index], verdict, isNew: true)
                    changes.append(Change(index: index, id: nil, verdict: verdict))
                    if entries[index].image != nil { images.append((index, nil)) }
                }
            }
        }
        while hasRow {
            try missed(row, scan)
            hasRow = try row.step()
        }
    }

    /// The changes by pool, without pools that are and were empty.
    var pools: [PoolChange] {
        tally.filter { $0.entries > 0 || $0.gone > 0 }.sorted { $0.pool < $1.pool }
    }

    /// The place of a pool in the tally.
    private mutating func place(ofCode code: Int64) throws -> Int {
        if code <= Int64(Pool.allCases.count) { return Int(code) - 1 }
        if let place = ownPlaces[code] { return place }
        tally.append(PoolChange(pool: try Pool(code: code)))
        ownPlaces[code] = tally.count - 1
        return tally.count - 1
    }

    private mutating func compare(
        _ found: ScannedEntry, at index: Int, with row: DirectStatement, _ rule: AccessRule
    ) throws {
        let id = row.integer(2)
        let known = AccessRule.Known(
            inode: UInt64(bitPattern: row.integer(4)), bytes: ByteCount(row.integer(5)),
            accessed: Timestamp(nanoseconds: row.integer(8)), fetched: Timestamp(nanoseconds: row.integer(9)),
            lastUsed: Timestamp(nanoseconds: row.integer(11)), evidence: try Evidence(code: row.integer(12)),
            confidence: try Confidence(code: row.integer(13)), warmed: row.integer(14) != 0)
        let verdict = rule.judge(found, known: known)
        try count(found, verdict, isNew: false)
        if found.image != nil { images.append((index, id)) }
        let after = AccessRule.Known(
            inode: found.inode, bytes: found.bytes, accessed: verdict.watermark, fetched: found.fetched,
            lastUsed: verdict.lastUsed, evidence: verdict.evidence, confidence: verdict.confidence,
            warmed: known.warmed)
        if verdict.access == .none, after == known, isSame(found, row) { return }
        // Gradle's build cache and metadata: what a build adds is a fetch, the rest of the directory is not.
        let isAddedTo = (found.pool == .gradleOther || found.pool.isOwn) && found.inode == known.inode
        changes.append(
            Change(
                index: index, id: id, verdict: verdict, before: isAddedTo ? known.bytes : .zero,
                isInstalledAnew: verdict.access == .none && found.bytes != known.bytes
                    && found.protections.contains(Protections(.locallyInstalled))))
    }

    /// Whether the row holds the rest of what the scan found.
    private func isSame(_ found: ScannedEntry, _ row: DirectStatement) -> Bool {
        guard found.apparentBytes.bytes == row.integer(6), found.files == row.integer(7),
            Int64(found.protections.rawValue) == row.integer(10), found.traits.rawValue == row.integer(15),
            found.directories == row.integer(16)
        else { return false }
        var key = found.key
        return key.withUTF8 { key in
            let known = row.bytes(3)
            return known.count == key.count && Self.order(known, UnsafeRawBufferPointer(key)) == 0
        }
    }

    private mutating func missed(_ row: DirectStatement, _ scan: VolumeScan) throws {
        let place = try place(ofCode: row.integer(1))
        if unseen.isEmpty {
            guard scan.complete else { return }
        } else if isHidden(Array(row.bytes(0))) {
            hidden.append(row.integer(2))
            guard tally.indices.contains(place) else { return }
            tally[place].entries += 1
            tally[place].files.addPinned(row.integer(7))
            tally[place].bytes = tally[place].bytes + ByteCount(row.integer(5))
            return
        }
        gone.append(row.integer(2))
        if tally.indices.contains(place) { tally[place].gone += 1 }
    }

    /// Whether a path is, or lies below, one that the scan could not look at.
    private func isHidden(_ path: [UInt8]) -> Bool {
        if unseen.contains(path) || unseen.contains([]) { return true }
        return path.indices.contains { path[$0] == UInt8(ascii: "/") && unseen.contains(Array(path[..<$0])) }
    }

    private mutating func count(_ found: ScannedEntry, _ verdict: AccessRule.Verdict, isNew: Bool) throws {
        let place = try place(ofCode: found.pool.code)
        tally[place].entries += 1
        tally[place].files += found.files
        tally[place].bytes += found.bytes
        if verdict.isCopy {
            copied.entries += 1
            copied.bytes += found.bytes
        }
        switch verdict.access {
        case .hit: tally[place].used += 1
        case .miss: tally[place].new += 1
        case .none: tally[place].new += isNew || verdict.isCopy ? 1 : 0
        }
    }
}

extension ScanMerge {
    private static func inOrder(_ entries: [ScannedEntry]) -> [ScannedEntry] {
        func precedes(_ a: ScannedEntry, _ b: ScannedEntry) -> Bool {
            let order = order(a.path.bytes, b.path.bytes)
            return order == 0 ? a.pool.code < b.pool.code : order < 0
        }
        let isSorted = !entries.indices.dropFirst().contains { precedes(entries[$0], entries[$0 - 1]) }
        return isSorted ? entries : entries.sorted(by: precedes)
    }

    private static func isSame(_ a: ScannedEntry, _ b: ScannedEntry) -> Bool {
        a.pool == b.pool && a.path.bytes.count == b.path.bytes.count && order(a.path.bytes, b.path.bytes) == 0
    }

    /// Negative where the row comes first, zero where it is the same entry, positive where it comes later.
    private static func order(of row: DirectStatement, to found: ScannedEntry) -> Int64 {
        let paths = found.path.bytes.withUnsafeBytes { order(row.bytes(0), $0) }
        return paths == 0 ? row.integer(1) - found.pool.code : paths
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
