import TestSupport
import Testing

@testable import CacheModel

@Suite struct ForecastTests {
    @Test func slopeIgnoresAQuarterOfOutliers() throws {
        let points = (0..<40).map {
            Growth.Point(day: Double($0), value: $0 % 5 == 0 ? 1e9 : 100 + 7 * Double($0))
        }
        let growth = try #require(Growth(points))
        #expect(growth.perDay > 4 && growth.perDay < 10)
        let clean = try #require(Growth(points.filter { $0.value < 1e8 }))
        #expect(abs(clean.perDay - 7) < 1e-9 && clean.low == clean.high)
        #expect(clean.days(until: 100 + 7 * 49, at: clean.perDay) == 10)
        #expect(clean.days(until: 50, at: clean.perDay) == 0)
        #expect(clean.days(until: 1e6, at: -1) == nil)
    }

    @Test func intervalHoldsTheTruth() {
        var inside = 0
        for seed in 0..<100 {
            var random = SeededGenerator(seed: UInt64(seed))
            let points = (0..<30).map {
                Growth.Point(day: Double($0), value: 5 * Double($0) + .random(in: -40...40, using: &random))
            }
            if let growth = Growth(points), growth.low <= 5, growth.high >= 5 { inside += 1 }
        }
        #expect(inside >= 75, "\(inside) of 100")
    }

    @Test func drawsAreRepeatable() {
        let points = (0..<90).map { Growth.Point(day: Double($0), value: Double($0 * $0 % 37)) }
        #expect(Growth(points) == Growth(points))
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
