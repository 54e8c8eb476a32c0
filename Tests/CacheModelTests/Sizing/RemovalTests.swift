import TestSupport
import Testing

@testable import CacheModel

/// What others remove beside Larder.
@Suite struct RemovalTests {
    private func access(_ entry: Int64, day: Int64, isHit: Bool = true) -> VolumeHistory.Access {
        .init(at: start + .days(day), entry: entry, bytes: ByteCount(10), isHit: isHit)
    }

    private func departure(_ entry: Int64, day: Int64, _ reason: VolumeHistory.Departure.Reason)
        -> VolumeHistory.Departure
    {
        .init(entry: entry, at: start + .days(day) + .hours(1), reason: reason)
    }

    @Test func removalsAreCountedWithWhatTheyCost() throws {
        var past = history([(1, 10), (2, 10), (3, 10), (4, 10)], [])
        past.lastScanAt = start + .days(30)
        past.accesses = [
            access(1, day: 1), access(2, day: 1), access(1, day: 9, isHit: false),
            access(2, day: 12, isHit: false), access(2, day: 13), access(4, day: 20, isHit: false),
        ]
        past.departures = [
            departure(1, day: 8, .removed), departure(2, day: 9, .removed), departure(4, day: 9, .evicted),
            departure(3, day: 25, .removed), departure(2, day: 29, .removed),
        ]
        let all = try #require(RemovalsByOthers(past, since: start))
        #expect(all.entries == 4 && all.fetches == 2)
        // Entry 1, from day 1 to the hour after the beginning of day 8.
        #expect(all.youngest == .hours(7 * 24 + 1))
        let late = try #require(RemovalsByOthers(past, since: start + .days(10)))
        #expect(late.entries == 2 && late.fetches == 1 && late.youngest == .hours(16 * 24 + 1))
        past.departures = [departure(4, day: 9, .evicted)]
        #expect(RemovalsByOthers(past, since: start) == nil)
    }

    /// What was removed and then evicted again is no longer a removal's cost.
    @Test func whoTookItLastCounts() throws {
        var past = history([(1, 10)], [])
        past.lastScanAt = start + .days(10)
        past.departures = [departure(1, day: 2, .removed), departure(1, day: 5, .evicted)]
        past.accesses = [access(1, day: 8, isHit: false)]
        let found = try #require(RemovalsByOthers(past, since: start))
        #expect(found.entries == 1 && found.fetches == 0)
    }
}
