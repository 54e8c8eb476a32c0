/// How regularly runs of one kind came: what is known of the next one where another program keeps the schedule.
package struct RunRhythm: Sendable, Hashable {
    /// The time from one run to the next, as the median has it.
    package var interval: Span
    /// When the next one should come.
    package var next: Timestamp

    /// Finds the rhythm of runs; nil where there are fewer than four, or more than half of them keep none.
    ///
    /// A run by hand between two of them does not hide it: the next one is counted from the last that came in time.
    ///
    /// - Parameter times: when they began, in any order.
    package init?(_ times: [Timestamp]) {
        let times = times.sorted()
        let intervals = zip(times.dropFirst(), times).map { ($0 - $1).nanoseconds }
        guard intervals.count >= 3, let last = times.last else { return nil }
        let median = intervals.sorted()[intervals.count / 2]
        func isRegular(_ interval: Int64) -> Bool { abs(interval - median) <= median / 4 }
        guard median > 0, intervals.count(where: isRegular) * 2 >= intervals.count,
            let place = intervals.lastIndex(where: isRegular)
        else { return nil }
        interval = Span(nanoseconds: median)
        next = times[place + 1] + interval
        while next <= last { next = next + interval }
    }

    /// Whether the next one is late by more than what runs differ by.
    package func isLate(at now: Timestamp) -> Bool { (now - next).nanoseconds > interval.nanoseconds / 4 }
}
