import CacheModel

/// The tree of an earlier scan, with what is needed to go down it again.
///
/// A directory whose inode, mtime and ctime are what they were holds the same names: it is not listed again,
/// only its witnesses are looked at. On disk the snapshot is a header and the tree as it lies in memory; it
/// belongs to the build that wrote it, and one that does not fit is passed over and costs a full walk.
struct TreeSnapshot {
    let tree: DirectoryTree
    let startedAt: Timestamp
    /// When every directory was last listed.
    let fullWalkAt: Timestamp
    private let childStart: [Int32]
    private let children: [Int32]

    private static let magic: [Int64] = [0x4c61_7264_6572_0001, Int64(MemoryLayout<DirectoryRecord>.stride)]
    private static let headerLength = 48

    init(tree: DirectoryTree, startedAt: Timestamp, fullWalkAt: Timestamp) {
        self.tree = tree
        self.startedAt = startedAt
        self.fullWalkAt = fullWalkAt
        let count = tree.records.count
        var start = [Int32](repeating: 0, count: count + 1)
        for record in tree.records where record.parent >= 0 { start[Int(record.parent) + 1] += 1 }
        for index in 0..<count { start[index + 1] += start[index] }
        var next = start
        var children = [Int32](repeating: 0, count: max(0, count - 1))
        for (index, record) in tree.records.enumerated() where record.parent >= 0 {
            children[Int(next[Int(record.parent)])] = Int32(index)
            next[Int(record.parent)] += 1
        }
        self.childStart = start
        self.children = children
    }

    /// Whether every directory but Larder's own had been at rest for long enough to be skipped by a later scan.
    var isSettled: Bool {
        let atRest = startedAt.nanoseconds - DirectoryLister.coarsestTick
        return tree.records.indices.allSatisfy { index in
            tree.records[index].ctime < atRest
                || tree.records[index].parent == 0
                    && tree.name(Int32(index)).elementsEqual(EntryCollector.ownFolder)
        }
    }

    /// The directories in a directory.
    func children(of index: Int32) -> ArraySlice<Int32> {
        children[Int(childStart[Int(index)])..<Int(childStart[Int(index) + 1])]
    }

    /// Gives the directories found in a directory their indices in this tree, by name.
    func match(_ found: inout [(name: [CChar], previous: Int32)], in index: Int32) {
        let known = children(of: index)
        guard !known.isEmpty, !found.isEmpty else { return }
        var byName: [ArraySlice<UInt8>: Int32] = [:]
        byName.reserveCapacity(known.count)
        for child in known { byName[tree.name(child)] = child }
        for at in found.indices {
            let name = found[at].name.dropLast().map(UInt8.init(bitPattern:))
            found[at].previous = byName[name[...]] ?? -1
        }
    }

    /// The snapshot for the index.
    var bytes: [UInt8] {
        var all: [UInt8] = []
        let recordBytes = tree.records.count * MemoryLayout<DirectoryRecord>.stride
        all.reserveCapacity(Self.headerLength + recordBytes + tree.text.count)
        let header =
            Self.magic + [
                startedAt.nanoseconds, fullWalkAt.nanoseconds, Int64(tree.records.count),
                Int64(tree.text.count),
            ]
        header.withUnsafeBytes { all.append(contentsOf: $0) }
        tree.records.withUnsafeBytes { all.append(contentsOf: $0) }
        all.append(contentsOf: tree.text)
        return all
    }

    /// Reads a snapshot back; nil where it is of another build or does not hold together.
    init?(bytes: [UInt8]) {
        guard bytes.count >= Self.headerLength else { return nil }
        let header = bytes.withUnsafeBytes { raw in
            (0..<6).map { raw.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self) }
        }
        guard Array(header[0..<2]) == Self.magic, header[4] > 0, header[4] < Int64(Int32.max), header[5] >= 0
        else { return nil }
        let (recordBytes, overflow) = Int(header[4]).multipliedReportingOverflow(
            by: MemoryLayout<DirectoryRecord>.stride)
        guard !overflow, header[5] <= Int64(bytes.count),
            Self.headerLength + recordBytes + Int(header[5]) == bytes.count
        else { return nil }
        let records = [DirectoryRecord](unsafeUninitializedCapacity: Int(header[4])) { buffer, count in
            bytes.withUnsafeBytes { raw in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(
                        rebasing: raw[Self.headerLength..<Self.headerLength + recordBytes]))
            }
            count = Int(header[4])
        }
        for (index, record) in records.enumerated() {
            let end = Int(record.nameStart) + Int(record.nameLength) + Int(record.witnessLength)
            guard end <= Int(header[5]),
                index == 0 ? record.parent == -1 : record.parent >= 0 && record.parent < index
            else { return nil }
        }
        let tree = DirectoryTree(records: records, text: Array(bytes[(Self.headerLength + recordBytes)...]))
        self.init(
            tree: tree, startedAt: Timestamp(nanoseconds: header[2]),
            fullWalkAt: Timestamp(nanoseconds: header[3]))
    }
}
