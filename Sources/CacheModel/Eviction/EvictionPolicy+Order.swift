extension EvictionPolicy {
    /// Sorts places in `entries` by last use, the earliest first; ties by size, the larger first, then by key,
    /// then by path.
    ///
    /// On probation, an entry that was never used again since its fetch counts as that much older.
    static func leastRecentlyUsedFirst(
        _ places: [Int], of entries: [CacheEntry], order: EvictionOrder = .lru
    ) -> [Int] {
        let probation = order.probation
        // Entries are large; the numbers that decide nearly every comparison are not.
        struct Turn {
            let lastUsed: Int64
            let bytes: Int64
            let place: Int
        }
        var turns = places.map { place in
            Turn(
                lastUsed: entries[place].lastUsed.nanoseconds
                    .subtractingReportingOverflow(entries[place].isUnused ? probation.nanoseconds : 0)
                    .partialValue,
                bytes: entries[place].bytes.bytes, place: place
            )
        }
        turns.sort { a, b in
            if a.lastUsed != b.lastUsed { return a.lastUsed < b.lastUsed }
            if a.bytes != b.bytes { return a.bytes > b.bytes }
            let (one, other) = (entries[a.place].found, entries[b.place].found)
            return one.key != other.key ? one.key < other.key : one.path < other.path
        }
        return turns.map(\.place)
    }
}
