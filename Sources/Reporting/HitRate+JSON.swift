import CacheModel

extension HitRate {
    /// The rate as the contract's `hit_rate`.
    ///
    /// Where there is no evidence the ratios are null: what cannot be seen is neither hit nor miss.
    func jsonValue(_ trust: Confidence) -> JSONValue {
        [
            "objects": .optional(trust == .none ? nil : objects),
            "bytes": .optional(trust == .none ? nil : bytes), "hits": .integer(hits),
            "misses": .integer(misses), "hit_bytes": .bytes(hitBytes), "miss_bytes": .bytes(missBytes),
        ]
    }
}

/// The hit rates of one volume in four windows that all end now.
package struct RecentHitRates: Sendable, Hashable {
    /// In the interval before the last scan.
    package var lastScan: HitRate
    /// In the last 24 hours.
    package var day: HitRate
    /// In the last 7 days.
    package var week: HitRate
    /// In the last 30 days.
    package var month: HitRate
    /// Those of the last 30 days in ten parts, the oldest first; for a drawing.
    package var trend: [HitRate]

    /// Makes the set from its rates.
    package init(
        lastScan: HitRate = .init(), day: HitRate = .init(), week: HitRate = .init(),
        month: HitRate = .init(),
        trend: [HitRate] = []
    ) {
        self.trend = trend
        self.lastScan = lastScan
        self.day = day
        self.week = week
        self.month = month
    }

    var all: [HitRate] { [lastScan, day, week, month] }
}
