/// How a volume grows, and when it reaches its limit.
///
/// Demand is forecast, not the saw-tooth of a pruned volume, whose size never reaches the limit: the sizes of
/// all different entries that jobs used in the 7 days up to each day. Where nothing was evicted in the
/// history, the used bytes themselves are the demand on the disk. What no prune takes grows by what comes in of it,
/// whatever jobs use in a week, and is forecast on its own.
package struct FillForecast: Sendable, Hashable {
    /// What grows.
    package enum Basis: String, Sendable, Hashable {
        /// What jobs use in a week.
        case demand
        /// What the volume holds.
        case used
    }

    /// What grows.
    package var basis: Basis
    /// Its change in bytes a day.
    package var growth: Growth
    /// The part of the change that no prune takes; nil where that does not surely grow.
    package var protected: Growth?
    /// When the limit is reached, at the mean change; nil for never, where the interval does not exclude that nothing
    /// grows, and where it is passed already.
    package var fullAt: Timestamp?
    /// The same by the upper end of the interval.
    package var earliest: Timestamp?
    /// The same by the lower end of the interval.
    package var latest: Timestamp?
    /// Since when the limit is passed; nil where it is not.
    package var passedAt: Timestamp?
    /// When a single day or week brought much of all that was added; nil where none did.
    package var jumpAt: Timestamp?
    /// Whether what the jump brought is not in the growth.
    package var excludesJump = false

    /// Extends daily values; nil where there are too few.
    ///
    /// The growth is that of the whole history, or of the last four weeks where those contradict it, as where a cache was
    /// filled and is full now. A day that alone brought more than half of all that came is told as a jump and is no growth.
    ///
    /// - Parameters:
    ///   - values: the value at the end of each day; the last one is at `time`.
    ///   - basis: what the values are.
    ///   - limit: what they must not reach.
    ///   - time: when the last value was taken.
    package init?(_ values: [Double], basis: Basis, limit: Double, at time: Timestamp) {
        let changes = zip(values.dropFirst(), values).map { $0 - $1 }
        guard let (growth, jump, excludesJump) = Self.growth(changes, now: values.last ?? 0) else {
            return nil
        }
        self.init(
            growth, basis: basis, limit: limit, at: time,
            jumpAt: jump.map { time - .days(Int64(changes.count - 1 - $0)) })
        self.excludesJump = excludesJump
        let above = values.reversed().prefix { $0 >= limit }.count
        if above > 0 { passedAt = time - .days(Int64(above - 1)) }
    }

    private static let recentDays = 28

    private static func growth(
        _ changes: [Double], now: Double
    ) -> (growth: Growth, jump: Int?, excludesJump: Bool)? {
        guard var growth = Growth(changes, now: now) else { return nil }
        var (left, jump, excludesJump) = (changes, growth.jump, false)
        let added = changes.reduce(0) { $0 + max(0, $1) }
        if let place = jump, changes[place] > added / 2 {
            left.remove(at: place)
            if let rest = Growth(left, now: now) {
                (growth, excludesJump) = (rest, true)
            } else {
                left = changes
            }
        }
        let before = left.count - recentDays
        if before > 0, let recent = Growth(Array(left.suffix(recentDays)), now: now),
            growth.perDay < recent.low || growth.perDay > recent.high
        {
            growth = recent
            if !excludesJump { jump = recent.jump.map { before + $0 } }
        }
        return (growth, jump, excludesJump)
    }

    /// Extends what jobs used in each week; nil with fewer than four whole weeks.
    ///
    /// - Parameters:
    ///   - weeks: the sums over 7 days up to each day; the last one is at `time`.
    ///   - daily: the sum of each day, the last of which ends at `time` too: they tell the day of a jump.
    init?(weeks values: [Double], daily: [Double], limit: Double, at time: Timestamp) {
        let weeks = Array(stride(from: values.count - 1, through: 0, by: -7).map { values[$0] }.reversed())
        guard let growth = Growth(weekly: weeks) else { return nil }
        self.init(growth, basis: .demand, limit: limit, at: time, jumpAt: nil)
        if let place = growth.jump {
            // The first week after it ended then: what left is in the sums of a week that it was there on one day of.
            let end = daily.count - 7 * (weeks.count - 1 - place)
            let first = Self.stepDay(daily, in: (end - 14)..<end, isUp: growth.levels?.isUp ?? true)
            jumpAt = time - .days(Int64(daily.count - first))
        }
        excludesJump = jumpAt != nil
        if growth.now >= limit {
            passedAt = time - .days(Int64(max(1, values.reversed().prefix { $0 >= limit }.count) - 1))
        }
    }

    /// The first day that differs from what was before: a week from it on and the week before it, weekday by weekday,
    /// are furthest apart.
    private static func stepDay(_ daily: [Double], in days: Range<Int>, isUp: Bool) -> Int {
        var best = (day: min(max(days.upperBound - 7, 0), daily.count), apart: -Double.infinity)
        for day in days where day >= 7 && day < daily.count {
            let apart = (day..<min(day + 7, daily.count)).reduce(0.0) { $0 + daily[$1] - daily[$1 - 7] }
            if (isUp ? apart : -apart) > best.apart { best = (day, isUp ? apart : -apart) }
        }
        return best.day
    }

    private init(_ growth: Growth, basis: Basis, limit: Double, at time: Timestamp, jumpAt: Timestamp?) {
        self.basis = basis
        self.growth = growth
        self.jumpAt = jumpAt
        reach(limit, from: time)
    }

    private mutating func reach(_ limit: Double, from time: Timestamp) {
        func reached(_ slope: Double) -> Timestamp? {
            guard growth.isCertain, growth.now < limit else { return nil }
            return growth.days(until: limit, at: slope).map { time + .seconds(Int64($0 * 86_400)) }
        }
        fullAt = reached(growth.perDay)
        earliest = reached(growth.high)
        latest = reached(growth.low)
    }

    /// The forecast with what no prune takes: its bytes are there whatever jobs use, and its growth is added.
    ///
    /// - Parameters:
    ///   - protected: how what no prune takes grows.
    ///   - limit: what both must not reach, in bytes.
    ///   - time: when the last values were taken.
    private func adding(_ protected: Growth, limit: Double, at time: Timestamp) -> FillForecast {
        var sum = self
        sum.growth.now += protected.now
        if protected.isCertain {
            // What is not certain to grow is left out, as in a recommendation.
            if growth.isCertain {
                sum.growth.perDay += protected.perDay
                sum.growth.low += protected.low
                sum.growth.high += protected.high
            } else {
                (sum.growth.perDay, sum.growth.low, sum.growth.high) = (
                    protected.perDay, protected.low, protected.high
                )
            }
            sum.protected = protected
        }
        sum.passedAt = sum.growth.now >= limit ? passedAt ?? time : nil
        sum.reach(limit, from: time)
        return sum
    }
}

extension FillForecast {
    /// The forecasts of a volume; nil before 14 days of history.
    ///
    /// - Returns: how its bytes grow, how the demand of jobs grows for what a prune may take, how what no prune takes
    ///   grows, how its inodes grow (where the file system counts them and nothing was evicted).
    static func all(
        _ history: VolumeHistory, _ days: DailyFigures, limit: ByteCount
    ) -> (bytes: FillForecast?, demand: FillForecast?, protected: Growth?, inodes: FillForecast?) {
        let end = history.lastScanAt
        let weekly = days.days.compactMap { $0.unprotectedWeekBytes.map { Double($0.bytes) } }
        let demand =
            FillForecast(
                weeks: weekly, daily: days.days.map { Double($0.distinctBytes.bytes) },
                limit: Double(limit.bytes), at: end)
            ?? FillForecast(weekly, basis: .demand, limit: Double(limit.bytes), at: end)
        let protected = FillForecast(
            days.days.map { Double($0.protectedBytes.bytes) }, basis: .used, limit: Double(limit.bytes),
            at: end
        )?.growth
        guard history.evictions.allSatisfy({ $0.entries == 0 }) else {
            let both = demand.map { demand in
                protected.map { demand.adding($0, limit: Double(limit.bytes), at: end) } ?? demand
            }
            return (both, demand, protected, nil)
        }
        let sizes = daily(history.samples, until: end) { Double($0.used.bytes) }
        let counted = history.samples.filter { $0.inodes > 0 }
        let inodes = daily(counted, until: end) { Double($0.usedInodes) }
        return (
            FillForecast(sizes, basis: .used, limit: Double(limit.bytes), at: end), demand, protected,
            counted.last.flatMap { FillForecast(inodes, basis: .used, limit: Double($0.inodes), at: end) }
        )
    }

    /// The values at the ends of days, the last of which is `end`; what no scan saw lies on a line between two.
    static func daily(
        _ samples: [VolumeHistory.Sample], until end: Timestamp, _ value: (VolumeHistory.Sample) -> Double
    ) -> [Double] {
        guard let first = samples.first, let last = samples.last, first.at < last.at else { return [] }
        let count = min(Int((end - first.at).seconds / 86_400), 36_500)
        guard count > 0 else { return [] }
        var next = 0
        return (0...count).map { place in
            let time = end - .days(Int64(count - place))
            while next < samples.count, samples[next].at <= time { next += 1 }
            guard next > 0 else { return value(first) }
            guard next < samples.count else { return value(samples[next - 1]) }
            let (before, after) = (samples[next - 1], samples[next])
            let part = Double((time - before.at).seconds) / Double(max(1, (after.at - before.at).seconds))
            return value(before) + (value(after) - value(before)) * part
        }
    }
}
