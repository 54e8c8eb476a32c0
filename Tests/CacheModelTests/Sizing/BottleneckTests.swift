import Testing

@testable import CacheModel

/// What stands in the way beside the volume's size: a pool's quota, a size that holds no day, a limit of the past.
@Suite struct BottleneckTests {
    private let gibi: Int64 = 1 << 30

    /// Eight entries of 1 GiB used in turn, two a day: whatever keeps less than all eight has none of them in time.
    private func round(days: Int64 = 40) -> VolumeHistory {
        var past = history((1...8).map { (Int64($0), gibi) }, [])
        past.lastScanAt = start + .days(days)
        past.accesses = (0..<(2 * days)).map {
            .init(at: start + .hours(12 * $0 + 6), entry: $0 % 8 + 1, bytes: ByteCount(gibi), isHit: true)
        }
        past.evictions = [.init(at: start + .hours(1), entries: 1, bytes: ByteCount(gibi))]
        return past
    }

    private func quota(_ limit: Int64) -> Quota {
        Quota(
            limit: ByteCount(limit * gibi), high: .share(basisPoints: 8500), low: .share(basisPoints: 7000))
    }

    private func sizing(_ past: VolumeHistory, limit: Int64, _ quotas: [Pool: Quota] = [:]) -> VolumeSizing {
        VolumeSizing(
            past,
            .init(
                now: past.lastScanAt, limit: ByteCount(limit * gibi), regime: PruneRegime(poolQuotas: quotas))
        )
    }

    @Test func aQuotaThatCostsFetchesIsNamed() throws {
        let said = sizing(round(), limit: 40, [.maven: quota(4)])
        let found = try #require(said.bottlenecks.first)
        // Nothing is there in time, so no size can be recommended; that is the quota's doing.
        #expect(said.recommendation == nil)
        #expect(said.missing?.hasPrefix("a larger quota of pool maven") == true)
        #expect(said.bottlenecks.count == 1 && found.pool == .maven && found.limit == ByteCount(4 * gibi))
        // 85 % of the quota must be 8 GiB: 9.4.
        #expect(found.needed == ByteCount(10 * gibi))
        #expect(found.without.rate.objects == 1 && found.without.avoidable == 0)
        #expect(found.fetches == said.curve?.best.avoidable && found.fetches > 0)
        #expect(sizing(round(), limit: 40, [.maven: quota(10)]).bottlenecks.isEmpty)
        #expect(sizing(round(), limit: 40, [.gradle: quota(1)]).bottlenecks.isEmpty)
    }

    @Test func whatHoldsNoDayDoesNotFit() throws {
        let said = sizing(round(), limit: 20)
        let curve = try #require(said.curve)
        for point in curve.points {
            // Two fetches come in between two prunes, and the idle floor keeps both.
            if point.bytes < ByteCount(2 * gibi) { #expect(!point.fits) }
            #expect(point.fits == (point.outcome.peak <= point.bytes))
        }
        #expect(curve.fits(from: curve.fullSize) && !curve.fits(from: .zero))
        for line in said.advice where line.bytes >= curve.fullSize { #expect(line.fits) }
    }

    /// A limit of 4 GiB for 30 days, then one of 20; before, each use was a fetch.
    private func enlarged(daysAgo: Int64) -> VolumeHistory {
        var past = round()
        let change = past.lastScanAt - .days(daysAgo)
        past.samples = (Int64(0)...40).map { day in
            let at = start + .days(day)
            return .init(at: at, used: ByteCount(4 * gibi), limit: ByteCount((at < change ? 4 : 20) * gibi))
        }
        for place in past.accesses.indices where past.accesses[place].at < change {
            past.accesses[place].isHit = false
            // Some come back later than the regret window, which their departures tell.
            past.accesses[place].isRegret = place % 2 == 0
            guard place % 2 == 1, past.accesses[place].at > start + .days(4) else { continue }
            past.departures.append(
                .init(
                    entry: past.accesses[place].entry, at: past.accesses[place].at - .hours(1),
                    reason: .evicted))
        }
        return past
    }

    @Test func onlyTodaysLimitIsCalibrated() throws {
        let said = sizing(enlarged(daysAgo: 10), limit: 20)
        #expect(said.limitChange == .init(at: start + .days(30), before: ByteCount(4 * gibi)))
        let calibration = try #require(said.calibration)
        #expect(calibration.measured.hits == 20 && calibration.measured.misses == 0)
        #expect(calibration.objects == 0)
        #expect(sizing(enlarged(daysAgo: 2), limit: 20).calibration == nil)
        // Another limit than that of all of the window's scans: nothing happened with it yet.
        #expect(sizing(enlarged(daysAgo: 10), limit: 60).calibration == nil)
        // Less than a tenth is no change.
        #expect(sizing(enlarged(daysAgo: 40), limit: 21).limitChange == nil)
    }

    /// What the smaller volume had evicted is fetched once more, also where it grew before the window began.
    @Test func whatAnEarlierLimitEvictedIsNoErrorOfTheReplay() throws {
        var past = enlarged(daysAgo: 36)
        let (gone, back) = (start + .days(3), start + .days(20))
        past.departures = [.init(entry: 1, at: gone, reason: .evicted)]
        past.accesses.removeAll { $0.entry == 1 && $0.at > gone && $0.at < back }
        let place = try #require(past.accesses.firstIndex { $0.entry == 1 && $0.at >= back })
        past.accesses[place].isHit = false
        let said = sizing(past, limit: 20)
        let calibration = try #require(said.calibration)
        #expect(said.limitChange == nil && calibration.measured.misses == 1)
        #expect(calibration.objects == 0)
    }

    @Test func whatWasEvictedBeforeIsStillMissing() throws {
        // Four of eight are there when the limit grows; a fifth is used once a month, and was evicted.
        var past = enlarged(daysAgo: 10)
        past.accesses.append(
            .init(at: start + .days(12), entry: 9, bytes: ByteCount(gibi), isHit: false, isRegret: true))
        past.accesses.sort { $0.at < $1.at }
        past.departures.append(.init(entry: 9, at: start + .days(20), reason: .evicted))
        past.departures.sort { $0.at < $1.at }
        let advice = try #require(sizing(past, limit: 20).recommendation)
        let first = try #require(advice.first)
        // Of the 61 accesses of the window all but the one of entry 9 find theirs.
        #expect(first.rate.hits + first.rate.misses == 61 && first.rate.misses == 1)
    }

    @Test func nothingIsMissingWhereNothingWasEvicted() {
        var past = round()
        #expect(sizing(past, limit: 4).recommendation?.first != nil)
        past.evictions = []
        let said = sizing(past, limit: 4)
        #expect(said.recommendation?.action == .growNow && said.recommendation?.first == nil)
        #expect(!said.prunes.ran)
    }
}
