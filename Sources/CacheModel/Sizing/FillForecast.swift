/// How a volume grows, and when it reaches its limit.
///
/// Demand is forecast, not the saw-tooth of a pruned volume, whose size never reaches the limit: the sizes of
/// all different entries that jobs used in the 7 days up to each day. Where nothing was evicted in the
/// history, the used bytes themselves are the demand on the disk.
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
    /// When the limit is reached: at the mean change, and at both ends of its interval; nil for never.
    package var fullAt: Timestamp?
    /// By the upper end of the interval.
    package var earliest: Timestamp?
    /// By the lower end of the interval.
    package var latest: Timestamp?
    /// When a single day brought more than a third of all that was added; nil where none did.
    package var jumpAt: Timestamp?

    /// Extends daily values; nil where there are too few.
    ///
    /// - Parameters:
    ///   - values: the value at the end of each day; the last one is at `time`.
    ///   - basis: what the values are.
    ///   - limit: what they must not reach.
    ///   - time: when the last value was taken.
    package init?(_ values: [Double], basis: Basis, limit: Double, at time: Timestamp) {
        let changes = zip(values.dropFirst(), values).map { $0 - $1 }
        guard let growth = Growth(changes, now: values.last ?? 0) else { return nil }
        self.init(
            growth, basis: basis, limit: limit, at: time,
            jumpAt: growth.jump.map { time - .days(Int64(changes.count - 1 - $0)) })
    }

    /// Extends what jobs used in each week; nil with fewer than four whole weeks.
    ///
    /// - Parameter weeks: the sums over 7 days up to each day; the last one is at `time`.
    init?(weeks values: [Double], limit: Double, at time: Timestamp) {
        let weeks = Array(stride(from: values.count - 1, through: 0, by: -7).map { values[$0] }.reversed())
        guard let growth = Growth(weekly: weeks) else { return nil }
        self.init(
            growth, basis: .demand, limit: limit, at: time,
            jumpAt: growth.jump.map { time - .days(Int64(7 * (weeks.count - 1 - $0))) })
    }

    private init(_ growth: Growth, basis: Basis, limit: Double, at time: Timestamp, jumpAt: Timestamp?) {
        self.basis = basis
        self.growth = growth
        self.jumpAt = jumpAt
        func reached(_ slope: Double) -> Timestamp? {
            growth.days(until: limit, at: slope).map { time + .seconds(Int64($0 * 86_400)) }
        }
        fullAt = reached(growth.perDay)
        earliest = reached(growth.high)
        latest = reached(growth.low)
    }
}

extension FillForecast {
    /// The forecasts of a volume; nil before 14 days of history.
    ///
    /// - Returns: how its bytes grow, how the demand of jobs grows, how its inodes grow (where the file system
    ///   counts them and nothing was evicted).
    static func all(
        _ history: VolumeHistory, _ days: DailyFigures, limit: ByteCount
    ) -> (bytes: FillForecast?, demand: FillForecast?, inodes: FillForecast?) {
        let end = history.lastScanAt
        let weekly = days.days.compactMap { $0.weekBytes.map { Double($0.bytes) } }
        let demand =
            FillForecast(weeks: weekly, limit: Double(limit.bytes), at: end)
            ?? FillForecast(weekly, basis: .demand, limit: Double(limit.bytes), at: end)
        guard history.evictions.allSatisfy({ $0.entries == 0 }) else { return (demand, demand, nil) }
        let sizes = daily(history.samples, until: end) { Double($0.used.bytes) }
        let counted = history.samples.filter { $0.inodes > 0 }
        let inodes = daily(counted, until: end) { Double($0.usedInodes) }
        return (
            FillForecast(sizes, basis: .used, limit: Double(limit.bytes), at: end), demand,
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
