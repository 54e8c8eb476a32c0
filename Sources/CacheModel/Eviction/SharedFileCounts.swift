/// Which entries hold names of the same files, and what really comes free when entries go.
///
/// A file with several names (hard links) occupies its blocks until the last name goes. Entries are numbered by their
/// places in the order given.
struct SharedFileCounts {
    private struct Group {
        let bytes: ByteCount
        var holders: Set<Int>
        /// Whether a name is left that no eviction takes.
        let isHeldElsewhere: Bool
    }

    private var groups: [Group] = []
    private var groupsOf: [Int: [Int]] = [:]
    /// What of an entry's size is that of files it shares.
    private var counted: [Int: ByteCount] = [:]

    /// - Parameter entries: The entries as they are now: one that went since the scan holds nothing any more.
    init(_ files: [SharedFiles], entries: [CacheEntry]) {
        guard !files.isEmpty else { return }
        let named = Set(files.lazy.flatMap(\.holders))
        let places = Dictionary(
            entries.indices.lazy.filter { named.contains(entries[$0].found.path) }
                .map { (entries[$0].found.path, $0) }, uniquingKeysWith: { first, _ in first })
        for file in files {
            let holders = Set(file.holders.compactMap { places[$0] })
            for holder in holders { groupsOf[holder, default: []].append(groups.count) }
            if let place = file.countedIn.flatMap({ places[$0] }) {
                counted[place, default: .zero] += file.bytes
            }
            groups.append(
                Group(bytes: file.bytes, holders: holders, isHeldElsewhere: file.isHeldElsewhere))
        }
    }

    /// Whether the entry holds a name of a file that another one holds a name of as well.
    func isHolder(_ place: Int) -> Bool { groupsOf[place] != nil }

    /// The other entries that would have to go with one, so that what it shares comes free: those of the files whose
    /// every other holder is among `waiting`.
    func mates(of place: Int, waiting: Set<Int>) -> [Int] {
        var mates: Set<Int> = []
        for group in groupsOf[place] ?? [] where !groups[group].isHeldElsewhere {
            let others = groups[group].holders.subtracting([place])
            if others.isSubset(of: waiting) { mates.formUnion(others) }
        }
        return mates.sorted()
    }

    /// What some entries occupy, the files that they share included, and what of that comes free when they all go.
    ///
    /// - Parameter sizes: Their sizes as the scan counted them.
    func bytes(of places: [Int], sizes: [ByteCount]) -> (occupied: ByteCount, freed: ByteCount) {
        let own = zip(places, sizes).reduce(ByteCount.zero) { sum, entry in
            sum + max(.zero, entry.1 - (counted[entry.0] ?? .zero))
        }
        let going = Set(places)
        let touched = Set(places.flatMap { groupsOf[$0] ?? [] }).map { groups[$0] }
        return touched.reduce((occupied: own, freed: own)) { sum, group in
            let isFreed = !group.isHeldElsewhere && group.holders.isSubset(of: going)
            return (sum.occupied + group.bytes, isFreed ? sum.freed + group.bytes : sum.freed)
        }
    }

    /// Takes an entry out.
    mutating func remove(_ place: Int) {
        for group in groupsOf[place] ?? [] { groups[group].holders.remove(place) }
    }
}
