import TestSupport
import Testing

@testable import CacheModel

/// What others take away, whatever the size of a volume.
@Suite struct WipeTests {
    private let mebi: Int64 = 1 << 20

    /// Forty entries of 1 MiB used twice a day; each seventh midnight all go, and the scan of the next noon sees it, when
    /// jobs have fetched ten of them again.
    private func cleared(from first: Int64 = 7) -> VolumeHistory {
        var past = history((1...40).map { ($0, mebi) }, [])
        past.lastScanAt = start + .days(42)
        past.samples = (0...84).map { .init(at: start + .hours(12 * $0), used: ByteCount(40 * mebi)) }
        past.evictions = [.init(at: start + .days(1), entries: 1, bytes: ByteCount(mebi))]
        for half in Int64(0)..<84 {
            let isCleared = half > 0 && half % 14 == 0 && half >= 2 * first
            let scan = start + .hours(12 * (half + 1))
            for entry in Int64(1)...40 where !isCleared || entry <= 10 {
                past.accesses.append(
                    .init(
                        at: start + .hours(12 * half) + .minutes(300 + entry), entry: entry,
                        bytes: ByteCount(mebi),
                        isHit: !isCleared && !(half > 14 && half % 14 == 1 && half > 2 * first && entry > 10))
                )
            }
            guard isCleared else { continue }
            past.departures += (11...40).map { .init(entry: $0, at: scan, reason: .removed) }
        }
        return past
    }

    @Test func aClearedCacheIsSeen() {
        let wipes = cleared().foundWipes()
        // After the scan of each seventh midnight.
        #expect(wipes.map(\.at) == (1...5).map { start + .days(7 * $0) + Span(nanoseconds: 1) })
        #expect(wipes.map(\.kept.count) == [0, 0, 0, 0, 0])
        // Half of them gone is somebody's tidying up.
        var past = cleared()
        past.departures.removeAll { $0.entry > 30 }
        #expect(past.foundWipes().isEmpty)
        // A few of them are no cache.
        past = cleared()
        past.departures.removeAll { $0.entry > 15 }
        #expect(past.foundWipes().isEmpty)
    }

    /// What Larder had evicted before would have gone from a larger volume as well.
    @Test func noSizeKeepsWhatOthersClear() throws {
        // Five more are used on the day before each clearing and the day after it, and Larder evicts them in between.
        var past = cleared()
        for week in Int64(1)...5 {
            for entry in Int64(51)...55 {
                let before = start + .days(7 * week) - .hours(14)
                past.accesses.append(.init(at: before, entry: entry, bytes: ByteCount(mebi), isHit: false))
                past.departures.append(.init(entry: entry, at: before + .hours(10), reason: .evicted))
                past.accesses.append(
                    .init(
                        at: start + .days(7 * week) + .hours(20), entry: entry, bytes: ByteCount(mebi),
                        isHit: false, isRegret: true))
                past.departures.append(
                    .init(entry: entry, at: start + .days(7 * week) + .hours(30), reason: .evicted))
            }
        }
        past.accesses.sort { ($0.at, $0.entry) < ($1.at, $1.entry) }
        past.departures.sort { $0.at < $1.at }
        func unlimited(_ past: VolumeHistory) -> ReplayOutcome {
            let trace = ReplayTrace(past, since: start, prunes: [])
            return VolumeReplay(trace, PruneRegime()).run(size: ByteCount(1 << 40))
        }
        let promised = unlimited(past)
        past.wipes = past.foundWipes()
        #expect(past.wipes.count == 5)
        let kept = unlimited(past)
        // As many fetches a week as there are entries of both kinds, where the five were promised to stay.
        #expect(kept.rate.misses - promised.rate.misses == 25)
        #expect(kept.avoidable == 0)
    }

    /// What stays where all else is cleared is there afterwards.
    @Test func whatStaysIsKept() {
        var past = cleared()
        past.contents += [.init(entry: 90, bytes: ByteCount(mebi), lastUsed: start)]
        past.wipes = past.foundWipes()
        #expect(past.wipes.map(\.kept) == Array(repeating: [90], count: 5))
        past.accesses.append(
            .init(at: start + .days(41), entry: 90, bytes: ByteCount(mebi), isHit: true))
        past.accesses.sort { ($0.at, $0.entry) < ($1.at, $1.entry) }
        let trace = ReplayTrace(past, since: start + .days(40), prunes: [])
        #expect(VolumeReplay(trace, PruneRegime()).run(size: ByteCount(1 << 40)).avoidable == 0)
        let part = past.part(from: start + .days(36), to: start + .days(42))
        #expect(part.contents.contains { $0.entry == 90 })
    }
}
