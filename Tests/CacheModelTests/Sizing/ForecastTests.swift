import Foundation
import TestSupport
import Testing

@testable import CacheModel

@Suite struct ForecastTests {
    @Test func meanChangeAndItsDaysToALimit() throws {
        let growth = try #require(Growth([Double](repeating: 7, count: 28), now: 300))
        #expect(growth.perDay == 7 && abs(growth.low - 7) < 1e-9 && abs(growth.high - 7) < 1e-9)
        #expect(growth.isCertain && growth.jump == nil)
        #expect(growth.days(until: 370, at: growth.perDay) == 10)
        #expect(growth.days(until: 50, at: growth.perDay) == 0)
        #expect(growth.days(until: 1e6, at: -1) == nil)
        #expect(Growth([Double](repeating: 7, count: 13), now: 300) == nil)
    }

    @Test func aJumpIsStated() throws {
        var changes = [Double](repeating: 1, count: 40)
        changes[33] = 500
        #expect(try #require(Growth(changes, now: 539)).jump == 33)
    }

    /// What caches take in a day: like each day, by weekday, or now and then much.
    private static func inflow(_ kind: Int, _ day: Int, _ random: inout SeededGenerator) -> Double {
        func exponential() -> Double { -log(1 - Double.random(in: 0..<1, using: &random)) }
        switch kind {
        case 0: return 20 * exponential()
        case 1: return day % 7 < 5 ? 28 * exponential() : 0
        default: return 4 * exponential() * exponential() * exponential() * 5
        }
    }

    @Test(arguments: 0..<3, [30, 60, 120])
    func intervalsHoldAsOftenAsTheySay(_ kind: Int, _ days: Int) {
        var inside = 0
        for seed in 0..<100 {
            var random = SeededGenerator(seed: UInt64(seed * 7 + kind))
            let phase = Int.random(in: 0..<7, using: &random)
            let changes = (0..<days).map { Self.inflow(kind, $0 + phase, &random) }
            if let growth = Growth(changes, now: 0), growth.low <= 20, growth.high >= 20 { inside += 1 }
        }
        #expect(inside >= 85, "\(inside) of 100")
    }

    @Test func drawsAreRepeatable() {
        let changes = (0..<90).map { Double($0 * $0 % 37) }
        #expect(Growth(changes, now: 1) == Growth(changes, now: 1))
    }

    @Test(arguments: 0..<20)
    func weeklySetsAreWhatOneCountsByHand(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var past = history([], [])
        past.lastScanAt = start + .days(30) + .hours(5)
        past.accesses = (0..<500).map { _ in
            let entry = Int64.random(in: 0..<40, using: &random)
            let at = start + .seconds(.random(in: 1...(30 * 86_400 + 18_000), using: &random))
            return .init(at: at, entry: entry, bytes: ByteCount(100 + entry), isHit: false)
        }.sorted { $0.at < $1.at }
        let figures = DailyFigures(past)
        #expect(figures.days.count == 30)
        for (number, day) in figures.days.enumerated() {
            func distinct(_ days: Int64) -> Int64 {
                let used = past.accesses.filter {
                    $0.at <= day.end && (day.end - $0.at).seconds < days * 86_400
                }
                return Set(used.map(\.entry)).reduce(0) { $0 + 100 + $1 }
            }
            #expect(day.distinctBytes.bytes == distinct(1))
            #expect(day.weekBytes?.bytes == (number < 6 ? nil : distinct(7)))
        }
    }

    @Test func percentilesAreByNearestRank() {
        let set = WorkingSet((1...20).map { ByteCount($0) })
        #expect(set?.p50 == ByteCount(10) && set?.p95 == ByteCount(19))
        #expect(WorkingSet([]) == nil)
    }
}
