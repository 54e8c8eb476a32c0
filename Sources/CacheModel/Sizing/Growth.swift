/// How fast something grows, from what each day added, and how sure that is.
///
/// The estimate is the mean change of a day. The interval is meant to hold the true mean 9 times in 10: it comes
/// from days drawn anew in blocks of a week, as days of one week are not independent and weekends differ (the
/// moving block bootstrap of H. R. Künsch, "The jackknife and the bootstrap for general stationary observations",
/// 1989, with blocks that run on at the beginning: D. N. Politis and J. P. Romano, 1992). Two intervals are made of
/// them, and both lie in the one that is told: their percentiles, widened as Student's distribution asks for with
/// so few weeks, and the studentized bootstrap (B. Efron, 1982), which holds where some days bring much more than
/// others. The draws come from a fixed seed, so a report can be
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
    ///   - draws: how many resampled histories the interval is read from.
    ///   - seed: of the random numbers, so that the same history gives the same interval.
    package init?(_ changes: [Double], now: Double, draws: Int = 400, seed: UInt64 = 1) {
        let count = changes.count
        guard count >= Self.daysNeeded, changes.allSatisfy(\.isFinite) else { return nil }
        let sum = changes.reduce(0, +)
        perDay = sum / Double(count)
        self.now = now
        let largest = changes.indices.max { changes[$0] < changes[$1] } ?? 0
        // Less than one is what is left of fractions.
        jump = sum >= 1 && changes[largest] > sum / 3 ? largest : nil
        var generator = SplitMix64(state: seed)
        let blocks = (count + Self.block - 1) / Self.block
        let weeks = count / Self.block
        let spread = Self.error(
            (0..<weeks).map { week in
                changes[(week * Self.block)..<((week + 1) * Self.block)].reduce(0, +) / Double(Self.block)
            })
        var (means, deviations): ([Double], [Double]) = ([], [])
        means.reserveCapacity(draws)
        for _ in 0..<draws {
            var (drawn, total) = (0, 0.0)
            var weekly: [Double] = []
            for _ in 0..<blocks {
                let start = Int.random(in: 0..<count, using: &generator)
                var week = 0.0
                for step in 0..<Self.block {
                    let change = changes[(start + step) % count]
                    week += change
                    guard drawn < count else { continue }
                    total += change
                    drawn += 1
                }
                weekly.append(week / Double(Self.block))
            }
            means.append(total / Double(count))
            let whole = Array(weekly.prefix(weeks))
            let off = whole.reduce(0, +) / Double(weeks) - perDay
            let error = Self.error(whole)
            deviations.append(abs(off) < 1e-9 ? 0 : min(max(off / max(error, 1e-9), -12), 12))
        }
        means.sort()
        deviations.sort()
        let factor =
            (Double(weeks) / Double(weeks - 1)).squareRoot() * Self.student(weeks - 1) / Self.normal
        let (first, last) = (draws / 20, draws - 1 - draws / 20)
        low = min(perDay + (means[first] - perDay) * factor, perDay - deviations[last] * spread)
        high = max(perDay + (means[last] - perDay) * factor, perDay - deviations[first] * spread)
    }

    /// Takes the slope of what jobs use in a week; nil below four weeks.
    ///
    /// Weeks that follow each other have other uses in them, so that what they differ by beside the slope is close to
    /// independent: least squares, and Student's interval (N. R. Draper and H. Smith, "Applied Regression Analysis",
    /// 1998, chapters 1 and 14). Day by day the same sums rise and fall together, and the mean of their changes would
    /// say nothing but the first and the last. A single step leaves less than half of what a line leaves of
    /// some histories, such as where projects moved in: what it brought is told as a jump and is no growth.
    ///
    /// - Parameter weekly: the bytes of each week, the oldest first.
    package init?(weekly: [Double]) {
        let count = weekly.count
        guard count >= 4, weekly.allSatisfy(\.isFinite) else { return nil }
        let times = (0..<count).map(Double.init)
        let line = Self.fit(weekly, times)
        var step = (place: 0, rest: Double.infinity)
        for place in 1..<count {
            let (before, after) = (weekly[..<place], weekly[place...])
            let rest = Self.rest(before) + Self.rest(after)
            if rest < step.rest { step = (place, rest) }
        }
        var (slope, error, freedom) = (line.slope, line.error, count - 2)
        jump = nil
        if count >= 5, step.rest < line.rest / 2 {
            // With the means of both sides taken out, what is left of the slope is within them.
            let (before, after) = (0..<step.place, step.place..<count)
            let centred = Self.centred(weekly, before) + Self.centred(weekly, after)
            let fitted = Self.fit(
                centred, Self.centred(times, before) + Self.centred(times, after), freedom: count - 3)
            (slope, error, freedom) = (fitted.slope, fitted.error, count - 3)
            jump = step.place
        }
        perDay = slope / Double(Self.block)
        let half = Self.student(freedom) * error / Double(Self.block)
        (low, high) = (perDay - half, perDay + half)
        now = weekly.last ?? 0
    }

    private static func centred(_ values: [Double], _ range: Range<Int>) -> [Double] {
        let mean = values[range].reduce(0, +) / Double(range.count)
        return values[range].map { $0 - mean }
    }

    /// The sum of squares about the mean.
    private static func rest(_ values: ArraySlice<Double>) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }

    /// The slope of a line by least squares, its standard error, and the sum of squares that is left.
    private static func fit(
        _ values: [Double], _ times: [Double], freedom: Int? = nil
    ) -> (slope: Double, error: Double, rest: Double) {
        let count = Double(values.count)
        let (time, value) = (times.reduce(0, +) / count, values.reduce(0, +) / count)
        let spread = times.reduce(0) { $0 + ($1 - time) * ($1 - time) }
        let slope = zip(times, values).reduce(0) { $0 + ($1.0 - time) * ($1.1 - value) } / max(spread, 1e-9)
        let rest = zip(times, values).reduce(0) {
            let off = $1.1 - value - slope * ($1.0 - time)
            return $0 + off * off
        }
        let error = (rest / Double(max(1, freedom ?? values.count - 2)) / max(spread, 1e-9)).squareRoot()
        return (slope, error, rest)
    }

    /// The standard error of the mean of some values.
    private static func error(_ values: [Double]) -> Double {
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        let sum = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return values.count > 1 ? (sum / (count - 1) / count).squareRoot() : 0
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
