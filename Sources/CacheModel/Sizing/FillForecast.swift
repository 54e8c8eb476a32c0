/// How a volume grows, and when it reaches its limit.
///
/// Demand is forecast, not the saw-tooth of a pruned volume, whose size never reaches the limit: the sizes of
/// all different entries that jobs used in the 7 days up to each day. Where nothing was evicted in the
/// history, the used bytes themselves are the demand on the disk.
package struct FillForecast: Sendable, Hashable {
    /// What the line was laid through.
    package enum Basis: String, Sendable, Hashable {
        /// What jobs use in a week.
        case demand
        /// What the volume holds.
        case used
    }

    /// What the line was laid through.
    package var basis: Basis
    /// Its slope in bytes a day.
    package var growth: Growth
    /// When the limit is reached: by the slope, and by both ends of its interval; nil for never.
    package var fullAt: Timestamp?
    /// By the upper end of the interval.
    package var earliest: Timestamp?
    /// By the lower end of the interval.
    package var latest: Timestamp?

    /// Lays the line and extends it.
    ///
    /// - Parameters:
    ///   - points: the values by day; the last one is at `at`.
    ///   - limit: what they must not reach.
    /// Nil where the points do not make a line.
    package init?(_ points: [Growth.Point], basis: Basis, limit: Double, at time: Timestamp) {
        guard let growth = Growth(points) else { return nil }
        self.basis = basis
        self.growth = growth
        func reached(_ slope: Double) -> Timestamp? {
            growth.days(until: limit, at: slope).map { time + .seconds(Int64($0 * 86_400)) }
        }
        fullAt = reached(growth.perDay)
        earliest = reached(growth.high)
        latest = reached(growth.low)
    }
}

extension FillForecast {
    /// The forecasts of a volume; nil before 7 days of history.
    ///
    /// - Returns: how its bytes grow, how the demand of jobs grows, how its inodes grow (where the file system
    ///   counts them and nothing was evicted).
    static func all(
        _ history: VolumeHistory, _ days: DailyFigures, limit: ByteCount
    ) -> (bytes: FillForecast?, demand: FillForecast?, inodes: FillForecast?) {
        guard days.days.count >= 7 else { return (nil, nil, nil) }
        let end = history.lastScanAt
        func day(_ time: Timestamp) -> Double { Double((time - history.beganAt).seconds) / 86_400 }
        let weeks = days.days.compactMap { each in
            each.weekBytes.map { Growth.Point(day: day(each.end), value: Double($0.bytes)) }
        }
        let demand = FillForecast(weeks, basis: .demand, limit: Double(limit.bytes), at: end)
        guard history.evictions.isEmpty else { return (demand, demand, nil) }
        let sizes = history.samples.map { Growth.Point(day: day($0.at), value: Double($0.used.bytes)) }
        let counted = history.samples.filter { $0.inodes > 0 }
        let inodes = counted.map { Growth.Point(day: day($0.at), value: Double($0.usedInodes)) }
        return (
            FillForecast(sizes, basis: .used, limit: Double(limit.bytes), at: end), demand,
            counted.last.flatMap { FillForecast(inodes, basis: .used, limit: Double($0.inodes), at: end) }
        )
    }
}
