import TestSupport
import Testing

@testable import CacheModel

private let unit = Int64(1) << 20

/// What a job wants: at which minute of the day, which entry, and its bytes.
private struct Use {
    var minute: Int64
    var entry: Int64
    var bytes: Int64
}

private typealias Demand = (_ day: Int64) -> [Use]

/// A volume that jobs use, pruned each night, and what scans write down of it.
private struct Lived {
    private let demand: Demand
    private var volume: NaiveVolume
    private var day = Int64(0)
    /// After how many days without a use somebody else removes an entry, each night; nil for never.
    var othersRemoveAfter: Int64?
    /// What belongs to no pool on a day.
    var unmanaged: (_ day: Int64) -> Int64 = { _ in 0 }
    private(set) var past = history([], [])

    init(_ demand: @escaping Demand, size: Int64) {
        self.demand = demand
        volume = NaiveVolume(
            policy: EvictionPolicy(idleFloor: .hours(24), poolQuotas: [:], order: .lru),
            quota: Quota(limit: .zero, high: .zero, low: .zero), fixed: 0, share: 0.5, most: 50_000,
            pinned: [])
        resize(size)
    }

    /// From now on the volume has that size.
    mutating func resize(_ size: Int64) {
        volume.quota = Quota(
            limit: ByteCount(size), high: ByteCount(size / 100 * 85), low: ByteCount(size / 100 * 70))
    }

    /// Lets so many days pass; the part of their accesses that are hits.
    @discardableResult mutating func live(_ days: Int64) -> Double {
        let known = past.accesses.count
        for _ in 0..<days {
            volume.fixed = unmanaged(day)
            past.samples.append(
                .init(
                    at: start + .days(day), used: ByteCount(volume.used), limit: volume.quota.limit,
                    unmanaged: ByteCount(volume.fixed)))
            removeUnused(at: start + .days(day))
            prune(at: start + .days(day) + .hours(1))
            for use in demand(day).sorted(by: { ($0.minute, $0.entry) < ($1.minute, $1.entry) }) {
                let (time, isThere) = (
                    start + .days(day) + .minutes(use.minute), volume.entries[use.entry] != nil
                )
                volume.put(use.entry, ByteCount(use.bytes), .maven, at: time, isFetch: !isThere)
                past.accesses.append(
                    .init(at: time, entry: use.entry, bytes: ByteCount(use.bytes), isHit: isThere))
            }
            day += 1
        }
        past.lastScanAt = start + .days(day)
        let new = past.accesses[known...]
        return Double(new.count { $0.isHit }) / Double(max(1, new.count))
    }

    private mutating func removeUnused(at time: Timestamp) {
        guard let othersRemoveAfter else { return }
        for (entry, known) in volume.entries.sorted(by: { $0.key < $1.key })
        where time - known.lastUsed > .days(othersRemoveAfter) {
            volume.entries[entry] = nil
            past.departures.append(.init(entry: entry, at: time, reason: .removed))
        }
    }

    private mutating func prune(at time: Timestamp) {
        let before = volume.entries
        volume.prune(at: time)
        let gone = before.keys.filter { volume.entries[$0] == nil }.sorted()
        past.departures += gone.map { .init(entry: $0, at: time, reason: .evicted) }
        past.evictions.append(
            .init(
                at: time, entries: Int64(gone.count),
                bytes: gone.reduce(.zero) { $0 + (before[$1]?.bytes ?? .zero) }, left: ByteCount(volume.used))
        )
    }

    /// Somebody prunes by hand in the next night, down to so many bytes.
    mutating func pruneByHand(to bytes: Int64) {
        let (quota, floor) = (volume.quota, volume.policy.idleFloor)
        volume.quota = Quota(limit: quota.limit, high: ByteCount(bytes), low: ByteCount(bytes))
        volume.policy = EvictionPolicy(idleFloor: .zero, poolQuotas: [:], order: .lru)
        prune(at: start + .days(day) + .minutes(30))
        volume.quota = quota
        volume.policy = EvictionPolicy(idleFloor: floor, poolQuotas: [:], order: .lru)
    }

    /// What is said of the size of the volume.
    func sizing() -> VolumeSizing {
        var regime = PruneRegime()
        regime.times = past.evictions.map(\.at)
        return VolumeSizing(
            past,
            .init(
                now: past.lastScanAt, limit: volume.quota.limit, unmanaged: ByteCount(unmanaged(day)),
                regime: regime
            ))
    }
}

/// What is promised of a size comes true in the months after the report, lived day by day.
@Suite struct LongRunTests {
    /// Forty entries are used in turn, five a day; every other day brings a small one that nobody uses again.
    private func rounds(_ day: Int64) -> [Use] {
        var uses: [Use] = []
        for turn in Int64(0)..<5 {
            uses.append(Use(minute: 540 + 60 * turn, entry: (day * 5 + turn) % 40 + 1, bytes: 10 * unit))
        }
        if day % 2 == 0 { uses.append(Use(minute: 1200, entry: 1000 + day, bytes: unit / 2)) }
        return uses
    }

    /// Each day the same thirty entries, of which one has a new version every other day; and once in four weeks
    /// twenty that nobody else uses.
    private func monthly(_ day: Int64) -> [Use] {
        var uses: [Use] = []
        for place in Int64(0)..<30 {
            // Entry `place` has its versions on days 2 × place, 2 × place + 60 and so on.
            let version = (day + 60 - 2 * place) / 60
            uses.append(Use(minute: 540 + place, entry: 100 * place + version, bytes: unit))
        }
        guard day % 28 == 16 else { return uses }
        return uses + (0..<20).map { Use(minute: 800 + $0, entry: 10_000 + $0, bytes: unit / 2) }
    }

    /// No prune comes in two months at a size that is enough for them; one comes after the report, and must leave enough.
    @Test func theRecommendedSizeHoldsBeyondTheNextPrune() throws {
        var before = Lived(rounds, size: 600 * unit)
        before.live(56)
        let advice = try #require(before.sizing().recommendation)
        func came(_ size: Int64) -> Double {
            var volume = Lived(rounds, size: size)
            volume.live(56)
            return volume.live(180)
        }
        #expect(abs(came(advice.bytes.bytes) - advice.rateAdvised) <= 0.01, "\(advice.bytes)")
        // One that is enough for the window alone loses more than was promised.
        #expect(came((400 + 14 + 1) * unit * 100 / 85) < advice.rateAdvised - 0.01)
    }

    /// What a job left a month ago goes or stays by chance, as a prune comes in between or not.
    @Test(arguments: [40, 56, 63, 84] as [Int64])
    func whatIsUsedOnceAMonthIsNotLeftToChance(_ days: Int64) throws {
        var before = Lived(monthly, size: 34 * unit)
        before.live(days)
        let advice = try #require(before.sizing().recommendation)
        var volume = Lived(monthly, size: advice.bytes.bytes)
        volume.live(84)
        for _ in 0..<12 {
            let came = volume.live(28)
            #expect(abs(came - advice.rateAdvised) <= 0.01, "\(days) days, \(advice.bytes): \(came)")
        }
    }

    /// Prunes by hand are in the calibration, and no part of what sizes serve.
    @Test func prunesByHandAreNoFaultOfTheReplay() throws {
        var volume = Lived(monthly, size: 60 * unit)
        for _ in 0..<8 {
            volume.live(6)
            volume.pruneByHand(to: 15 * unit)
        }
        let sizing = volume.sizing()
        let calibration = try #require(sizing.calibration)
        let off = try #require(calibration.objects)
        #expect(abs(off) <= 0.005 && calibration.furtherPrunes == 6, "\(off), \(calibration.furtherPrunes)")
        let today = try #require(sizing.recommendation).rateToday
        #expect(today - (try #require(calibration.measured.objects)) > 0.03)
    }

    /// Each entry is used on one day of one to twelve, and somebody else removes nightly what was not used for five days: no
    /// size is promised to keep that.
    @Test func whatOthersRemoveIsPromisedAtNoSize() throws {
        func demand(_ day: Int64) -> [Use] {
            var random = SeededGenerator(seed: UInt64(day))
            return (0..<72).filter { Int64.random(in: 0...($0 % 12), using: &random) == 0 }.map {
                Use(minute: 540 + $0, entry: $0 + 1, bytes: unit)
            }
        }
        var before = Lived(demand, size: 62 * unit)
        before.othersRemoveAfter = 5
        before.live(56)
        let sizing = before.sizing()
        #expect(sizing.removals?.isRule == true)
        let advice = try #require(sizing.recommendation)
        var volume = Lived(demand, size: advice.bytes.bytes)
        volume.othersRemoveAfter = 5
        volume.live(56)
        let came = volume.live(180)
        #expect(abs(came - advice.rateAdvised) <= 0.01, "\(advice.bytes): \(came), \(advice.rateAdvised)")
        #expect(abs(advice.best - came) <= 0.01)
    }

    /// On two days of each seven a dump lies there, and not on that of the report.
    @Test func whatBelongsToNoPoolTakesRoomWhenItIsThere() throws {
        let dump: (Int64) -> Int64 = { $0 % 7 == 2 || $0 % 7 == 3 ? 150 * unit : 0 }
        var before = Lived(rounds, size: 600 * unit)
        before.unmanaged = dump
        before.live(56)
        let sizing = before.sizing()
        #expect(abs(try #require(sizing.calibration?.objects)) <= 0.005)
        #expect(sizing.mostUnmanaged == ByteCount(150 * unit))
        let advice = try #require(sizing.recommendation)
        #expect(advice.unmanaged == ByteCount(150 * unit))
        var volume = Lived(rounds, size: advice.bytes.bytes)
        volume.unmanaged = dump
        volume.live(84)
        let came = volume.live(168)
        #expect(abs(came - advice.rateAdvised) <= 0.01, "\(advice.bytes): \(came), \(advice.rateAdvised)")
    }

    /// What lay there for some weeks and was cleared is not expected again; it was in the way then.
    @Test func whatWasClearedIsNotExpectedAgain() throws {
        var before = Lived(rounds, size: 600 * unit)
        before.unmanaged = { (30..<50).contains($0) ? 150 * unit : 0 }
        before.live(56)
        let sizing = before.sizing()
        #expect(sizing.mostUnmanaged == .zero && sizing.recommendation?.unmanaged == .zero)
        #expect(abs(try #require(sizing.calibration?.objects)) <= 0.005)
        var other = Lived(rounds, size: 600 * unit)
        other.live(56)
        let (said, usual) = (
            try #require(sizing.recommendation), try #require(other.sizing().recommendation)
        )
        #expect(abs(said.bytes.bytes - usual.bytes.bytes) <= 10 * unit)
    }

    /// Three hundred entries are each used about once a month: forty days do not tell how often; where all that is wanted
    /// is known, they do.
    @Test func aHistoryThatIsShortForTheSizeIsToldAsThat() throws {
        func demand(_ day: Int64) -> [Use] {
            var random = SeededGenerator(seed: UInt64(day))
            let seldom = (30..<330).filter { _ in Int.random(in: 0..<30, using: &random) == 0 }
            return (Array(0..<30) + seldom).map {
                Use(minute: 540 + Int64($0), entry: Int64($0) + 1, bytes: unit)
            }
        }
        var volume = Lived(demand, size: 120 * unit)
        volume.live(40)
        let sizing = volume.sizing()
        let (stay, advice) = (try #require(sizing.longStay), try #require(sizing.recommendation))
        #expect(advice.best - advice.rateAdvised >= 0.003 && stay > .days(20))
        var known = Lived(rounds, size: 600 * unit)
        known.live(56)
        #expect(known.sizing().longStay == nil)
    }

    /// The first weeks of a new volume, which was empty, are not those of one that grows.
    @Test func theFirstDaysOfAVolumeThatGrowsAreThoseOfAFullOne() throws {
        // Two hundred entries are used in turn, forty a day.
        func demand(_ day: Int64) -> [Use] {
            (0..<40).map { Use(minute: 540 + $0, entry: (40 * day + $0) % 200 + 1, bytes: unit / 5) }
        }
        var volume = Lived(demand, size: 34 * unit)
        volume.live(56)
        let advice = try #require(volume.sizing().recommendation)
        let told = try #require(advice.first?.rate.objects)
        volume.resize(advice.bytes.bytes)
        let came = volume.live(30)
        #expect(abs(came - told) <= 0.01, "\(told), and \(came) came")
    }
}
