import CacheIndex
import CacheModel

/// In which order entries are verified.
enum VerificationOrder {
    /// An entry, and whether it was damaged when it was last looked at.
    struct Place {
        var entry: CacheEntry
        var wasDamaged: Bool
    }

    /// What was damaged, so that it is still named however short the time; then what was never verified, or
    /// changed since; then what was verified longest ago.
    ///
    /// Equals stay in the order they came in, which is that of their paths.
    static func sorted(_ entries: [CacheEntry], known: [Int64: Verification]) -> [Place] {
        func rank(_ entry: CacheEntry) -> (Int, Int64) {
            guard let last = known[entry.id] else { return (1, 0) }
            return (last.isDamaged ? 0 : 2, last.at.nanoseconds)
        }
        return entries.indices.map { (place: $0, rank: rank(entries[$0])) }
            .sorted { $0.rank == $1.rank ? $0.place < $1.place : $0.rank < $1.rank }
            .map { Place(entry: entries[$0.place], wasDamaged: $0.rank.0 == 0) }
    }
}
