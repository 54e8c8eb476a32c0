import CacheModel
import FileAccess
import Glibc

extension EntryCollector {
    /// The entries with their sums, in the order of their paths, what waits in the trash, and the files that have names
    /// in several entries.
    func entries() -> (entries: [ScannedEntry], trash: TrashSum, sharedFiles: [SharedFiles]) {
        let (paths, (keys, found)) = both {
            inOrder()
        } and: {
            (allKeys(), summed())
        }
        let entries = halves(of: heads.count) { place in
            let at = paths.order[place]
            let directory = heads[at].directory
            let sum = found.sums[at]
            var entry = ScannedEntry(
                pool: heads[at].pool, key: keys[at], path: paths[at],
                inode: tree.records[Int(directory)].inode, bytes: ByteCount(sum.bytes),
                apparentBytes: ByteCount(sum.apparentBytes), files: sum.files,
                accessed: Timestamp(nanoseconds: sum.accessed),
                fetched: Timestamp(nanoseconds: sum.fetched), protections: sum.protections,
                traits: heads[at].traits.union(sum.traits))
            entry.directories = sum.directories
            entry.broughtWithTimesOf = sum.broughtWithTimesOf
            return entry
        }
        return (entries, found.trash, tree.hardLinks.isEmpty ? [] : sharedFiles(paths))
    }

    /// The files that one entry's going would not free, summed up by who holds names of them.
    private func sharedFiles(_ paths: OrderedPaths) -> [SharedFiles] {
        struct Holders: Hashable {
            var heads: [Int32]
            var countedIn: Int32
            var isHeldElsewhere: Bool
        }
        var place = [Int](repeating: 0, count: heads.count)
        for (number, head) in paths.order.enumerated() { place[head] = number }
        let countedIn = Dictionary(
            tree.hardLinksByFirstPath().map { ($0.inode, owner[Int($0.directory)]) },
            uniquingKeysWith: { first, _ in first })
        var sums: [Holders: Int64] = [:]
        for (inode, links) in Dictionary(grouping: tree.hardLinks, by: \.inode) {
            let holders = Set(links.lazy.map { owner[Int($0.directory)] })
            let isHeldElsewhere = holders.contains(-1) || UInt64(links.count) < links[0].links
            let heads = holders.filter { $0 >= 0 }.sorted { place[Int($0)] < place[Int($1)] }
            guard !heads.isEmpty, heads.count > 1 || isHeldElsewhere else { continue }
            let group = Holders(
                heads: heads, countedIn: countedIn[inode] ?? -1, isHeldElsewhere: isHeldElsewhere)
            sums[group, default: 0].addPinned(links[0].bytes)
        }
        let groups = sums.map { group, bytes in
            SharedFiles(
                holders: group.heads.map { paths[Int($0)] },
                countedIn: group.countedIn < 0 ? nil : paths[Int(group.countedIn)],
                isHeldElsewhere: group.isHeldElsewhere, bytes: ByteCount(bytes))
        }
        return groups.sorted { a, b in
            if a.holders != b.holders { return a.holders.lexicographicallyPrecedes(b.holders) }
            return !a.isHeldElsewhere && b.isHeldElsewhere
        }
    }

    private func inOrder() -> OrderedPaths { OrderedPaths(of: heads.map(\.directory), in: tree) }

    private func summed() -> (sums: [EntrySum], trash: TrashSum) {
        var sums = heads.map { EntrySum(protections: $0.protections) }
        for head in handSeededModules() { sums[head].protections.insert(Protections(.locallyInstalled)) }
        for place in heads.indices where isClosed(heads[place]) {
            sums[place].protections.insert(Protections(.notMovable))
        }
        var trash = TrashSum()
        for (index, record) in tree.records.enumerated() {
            if isInTrash(index) { trash.add(record) }
            guard owner[index] >= 0 else { continue }
            sums[Int(owner[index])].add(
                record, in: heads[Int(owner[index])].pool,
                isDownload: record.facts.contains(.untracked) && isUntrackedDownload(index))
            if record.files > 0, isForeign(index) {
                sums[Int(owner[index])].protections.insert(Protections(.foreignFiles))
                sums[Int(owner[index])].traits.insert(.foreignFiles)
            }
        }
        for link in tree.hardLinksByFirstPath() {
            if isInTrash(Int(link.directory)) { trash.add(link) }
            guard owner[Int(link.directory)] >= 0 else { continue }
            sums[Int(owner[Int(link.directory)])].add(link)
        }
        for link in tree.hardLinks where owner[Int(link.directory)] >= 0 && isForeign(Int(link.directory)) {
            sums[Int(owner[Int(link.directory)])].protections.insert(Protections(.foreignFiles))
            sums[Int(owner[Int(link.directory)])].traits.insert(.foreignFiles)
        }
        return (sums, trash)
    }

    /// Whether an entry cannot be moved: that takes writing in the directory that it lies in, and in its own.
    private func isClosed(_ head: Head) -> Bool {
        let record = tree.records[Int(head.directory)]
        return record.facts.contains(.closed)
            || record.parent >= 0 && tree.records[Int(record.parent)].facts.contains(.closed)
    }

    private func isUntrackedDownload(_ index: Int) -> Bool {
        UntrackedDownload(VolumePath(listed: tree.path(Int32(index)))) != nil
    }
}

/// The paths of some directories, which lie in one block of memory to be compared.
private struct OrderedPaths {
    private var text: [UInt8] = []
    private var ends: [Int] = [0]
    /// The places of the directories in the order of their paths.
    private(set) var order: [Int]

    init(of directories: [Int32], in tree: DirectoryTree) {
        order = Array(directories.indices)
        text.reserveCapacity(directories.count * 64)
        ends.reserveCapacity(directories.count + 1)
        for directory in directories {
            tree.append(directory, below: 0, separator: UInt8(ascii: "/"), to: &text)
            ends.append(text.count)
        }
        text.withUnsafeBytes { text in
            guard let base = text.baseAddress else { return }
            ends.withUnsafeBufferPointer { ends in
                order.sort { a, b in
                    let (first, second) = (ends[a + 1] - ends[a], ends[b + 1] - ends[b])
                    let bytes = memcmp(base + ends[a], base + ends[b], min(first, second))
                    return bytes == 0 ? first < second : bytes < 0
                }
            }
        }
    }

    subscript(place: Int) -> VolumePath {
        text.withUnsafeBufferPointer {
            VolumePath(listed: Array(UnsafeBufferPointer(rebasing: $0[ends[place]..<ends[place + 1]])))
        }
    }
}

/// What waits in the trash, which counts as none of the volume's.
struct TrashSum {
    var bytes: Int64 = 0
    var apparentBytes: Int64 = 0
    var files: Int64 = 0
    var directories: Int64 = 0

    fileprivate mutating func add(_ record: DirectoryRecord) {
        bytes.addPinned(record.ownBytes.addingPinned(record.fileBytes))
        apparentBytes.addPinned(record.apparentBytes)
        files += Int64(record.files)
        if !record.facts.areOfFiles { directories += 1 }
    }

    fileprivate mutating func add(_ link: HardLink) {
        bytes.addPinned(link.bytes)
        apparentBytes.addPinned(link.apparentBytes)
        files += 1
    }
}

/// What the directories of an entry add up to.
private struct EntrySum {
    var bytes: Int64 = 0
    var apparentBytes: Int64 = 0
    var files: Int64 = 0
    var directories: Int64 = 0
    var traits: EntryTraits = []
    var accessed: Int64 = 0
    var fetched: Int64 = 0
    /// The newest modification of a file, and the newest change of a directory.
    private var written: Int64 = 0
    private var changed: Int64 = 0
    var protections: Protections

    /// How much later than its last modification a directory must have changed, so that someone set its times: a tool
    /// that makes and fills one changes both at once.
    private static let setBack = Span.hours(1)

    /// The newest modification, where all of them were set; nil where something was written since.
    ///
    /// Maven gives an artifact the server's time (apache/maven-resolver#1067), but not `_remote.repositories` and the
    /// directory. Both times are of the volume's clock, so it does not matter how far that is off.
    var broughtWithTimesOf: Timestamp? {
        let newest = max(fetched, written)
        guard newest > 0, changed.subtractingPinned(newest) >= Self.setBack.nanoseconds else { return nil }
        return Timestamp(nanoseconds: newest)
    }

    init(protections: Protections) { self.protections = protections }

    /// Adds a directory, or the record of files.
    ///
    /// - Parameter isDownload: Whether it is one that its tool fetches again, though no tracking file says so.
    mutating func add(_ record: DirectoryRecord, in pool: Pool, isDownload: Bool) {
        files += Int64(record.files)
        if !record.facts.areOfFiles { directories += 1 }
        bytes.addPinned(record.ownBytes.addingPinned(record.fileBytes))
        apparentBytes.addPinned(record.apparentBytes)
        accessed = max(accessed, record.accessed)
        fetched = max(fetched, record.mtime)
        written = max(written, record.written)
        changed = max(changed, record.ctime)
        // What is written in a directory, such as a log, is in use.
        if pool.isOwn, !record.facts.contains(.file) { accessed = max(accessed, record.written) }
        guard !record.facts.isEmpty else { return }
        if record.facts.contains(.inFlight) { protections.insert(Protections(.inFlight)) }
        if record.facts.contains(.unreadable) { protections.insert(Protections(.unreadable)) }
        if record.facts.contains(.unarmable) { protections.insert(Protections(.noEvidence)) }
        guard pool == .maven else { return }
        if !isDownload {
            if record.facts.contains(.untracked) { protections.insert(Protections(.untracked)) }
            if record.facts.contains(.locallyInstalled) { protections.insert(Protections(.locallyInstalled)) }
        }
        if record.facts.contains(.foreignFiles) { protections.insert(Protections(.foreignFiles)) }
        if record.facts.contains(.foreignOwner) { protections.insert(Protections(.foreignOwner)) }
    }

    mutating func add(_ link: HardLink) {
        files += 1
        bytes.addPinned(link.bytes)
        apparentBytes.addPinned(link.apparentBytes)
    }
}

extension DirectoryTree {
    /// Each inode with several links once, under the first of its paths.
    func hardLinksByFirstPath() -> [HardLink] {
        var first: [UInt64: HardLink] = [:]
        for link in hardLinks {
            if let known = first[link.inode],
                !path(link.directory).lexicographicallyPrecedes(path(known.directory))
            {
                continue
            }
            first[link.inode] = link
        }
        return Array(first.values)
    }
}
