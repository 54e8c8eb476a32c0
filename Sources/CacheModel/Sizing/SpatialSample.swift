/// The curve of a part of the entries, for histories that are too long to replay as a whole.
///
/// Fixed-rate spatial sampling: C. A. Waldspurger et al., "Efficient MRC Construction with SHARDS", FAST'15. An
/// entry takes part when the hash of its id is below a threshold, with all its accesses; the bytes between two
/// uses are scaled up by the rate, the object's own are not. The difference between the expected and the real
/// number of sampled accesses goes to the smallest size (SHARDS-adj, section 5 there).
enum SpatialSample {
    /// Hashes are compared by that many lowest bits.
    private static let modulus: UInt64 = 1 << 24

    static func curve(
        of history: VolumeHistory, since: Timestamp, bound: Int, events: [ReplayTrace.Event],
        tellsError: Bool
    ) -> HitRateCurve {
        let length = history.contents.count + history.accesses.count
        let share = min(1, Double(max(bound, 1)) / Double(max(length, 1)))
        let threshold = UInt64((share * Double(modulus)).rounded())
        func curve(_ part: Double, _ isChosen: @escaping (UInt64) -> Bool) -> HitRateCurve {
            self.curve(of: history, since: since, share: part, events) { isChosen(hash($0)) }
        }
        var whole = curve(share) { $0 % modulus < threshold }
        whole.sampling = .init(share: share)
        guard tellsError else { return whole }
        let one = curve(share / 2) { $0 % modulus < threshold && $0 >> 63 == 0 }
        let other = curve(share / 2) { $0 % modulus < threshold && $0 >> 63 == 1 }
        let error = greatestDifference(one, other, upTo: whole.fullSize)
        whole.sampling = .init(share: share, error: error)
        return whole
    }

    private static func curve(
        of history: VolumeHistory, since: Timestamp, share: Double, _ events: [ReplayTrace.Event],
        _ isChosen: @escaping (Int64) -> Bool
    ) -> HitRateCurve {
        let replay = Replay(history, since: since, share: share, events: events, isChosen: isChosen)
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
    static func hash(_ entry: Int64) -> UInt64 {
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
