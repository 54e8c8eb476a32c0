import CacheModel

/// The tree of an earlier scan, with what is needed to go down it again.
///
/// A directory whose inode, mtime and ctime are what they were holds the same names: it is not listed again,
/// only its sentinels are looked at.
struct TreeSnapshot {
    let tree: DirectoryTree
    let startedAt: Timestamp
    /// When every directory was last listed.
    let fullWalkAt: Timestamp
    private let childStart: [Int32]
    private let children: [Int32]

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

    /// The directories in a directory.
    func children(of index: Int32) -> ArraySlice<Int32> {
        children[Int(childStart[Int(index)])..<Int(childStart[Int(index) + 1])]
    }

    /// Gives the directories found in a directory their indices in this tree, by name.
    func match(_ found: inout [WalkTask], in index: Int32) {
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
}

extension DirectoryTree {
    /// Whether every directory but Larder's own had been at rest for so long before a scan that a later one can
    /// skip it.
    func isSettled(at scan: Timestamp) -> Bool {
        let atRest = scan.nanoseconds - DirectoryLister.coarsestTick
        return records.indices.allSatisfy { index in
            records[index].ctime < atRest
                || records[index].parent == 0 && name(Int32(index)).elementsEqual(EntryCollector.ownFolder)
        }
    }
}
