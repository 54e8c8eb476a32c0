/// What was used and fetched on each day of a history.
///
/// Days have 24 hours and end at the time of day of the last scan, so that all are whole; what is left over at
/// the beginning of the history is in none.
package struct DailyFigures: Sendable {
    /// One day.
    package struct Day: Sendable, Hashable {
        /// When it ended.
        package var end: Timestamp
        /// Its hits and misses; the bytes of the misses are the inflow.
        package var rate = HitRate()
        /// The sizes of all different entries used or fetched on it.
        package var distinctBytes = ByteCount.zero
        /// The same of the 7 days that end with it; nil where the history does not reach back so far.
        package var weekBytes: ByteCount?
        /// What runs evicted on it.
        package var evictedBytes = ByteCount.zero
    }

    /// The days, the oldest first.
    package let days: [Day]

    /// Sorts a history into days.
    package init(_ history: VolumeHistory) {
        let count = Int(max(0, (history.lastScanAt - history.beganAt).seconds / Self.daySeconds))
        var days = (0..<count).map { Day(end: history.lastScanAt - .days(Int64(count - 1 - $0))) }
        func day(of time: Timestamp) -> Int? {
            let back = (history.lastScanAt - time).seconds / Self.daySeconds
            let day = count - 1 - Int(back)
            return time <= history.lastScanAt && day >= 0 ? day : nil
        }
        // Where the sum over 7 days changes: an entry counts on the day it is used and the six after.
        var change = [Int64](repeating: 0, count: count + 8)
        var lastDay: [Int64: Int] = [:]
        lastDay.reserveCapacity(history.contents.count)
        for access in history.accesses {
            guard let day = day(of: access.at) else { continue }
            if access.isHit {
                days[day].rate.hits += 1
                days[day].rate.hitBytes += access.bytes
            } else {
                days[day].rate.misses += 1
                days[day].rate.missBytes += access.bytes
            }
            let last = lastDay.updateValue(day, forKey: access.entry) ?? -8
            if last < day {
                days[day].distinctBytes += access.bytes
                change[max(day, last + 7)] += access.bytes.bytes
                change[day + 7] -= access.bytes.bytes
            }
        }
        for eviction in history.evictions {
            if let day = day(of: eviction.at) { days[day].evictedBytes += eviction.bytes }
        }
        var sum: Int64 = 0
        for day in days.indices {
            sum += change[day]
            if day >= 6 { days[day].weekBytes = ByteCount(sum) }
        }
        self.days = days
    }

    /// The last days, at most that many.
    package func last(_ count: Int) -> [Day] { Array(days.suffix(max(0, count))) }

    private static let daySeconds: Int64 = 86_400
}

/// The sizes of what jobs use: the median of the days or weeks, and what all but one in twenty stay below.
package struct WorkingSet: Sendable, Hashable {
    /// The median.
    package var p50: ByteCount
    /// The 95th percentile.
    package var p95: ByteCount

    /// Takes the percentiles by nearest rank; nil of nothing.
    package init?(_ sizes: [ByteCount]) {
        guard !sizes.isEmpty else { return nil }
        let sorted = sizes.sorted()
        func rank(_ percent: Int) -> ByteCount { sorted[max(0, (sorted.count * percent + 99) / 100 - 1)] }
        p50 = rank(50)
        p95 = rank(95)
    }
}
