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

    /// Whether what lies in a directory of an entry is none of the tool's, so that nothing could fetch it again.
    ///
    /// Maven keeps no directories in a version's; Gradle's module versions hold directories named by a SHA-1, and these
    /// the files.
    func isForeign(_ index: Int) -> Bool {
        guard owner[index] >= 0 else { return false }
        let head = heads[Int(owner[index])]
        switch head.pool {
        case .maven: return Int(head.directory) != index
        case .gradle:
            return tree.records[index].parent != head.directory
                || !GradleLayout.isFileHash(tree.name(Int32(index)))
        case .gradleOther, .images: return false
        }
    }

    /// The heads of Gradle's module versions that no build resolved: somebody put them there.
    ///
    /// Gradle keeps a description of each that it resolved, `modules-2/metadata-2.N/descriptors/<group>/<name>/
    /// <version>/<repository>/descriptor.bin` (gradle/gradle `ModuleMetadataStore`). Where most have none, they were
    /// removed, and nothing follows from it.
    func handSeededModules() -> [Int] {
        struct Module: Hashable {
            var cache: Int32
            var key: [UInt8]
        }
        func ancestor(_ index: Int32, _ levels: Int) -> Int32? {
            var at = index
            for _ in 0..<levels where at >= 0 { at = tree.records[Int(at)].parent }
            return at > 0 ? at : nil
        }
        let modules = heads.indices.filter { heads[$0].pool == .gradle }
        guard !modules.isEmpty else { return [] }
        var described: Set<Module> = []
        for index in tree.records.indices
        where owner[index] >= 0 && heads[Int(owner[index])].pool == .gradleOther {
            guard let descriptors = ancestor(Int32(index), 3), let cache = ancestor(descriptors, 2),
                tree.name(descriptors).elementsEqual("descriptors".utf8),
                tree.name(tree.records[Int(descriptors)].parent).starts(with: "metadata-2.".utf8)
            else { continue }
            described.insert(Module(cache: cache, key: moduleKey(Int32(index))))
        }
        var known: [Int32: (all: Int, described: Int)] = [:]
        var unknown: [(head: Int, cache: Int32)] = []
        for head in modules {
            guard let cache = ancestor(heads[head].directory, 4) else { continue }
            let isDescribed = described.contains(Module(cache: cache, key: heads[head].key))
            known[cache, default: (0, 0)].all += 1
            if isDescribed {
                known[cache, default: (0, 0)].described += 1
            } else {
                unknown.append((head, cache))
            }
        }
        return unknown.filter { place in
            known[place.cache].map { $0.described * 2 >= $0.all && $0.described > 0 } ?? false
        }.map(\.head)
    }

    /// Whether a directory is a run's folder in the trash, or in one.
    func isInTrash(_ index: Int) -> Bool {
        guard region[index] == .larder else { return false }
        let parent = tree.records[index].parent
        return parent > 0 && tree.records[Int(parent)].parent > 0
    }
}
