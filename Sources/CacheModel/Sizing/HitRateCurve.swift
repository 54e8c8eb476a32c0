/// The hit rate that a volume would have had at each size, from replaying its recorded accesses through LRU.
///
/// The whole history is replayed, starting with the entries of the first scan by their last use; accesses in the
/// window count. A fetch of what was never there is a miss at every size. What was evicted or vanished and came
/// back is the same object, so the curve knows at which size it would have stayed. So is what was fetched anew
/// while it was there (a SNAPSHOT's next build): at any size that keeps it, the replay counts that as a hit.
package struct HitRateCurve: Sendable {
    /// How a curve was estimated from a part of the entries.
    package struct Sampling: Sendable, Hashable {
        /// The part of the entries that was replayed, in 0…1.
        package var share: Double
        /// How far a rate may be off, in 0…1: the half of the largest difference between the curves of
        /// the sample's two halves; nil where nobody asked.
        package var error: Double?
    }

    /// The sizes at which the rate rises, in bytes, ascending.
    let sizes: [Int64]
    /// The hits at each of those sizes.
    let hits: [Double]
    /// Their bytes.
    let hitBytes: [Double]
    /// How many accesses count.
    package let accesses: Int64
    /// Their bytes.
    package let accessBytes: ByteCount
    /// How it was estimated; nil where it is exact.
    package internal(set) var sampling: Sampling?

    /// Replays a history.
    ///
    /// - Parameters:
    ///   - history: every recorded access.
    ///   - since: accesses after it count; those before warm the cache.
    ///   - bound: with more contents and accesses than this, a sample of the entries is replayed.
    ///   - known: what each access was, where that was found already.
    ///   - tellsError: whether `sampling` says how far a sample may be off, which takes as long as the sample.
    package init(
        _ history: VolumeHistory, since: Timestamp, bound: Int = 4_000_000,
        events known: [ReplayTrace.Event]? = nil, tellsError: Bool = true
    ) {
        if history.contents.count + history.accesses.count > bound {
            self = SpatialSample.curve(
                of: history, since: since, bound: bound, events: known ?? ReplayTrace.events(of: history),
                tellsError: tellsError)
        } else {
            self.init(ReuseDistances(Replay(history, since: since, events: known)))
        }
    }

    init(_ distances: ReuseDistances) {
        self.init(
            distances, accesses: distances.count, bytes: distances.weight, factor: 1, extraHits: 0,
            extraBytes: 0)
    }

    /// - Parameters:
    ///   - factor: how many accesses one of the sample stands for.
    ///   - extraHits: what is added to the hits at every size.
    ///   - extraBytes: and to their bytes.
    init(
        _ distances: ReuseDistances, accesses: Int64, bytes: Int64, factor: Double, extraHits: Double,
        extraBytes: Double
    ) {
        let needed = distances.needed.sorted { $0.size < $1.size }
        var (sizes, hits, hitBytes): ([Int64], [Double], [Double]) = ([], [], [])
        var (count, weight) = (extraHits, extraBytes)
        for (place, need) in needed.enumerated() {
            count += factor
            weight += Double(need.weight) * factor
            if place + 1 < needed.count, needed[place + 1].size == need.size { continue }
            sizes.append(need.size)
            hits.append(min(max(count, 0), Double(accesses)))
            hitBytes.append(min(max(weight, 0), Double(bytes)))
        }
        self.sizes = sizes
        self.hits = hits
        self.hitBytes = hitBytes
        self.accesses = accesses
        self.accessBytes = ByteCount(bytes)
    }

    /// Hits and misses in a cache of that size.
    package func rate(at size: ByteCount) -> HitRate {
        let place = Self.count(of: sizes, upTo: size.bytes) - 1
        let (found, bytes) = place < 0 ? (0, 0) : (hits[place], hitBytes[place])
        return HitRate(
            hits: Int64(found.rounded()), misses: accesses - Int64(found.rounded()),
            hitBytes: ByteCount(Int64(bytes)), missBytes: accessBytes - ByteCount(Int64(bytes)))
    }

    /// Hits and misses in a cache without bounds.
    package var best: HitRate { rate(at: ByteCount(.max)) }

    /// The size from which on nothing is gained any more.
    package var fullSize: ByteCount { ByteCount(sizes.last ?? 0) }

    /// The smallest size whose rate over entries is at least that; nil where no size reaches it.
    package func smallestSize(reaching rate: Double) -> ByteCount? {
        guard accesses > 0 else { return nil }
        // Rates are compared as counts of accesses, which tolerate what a division loses.
        let wanted = rate * Double(accesses) - 1e-6
        if wanted <= 0 { return .zero }
        var (low, high) = (0, hits.count)
        while low < high {
            let middle = (low + high) / 2
            if hits[middle] >= wanted { high = middle } else { low = middle + 1 }
        }
        return low < sizes.count ? ByteCount(sizes[low]) : nil
    }

    private static func count(of sizes: [Int64], upTo size: Int64) -> Int {
        var (low, high) = (0, sizes.count)
        while low < high {
            let middle = (low + high) / 2
            if sizes[middle] <= size { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
