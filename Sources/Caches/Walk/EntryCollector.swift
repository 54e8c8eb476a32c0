import CacheModel

/// Turns the directories of a walk into entries: which directory belongs to which, and what each adds up to.
struct EntryCollector {
    let tree: DirectoryTree
    /// For each directory the head of its entry; -1 where it is in none.
    private(set) var owner: [Int32]
    private(set) var heads: [Head] = []
    /// What the user's own pools found.
    private(set) var own: [Pool: OwnFindings] = [:]
    private var places: [Place]
    private let groupID: @Sendable (Int32) -> [UInt8]?

    /// What a directory is: by which layout, and what to it.
    private struct Place {
        var layout: UInt8 = Place.none
        var region: LayoutRegion = 0

        static let none: UInt8 = 255
        static let larder: UInt8 = 254
        static let inEntry: UInt8 = 253
        /// Holds nothing that looks like an entry and is one.
        static let foreign: UInt8 = 252

        var isOutside: Bool { layout == Self.none }
        var isLarders: Bool { layout == Self.larder }
        var isInEntry: Bool { layout == Self.inEntry }
        var isForeign: Bool { layout == Self.foreign }
        var isInLayout: Bool { layout < Self.foreign }
    }

    /// The directory that an entry begins with.
    struct Head {
        var pool: Pool
        var directory: Int32
        /// The raw key; empty for Maven, where a look at all of them tells it.
        var key: [UInt8]
        var protections: Protections = []
        var traits: EntryTraits = []
    }

    /// Larder's own folder on a volume: the lock, the probe and the trash.
    static let ownFolder = Array(".larder".utf8)

    /// Files directories under entries.
    ///
    /// `others` are the inodes of directories that are no pool's of the user's own; `groupID` reads the group from the
    /// pom of a version directory.
    init(
        tree: DirectoryTree, rules: FolderRules? = nil, others: Set<UInt64> = [],
        groupID: @escaping @Sendable (Int32) -> [UInt8]?
    ) {
        self.tree = tree
        self.groupID = groupID
        owner = Array(repeating: -1, count: tree.records.count)
        places = Array(repeating: Place(), count: tree.records.count)
        assign()
        if let rules { own = takeOwnPools(rules, others) }
    }

    private mutating func assign() {
        let layouts = CacheLayouts.all
        let anchors = layouts.map { $0.anchors(in: tree) }
        let areAnchored = anchors.contains { !$0.isEmpty }
        let nowhere = LayoutAnchor(directory: -1, region: 0)
        var anchorOf = Array(repeating: nowhere, count: areAnchored ? tree.records.count : 0)
        for index in tree.records.indices {
            let record = tree.records[index]
            let anchored = areAnchored ? anchor(at: Int32(index), anchors) : nil
            if index == 0 {
                if let anchored {
                    places[0] = anchored
                    anchorOf[0] = LayoutAnchor(directory: 0, region: anchored.region)
                }
                continue
            }
            let parent = Int(record.parent)
            owner[index] = owner[parent]
            if parent == 0, tree.name(Int32(index)).elementsEqual(Self.ownFolder) || places[parent].isLarders
            {
                places[index].layout = Place.larder
                continue
            }
            if places[parent].isLarders
                || places[parent].isInEntry && heads[Int(owner[parent])].pool != .maven
            {
                places[index] = places[parent]
                continue
            }
            if areAnchored { anchorOf[index] = anchorOf[parent] }
            if record.facts.contains(.files) {
                // A part of the version that it lies in; where that is none, it is not an entry either.
                places[index] = places[parent]
                if places[parent].isInEntry, heads[Int(owner[parent])].directory == record.parent {
                    begin(.maven, at: index, key: [], traits: [.files, .part])
                }
                continue
            }
            if places[parent].isInEntry || places[parent].isForeign { places[index] = places[parent] }
            if places[parent].isInLayout {
                let layout = layouts[Int(places[parent].layout)]
                switch layout.step(from: places[parent].region, to: tree.name(Int32(index)), record.facts) {
                case .region(let next): places[index] = Place(layout: places[parent].layout, region: next)
                case .entry(let pool):
                    begin(
                        pool, at: index,
                        key: layout.key(of: Int32(index), in: pool, below: anchorOf[index], in: tree),
                        traits: record.facts.contains(.file) ? .file : [])
                    heads[heads.count - 1].protections = layout.protections(
                        of: Int32(index), below: anchorOf[index], in: tree)
                case .unmanaged: break
                }
            }
            if let anchored, places[index].isOutside || places[index].isForeign {
                places[index] = anchored
                anchorOf[index] = LayoutAnchor(directory: Int32(index), region: anchored.region)
            }
            let name = tree.name(Int32(index))
            if places[index].isOutside || places[index].isInEntry,
                MavenLayout.holdsRecords(name) || MavenLayout.isForeign(name, in: tree.name(record.parent))
            {
                if owner[index] >= 0 {
                    heads[Int(owner[index])].protections.insert(Protections(.holdsEntries))
                }
                places[index].layout = Place.foreign
                owner[index] = -1
            }
            if record.facts.contains(.mavenVersion), places[index].isOutside || places[index].isInEntry {
                if owner[parent] >= 0 {
                    heads[Int(owner[parent])].protections.insert(Protections(.holdsEntries))
                }
                begin(.maven, at: index, key: [])
                if record.facts.contains(.failedDownload) {
                    heads[heads.count - 1].traits.insert(.failedDownload)
                }
            }
        }
        setPartsApart(layouts)
    }

    /// Makes entries of the parts that layouts find in others.
    private mutating func setPartsApart(_ layouts: [any CacheLayout]) {
        var isMoved = false
        for layout in layouts {
            let mine = heads.indices.filter { layout.pools.contains(heads[$0].pool) }
            let entries = Dictionary(
                mine.map { (heads[$0].directory, $0) }, uniquingKeysWith: { first, _ in first })
            for part in layout.parts(of: entries, in: tree) {
                owner[Int(part.directory)] = Int32(heads.count)
                heads.append(
                    Head(
                        pool: heads[part.whole].pool, directory: part.directory,
                        key: heads[part.whole].key + part.suffix,
                        protections: heads[part.whole].protections, traits: .part))
                isMoved = true
            }
        }
        guard isMoved else { return }
        let isHead = Set(heads.lazy.map(\.directory))
        for index in tree.records.indices.dropFirst() where !isHead.contains(Int32(index)) {
            let parent = Int(tree.records[index].parent)
            if owner[index] >= 0, owner[parent] >= 0 { owner[index] = owner[parent] }
        }
    }

    private func anchor(at index: Int32, _ anchors: [[Int32: LayoutRegion]]) -> Place? {
        for (layout, found) in anchors.enumerated() {
            if let region = found[index] { return Place(layout: UInt8(layout), region: region) }
        }
        return nil
    }

    /// Begins an entry of a pool of the user's own.
    mutating func beginOwn(_ pool: Pool, at index: Int, traits: EntryTraits) {
        begin(pool, at: index, key: tree.path(Int32(index)), traits: traits)
    }

    /// Takes a directory in an entry of the user's own into it.
    mutating func join(_ index: Int, to head: Int32) {
        owner[index] = head
        places[index].layout = Place.inEntry
    }

    /// Whether a directory, or a file that was set apart, belongs to a known cache or to Larder.
    func isOthers(_ index: Int) -> Bool {
        owner[index] >= 0 || places[index].isLarders || places[index].isInLayout
    }

    /// Whether a directory, or a file that was set apart, lies in Gradle's caches, where all is Gradle's, known or not;
    /// what lies in a home beside them need not be.
    func isInGradlesCaches(_ index: Int) -> Bool {
        let above = places[Int(tree.records[index].parent)]
        return above.isInLayout && !GradleLayout.isHome(above.region)
    }

    /// Whether nothing in a directory is an entry, whatever it looks like.
    func holdsForeign(_ index: Int) -> Bool { places[index].isForeign }

    private mutating func begin(_ pool: Pool, at index: Int, key: [UInt8], traits: EntryTraits = []) {
        owner[index] = Int32(heads.count)
        places[index].layout = Place.inEntry
        heads.append(Head(pool: pool, directory: Int32(index), key: key, traits: traits))
    }

    /// The keys of the heads, safe to print.
    func allKeys() -> [String] {
        let maven = heads.indices.filter { heads[$0].pool == .maven }
        var finder = MavenRoots(tree: tree, groupID: groupID)
        let roots = finder.roots(
            of: maven.map { place in
                let head = heads[place]
                return head.traits.contains(.files)
                    ? tree.records[Int(head.directory)].parent : head.directory
            })
        let layout = MavenLayout()
        var next = 0
        return heads.map { head in
            guard head.pool == .maven else { return escaped(head.key) }
            next += 1
            let anchor = LayoutAnchor(directory: roots[next - 1], region: 0)
            return escaped(layout.key(of: head.directory, in: .maven, below: anchor, in: tree))
        }
    }

    /// Whether a directory is Larder's own.
    func isLarders(_ index: Int) -> Bool { places[index].isLarders }

    /// Whether what lies in a directory of an entry is none of the tool's, so that nothing could fetch it again.
    ///
    /// Maven keeps no directories in a version's; Gradle's module versions hold directories named by a SHA-1, and these
    /// the files.
    func isForeign(_ index: Int) -> Bool {
        guard owner[index] >= 0 else { return false }
        let head = heads[Int(owner[index])]
        // A file that a pattern set apart and that is Maven's or Gradle's after all.
        if tree.records[index].facts.contains(.file), head.directory != Int32(index) {
            return isForeign(Int(tree.records[index].parent))
        }
        if !head.traits.isDisjoint(with: [.file, .files]) { return false }
        if head.traits.contains(.part) { return Int(head.directory) != index }
        switch head.pool {
        case .maven: return Int(head.directory) != index
        case .gradle:
            return tree.records[index].parent != head.directory
                || !GradleLayout.isFileHash(tree.name(Int32(index)))
        case .gradleOther, .images, .own: return false
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
        let modules = heads.indices.filter { heads[$0].pool == .gradle && !heads[$0].traits.contains(.part) }
        guard !modules.isEmpty else { return [] }
        var described: Set<Module> = []
        for index in tree.records.indices
        where owner[index] >= 0 && heads[Int(owner[index])].pool == .gradleOther {
            guard let descriptors = ancestor(Int32(index), 3), let cache = ancestor(descriptors, 2),
                tree.name(descriptors).elementsEqual("descriptors".utf8),
                tree.name(tree.records[Int(descriptors)].parent).starts(with: "metadata-2.".utf8)
            else { continue }
            described.insert(Module(cache: cache, key: GradleLayout.moduleKey(of: Int32(index), in: tree)))
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
        guard places[index].isLarders else { return false }
        let parent = tree.records[index].parent
        return parent > 0 && tree.records[Int(parent)].parent > 0
    }
}
