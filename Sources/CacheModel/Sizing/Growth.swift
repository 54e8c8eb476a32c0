/// How fast something grows, from what each day added, and how sure that is.
///
/// The estimate is the mean change of a day. The interval is meant to hold the true mean 9 times in 10: it comes
/// from days drawn anew in blocks of a week, as days of one week are not independent and weekends differ (the
/// moving block bootstrap of H. R. Künsch, "The jackknife and the bootstrap for general stationary observations",
/// 1989, with blocks that run on at the beginning: D. N. Politis and J. P. Romano, 1992), and is widened as
/// Student's distribution asks for with so few weeks. The draws come from a fixed seed, so a report can be
/// repeated. What happened on no day of the history, such as a jump that comes once a year, is in no interval.
package struct Growth: Sendable, Hashable {
    /// The mean change in units a day.
    package var perDay: Double
    /// The lower end of the interval.
    package var low: Double
    /// The upper end of the interval.
    package var high: Double
    /// The value at the end of the last day.
    package var now: Double
    /// The day that alone brought more than a third of all, as a place in the changes; nil where none did.
    package var jump: Int?

    /// With fewer weeks nothing can be said of how weeks differ.
    package static let daysNeeded = 14
    private static let block = 7

    /// Whether the interval excludes that nothing grows.
    package var isCertain: Bool { low > 0 }

    /// Takes the mean of daily changes; nil before `daysNeeded` of them.
    ///
    /// - Parameters:
    ///   - changes: what each day added, in the order of time.
    ///   - now: the value at the end.
    package init?(_ changes: [Double], now: Double, draws: Int = 400, seed: UInt64 = 1) {
        let count = changes.count
        guard count >= Self.daysNeeded, changes.allSatisfy(\.isFinite) else { return nil }
        let sum = changes.reduce(0, +)
        perDay = sum / Double(count)
        self.now = now
        let largest = changes.indices.max { changes[$0] < changes[$1] } ?? 0
        jump = sum > 0 && changes[largest] > sum / 3 ? largest : nil
        var generator = SplitMix64(state: seed)
        let blocks = (count + Self.block - 1) / Self.block
        var means: [Double] = []
        means.reserveCapacity(draws)
        for _ in 0..<draws {
            var (drawn, total) = (0, 0.0)
            for _ in 0..<blocks {
                let start = Int.random(in: 0..<count, using: &generator)
                for step in 0..<Self.block where drawn < count {
                    total += changes[(start + step) % count]
                    drawn += 1
                }
            }
            means.append(total / Double(count))
        }
        means.sort()
        let weeks = count / Self.block
        let factor =
            (Double(weeks) / Double(weeks - 1)).squareRoot() * Self.student(weeks - 1) / Self.normal
        low = perDay + (means[draws / 20] - perDay) * factor
        high = perDay + (means[draws - 1 - draws / 20] - perDay) * factor
    }

    /// In how many days a limit is reached at that slope; zero where it is passed, nil where it never is.
    package func days(until limit: Double, at slope: Double) -> Double? {
        if now >= limit { return 0 }
        let days = (limit - now) / slope
        return slope > 0 && days < 36_500 ? days : nil
    }

    /// The 95th percentile of the normal distribution.
    private static let normal = 1.645

    /// The 95th percentile of Student's distribution with that many degrees of freedom.
    private static func student(_ freedom: Int) -> Double {
        let table = [6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812]
        if freedom <= table.count { return table[max(0, freedom - 1)] }
        // Within 0.003 of the tables from 11 on.
        return normal + 1.55 / Double(freedom)
    }
}
