import CacheModel
import Caches

/// Where the space of a volume goes, from its entries as they are.
package struct SpaceUse: Sendable {
    /// Several entries with something in common.
    package struct Share: Sendable, Hashable {
        /// What they have in common: a group id, a repository, an age.
        package var name: String
        /// How many they are.
        package var entries: Int64
        /// What they occupy.
        package var bytes: ByteCount
        /// The command that evicts them; nil where there is none, or nothing that it would remove.
        package var reclaim: String?
        /// Since when half of its bytes were not used: a place in `ageNames`; nil where it is an age itself.
        package var age: Int?
    }

    /// What the steps of age are called.
    package static let ageNames = ageLimits.map(\.name)

    /// The pools that have entries, in the contract's order.
    package let pools: [(pool: Pool, entries: Int64, bytes: ByteCount)]
    /// What belongs to no pool.
    package let unmanaged: ByteCount
    /// The largest directories of it.
    package let unmanagedDirectories: [UnmanagedDirectory]
    /// By group, the largest first.
    package let groups: [Share]
    /// By the time since the last use, the shortest first.
    package let ages: [Share]
    /// The images, those that would free most first, at most 200.
    package let images: [CacheEntry]
    /// The largest entries, at most 20.
    package let largest: [CacheEntry]
    /// The entries unused for longest, at most 20.
    package let stalest: [CacheEntry]
    /// The commands that evict what of those would go, by the entries' rows in the index.
    let reclaim: [Int64: String]
    /// The commands of the volume.
    let commands: ReclaimCommands

    private static let ageLimits: [(name: String, days: Int64)] = [
        ("under 1 day", 1), ("1 to 7 days", 7), ("7 to 30 days", 30), ("30 to 90 days", 90),
        ("90 to 180 days", 180), ("180 days and more", .max),
    ]

    /// Adds up the entries of a volume.
    ///
    /// What images share counts once: in its pool, for the age of its last use, and for a group only where no other has
    /// it.
    ///
    /// - Parameter policy: what the volume's prunes go by.
    package init(_ usage: VolumeUsage, of volume: Volume, _ policy: EvictionPolicy, now: Timestamp) {
        self.init(
            usage, ReclaimCommands(usage, policy, isReadOnly: volume.isReadOnly, now: now), now: now)
    }

    init(_ usage: VolumeUsage, _ commands: ReclaimCommands, now: Timestamp) {
        self.commands = commands
        var pools: [Pool: (Int64, ByteCount)] = [:]
        var groups: [Group: GroupSum] = [:]
        var ages = Self.ageLimits.map { Share(name: $0.name, entries: 0, bytes: .zero) }
        // What is idle and not protected, by its age.
        var idle = Self.ageLimits.map { _ in Int64(0) }
        var layers = LayerShares(usage.layers)
        for entry in usage.entries {
            let layered = layers.has(entry)
            let own = layered ? .zero : entry.bytes
            let pool = pools[entry.pool] ?? (0, .zero)
            pools[entry.pool] = (pool.0 + 1, pool.1 + own)
            let days = (now - entry.lastUsed).seconds / 86_400
            let place = Self.ageLimits.firstIndex { days < $0.days } ?? ages.count - 1
            ages[place].entries += 1
            ages[place].bytes += own
            let group = Group(name: Self.group(of: entry), pool: entry.pool)
            let isReached = commands.reaches(entry)
            groups[group, default: GroupSum()].add(entry, of: group, own, at: place, isReached: isReached)
            if layered { layers.add(entry, group: group, age: place) }
            guard isReached else { continue }
            if place >= 2, commands.reaches(entry, idleFor: Self.ageLimits[place - 1].days) {
                idle[place] += 1
            }
        }
        for share in layers.shares {
            pools[.images, default: (0, .zero)].1 += share.bytes
            ages[share.age].bytes += share.bytes
            let group = share.group ?? Group(name: "layers that several have", pool: .images)
            groups[group, default: GroupSum()].ages[share.age] += share.bytes
        }
        self.pools = pools.sorted { $0.key < $1.key }.map { ($0.key, $0.value.0, $0.value.1) }
        let isAlone = self.pools.count == 1
        let names = Dictionary(grouping: groups.keys, by: \.name)
        self.groups = groups.map { group, known in
            let bytes = known.ages.reduce(.zero, +)
            var (sum, age) = (ByteCount.zero, 0)
            for (place, part) in known.ages.enumerated() where sum.bytes * 2 <= bytes.bytes {
                sum += part
                age = place
            }
            let title = Self.title(of: group)
            return Share(
                name: (names[group.name]?.count ?? 0) > 1 && !isAlone
                    ? "\(title) (\(group.pool.rawValue))" : title,
                entries: known.count, bytes: bytes,
                reclaim: known.isRemovable
                    ? commands.evicting(group: group.name, separator: group.separator, pool: group.pool)
                    : nil,
                age: age)
        }
        .sorted { $0.bytes == $1.bytes ? $0.name < $1.name : $0.bytes > $1.bytes }
        let pool = isAlone ? self.pools[0].pool : nil
        for place in ages.indices where place >= 2 && idle[place] > 0 {
            ages[place].reclaim = commands.evicting(idleFor: Self.ageLimits[place - 1].days, pool: pool)
        }
        self.ages = ages
        unmanaged = usage.unmanagedBytes
        unmanagedDirectories = usage.unmanaged
        images = Self.first(200, of: usage.entries.filter { $0.pool == .images }) { a, b in
            let (one, other) = (a.exclusiveBytes, b.exclusiveBytes)
            return one == other ? a.key < b.key : one > other
        }
        largest = Self.first(20, of: usage.entries) {
            $0.bytes == $1.bytes ? $0.key < $1.key : $0.bytes > $1.bytes
        }
        stalest = Self.first(20, of: usage.entries) {
            $0.lastUsed == $1.lastUsed ? $0.key < $1.key : $0.lastUsed < $1.lastUsed
        }
        reclaim = Dictionary(
            (images + largest + stalest).compactMap { entry in
                commands.evicting(entry).map { (entry.id, $0) }
            }, uniquingKeysWith: { first, _ in first })
    }

    /// The groups that occupy most; nil where there are none.
    static func sentence(_ largest: some Sequence<Share>) -> String? {
        let groups = largest.map { "\($0.name) \($0.bytes)" }
        return groups.isEmpty ? nil : "most of it: \(Figures.list(groups))"
    }

    /// The command that evicts one of some entries, as an example; nil where none does.
    func example(of entries: [CacheEntry]) -> String? { entries.lazy.compactMap { reclaim[$0.id] }.first }

    /// The group id of an artifact, an image's repository without its tag, what a directory of a Gradle home holds.
    static func group(of entry: CacheEntry) -> String {
        let key = entry.key
        if entry.pool == .gradleOther {
            let parts = key.split(separator: "/")
            // Below caches/ each version of Gradle has a directory for each kind.
            let isVersioned = parts.count > 3 && parts[0] == "caches" && parts[1].first?.isNumber == true
            return parts.prefix(isVersioned ? 3 : 2).joined(separator: "/")
        }
        guard entry.pool == .images else { return CacheLayouts.group(of: entry) }
        let name = key.prefix { $0 != "@" }
        let slash = name.lastIndex(of: "/") ?? name.startIndex
        guard let colon = name.lastIndex(of: ":"), colon > slash else { return String(name) }
        return String(name[..<colon])
    }

    /// Entries of one pool with a name in common.
    private struct Group: Hashable {
        var name: String
        var pool: Pool

        /// What stands between the name and the rest of a key.
        var separator: String { pool == .gradleOther || pool.isOwn ? "/" : ":" }
    }

    /// What the entries of a group add up to.
    private struct GroupSum {
        var count: Int64 = 0
        /// Their bytes, by age.
        var ages = [ByteCount](repeating: .zero, count: SpaceUse.ageLimits.count)
        /// Whether the command that names the group would evict one of them.
        var isRemovable = false

        mutating func add(
            _ entry: CacheEntry, of group: Group, _ bytes: ByteCount, at age: Int, isReached: Bool
        ) {
            count += 1
            ages[age] += bytes
            if isReached, !isRemovable { isRemovable = entry.key.hasPrefix(group.name + group.separator) }
        }
    }

    /// What people call a group: directories of a Gradle home by what they hold.
    private static func title(of group: Group) -> String {
        guard group.pool == .gradleOther else { return group.name }
        let parts = group.name.split(separator: "/")
        guard let first = parts.first, let last = parts.last else { return group.name }
        if first == "wrapper" { return "Gradle distributions" }
        guard first == "caches", parts.count > 1 else { return group.name }
        if parts.count > 2 { return "Gradle \(parts[1]) \(last)" }
        let number = last.drop { $0 != "-" }.dropFirst()
        if last.hasPrefix("build-cache-") { return "Gradle build cache" }
        if last.hasPrefix("transforms-") { return "Gradle transforms (\(number))" }
        if last.hasPrefix("jars-") { return "Gradle instrumented jars (\(number))" }
        return last.first?.isNumber == true ? "Gradle \(last)" : group.name
    }

    /// The stored layers of images, each of which counts once.
    private struct LayerShares {
        private let stored: [String: ByteCount]
        private var found: [String: (group: Group?, age: Int)] = [:]

        init(_ layers: [ScannedLayer]) {
            stored = Dictionary(
                layers.map { ($0.id, $0.storedBytes) }, uniquingKeysWith: { first, _ in first })
        }

        /// Whether all that an entry consists of is known by layer.
        func has(_ entry: CacheEntry) -> Bool {
            guard let layers = entry.found.image?.layers, !layers.isEmpty else { return false }
            return layers.allSatisfy { stored[$0] != nil }
        }

        /// Adds an image: a layer is as young as the image used last, and of no group where two have it.
        mutating func add(_ image: CacheEntry, group: Group, age: Int) {
            for layer in image.found.image?.layers ?? [] {
                guard let known = found[layer] else {
                    found[layer] = (group, age)
                    continue
                }
                found[layer] = (known.group == group ? group : nil, min(known.age, age))
            }
        }

        /// What each layer occupies, with its group and age.
        var shares: [(group: Group?, age: Int, bytes: ByteCount)] {
            found.map { ($1.group, $1.age, stored[$0] ?? .zero) }
        }
    }

    private static func first(
        _ count: Int, of entries: [CacheEntry], _ precedes: (CacheEntry, CacheEntry) -> Bool
    ) -> [CacheEntry] {
        var best: [CacheEntry] = []
        // By their places: to copy an entry takes longer than to compare it.
        for place in entries.indices {
            if best.count == count, let last = best.last, !precedes(entries[place], last) { continue }
            let rank = best.firstIndex { precedes(entries[place], $0) } ?? best.count
            best.insert(entries[place], at: rank)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}

extension CacheEntry {
    /// What the removal of an image would free; for other entries what they occupy.
    var exclusiveBytes: ByteCount { found.image?.exclusiveBytes ?? bytes }
}
