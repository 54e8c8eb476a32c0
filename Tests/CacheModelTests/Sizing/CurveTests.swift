import Testing

@testable import CacheModel

/// An LRU cache as anyone would write it: a list, the most recently used first.
private struct NaiveCache {
    var size: Int64
    var list: [(entry: Int64, bytes: Int64)] = []

    mutating func use(_ entry: Int64, _ bytes: Int64) -> Bool {
        let place = list.firstIndex { $0.entry == entry }
        if let place { list.remove(at: place) }
        list.insert((entry, bytes), at: 0)
        while list.reduce(0, { $0 + $1.bytes }) > size { list.removeLast() }
        return place != nil
    }

    static func hits(_ history: VolumeHistory, size: Int64, after since: Timestamp) -> HitRate {
        var cache = NaiveCache(size: size)
        for content in history.contents { _ = cache.use(content.entry, content.bytes.bytes) }
        var rate = HitRate()
        for access in history.accesses {
            let isHit = cache.use(access.entry, access.bytes.bytes)
            guard access.at > since else { continue }
            if isHit {
                rate.hits += 1
                rate.hitBytes += access.bytes
            } else {
                rate.misses += 1
                rate.missBytes += access.bytes
            }
        }
        return rate
    }
}

@Suite struct CurveTests {
    @Test(arguments: 0..<340)
    func curveIsWhatANaiveCacheCounts(_ seed: Int) {
        let history = randomHistory(UInt64(seed), length: 120, changesSizes: seed % 2 == 1)
        let since = seed % 3 == 0 ? start + .minutes(40) : start
        let curve = HitRateCurve(history, since: since)
        var sizes = Set(curve.sizes + curve.sizes.map { $0 - 1 } + [0, 1, .max / 4])
        sizes = sizes.filter { $0 >= 0 }
        for size in sizes {
            let naive = NaiveCache.hits(history, size: size, after: since)
            let rate = curve.rate(at: ByteCount(size))
            if seed % 2 == 0 {
                #expect(rate == naive, "seed \(seed), \(size) bytes")
            } else {
                // Where entries shrink, the curve is a bound.
                #expect(
                    rate.hits >= naive.hits && rate.hitBytes >= naive.hitBytes, "seed \(seed), \(size) bytes")
            }
        }
    }

    @Test func whatWasNeverThereIsAMissAtEverySize() {
        var past = history([], [(1, 10), (2, 10), (3, 10), (3, 10)])
        past.accesses[3].isHit = false
        past.departures = [.init(entry: 3, at: past.accesses[2].at, reason: .removed)]
        past.accesses.remove(at: 1)
        let removed = HitRateCurve(past, since: start)
        #expect(removed.best.hits == 0 && removed.best.misses == 3)
        let curve = HitRateCurve(history([], [(1, 10), (2, 10), (3, 10)]), since: start)
        #expect(curve.best == HitRate(misses: 3, missBytes: ByteCount(30)))
        #expect(curve.smallestSize(reaching: 0.1) == nil)
    }

    @Test func contentsOfTheFirstScanAreThereByLastUse() {
        // 3 was used last: it needs room for itself; 1 for all three.
        let curve = HitRateCurve(history([(1, 100), (2, 10), (3, 1)], [(3, 1), (1, 100)]), since: start)
        #expect(curve.sizes == [1, 111])
        #expect(curve.smallestSize(reaching: 0.5) == ByteCount(1))
        #expect(curve.smallestSize(reaching: 1) == ByteCount(111))
    }

    @Test func whatWasEvictedAndCameBackIsTheSame() {
        var past = history([(1, 10)], [(2, 5), (1, 10)])
        past.accesses[0].isHit = false
        past.accesses[1].isHit = false
        past.departures = [.init(entry: 1, at: past.accesses[0].at, reason: .evicted)]
        let curve = HitRateCurve(past, since: start)
        #expect(curve.rate(at: ByteCount(15)).hits == 1)
        #expect(curve.rate(at: ByteCount(14)).hits == 0)
    }

    @Test func nothingCountedIsNoRate() {
        let curve = HitRateCurve(history([(1, 10)], []), since: start)
        #expect(curve.best.objects == nil && curve.smallestSize(reaching: 0) == nil)
    }

    @Test func sampleStaysWithinItsStatedError() throws {
        var random = SplitMix64(state: 5)
        let accesses = (0..<120_000).map { _ in
            let u = Double.random(in: 0..<1, using: &random)
            let entry = Int64(u * u * u * 20_000)
            return (entry: entry, bytes: 1000 + entry * 37 % 5000)
        }
        let past = history([], accesses, every: .seconds(1))
        let exact = HitRateCurve(past, since: start)
        let sampled = HitRateCurve(past, since: start, bound: 30_000)
        #expect(exact.sampling == nil)
        let sampling = try #require(sampled.sampling)
        let error = try #require(sampling.error)
        #expect(sampling.share == 0.25 && error < 0.2)
        #expect(HitRateCurve(past, since: start, bound: 30_000, tellsError: false).hits == sampled.hits)
        for step in Int64(1)...20 {
            let size = ByteCount(exact.fullSize.bytes / 20 * step)
            let (a, b) = (exact.rate(at: size).objects ?? 0, sampled.rate(at: size).objects ?? 0)
            #expect(abs(a - b) <= 3 * max(error, 0.003), "\(size): \(a), \(b), \(error)")
        }
    }
}
