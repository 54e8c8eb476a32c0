import TestSupport
import Testing

@testable import CacheModel

/// What comes to stay or leaves within the window: installed builds, projects, settings of a pool, inodes.
@Suite struct DemandChangeTests {
    private let mebi: Int64 = 1 << 20

    /// Each day jobs use eleven or twelve of the first 20 entries of 10 MiB, and from one day to another 40 more of them;
    /// a prune evicted something once.
    private func past(days: Int64, others: Range<Int64> = 0..<0) -> VolumeHistory {
        var random = SeededGenerator(seed: 5)
        var past = history((1...60).map { ($0, 10 * mebi) }, [])
        past.lastScanAt = start + .days(days)
        past.evictions = [.init(at: start + .days(1), entries: 1, bytes: ByteCount(1))]
        for day in 0..<days {
            let used = Set((0..<16).map { _ in Int64.random(in: 1...20, using: &random) })
            for entry in used.sorted() + (others.contains(day) ? Array(21...60) : []) {
                past.accesses.append(
                    .init(
                        at: start + .days(day) + .minutes(600 + entry), entry: entry,
                        bytes: ByteCount(10 * mebi), isHit: true))
            }
        }
        return past
    }

    private func sizing(_ past: VolumeHistory, limit: Int64 = 900, _ regime: PruneRegime = PruneRegime())
        -> VolumeSizing
    {
        VolumeSizing(past, .init(now: past.lastScanAt, limit: ByteCount(limit * mebi), regime: regime))
    }

    @Test func thatAProjectLeftIsToldWithItsDay() throws {
        let said = sizing(past(days: 63, others: 0..<46))
        let change = try #require(said.demandChange)
        #expect(change.at == start + .days(46) && !change.isMore)
        // All 60 entries in each week before, the first 20 in each after.
        #expect(change.before == ByteCount(600 * mebi))
        #expect(abs(change.after.bytes - 200 * mebi) <= 10 * mebi)
        let (advice, enough) = (try #require(said.recommendation), try #require(change.enough))
        #expect(advice.bytes > enough)
        #expect(sizing(past(days: 63)).demandChange == nil)
        // Long before the window, it changes nothing that the size goes by.
        #expect(sizing(past(days: 63, others: 0..<20)).demandChange == nil)
    }

    @Test func thatAProjectCameIsNotMadeUpForByTheDaysBefore() throws {
        // Many entries of 1 MiB, of which a few are used each day: what is kept for how long decides.
        var random = SeededGenerator(seed: 9)
        var past = past(days: 63)
        for day in Int64(53)..<63 {
            for entry in Int64(101)...500 where Int.random(in: 0..<6, using: &random) == 0 {
                past.accesses.append(
                    .init(
                        at: start + .days(day) + .minutes(700 + entry), entry: entry, bytes: ByteCount(mebi),
                        isHit: true))
            }
        }
        past.contents += (101...500).map { .init(entry: $0, bytes: ByteCount(mebi), lastUsed: start) }
        past.accesses.sort { ($0.at, $0.entry) < ($1.at, $1.entry) }
        let said = sizing(past)
        let change = try #require(said.demandChange)
        #expect(change.at == start + .days(53) && change.isMore)
        let (advice, enough) = (try #require(said.recommendation), try #require(change.enough))
        #expect(advice.bytes >= enough)
    }

    /// Chance leaves some step in any few weeks.
    @Test func chanceIsNoJump() {
        var told = 0
        for seed in 0..<400 {
            var random = SeededGenerator(seed: UInt64(seed))
            let weeks = (0..<(5 + seed % 12)).map { _ in Double.random(in: 90...110, using: &random) }
            if Growth(weekly: weeks)?.jump != nil { told += 1 }
        }
        // Several places are looked at in each row.
        #expect(told <= 20, "\(told) of 400")
    }

    /// Of weeks that differ by a tenth, one that doubles them is a jump on its day, whatever the weekday.
    @Test(arguments: 0..<30)
    func aJumpIsToldOnItsDay(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let first = Int.random(in: 21...45, using: &random)
        let isUp = Bool.random(using: &random)
        let days = (0..<60).map { day -> Double in
            let work = day % 7 < 5 ? 10.0 : 2.0
            return work * ((day >= first) == isUp ? 2 : 1) * Double.random(in: 0.98...1.02, using: &random)
        }
        let weeks = (6..<60).map { day in days[(day - 6)...day].reduce(0, +) }
        let end = start + .days(60)
        let forecast = try #require(FillForecast(weeks: weeks, daily: days, limit: 1e9, at: end))
        let jump = try #require(forecast.jumpAt)
        #expect(jump == start + .days(Int64(first)), "\(first), \(isUp)")
    }

    /// Builds that were installed last week will be there for all of the time that the size is for.
    @Test func whatCameToStayIsThereFromTheBeginning() throws {
        var past = past(days: 40)
        let before = try #require(sizing(past).recommendation)
        // After the last prune.
        past.arrivals = (101...130).map {
            .init(entry: $0, at: start + .days(39) + .hours(20), bytes: ByteCount(10 * mebi))
        }
        let said = sizing(past, PruneRegime(pinned: Set(101...130)))
        #expect(said.protectedBytes == ByteCount(300 * mebi))
        let advice = try #require(said.recommendation)
        #expect(advice.protected == ByteCount(300 * mebi))
        // 300 MiB that a prune may not take need as much, and what the watermark keeps free of it.
        #expect(advice.bytes.bytes >= before.bytes.bytes + 300 * mebi * 100 / 85)
        (past.contents, past.arrivals) = (
            past.contents + past.arrivals.map { .init(entry: $0.entry, bytes: $0.bytes, lastUsed: $0.at) }, []
        )
        #expect(sizing(past, PruneRegime(pinned: Set(101...130))).recommendation == advice)
    }

    @Test func aMaxIdleThatCostsFetchesIsNamed() throws {
        // Each entry is used every fourth day: what goes after two is fetched each time.
        var past = history((1...8).map { ($0, mebi) }, [])
        past.lastScanAt = start + .days(40)
        past.accesses = (Int64(0)..<80).map {
            .init(at: start + .hours(12 * $0 + 6), entry: $0 % 8 + 1, bytes: ByteCount(mebi), isHit: true)
        }
        let said = sizing(past, limit: 100, PruneRegime(maxIdle: [.maven: .days(2)]))
        let found = try #require(said.idleBottlenecks.first)
        #expect(said.missing?.hasPrefix("a longer max_idle of pool maven") == true)
        #expect(found.pool == .maven && found.limit == .days(2) && found.needed == .days(4))
        #expect(found.without.avoidable == 0 && found.fetches == said.curve?.best.avoidable)
        #expect(sizing(past, limit: 100, PruneRegime(maxIdle: [.maven: .days(5)])).idleBottlenecks.isEmpty)
        #expect(sizing(past, limit: 100, PruneRegime(maxIdle: [.gradle: .days(1)])).idleBottlenecks.isEmpty)
    }

    @Test func inodesAskForASizeWhereTheyRunOutFirst() throws {
        // 1,000 inodes in 100 MiB, on a volume of 900 MiB that has 1,200 and prunes above 1,000.
        let quota = InodeQuota(limit: 1200, high: 1000, low: 800, critical: 1100)
        let need = try #require(
            InodeNeed(
                used: 1000, bytes: ByteCount(100 * mebi), quota: quota, size: ByteCount(900 * mebi)))
        #expect(need.inodes(for: ByteCount(50 * mebi)) == 500)
        #expect(need.size(for: ByteCount(50 * mebi)) == ByteCount(450 * mebi))
        #expect(need.runsOut(at: ByteCount(450 * mebi), of: 601))
        #expect(!need.runsOut(at: ByteCount(450 * mebi), of: 600))
        let past = past(days: 40)
        let said = VolumeSizing(
            past,
            .init(
                now: past.lastScanAt, limit: ByteCount(900 * mebi), asked: ByteCount(400 * mebi), inodes: need
            ))
        let advice = try #require(said.recommendation)
        let inodes = try #require(advice.inodes)
        // Twenty of 10 MiB: 2,000 inodes and more, which is twice the volume and more.
        #expect(inodes >= 2000 && advice.bytes >= ByteCount(1800 * mebi) && advice.action == .growNow)
        #expect(advice.bytes >= advice.sum && advice.forInodes > .zero)
        #expect(said.asked?.fits == false && said.asked?.lacksInodes == true)
        #expect(said.advice.last?.lacksInodes == false)
        #expect(InodeNeed(used: 0, bytes: ByteCount(1), quota: quota, size: ByteCount(1)) == nil)
    }
}
