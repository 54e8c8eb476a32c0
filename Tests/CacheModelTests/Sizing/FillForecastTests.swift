import Foundation
import Testing

@testable import CacheModel

/// When a volume is full, and which growth says nothing of that.
@Suite struct FillForecastTests {
    private let mebi: Int64 = 1 << 20

    /// A volume that was never pruned and took those mebibytes each day; jobs use an entry of it twice a day.
    private func filled(_ inflow: [Int64], limit: Int64) -> VolumeSizing {
        var used: Int64 = 100
        var samples = [VolumeHistory.Sample(at: start, used: ByteCount(used * mebi))]
        for (day, added) in inflow.enumerated() {
            used += added
            samples.append(.init(at: start + .days(Int64(day) + 1), used: ByteCount(used * mebi)))
        }
        var past = history([(1, 10 * mebi), (2, 10 * mebi)], [])
        past.lastScanAt = start + .days(Int64(inflow.count))
        past.samples = samples
        past.accesses = (0..<Int64(2 * inflow.count)).map {
            .init(
                at: start + .hours(12 * $0 + 6), entry: $0 % 2 + 1, bytes: ByteCount(10 * mebi), isHit: true)
        }
        return VolumeSizing(past, .init(now: past.lastScanAt, limit: ByteCount(limit * mebi)))
    }

    @Test func aFirstFillingDoesNotGoOnForEver() throws {
        let inflow = [Int64](repeating: 40, count: 35) + [Int64](repeating: 0, count: 40)
        let forecast = try #require(filled(inflow, limit: 4096).bytesForecast)
        #expect(forecast.growth.perDay == 0 && forecast.fullAt == nil && forecast.latest == nil)
        // Where it goes on, the whole history tells it.
        let steady = try #require(filled([Int64](repeating: 40, count: 75), limit: 4096).bytesForecast)
        #expect(abs(steady.growth.perDay - Double(40 * mebi)) < 1)
        // 100 + 75 * 40 = 3100 are there, and 996 are left: 24.9 days.
        let full = try #require(steady.fullAt)
        #expect(abs((full - start).seconds - Int64(99.9 * 86_400)) <= 1)
    }

    @Test func aDayThatBroughtMostIsAJumpAndNoGrowth() throws {
        var inflow = [Int64](repeating: 0, count: 42)
        inflow[20] = 6000
        let forecast = try #require(filled(inflow, limit: 20_480).bytesForecast)
        #expect(forecast.growth.perDay == 0 && forecast.fullAt == nil)
        #expect(forecast.jumpAt == start + .days(21) && forecast.excludesJump)
        inflow = inflow.map { $0 + 10 }
        let growing = try #require(filled(inflow, limit: 20_480).bytesForecast)
        #expect(abs(growing.growth.perDay - Double(10 * mebi)) < 1 && growing.fullAt != nil)
    }

    @Test func whatMayBeNoGrowthHasNoDate() throws {
        // Weeks that bring and weeks that take, the former a little more.
        let inflow = (0..<40).map { day -> Int64 in day / 7 % 2 == 0 ? 30 : -28 }
        let forecast = try #require(filled(inflow, limit: 4096).bytesForecast)
        #expect(forecast.growth.perDay > 0 && !forecast.growth.isCertain)
        #expect(forecast.fullAt == nil && forecast.earliest == nil && forecast.latest == nil)
    }

    @Test func aLimitThatIsPassedIsNotReachedToday() throws {
        let forecast = try #require(filled([Int64](repeating: 100, count: 30), limit: 2048).bytesForecast)
        // 100 + 20 * 100 = 2100 is the first above it.
        #expect(forecast.fullAt == nil && forecast.passedAt == start + .days(20))
    }

    /// What jobs use in a week: 50 MiB a day, and 100 from day 20 on, of 500 MiB.
    @Test func aLimitThatAWeeksUsePassesIsPassedSinceThatDay() throws {
        var past = history([], [])
        past.lastScanAt = start + .days(42)
        past.evictions = [.init(at: start + .days(1), entries: 1, bytes: ByteCount(1))]
        past.accesses = (0..<42).map { day in
            .init(
                at: start + .days(day) + .hours(12), entry: day,
                bytes: ByteCount((day < 20 ? 50 : 100) * mebi), isHit: false)
        }
        past.accesses.append(
            .init(at: start + .days(41) + .hours(13), entry: 41, bytes: ByteCount(100 * mebi), isHit: true))
        let said = VolumeSizing(past, .init(now: past.lastScanAt, limit: ByteCount(500 * mebi)))
        // Four days of 50 and three of 100 at the end of day 22: as much as the limit.
        #expect(said.bytesForecast?.basis == .demand && said.bytesForecast?.passedAt == start + .days(23))
    }

    @Test func whatNoPruneTakesGrowsWhateverJobsUse() throws {
        // Each day jobs use the same 200 MiB and install 60 MiB that no prune takes.
        var past = history([(1, 100 * mebi), (2, 100 * mebi)], [])
        past.lastScanAt = start + .days(35)
        past.evictions = [.init(at: start + .days(1), entries: 1, bytes: ByteCount(1))]
        for day in Int64(0)..<35 {
            let noon = start + .days(day) + .hours(12)
            past.accesses.append(.init(at: noon, entry: 1, bytes: ByteCount(100 * mebi), isHit: true))
            past.accesses.append(.init(at: noon, entry: 2, bytes: ByteCount(100 * mebi), isHit: true))
            past.accesses.append(.init(at: noon, entry: 100 + day, bytes: ByteCount(60 * mebi), isHit: false))
        }
        let limit = ByteCount(3072 * mebi)
        func sizing(pinned: Set<Int64>) -> VolumeSizing {
            VolumeSizing(
                past,
                .init(
                    now: past.lastScanAt, limit: limit, terms: .init(review: .days(30)),
                    regime: PruneRegime(pinned: pinned)))
        }
        let said = sizing(pinned: Set(100..<135))
        #expect(said.protectedBytes == ByteCount(2100 * mebi))
        #expect(abs((said.protectedGrowth?.perDay ?? 0) - Double(60 * mebi)) < 1)
        let advice = try #require(said.recommendation)
        #expect(advice.growth == ByteCount(1800 * mebi) && advice.protectedGrowth == advice.growth)
        #expect(advice.protected == ByteCount(2100 * mebi))
        // 2300 MiB are there: 772 are left, which is 12.87 days.
        let full = try #require(said.bytesForecast?.fullAt)
        let days = Double((full - past.lastScanAt).seconds) / 86_400
        #expect(abs(days - 772.0 / 60) < 0.001)
        #expect(sizing(pinned: []).recommendation?.growth == .zero)
    }

    @Test func aLayerOfSeveralProtectedImagesCountsOnce() {
        var past = history([], [])
        past.lastScanAt = start + .days(3)
        past.layers = .init(
            bytes: [ByteCount(1000), ByteCount(10), ByteCount(20)], ofImage: [1: [1, 0], 2: [2, 0]])
        past.accesses = [
            .init(at: start + .hours(1), entry: 1, bytes: ByteCount(1010), pool: .images, isHit: false),
            .init(at: start + .hours(30), entry: 2, bytes: ByteCount(1020), pool: .images, isHit: false),
        ]
        past.departures = [.init(entry: 1, at: start + .hours(60), reason: .removed)]
        let days = DailyFigures(past, pinned: [1, 2]).days
        #expect(days.map(\.protectedBytes.bytes) == [1010, 1030, 1020])
    }
}
