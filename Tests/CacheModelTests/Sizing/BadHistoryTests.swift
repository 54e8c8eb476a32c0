import Foundation
import Testing

@testable import CacheModel

/// Histories that say nothing of how large a volume should be: each gets a sentence, and no number.
@Suite struct BadHistoryTests {
    /// Two entries used in turn, twice a day.
    private func usual(days: Int64 = 30) -> VolumeHistory {
        var past = history([(1, 1 << 30), (2, 1 << 30)], [])
        past.lastScanAt = start + .days(days)
        past.accesses = (0..<(2 * days)).map {
            .init(
                at: start + .hours(12 * $0 + 6), entry: $0 % 2 + 1, bytes: ByteCount(1 << 30), isHit: true)
        }
        return past
    }

    private func sizing(
        _ past: VolumeHistory, now: Timestamp? = nil, unmanaged: ByteCount = .zero
    ) -> VolumeSizing {
        VolumeSizing(
            past, .init(now: now ?? past.lastScanAt, limit: ByteCount(20 << 30), unmanaged: unmanaged))
    }

    private func expectNothing(
        _ sizing: VolumeSizing, _ words: String, location: SourceLocation = #_sourceLocation
    ) {
        #expect(
            sizing.missing?.contains(words) == true, "\(sizing.missing ?? "nil")", sourceLocation: location)
        #expect(sizing.recommendation == nil, sourceLocation: location)
        #expect(sizing.advice.isEmpty && sizing.otherOrder == nil, sourceLocation: location)
    }

    @Test func aUsualHistoryIsSized() {
        // Two entries of a gibibyte each, both of which the idle floor keeps: 2Gi would be full each night.
        #expect(sizing(usual()).recommendation?.quantity == "3Gi" && sizing(usual()).missing == nil)
    }

    @Test func aClockThatWasAheadIsNamed() {
        let past = usual()
        let said = sizing(past, now: past.lastScanAt - .days(3))
        expectNothing(said, "set the clocks right")
        #expect(said.calibration == nil && said.curve == nil)
    }

    @Test func aClockThatWentBackIsNamed() {
        var past = usual()
        past.lastScanAt = start - .days(1)
        expectNothing(sizing(past, now: start + .days(1)), "before the first one")
    }

    @Test(arguments: [Int64.max, 1 << 60, -1])
    func sizesThatCannotBeTrueAreNamed(_ size: Int64) {
        var past = usual()
        past.contents[0].bytes = ByteCount(size)
        expectNothing(sizing(past), "sizes that can be true")
        past = usual()
        past.accesses[3].size = ByteCount(size)
        expectNothing(sizing(past), "sizes that can be true")
    }

    @Test func sumsBeyondAllSizesAreNamed() {
        var past = usual()
        past.contents = (1...40).map {
            .init(entry: $0, bytes: ByteCount((1 << 60) - 1), lastUsed: start - .hours($0))
        }
        expectNothing(sizing(past), "sizes that can be true")
        past = usual()
        past.accesses = past.accesses.map {
            .init(at: $0.at, entry: $0.entry, bytes: ByteCount((1 << 60) - 1), isHit: true, count: 255)
        }
        expectNothing(sizing(past), "sizes that can be true")
    }

    @Test func noAccessIsNamed() {
        var past = usual()
        past.accesses = []
        let said = sizing(past)
        expectNothing(said, "no use was seen")
        #expect(said.ideal == nil && said.curve == nil && said.dailySet == nil)
    }

    @Test func oneEntryIsTooFew() {
        var past = usual()
        past.accesses.removeAll { $0.entry == 2 }
        expectNothing(sizing(past), "only one entry")
    }

    @Test func onlyMissesAreNamed() {
        var past = usual()
        past.contents = []
        past.accesses = past.accesses.enumerated().map { place, access in
            .init(at: access.at, entry: Int64(place), bytes: ByteCount(1 << 20), isHit: false)
        }
        expectNothing(sizing(past), "caching does not help here")
    }

    @Test func onlyUnmanagedBytesAreNamed() {
        var past = usual()
        past.contents = []
        past.accesses = []
        expectNothing(sizing(past, unmanaged: ByteCount(5 << 30)), "belong to no pool")
    }
}

/// Growth of demand by weeks, against random walks whose truth is known.
@Suite struct WeeklyGrowthTests {
    @Test func aStepIsNoGrowth() throws {
        let weeks: [Double] = [24, 23, 25, 36, 34, 35, 36, 35]
        let growth = try #require(Growth(weekly: weeks))
        #expect(!growth.isCertain && growth.jump == 3)
    }

    @Test func aLineIsFound() throws {
        let growth = try #require(Growth(weekly: [30, 33.1, 36.2, 39, 42.1, 45]))
        #expect(growth.isCertain && abs(growth.perDay * 7 - 3) < 0.1 && growth.jump == nil)
        #expect(Growth(weekly: [1, 2, 3]) == nil && Growth(weekly: [1, 2, 3, .nan]) == nil)
    }

    /// Nine in ten intervals hold the truth where weeks scatter about a line; a fixed seed, 400 histories.
    @Test(arguments: [0.0, 0.5, 2])
    func intervalsHoldAsOftenAsTheySay(_ slope: Double) throws {
        var random = SplitMix64(state: 7)
        func normal() -> Double {
            let (one, two) = (
                Double.random(in: 1e-9..<1, using: &random), Double.random(in: 0..<1, using: &random)
            )
            return (-2 * log(one)).squareRoot() * cos(two * 2 * .pi)
        }
        var right = 0
        for _ in 0..<400 {
            let weeks = (0..<10).map { 40 + slope * Double($0) + normal() }
            let growth = try #require(Growth(weekly: weeks))
            if growth.low * 7 <= slope, slope <= growth.high * 7 { right += 1 }
        }
        #expect(right >= 340, "\(right) of 400")
    }
}
