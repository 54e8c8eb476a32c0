extension EvictionPolicy {
    /// Sorts places in `entries` by last use, the earliest first; ties by size, the larger first, then by key,
    /// then by path.
    ///
    /// On probation, an entry that was never used again since its fetch counts as that much older.
    static func leastRecentlyUsedFirst(
        _ places: [Int], of entries: [CacheEntry], order: EvictionOrder = .lru,
        _ steps: BuildSteps = BuildSteps(of: [])
    ) -> [Int] {
        let probation = order.probation
        // Entries are large; the numbers that decide nearly every comparison are not.
        struct Turn {
            let isUseless: Bool
            let lastUsed: Int64
            let bytes: Int64
            let place: Int
        }
        var turns = places.map { place in
            let image = entries[place].found.image
            let grace = image?.origin == .made ? Self.graceOfMadeImages : .zero
            return Turn(
                isUseless: image?.isUseless ?? false && steps.isUnneeded(place),
                lastUsed: (entries[place].lastUsed + grace).nanoseconds
                    .subtractingReportingOverflow(entries[place].isUnused ? probation.nanoseconds : 0)
                    .partialValue,
                bytes: entries[place].bytes.bytes, place: place)
        }
        turns.sort { a, b in
            if a.isUseless != b.isUseless { return a.isUseless }
            if a.lastUsed != b.lastUsed { return a.lastUsed < b.lastUsed }
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
    fileprivate var isUseless: Bool {
        names.isEmpty && listNames.isEmpty && containers == 0 && role != .instance && role != .list
    }
}
