/// Hits and misses in a window, over entries and over bytes.
package struct HitRate: Sendable, Hashable {
    /// Accesses to entries that were there before the interval.
    package var hits: Int64
    /// Entries that were fetched in the interval.
    package var misses: Int64
    /// The sizes of the entries hit, in bytes.
    package var hitBytes: ByteCount
    /// The sizes of the entries fetched, in bytes.
    package var missBytes: ByteCount

    /// Makes a rate from its counts.
    package init(
        hits: Int64 = 0, misses: Int64 = 0, hitBytes: ByteCount = .zero, missBytes: ByteCount = .zero
    ) {
        self.hits = hits
        self.misses = misses
        self.hitBytes = hitBytes
        self.missBytes = missBytes
    }

    /// The accesses of both.
    package static func + (a: Self, b: Self) -> Self {
        Self(
            hits: a.hits + b.hits, misses: a.misses + b.misses, hitBytes: a.hitBytes + b.hitBytes,
            missBytes: a.missBytes + b.missBytes)
    }

    /// What is left of one without a part of it: nothing below zero.
    package static func - (a: Self, b: Self) -> Self {
        Self(
            hits: max(0, a.hits - b.hits), misses: max(0, a.misses - b.misses),
            hitBytes: max(.zero, a.hitBytes - b.hitBytes), missBytes: max(.zero, a.missBytes - b.missBytes))
    }

    /// Hits ÷ (hits + misses), in 0…1; nil without any access.
    package var objects: Double? { hits + misses > 0 ? Double(hits) / Double(hits + misses) : nil }

    /// The same over bytes; nil without any access or where all were empty.
    package var bytes: Double? {
        let all = hitBytes + missBytes
        return all.bytes > 0 ? Double(hitBytes.bytes) / Double(all.bytes) : nil
    }
}
