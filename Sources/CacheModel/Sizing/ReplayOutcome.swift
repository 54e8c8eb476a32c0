/// What a replay gives at one size.
package struct ReplayOutcome: Sendable, Hashable {
    /// Hits and misses of the events that count.
    package var rate = HitRate()
    /// The misses that a volume without any limit would not have had.
    package var avoidable: Int64 = 0
    /// What those fetched.
    package var avoidableBytes = ByteCount.zero
    /// The most that was used at once while events counted, with what waited in the trash.
    package var peak = ByteCount.zero
    /// How much of that waited in the trash.
    package var peakTrash = ByteCount.zero
    /// The most that was there at once of what the history knows, without the trash.
    package var peakNeeded = ByteCount.zero
    /// The most that was used at once at any time, with what waited in the trash.
    package var peakEver = ByteCount.zero
    /// How many entries were evicted while events counted.
    package var evictions: Int64 = 0
    /// What they occupied.
    package var evictedBytes = ByteCount.zero
    /// How many prunes there were while events counted that found the volume above the high watermark, and how many of
    /// those did not reach the low one.
    package var prunes: Int64 = 0
    package var prunesOver: Int64 = 0
    /// The avoidable misses in the least favourable phase; `avoidable` where it was replayed in one alone.
    package var mostAvoidable: Int64 = 0

    /// Nothing happened yet.
    package init() {}

    /// What is to be expected of a volume that may be in any of several phases.
    ///
    /// The means, and the most that was used at any; nothing of nothing.
    init(meanOf outcomes: [ReplayOutcome]) {
        self.init()
        let count = Int64(max(1, outcomes.count))
        func mean(_ value: (ReplayOutcome) -> Int64) -> Int64 {
            // Each fits; their sum need not.
            outcomes.reduce(0) { $0 + value($1) / count } + outcomes.reduce(0) { $0 + value($1) % count }
                / count
        }
        let hits = mean(\.rate.hits)
        rate = HitRate(
            hits: hits, misses: mean { $0.rate.hits + $0.rate.misses } - hits,
            hitBytes: ByteCount(mean(\.rate.hitBytes.bytes)),
            missBytes: ByteCount(mean(\.rate.missBytes.bytes)))
        avoidable = mean(\.avoidable)
        avoidableBytes = ByteCount(mean(\.avoidableBytes.bytes))
        let fullest = outcomes.max { $0.peak < $1.peak }
        (peak, peakTrash) = (fullest?.peak ?? .zero, fullest?.peakTrash ?? .zero)
        peakNeeded = outcomes.map(\.peakNeeded).max() ?? .zero
        peakEver = outcomes.map(\.peakEver).max() ?? .zero
        evictions = mean(\.evictions)
        evictedBytes = ByteCount(mean(\.evictedBytes.bytes))
        prunes = mean(\.prunes)
        prunesOver = outcomes.map(\.prunesOver).max() ?? 0
        mostAvoidable = outcomes.map(\.avoidable).max() ?? 0
    }
}
