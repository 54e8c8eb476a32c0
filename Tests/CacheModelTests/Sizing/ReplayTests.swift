import TestSupport
import Testing

@testable import CacheModel

@Suite struct ReplayTests {
    /// A history of some weeks: entries of several pools that are used, fetched, grow and shrink.
    private func past(_ random: inout SeededGenerator, images: Bool) -> VolumeHistory {
        let count = Int64.random(in: 3...40, using: &random)
        var sizes = (0...count).map { _ in Int64.random(in: 1...1000, using: &random) }
        let pools: [Pool] = images ? [.images] : [.maven, .gradle, .gradleOther]
        var past = history([], [])
        past.lastScanAt = start + .days(30)
        past.contents = (1...count).filter { _ in Bool.random(using: &random) }.map { id in
            .init(
                entry: id, bytes: ByteCount(sizes[Int(id)]),
                lastUsed: start - .seconds(.random(in: 1...9_000_000, using: &random)))
        }
        var known = Set(past.contents.map(\.entry))
        past.accesses = (0..<400).map { _ in
            start + .seconds(.random(in: 1...2_592_000, using: &random))
        }.sorted().map { at in
            let id = min(
                Int64.random(in: 1...count, using: &random), Int64.random(in: 1...count, using: &random))
            if !images, Int.random(in: 0..<6, using: &random) == 0 {
                sizes[Int(id)] = .random(in: 1...1000, using: &random)
            }
            let isHit = !known.insert(id).inserted
            return .init(
                at: at, entry: id, bytes: ByteCount(sizes[Int(id)]), pool: pools[Int(id) % pools.count],
                isHit: isHit)
        }
        if images {
            past.layers.bytes = (0..<30).map { _ in ByteCount(.random(in: 1...300, using: &random)) }
            for id in 1...count {
                let base = Int32.random(in: 0..<8, using: &random)
                past.layers.ofImage[id] = Array(
                    Set([
                        base, base + 1, .random(in: 0..<30, using: &random),
                        .random(in: 0..<30, using: &random),
                    ])
                ).sorted()
            }
        }
        return past
    }

    @Test(arguments: 0..<160)
    func replayIsWhatTheEvictionPolicyWouldDo(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let isStore = seed % 4 == 3
        var past = past(&random, images: isStore)
        if !isStore, seed % 5 != 2 {
            // As where builds are installed and another cache is copied in.
            past.arrivals = (101...106).map { id in
                .init(
                    entry: id, at: start + .seconds(.random(in: 1...2_592_000, using: &random)),
                    bytes: ByteCount(.random(in: 1...400, using: &random)),
                    pool: id % 2 == 0 ? .maven : .gradle)
            }.sorted { $0.at < $1.at }
        }
        let pinned =
            isStore
            ? [] : Set((past.contents.map(\.entry) + past.arrivals.map(\.entry)).filter { $0 % 7 == 0 })
        let order: EvictionOrder = seed % 3 == 0 ? .probation(.days(5)) : .lru
        let fixed = Int64.random(in: 0...500, using: &random)
        var regime = PruneRegime(
            high: 0.8, low: 0.5, idleFloor: seed % 2 == 0 ? .hours(24) : .zero,
            bytesShare: seed % 5 == 0 ? 0.2 : 1, entries: seed % 7 == 0 ? 3 : 50_000, order: order,
            times: PruneRegime.nightly(from: past.beganAt, to: past.lastScanAt), pinned: pinned)
        if seed % 5 == 1 || seed % 8 == 3 { regime.critical = 0.9 }
        if !isStore, seed % 2 == 1 {
            regime.poolQuotas[.gradle] = Quota(
                limit: ByteCount(2000), high: ByteCount(1500), low: ByteCount(600))
        }
        if seed % 4 != 0 { regime.maxIdle[isStore ? .images : .maven] = .days(Int64(2 + seed % 3)) }
        for size in [Int64(800), 3000, 8000] {
            var volume = NaiveVolume(
                policy: EvictionPolicy(
                    idleFloor: regime.idleFloor, poolQuotas: regime.poolQuotas, order: order),
                quota: Quota(
                    limit: ByteCount(size), high: ByteCount(Int64(Double(size) * 0.8)),
                    low: ByteCount(Int64(Double(size) * 0.5))), fixed: fixed, share: regime.bytesShare,
                most: regime.entries, layers: past.layers.bytes.map(\.bytes),
                composition: past.layers.ofImage,
                pinned: pinned)
            volume.policy.maxIdle = regime.maxIdle
            if let critical = regime.critical { volume.critical = Int64(Double(size) * critical) }
            let pools = Dictionary(
                past.accesses.map { ($0.entry, $0.pool) }, uniquingKeysWith: { first, _ in first })
            for content in past.contents.sorted(by: { ($0.lastUsed, $0.entry) < ($1.lastUsed, $1.entry) }) {
                volume.put(
                    content.entry, content.bytes, pools[content.entry] ?? (isStore ? .images : .maven),
                    at: content.lastUsed, isFetch: false)
            }
            var (hits, misses, avoidable, peak) = (Int64(0), Int64(0), Int64(0), volume.used)
            var (next, arrived) = (0, 0)
            func pass(until time: Timestamp) {
                while next < regime.times.count, regime.times[next] < time {
                    volume.prune(at: regime.times[next])
                    next += 1
                }
            }
            for access in past.accesses {
                while arrived < past.arrivals.count, past.arrivals[arrived].at <= access.at {
                    let arrival = past.arrivals[arrived]
                    arrived += 1
                    pass(until: arrival.at)
                    volume.put(arrival.entry, arrival.bytes, arrival.pool, at: arrival.at, isFetch: true)
                    peak = max(peak, volume.used)
                    volume.watch(at: arrival.at)
                }
                pass(until: access.at)
                let isThere = volume.entries[access.entry] != nil
                if isThere, access.isHit { hits += 1 } else { misses += 1 }
                if !isThere, access.isHit { avoidable += 1 }
                volume.put(
                    access.entry, access.size, access.pool, at: access.at, isFetch: !isThere || !access.isHit)
                peak = max(peak, volume.used)
                volume.watch(at: access.at)
            }
            let trace = ReplayTrace(past, since: start, prunes: nil, pinned: pinned)
            let outcome = VolumeReplay(trace, regime, fixed: ByteCount(fixed)).run(size: ByteCount(size))
            #expect(outcome.rate.hits == hits && outcome.rate.misses == misses, "seed \(seed), \(size)")
            #expect(outcome.avoidable == avoidable && outcome.peakEver.bytes == peak, "seed \(seed), \(size)")
            guard regime.critical == nil else { continue }
            // What happens between two prunes can be taken together.
            let short = ReplayTrace(past, since: start, prunes: regime.times, pinned: pinned)
            let again = VolumeReplay(short, regime, fixed: ByteCount(fixed)).run(size: ByteCount(size))
            #expect(again.rate.hits == hits && again.avoidable == avoidable, "seed \(seed), \(size)")
        }
    }

    /// A part of a trace that is lined up already is the trace of that part.
    @Test(arguments: 0..<40)
    func aPartOfATraceIsTheTraceOfThatPart(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let past = past(&random, images: seed % 4 == 3)
        var regime = PruneRegime(
            idleFloor: .zero, times: PruneRegime.nightly(from: past.beganAt, to: past.lastScanAt),
            pinned: Set(past.contents.map(\.entry).filter { $0 % 7 == 0 }))
        if seed % 2 == 1 { regime.critical = 0.9 }
        let since = start + .days(3)
        func trace(_ share: Double) -> ReplayTrace {
            ReplayTrace(
                past, since: since, prunes: regime.critical == nil ? regime.times : nil,
                pinned: regime.pinned, share: share)
        }
        let part = trace(0.8).part(SpatialSample(share: 0.5), share: 0.5)
        let whole = trace(0.5)
        #expect(part.objectCount == whole.objectCount && part.firstCounted == whole.firstCounted)
        for size in [Int64(800), 3000, 8000] {
            let replays = [part, whole].map { VolumeReplay($0, regime, fixed: ByteCount(100)) }
            let (runs, means) = (
                replays.map { $0.run(size: ByteCount(size)) },
                replays.map { $0.expected(size: ByteCount(size)) }
            )
            #expect(runs[0] == runs[1] && means[0] == means[1], "seed \(seed), \(size)")
        }
    }

    @Test func whatIsAMissAtEverySizeDependsOnWhoTookItAway() {
        var past = history(
            [(1, 10), (2, 10), (3, 10)], [(1, 10), (2, 10), (3, 10), (4, 10)], every: .days(1))
        for place in past.accesses.indices { past.accesses[place].isHit = false }
        past.departures = [
            .init(entry: 1, at: start + .hours(1), reason: .evicted),
            .init(entry: 2, at: start + .hours(1), reason: .removed),
        ]
        #expect(ReplayTrace.events(of: past) == [.refetch, .fetch, .fetch, .fetch])
        let trace = ReplayTrace(past, since: start, prunes: [])
        let outcome = VolumeReplay(trace, PruneRegime()).run(size: ByteCount(1000))
        #expect(outcome.rate.hits == 1 && outcome.rate.misses == 3 && outcome.avoidable == 0)
    }

    /// What came back without a fetch is there; what was installed anew has its new size, and was not used by that.
    @Test func whatComesBackIsThere() {
        var past = history([(1, 30), (2, 30), (3, 30)], [], every: .days(1))
        past.lastScanAt = start + .days(6)
        past.accesses = [(2, 1), (3, 1), (1, 5)].map { entry, day in
            .init(at: start + .days(day), entry: entry, bytes: ByteCount(30), isHit: true)
        }
        let regime = PruneRegime(
            high: 0.8, low: 0.7, idleFloor: .zero, bytesShare: 1, times: [start + .days(2), start + .days(4)])
        func outcome() -> ReplayOutcome {
            let trace = ReplayTrace(past, since: start, prunes: regime.times)
            return VolumeReplay(trace, regime).run(size: ByteCount(100))
        }
        #expect(outcome().rate.hits == 2 && outcome().avoidable == 1)
        past.arrivals = [
            .init(entry: 1, at: start + .days(4) + .hours(1), bytes: ByteCount(30), isReturn: true)
        ]
        #expect(outcome().rate.hits == 3 && outcome().avoidable == 0 && outcome().peak == ByteCount(90))
        // Entry 2 grows on day 3, is no newer by that, and goes on day 4.
        past.arrivals.insert(
            .init(entry: 2, at: start + .days(3), bytes: ByteCount(60), isReturn: true), at: 0)
        #expect(outcome().evictions == 2 && outcome().evictedBytes == ByteCount(90))
        #expect(past.withArrivals(ofAll: [1, 2, 3]).contents == past.contents)
    }

    /// A prune that comes a second earlier than the night before purges what that one evicted, as Larder does.
    @Test func theTrashOfANightIsGoneTheNextOne() {
        var past = history([], [], every: .days(1))
        past.lastScanAt = start + .days(20)
        past.accesses = (0..<20).map { day in
            .init(at: start + .days(day) + .hours(12), entry: day, bytes: ByteCount(30), isHit: false)
        }
        let volume = Volume(name: "build", kind: .buildCache, path: "/cache")
        var regime = PruneRegime(volume, limit: ByteCount(100))
        (regime.bytesShare, regime.idleFloor) = (1, .zero)
        regime.times = (1...20).map { start + .days($0) + .seconds($0 % 2 == 0 ? 10 : 9) }
        let trace = ReplayTrace(past, since: start, prunes: regime.times)
        let outcome = VolumeReplay(trace, regime).run(size: ByteCount(100))
        // Each prune leaves two entries, and one waits in the trash while the next one comes.
        #expect(outcome.peakTrash == ByteCount(30) && outcome.peakEver == ByteCount(120))
    }

    @Test func whatIsAddedToNeedsTheRest() {
        // Each day 10 bytes are added to a directory that is read whole, and on day 3 a prune takes it.
        var past = history([(1, 100)], [], every: .days(1))
        past.lastScanAt = start + .days(5)
        past.accesses = (1...5).map { day in
            .init(
                at: start + .days(Int64(day)), entry: 1, bytes: ByteCount(10),
                size: ByteCount(100 + 10 * Int64(day)),
                pool: .gradleOther, isHit: false)
        }
        let regime = PruneRegime(idleFloor: .zero, bytesShare: 1, times: [start + .days(3) + .hours(1)])
        let replay = VolumeReplay(ReplayTrace(past, since: start, prunes: regime.times), regime)
        #expect(replay.run(size: ByteCount(1000)).avoidable == 0)
        let small = replay.run(size: ByteCount(100))
        #expect(small.avoidable == 1 && small.avoidableBytes == ByteCount(130) && small.rate.misses == 5)
    }
}

@Suite struct RecommendationTests {
    /// Four entries used in turn, one a day: LRU in steps keeps all or evicts what is needed next.
    private func round(size: Int64, days: Int64) -> VolumeHistory {
        var past = history([(1, size), (2, size), (3, size), (4, size)], [], every: .days(1))
        past.lastScanAt = start + .days(days)
        past.accesses = (0..<days).map {
            .init(at: start + .days($0) + .hours(12), entry: $0 % 4 + 1, bytes: ByteCount(size), isHit: true)
        }
        return past
    }

    @Test func theRecommendedSizeHoldsWithAPruneEachNight() throws {
        let past = round(size: 700 << 20, days: 28)
        let sizing = VolumeSizing(past, .init(now: past.lastScanAt, limit: ByteCount(100 << 30)))
        let advice = try #require(sizing.recommendation)
        #expect(advice.quantity == "4Gi" && advice.rateAdvised == 1 && advice.action == .keep)
        #expect(advice.enough == ByteCount(2800 << 20) && advice.growth == .zero)
        #expect(sizing.ideal?.smallestSize(reaching: 1) == ByteCount(2800 << 20))
        let sum = advice.enough + advice.growth + advice.headroom + advice.containers + advice.unmanaged
        #expect(sum <= advice.bytes && advice.bytes - sum < ByteCount(1 << 30))
        let small = VolumeSizing(past, .init(now: past.lastScanAt, limit: ByteCount(3 << 30))).recommendation
        #expect(small?.action == .growNow && small?.quantity == "4Gi")
    }

    /// Jobs use 300 MiB each day, and one fetches 1000 MiB that nobody uses again: once, or each third day.
    @Test(arguments: [(every: Int64(40), rare: true), (every: 3, rare: false)])
    func aSizeThatOneDayAsksForIsToldAsThat(_ row: (every: Int64, rare: Bool)) throws {
        let mebi = Int64(1) << 20
        var past = history((1...10).map { ($0, 30 * mebi) }, [], every: .days(1))
        past.lastScanAt = start + .days(42)
        for day in Int64(0)..<42 {
            let morning = start + .days(day) + .hours(9)
            for entry in Int64(1)...10 {
                past.accesses.append(
                    .init(at: morning, entry: entry, bytes: ByteCount(30 * mebi), isHit: true))
            }
            guard day % row.every == 20 % row.every else { continue }
            for entry in Int64(0)..<20 {
                past.accesses.append(
                    .init(
                        at: morning + .hours(2), entry: 100 * (day + 1) + entry, bytes: ByteCount(50 * mebi),
                        isHit: false))
            }
        }
        let sizing = VolumeSizing(past, .init(now: past.lastScanAt, limit: ByteCount(1000 * mebi)))
        let advice = try #require(sizing.recommendation)
        // All of it must fit at once.
        #expect(advice.bytes >= ByteCount(1300 * mebi))
        guard row.rare else {
            #expect(sizing.rareDay == nil)
            return
        }
        let rare = try #require(sizing.rareDay)
        #expect(rare.bytes == ByteCount(1000 * mebi) && rare.end == start + .days(21))
        // What is used each day is below the critical level.
        #expect((ByteCount(316 * mebi)...ByteCount(430 * mebi)).contains(rare.enough))
    }

    /// Today's size is kept exactly where no larger one is recommended, and the parts fit into what is recommended:
    /// also where a size does by the times of its prunes and a slightly larger one does not.
    @Test func whatIsKeptIsWhatIsRecommended() throws {
        var kept = 0
        for seed in UInt64(1)...6 {
            var random = SeededGenerator(seed: seed)
            var past = randomHistory(seed, length: 500, changesSizes: false)
            let scale = Int64.random(in: 1...40, using: &random) << 20
            past.contents = past.contents.map {
                .init(entry: $0.entry, bytes: ByteCount($0.bytes.bytes % 50 * scale), lastUsed: $0.lastUsed)
            }
            past.accesses = past.accesses.enumerated().map { place, access in
                var access = access
                access.at = start + .hours(Int64(place) * 2)
                access.bytes = ByteCount(access.bytes.bytes % 50 * scale)
                return access
            }
            past.lastScanAt = start + .days(42)
            for percent in [50, 80, 95, 100, 105, 120, 200] as [Int64] {
                let all = past.accesses.reduce(into: [:]) { $0[$1.entry] = $1.bytes.bytes }.values.reduce(
                    0, +)
                let limit = ByteCount(max(1 << 20, all / 100 * percent))
                let sizing = VolumeSizing(past, .init(now: past.lastScanAt, limit: limit))
                guard let advice = sizing.recommendation else { continue }
                #expect((advice.action == .keep) == (advice.bytes <= limit), "seed \(seed), \(limit)")
                let sum =
                    advice.enough + advice.growth + advice.headroom + advice.containers + advice.unmanaged
                #expect(sum <= advice.bytes, "seed \(seed), \(limit)")
                if advice.action == .keep { kept += 1 }
            }
        }
        #expect(kept > 10)
    }

    @Test func onlyMissesAreASentence() {
        var past = round(size: 1000, days: 20)
        past.contents = []
        past.accesses = (1...20).map {
            .init(at: start + .days($0), entry: $0, bytes: ByteCount(5), isHit: false)
        }
        let sizing = VolumeSizing(past, .init(now: past.lastScanAt, limit: ByteCount(100 << 30)))
        #expect(
            sizing.recommendation == nil && sizing.missing?.hasPrefix("caching does not help here") == true)
        #expect(sizing.advice.isEmpty)
    }

    @Test func unknownDaysAreNoDaysWithoutUse() {
        var past = round(size: 1 << 30, days: 60)
        past.knownSince = start + .days(30)
        past.accesses.removeAll { $0.at < past.knownSince }
        let sizing = VolumeSizing(
            past, .init(window: .days(90), now: past.lastScanAt, limit: ByteCount(100 << 30)))
        #expect(sizing.days.count == 30 && sizing.history == .days(30))
        #expect(sizing.recommendation?.growth == .zero && sizing.demandForecast?.growth.perDay == 0)
    }
}
