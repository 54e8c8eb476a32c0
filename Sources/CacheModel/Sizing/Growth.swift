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
    /// The levels before and after the jump, where that is one of weeks.
    package struct Levels: Sendable, Hashable {
        /// The mean of the weeks before.
        package var before: Double
        /// The mean of those since.
        package var after: Double

        /// Whether it went up.
        package var isUp: Bool { after > before }
    }

    /// What the jump lies between; nil where there is none, or where it is one of days.
    package var levels: Levels?
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
    /// some histories, such as where projects moved in: what it brought is told as a jump and is no growth. Chance
    /// leaves some step in any few weeks, so it must be one that chance brings once in a hundred times at most.
    ///
    /// - Parameter weekly: the bytes of each week, the oldest first.
    package init?(weekly: [Double]) {
        let count = weekly.count
        guard count >= 4, weekly.allSatisfy(\.isFinite) else { return nil }
        let times = (0..<count).map(Double.init)
        let line = Self.fit(weekly, times)
        var (slope, error, freedom) = (line.slope, line.error, count - 2)
        jump = nil
        if count >= 5, let step = Step(in: weekly, besideLineWith: line.rest) {
            // With the means of both sides taken out, what is left of the slope is within them.
            freedom = step.freedom - 1
            let fitted = Self.fit(
                Self.centred(weekly, step.before) + Self.centred(weekly, step.after),
                Self.centred(times, step.before) + Self.centred(times, step.after), freedom: freedom)
            (slope, error, jump, levels) = (fitted.slope, fitted.error, step.place, step.levels)
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

/// A step between two levels in a row of weeks.
private struct Step {
    /// The first week of the new level, or the one in the course of which it came.
    var place: Int
    /// The weeks of the old level, and of the new one.
    var before: Range<Int>
    var after: Range<Int>
    /// The sum of squares about both means.
    var rest: Double
    /// How many weeks more than levels there are.
    var freedom: Int
    /// Both means.
    var levels: Growth.Levels

    /// The step that leaves least of a row; nil where none leaves much less than a line does.
    ///
    /// A line has a week in its middle too: one in the course of which the step came must leave next to nothing.
    ///
    /// - Parameter rest: the sum of squares that a line leaves.
    init?(in weekly: [Double], besideLineWith rest: Double) {
        func best(isWithin: Bool, atMost rest: Double) -> Step? {
            (1..<max(1, weekly.count)).compactMap { Step(at: $0, isWithin: isWithin, weekly) }
                .filter { $0.freedom > 1 && $0.rest < rest && $0.isCertain }.min { $0.rest < $1.rest }
        }
        guard let step = best(isWithin: false, atMost: rest / 2) ?? best(isWithin: true, atMost: rest / 20)
        else { return nil }
        self = step
    }

    /// - Parameter isWithin: whether it comes in the course of a week, which belongs to neither level and lies between both.
    private init?(at place: Int, isWithin: Bool, _ weekly: [Double]) {
        (before, after) = (0..<place, (isWithin ? place + 1 : place)..<max(place + 1, weekly.count))
        guard !after.isEmpty else { return nil }
        func mean(_ weeks: Range<Int>) -> Double { weekly[weeks].reduce(0, +) / Double(weeks.count) }
        let (old, new) = (mean(before), mean(after))
        if isWithin, weekly[place] < min(old, new) || weekly[place] > max(old, new) { return nil }
        self.place = place
        levels = Growth.Levels(before: old, after: new)
        rest =
            weekly[before].reduce(0) { $0 + ($1 - old) * ($1 - old) }
            + weekly[after].reduce(0) { $0 + ($1 - new) * ($1 - new) }
        freedom = before.count + after.count - 2
    }

    private var variance: Double { rest / Double(freedom) }

    /// Whether it is further from nothing than chance brings in one of a hundred such rows (Student's two-sample test).
    var isCertain: Bool {
        let table = [63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169]
        // Within 0.02 of the tables from 11 on.
        let least = freedom <= table.count ? table[max(0, freedom - 1)] : 2.576 + 5.6 / Double(freedom)
        let error = (variance * (1 / Double(before.count) + 1 / Double(after.count))).squareRoot()
        return abs(levels.after - levels.before) > least * error
    }
}
