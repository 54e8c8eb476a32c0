/// A part of the entries, for histories that are too long to replay as a whole.
///
/// Fixed-rate spatial sampling: C. A. Waldspurger et al., "Efficient MRC Construction with SHARDS", FAST'15. An
/// entry takes part when the hash of its id is below a threshold, with all its accesses; the bytes between two
/// uses are scaled up by the rate, the object's own are not. The difference between the expected and the real
/// number of sampled accesses goes to the smallest size (SHARDS-adj, section 5 there).
struct SpatialSample: Sendable {
    /// Hashes are compared by that many lowest bits.
    private static let modulus: UInt64 = 1 << 24
    private let threshold: UInt64
    private let half: UInt64?
    private let isWhole: Bool

    /// Chooses entries; a larger share contains a smaller one.
    ///
    /// - Parameters:
    ///   - share: the part of the entries, in 0…1.
    ///   - half: which half of that part, 0 or 1; nil for both.
    init(share: Double, half: UInt64? = nil) {
        threshold = UInt64((min(1, share) * Double(Self.modulus)).rounded())
        self.half = half
        isWhole = share >= 1 && half == nil
    }

    /// Whether an entry takes part.
    func contains(_ entry: Int64) -> Bool {
        if isWhole { return true }
        let hash = Self.hash(entry)
        return hash % Self.modulus < threshold && (half == nil || hash >> 63 == half)
    }

    static func curve(
        of history: VolumeHistory, since: Timestamp, bound: Int, events: [ReplayTrace.Event],
        tellsError: Bool
    ) -> HitRateCurve {
        let length = history.contents.count + history.accesses.count
        let share = min(1, Double(max(bound, 1)) / Double(max(length, 1)))
        var whole = curve(of: history, since: since, share: share, events, SpatialSample(share: share))
        whole.sampling = .init(share: share)
        guard tellsError else { return whole }
        let (one, other) = (
            curve(
                of: history, since: since, share: share / 2, events, SpatialSample(share: share, half: 0)),
            curve(
                of: history, since: since, share: share / 2, events, SpatialSample(share: share, half: 1))
        )
        let error = greatestDifference(one, other, upTo: whole.fullSize)
        whole.sampling = .init(share: share, error: error)
        return whole
    }

    private static func curve(
        of history: VolumeHistory, since: Timestamp, share: Double, _ events: [ReplayTrace.Event],
        _ sample: SpatialSample
    ) -> HitRateCurve {
        let replay = Replay(
            history, since: since, share: share, events: events, isChosen: sample.contains)
        let distances = ReuseDistances(replay, scale: 1 / share)
        var (count, bytes): (Int64, Int64) = (0, 0)
        for access in history.accesses where access.at > since {
            count += 1
            bytes += access.bytes.bytes
        }
        return HitRateCurve(
            distances, accesses: count, bytes: bytes, factor: 1 / share,
            extraHits: Double(count) - Double(distances.count) / share,
            extraBytes: Double(bytes) - Double(distances.weight) / share)
    }

    // Each half has half of the sample, so twice its variance; their difference has four times that of the whole,
    // so twice its deviation. The largest over all sizes, rather than a mean, keeps on the safe side.
    private static func greatestDifference(
        _ a: HitRateCurve, _ b: HitRateCurve, upTo size: ByteCount
    ) -> Double {
        let differences = (1...64).map { step in
            let at = ByteCount(Int64(Double(size.bytes) * Double(step) / 64))
            return abs((a.rate(at: at).objects ?? 0) - (b.rate(at: at).objects ?? 0))
        }
        return (differences.max() ?? 0) / 2
    }

    /// Spreads ids over all 64 bits: the finalizer of SplitMix64.
    private static func hash(_ entry: Int64) -> UInt64 {
        var generator = SplitMix64(state: UInt64(bitPattern: entry))
        return generator.next()
    }
}

/// A small generator of random numbers whose seed gives the same ones anywhere.
///
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
