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
        /// The command that evicts them; nil where there is none.
        package var reclaim: String?
    }

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

    private static let ageLimits: [(name: String, days: Int64)] = [
        ("under 1 day", 1), ("1 to 7 days", 7), ("7 to 30 days", 30), ("30 to 90 days", 90),
        ("90 to 180 days", 180), ("180 days and more", .max),
    ]

    /// Adds up the entries of a volume.
    package init(_ usage: VolumeUsage, now: Timestamp) {
        var pools: [Pool: (Int64, ByteCount)] = [:]
        var groups: [String: (count: Int64, bytes: ByteCount, pool: Pool)] = [:]
        var ages = Self.ageLimits.map { Share(name: $0.name, entries: 0, bytes: .zero) }
        var managed = ByteCount.zero
        var removable: Set<String> = []
        for entry in usage.entries {
            managed += entry.bytes
            let pool = pools[entry.pool] ?? (0, .zero)
            pools[entry.pool] = (pool.0 + 1, pool.1 + entry.bytes)
            let name = Self.group(of: entry)
            let group = groups[name] ?? (0, .zero, entry.pool)
            groups[name] = (group.count + 1, group.bytes + entry.bytes, group.pool)
            if entry.found.protections.isEmpty { removable.insert(name) }
            let days = (now - entry.lastUsed).seconds / 86_400
            let place = Self.ageLimits.firstIndex { days < $0.days } ?? ages.count - 1
            ages[place].entries += 1
            ages[place].bytes += entry.bytes
        }
        self.pools = pools.sorted { $0.key < $1.key }.map { ($0.key, $0.value.0, $0.value.1) }
        self.groups = groups.map { name, group in
            Share(
                name: name, entries: group.count, bytes: group.bytes,
                reclaim: removable.contains(name) ? Self.reclaim(group: name, in: group.pool) : nil)
        }
        .sorted { $0.bytes == $1.bytes ? $0.name < $1.name : $0.bytes > $1.bytes }
        for place in ages.indices.dropFirst() where ages[place].entries > 0 && !removable.isEmpty {
            let from = Self.ageLimits[place - 1].days
            ages[place].reclaim = "larder prune --key '*' --idle-floor \(from)d"
        }
        self.ages = ages
        // Images share layers: what a store holds besides them is not the difference of both sums.
        let layers = usage.layers.lazy.filter { $0.images > 0 || $0.containers > 0 }
            .reduce(ByteCount.zero) { $0 + $1.storedBytes }
        unmanaged = max(.zero, usage.usedBytes - (usage.layers.isEmpty ? managed : layers))
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
    }

    /// The group id of an artifact, an image's repository without its tag, any other key as it is.
    static func group(of entry: CacheEntry) -> String {
        let key = entry.key
        guard entry.pool == .images else { return CacheLayouts.group(of: entry) }
        let name = key.prefix { $0 != "@" }
        let slash = name.lastIndex(of: "/") ?? name.startIndex
        guard let colon = name.lastIndex(of: ":"), colon > slash else { return String(name) }
        return String(name[..<colon])
    }

    /// The command that evicts a group; nil where its name would be read as a pattern.
    private static func reclaim(group name: String, in pool: Pool) -> String? {
        let isPlain = !name.contains { $0 == "*" || $0 == "?" }
        let end = pool == .gradleOther || pool.isOwn ? "/*" : ":*"
        return isPlain ? "larder prune --key \(SpaceSaving.quoted(name + end))" : nil
    }

    private static func first(
        _ count: Int, of entries: [CacheEntry], _ precedes: (CacheEntry, CacheEntry) -> Bool
    ) -> [CacheEntry] {
        var best: [CacheEntry] = []
        for entry in entries {
            if best.count == count, let last = best.last, !precedes(entry, last) { continue }
            let place = best.firstIndex { precedes(entry, $0) } ?? best.count
            best.insert(entry, at: place)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}

extension CacheEntry {
    /// What the removal of an image would free; for other entries what they occupy.
    var exclusiveBytes: ByteCount { found.image?.exclusiveBytes ?? bytes }
}
