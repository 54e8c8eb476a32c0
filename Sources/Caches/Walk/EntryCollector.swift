import CacheModel

/// Turns the directories of a walk into entries: which directory belongs to which, and what each adds up to.
struct EntryCollector {
    let tree: DirectoryTree
    /// For each directory the head of its entry; -1 where it is in none.
    private(set) var owner: [Int32]
    private(set) var heads: [Head] = []
    private var region: [GradleLayout.Region]
    private let groupID: @Sendable (Int32) -> [UInt8]?

    /// The directory that an entry begins with.
    struct Head {
        var pool: Pool
        var directory: Int32
        /// The raw key; empty for Maven, where a look at all of them tells it.
        var key: [UInt8]
        var holdsEntries = false
    }

    /// Larder's own folder on a volume: the lock, the probe and the trash.
    static let ownFolder = Array(".larder".utf8)

    /// Files directories under entries.
    ///
    /// `groupID` reads the group from the pom of a version directory.
    init(tree: DirectoryTree, groupID: @escaping @Sendable (Int32) -> [UInt8]?) {
        self.tree = tree
        self.groupID = groupID
        owner = Array(repeating: -1, count: tree.records.count)
        region = Array(repeating: .outside, count: tree.records.count)
        assign(homes: gradleHomes())
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

    /// The keys of the heads, safe to print.
    func allKeys() -> [String] {
        let maven = heads.indices.filter { heads[$0].pool == .maven }
        var finder = MavenRoots(tree: tree, groupID: groupID)
        let roots = finder.roots(of: maven.map { heads[$0].directory })
        var next = 0
        var key: [UInt8] = []
        return heads.map { head in
            guard head.pool == .maven else { return escaped(head.key) }
            key.removeAll(keepingCapacity: true)
            let artifact = tree.records[Int(head.directory)].parent
            let group = tree.records[Int(artifact)].parent
            tree.append(group, below: roots[next], separator: UInt8(ascii: "."), to: &key)
            for part in [artifact, head.directory] {
                key.append(UInt8(ascii: ":"))
                tree.appendName(part, to: &key)
            }
            next += 1
            return escaped(key)
        }
    }

    /// Whether a directory is a run's folder in the trash, or in one.
    func isInTrash(_ index: Int) -> Bool {
        guard region[index] == .larder else { return false }
        let parent = tree.records[index].parent
        return parent > 0 && tree.records[Int(parent)].parent > 0
    }
}
