import CacheModel

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
        var parts: [ArraySlice<UInt8>] = []
        var at = index
        while at > 0, at != top {
            parts.append(tree.name(at))
            at = tree.records[Int(at)].parent
        }
        return Array(parts.reversed().joined(separator: "/".utf8))
    }

    private mutating func nameMavenEntries(_ groupID: @escaping (Int32) -> [UInt8]?) {
        let maven = heads.indices.filter { heads[$0].pool == .maven }
        var finder = MavenRoots(tree: tree, groupID: groupID)
        let roots = finder.roots(of: maven.map { heads[$0].directory })
        for (at, root) in zip(maven, roots) {
            let version = heads[at].directory
            let artifact = tree.records[Int(version)].parent
            let group = path(tree.records[Int(artifact)].parent, below: root)
            heads[at].key = group.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: ".") : $0 }
            for part in [tree.name(artifact), tree.name(version)] {
                heads[at].key.append(UInt8(ascii: ":"))
                heads[at].key.append(contentsOf: part)
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
        var entries = heads.map { head in
            ScannedEntry(
                pool: head.pool, key: escaped(head.key),
                path: VolumePath(bytes: tree.path(head.directory)) ?? .root,
                inode: tree.records[Int(head.directory)].inode, bytes: .zero, apparentBytes: .zero, files: 0,
                accessed: Timestamp(nanoseconds: 0), fetched: Timestamp(nanoseconds: 0),
                protections: head.holdsEntries ? Protections(.holdsEntries) : [])
        }
        var trashBytes: Int64 = 0
        for (index, record) in tree.records.enumerated() {
            if isInTrash(index) { trashBytes += record.ownBytes + record.fileBytes }
            guard owner[index] >= 0 else { continue }
            entries[Int(owner[index])].add(record)
        }
        for link in tree.hardLinksByFirstPath() {
            if isInTrash(Int(link.directory)) { trashBytes += link.bytes }
            guard owner[Int(link.directory)] >= 0 else { continue }
            let entry = Int(owner[Int(link.directory)])
            entries[entry].files += 1
            entries[entry].bytes.bytes += link.bytes
            entries[entry].apparentBytes.bytes += link.apparentBytes
        }
        entries.sort { $0.path < $1.path }
        return (entries, trashBytes)
    }
}

extension ScannedEntry {
    fileprivate mutating func add(_ record: DirectoryRecord) {
        files += Int64(record.files)
        bytes.bytes += record.ownBytes + record.fileBytes
        apparentBytes.bytes += record.apparentBytes
        accessed.nanoseconds = max(accessed.nanoseconds, record.accessed)
        fetched.nanoseconds = max(fetched.nanoseconds, record.mtime)
        if record.facts.contains(.inFlight) { protections.insert(Protections(.inFlight)) }
        if record.facts.contains(.unreadable) { protections.insert(Protections(.unreadable)) }
        guard pool == .maven else { return }
        if record.facts.contains(.locallyInstalled) { protections.insert(Protections(.locallyInstalled)) }
        if record.facts.contains(.foreignOwner) { protections.insert(Protections(.foreignOwner)) }
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
