/// Entries named by their keys, for whoever wants these to go and no others.
///
/// A selection lifts no protection: it only takes the place of the quota.
package struct EntrySelection: Sendable, Hashable {
    /// Patterns over keys, as `KeyPattern` reads them; for an image any of its names may match, as `ImagePattern` reads
    /// them.
    package var keys: [String]
    /// The pool that is meant; nil for all.
    package var pool: Pool?

    private let patterns: [KeyPattern]
    private let images: [ImagePattern]

    /// Makes a selection from patterns and a pool.
    package init(keys: [String], pool: Pool? = nil) {
        self.keys = keys
        self.pool = pool
        patterns = keys.map { KeyPattern($0) }
        images = keys.map { ImagePattern($0) }
    }

    /// Whether the entry is meant.
    package func covers(_ entry: CacheEntry) -> Bool {
        guard pool == nil || pool == entry.pool else { return false }
        if patterns.contains(where: { pattern in entry.found.names.contains { pattern.matches($0) } }) {
            return true
        }
        return entry.pool == .images && images.contains { $0.matches(entry, anyRegistry: false) }
    }
}
