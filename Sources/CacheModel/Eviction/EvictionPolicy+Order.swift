extension EvictionPolicy {
    /// Sorts places in `entries` by last use, the earliest first; ties by size, the larger first, then by key,
    /// then by path.
    ///
    /// A part of a directory goes before the rest of it, which counts as used when any part was. On probation, an
    /// entry that was never used again since its fetch counts as that much older.
    static func leastRecentlyUsedFirst(
        _ places: [Int], of entries: [CacheEntry], _ wholes: Wholes = Wholes(of: []),
        order: EvictionOrder = .lru, _ steps: BuildSteps = BuildSteps(of: [])
    ) -> [Int] {
        let probation = order.probation
        func turn(of place: Int) -> Int64 {
            let grace = entries[place].found.image?.origin == .made ? Self.graceOfMadeImages : .zero
            return (entries[place].lastUsed + grace).nanoseconds
                .subtractingReportingOverflow(entries[place].isUnused ? probation.nanoseconds : 0)
                .partialValue
        }
        // Entries are large; the numbers that decide nearly every comparison are not.
        struct Turn {
            let isUseless: Bool
            let lastUsed: Int64
            let bytes: Int64
            let place: Int
            let isWhole: Bool
        }
        var turns = places.map { place in
            let parts = wholes.parts(of: place)
            let image = entries[place].found.image
            return Turn(
                isUseless: image?.isUseless ?? false && steps.isUnneeded(place),
                lastUsed: parts.reduce(turn(of: place)) { max($0, turn(of: $1)) },
                bytes: entries[place].bytes.bytes, place: place, isWhole: !parts.isEmpty)
        }
        turns.sort { a, b in
            if a.isUseless != b.isUseless { return a.isUseless }
            if a.lastUsed != b.lastUsed { return a.lastUsed < b.lastUsed }
            if a.isWhole != b.isWhole { return b.isWhole }
            if a.bytes != b.bytes { return a.bytes > b.bytes }
            let (one, other) = (entries[a.place].found, entries[b.place].found)
            return one.key != other.key ? one.key < other.key : one.path < other.path
        }
        return turns.map(\.place)
    }

    /// How much later an image counts as used that was made here and is named for a registry: it may have been pushed,
    /// and may not.
    static let graceOfMadeImages = Span.days(7)
}

extension ScannedImage {
    /// Whether nobody can name it any more: it has no name, neither of its own nor by a list, and no container.
    var isUseless: Bool {
        names.isEmpty && listNames.isEmpty && containers == 0 && role != .instance && role != .list
    }
}

/// The entries that are parts of others: builds of a SNAPSHOT in its directory.
struct Wholes {
    private var partsOf: [Int: [Int]] = [:]

    /// Finds which entry each part lies in.
    init(of entries: [CacheEntry]) {
        let parts = entries.indices.filter { entries[$0].found.traits.contains(.part) }
        guard !parts.isEmpty else { return }
        let byPath = Dictionary(grouping: parts) { entries[$0].found.path.parent }
        for place in entries.indices where !entries[place].found.traits.contains(.part) {
            if let inside = byPath[entries[place].found.path] { partsOf[place] = inside }
        }
    }

    var isEmpty: Bool { partsOf.isEmpty }

    /// The places of an entry's parts.
    func parts(of place: Int) -> [Int] { partsOf[place] ?? [] }
}
