/// What was used and fetched on each day of a history.
///
/// Days have 24 hours and end at the time of day of the last scan, so that all are whole; what is left over at
/// the beginning of the history is in none. Days of which no more is known than sums are in none either.
package struct DailyFigures: Sendable {
    /// One day.
    package struct Day: Sendable, Hashable {
        /// When it ended.
        package var end: Timestamp
        /// Its hits and misses; the bytes of the misses are the inflow.
        package var rate = HitRate()
        /// How many different entries were used or fetched on it: scans more or less often do not change that.
        package var distinct: Int64 = 0
        /// The sizes of all different entries used or fetched on it; a layer of several images counts once.
        package var distinctBytes = ByteCount.zero
        /// The same of the 7 days that end with it; nil where what is known does not reach back so far.
        package var weekBytes: ByteCount?
        /// The same of the entries that a prune may take; nil as well.
        package var unprotectedWeekBytes: ByteCount?
        /// What was there at its end of the entries that no prune takes; a layer of several images counts once.
        package var protectedBytes = ByteCount.zero
        /// What runs evicted on it.
        package var evictedBytes = ByteCount.zero
    }

    /// The days, the oldest first.
    package let days: [Day]

    /// Sorts a history into days.
    ///
    /// - Parameters:
    ///   - history: every recorded access.
    ///   - pinned: the entries that no prune takes, by their rows in the index.
    package init(_ history: VolumeHistory, pinned: Set<Int64> = []) {
        let count = Int(
            min(max(0, (history.lastScanAt - history.knownSince).seconds / Self.daySeconds), 36_500))
        var days = (0..<count).map { Day(end: history.lastScanAt - .days(Int64(count - 1 - $0))) }
        func day(of time: Timestamp) -> Int? {
            let back = (history.lastScanAt - time).seconds / Self.daySeconds
            let day = count - 1 - Int(back)
            return time <= history.lastScanAt && day >= 0 ? day : nil
        }
        // Where the sum over 7 days changes: an entry counts on the day it is used and the six after.
        var change = [Int64](repeating: 0, count: count + 8)
        var unprotectedChange = change
        var numbers = ObjectNumbers(history)
        var lastDay: [Int32] = []
        var lastLayerDay = [Int32](repeating: -8, count: history.layers.bytes.count)
        func use(_ bytes: Int64, since last: Int32, on day: Int, isPinned: Bool) {
            days[day].distinctBytes += ByteCount(bytes)
            change[max(day, Int(last) + 7)] &+= bytes
            change[day + 7] &-= bytes
            guard !isPinned else { return }
            unprotectedChange[max(day, Int(last) + 7)] &+= bytes
            unprotectedChange[day + 7] &-= bytes
        }
        for access in history.accesses {
            guard let day = day(of: access.at) else { continue }
            days[day].rate.add(access)
            let number = Int(numbers[access.entry])
            while lastDay.count <= number { lastDay.append(-8) }
            let last = lastDay[number]
            guard last < day else { continue }
            lastDay[number] = Int32(day)
            days[day].distinct += 1
            let isPinned = pinned.contains(access.entry)
            guard let layers = history.layers.ofImage[access.entry] else {
                use(max(0, access.size.bytes), since: last, on: day, isPinned: isPinned)
                continue
            }
            for layer in layers where lastLayerDay[Int(layer)] < day {
                use(
                    max(0, history.layers.bytes[Int(layer)].bytes), since: lastLayerDay[Int(layer)], on: day,
                    isPinned: isPinned)
                lastLayerDay[Int(layer)] = Int32(day)
            }
        }
        for eviction in history.evictions {
            if let day = day(of: eviction.at) { days[day].evictedBytes += eviction.bytes }
        }
        var (sum, unprotected): (Int64, Int64) = (0, 0)
        for day in days.indices {
            sum &+= change[day]
            unprotected &+= unprotectedChange[day]
            guard day >= 6 else { continue }
            days[day].weekBytes = ByteCount(max(0, sum))
            days[day].unprotectedWeekBytes = ByteCount(max(0, unprotected))
        }
        if !pinned.isEmpty { Self.addProtected(pinned, of: history, to: &days) }
        self.days = days
    }

    /// Adds up what was there of the entries that no prune takes.
    private static func addProtected(
        _ pinned: Set<Int64>, of history: VolumeHistory, to days: inout [Day]
    ) {
        var sizes: [Int64: ByteCount] = [:]
        var owners = [Int](repeating: 0, count: history.layers.bytes.count)
        var sum = ByteCount.zero
        func set(_ entry: Int64, to size: ByteCount) {
            let before = sizes.updateValue(size, forKey: entry) ?? .zero
            guard let layers = history.layers.ofImage[entry] else {
                sum += size - before
                return
            }
            let change = (size > .zero ? 1 : 0) - (before > .zero ? 1 : 0)
            for layer in layers.map(Int.init) where change != 0 {
                let wasThere = owners[layer] > 0
                owners[layer] += change
                let isThere = owners[layer] > 0
                if wasThere != isThere {
                    sum += isThere ? history.layers.bytes[layer] : .zero - history.layers.bytes[layer]
                }
            }
        }
        for content in history.contents where pinned.contains(content.entry) {
            set(content.entry, to: max(.zero, content.bytes))
        }
        var changes: [(at: Timestamp, entry: Int64, size: ByteCount)] = []
        for access in history.accesses where pinned.contains(access.entry) {
            changes.append((access.at, access.entry, max(.zero, access.size)))
        }
        for arrival in history.arrivals where pinned.contains(arrival.entry) {
            changes.append((arrival.at, arrival.entry, max(.zero, arrival.bytes)))
        }
        for departure in history.departures where pinned.contains(departure.entry) {
            changes.append((departure.at, departure.entry, .zero))
        }
        changes.sort { $0.at < $1.at }
        var next = 0
        for day in days.indices {
            while next < changes.count, changes[next].at <= days[day].end {
                set(changes[next].entry, to: changes[next].size)
                next += 1
            }
            days[day].protectedBytes = sum
        }
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
