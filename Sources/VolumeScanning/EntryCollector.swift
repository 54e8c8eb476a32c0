import CacheModel
import Glibc

/// Turns the directories of a walk into entries: which directory belongs to which, and what each adds up to.
struct EntryCollector {
    private let tree: DirectoryTree
    private var owner: [Int32]
    private var region: [GradleLayout.Region]
    private var heads: [Head] = []

    private struct Head {
        var pool: Pool
        var directory: Int32
        var key: [UInt8] = []
        var holdsEntries = false
    }

    /// Larder's own folder on a volume: the lock, the probe and the trash.
    static let ownFolder = Array(".larder".utf8)

    /// Files directories under entries.
    ///
    /// `groupID` reads the group from the pom of a version directory.
    init(tree: DirectoryTree, groupID: @escaping (Int32) -> [UInt8]?) {
        self.tree = tree
        owner = Array(repeating: -1, count: tree.records.count)
        region = Array(repeating: .outside, count: tree.records.count)
        assign(homes: gradleHomes())
        nameMavenEntries(groupID)
    }

    private func gradleHomes() -> Set<Int32> {
        var homes: Set<Int32> = []
        for (index, record) in tree.records.enumerated() where record.parent > 0 {
            if tree.name(record.parent).elementsEqual("caches".utf8),
                GradleLayout.marksHome(tree.name(Int32(index)))
            {
                homes.insert(tree.records[Int(record.parent)].parent)
            }
        }
        return homes
    }

    private mutating func assign(homes: Set<Int32>) {
        var homeOf = Array(repeating: Int32(-1), count: homes.isEmpty ? 0 : tree.records.count)
        for index in tree.records.indices {
            let record = tree.records[index]
            if index == 0 {
                if homes.contains(0) { region[0] = .home }
                continue
            }
            let parent = Int(record.parent)
            owner[index] = owner[parent]
            if parent == 0, tree.name(Int32(index)).elementsEqual(Self.ownFolder) || region[parent] == .larder
            {
                region[index] = .larder
                continue
            }
            if region[parent] == .larder
                || region[parent] == .inEntry && heads[Int(owner[parent])].pool != .maven
            {
                region[index] = region[parent]
                continue
            }
            if !homes.isEmpty {
                homeOf[index] = homes.contains(record.parent) ? record.parent : homeOf[parent]
            }
            switch GradleLayout.step(from: region[parent], to: tree.name(Int32(index))) {
            case .region(let next): region[index] = next
            case .moduleVersion: begin(.gradle, at: index, key: moduleKey(Int32(index)))
            case .otherEntry: begin(.gradleOther, at: index, key: path(Int32(index), below: homeOf[index]))
            case .unmanaged: region[index] = region[parent] == .inEntry ? .inEntry : .outside
            }
            if homes.contains(Int32(index)), region[index] == .outside { region[index] = .home }
            if record.facts.contains(.mavenVersion), region[index] == .outside || region[index] == .inEntry {
                if owner[parent] >= 0 { heads[Int(owner[parent])].holdsEntries = true }
                begin(.maven, at: index, key: [])
            }
        }
    }

    private mutating func begin(_ pool: Pool, at index: Int, key: [UInt8]) {
        owner[index] = Int32(heads.count)
        region[index] = .inEntry
        heads.append(Head(pool: pool, directory: Int32(index), key: key))
    }

    private func moduleKey(_ version: Int32) -> [UInt8] {
        let module = tree.records[Int(version)].parent
        let group = tree.records[Int(module)].parent
        return Array([tree.name(group), tree.name(module), tree.name(version)].joined(separator: ":".utf8))
    }

    private func path(_ index: Int32, below top: Int32) -> [UInt8] {
        var path: [UInt8] = []
        tree.append(index, below: top, separator: UInt8(ascii: "/"), to: &path)
        return path
    }

    private mutating func nameMavenEntries(_ groupID: @escaping (Int32) -> [UInt8]?) {
        let maven = heads.indices.filter { heads[$0].pool == .maven }
        var finder = MavenRoots(tree: tree, groupID: groupID)
        let roots = finder.roots(of: maven.map { heads[$0].directory })
        for (at, root) in zip(maven, roots) {
            let version = heads[at].directory
            let artifact = tree.records[Int(version)].parent
            let group = tree.records[Int(artifact)].parent
            tree.append(group, below: root, separator: UInt8(ascii: "."), to: &heads[at].key)
            for part in [artifact, version] {
                heads[at].key.append(UInt8(ascii: ":"))
                tree.appendName(part, to: &heads[at].key)
            }
        }
    }

    /// Whether a directory is a run's folder in the trash, or in one.
    private func isInTrash(_ index: Int) -> Bool {
        guard region[index] == .larder else { return false }
        let parent = tree.records[index].parent
        return parent > 0 && tree.records[Int(parent)].parent > 0
    }

    /// The entries with their sums, in the order of their paths, and what waits in the trash.
    func entries() -> (entries: [ScannedEntry], trashBytes: Int64) {
        var sums = heads.map { EntrySum(protections: $0.holdsEntries ? Protections(.holdsEntries) : []) }
        var trashBytes: Int64 = 0
        for (index, record) in tree.records.enumerated() {
            if isInTrash(index) { trashBytes += record.ownBytes + record.fileBytes }
            guard owner[index] >= 0 else { continue }
            sums[Int(owner[index])].add(record, in: heads[Int(owner[index])].pool)
        }
        for link in tree.hardLinksByFirstPath() {
            if isInTrash(Int(link.directory)) { trashBytes += link.bytes }
            guard owner[Int(link.directory)] >= 0 else { continue }
            sums[Int(owner[Int(link.directory)])].add(link)
        }
        let entries = inOrderOfPaths().map { at, path in
            let (head, sum) = (heads[at], sums[at])
            return ScannedEntry(
                pool: head.pool, key: escaped(head.key), path: path,
                inode: tree.records[Int(head.directory)].inode, bytes: ByteCount(sum.bytes),
                apparentBytes: ByteCount(sum.apparentBytes), files: sum.files,
                accessed: Timestamp(nanoseconds: sum.accessed),
                fetched: Timestamp(nanoseconds: sum.fetched), protections: sum.protections)
        }
        return (entries, trashBytes)
    }

    /// The places of the heads in the order of their paths, which lie in one block of memory to be compared.
    private func inOrderOfPaths() -> [(head: Int, path: VolumePath)] {
        var text: [UInt8] = []
        text.reserveCapacity(heads.count * 64)
        var ends: [Int] = [0]
        ends.reserveCapacity(heads.count + 1)
        for head in heads {
            tree.append(head.directory, below: 0, separator: UInt8(ascii: "/"), to: &text)
            ends.append(text.count)
        }
        var order = Array(heads.indices)
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
        return order.map { ($0, VolumePath(listed: Array(text[ends[$0]..<ends[$0 + 1]]))) }
    }
}

/// What the directories of an entry add up to.
private struct EntrySum {
    var bytes: Int64 = 0
    var apparentBytes: Int64 = 0
    var files: Int64 = 0
    var accessed: Int64 = 0
    var fetched: Int64 = 0
    var protections: Protections

    mutating func add(_ record: DirectoryRecord, in pool: Pool) {
        files += Int64(record.files)
        bytes += record.ownBytes + record.fileBytes
        apparentBytes += record.apparentBytes
        accessed = max(accessed, record.accessed)
        fetched = max(fetched, record.mtime)
        guard !record.facts.isEmpty else { return }
        if record.facts.contains(.inFlight) { protections.insert(Protections(.inFlight)) }
        if record.facts.contains(.unreadable) { protections.insert(Protections(.unreadable)) }
        guard pool == .maven else { return }
        if record.facts.contains(.locallyInstalled) { protections.insert(Protections(.locallyInstalled)) }
        if record.facts.contains(.foreignOwner) { protections.insert(Protections(.foreignOwner)) }
    }

    mutating func add(_ link: HardLink) {
        files += 1
        bytes += link.bytes
        apparentBytes += link.apparentBytes
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
