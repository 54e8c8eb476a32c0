import CacheModel
import Foundation

/// When a schedule comes next, by the clock on the wall of a time zone.
///
/// Where that clock is changed, as for daylight saving, this does as Debian's cron and systemd do. A fixed time of
/// day that is left out comes once, at the first instant after the gap, and one that is there twice comes the first
/// time only. A schedule whose minute or hour begins with `*` runs by real time: through an hour that is there
/// twice as through any other, and not for what is left out.
extension CronSchedule {
    /// The first time of the schedule after an instant; nil where it never comes again.
    package func next(after instant: Timestamp, in zone: TimeZone) -> Timestamp? {
        let start = max(0, instant.seconds)
        // The day before is looked at as well: its last times may come after a change of the clock at midnight.
        var day = max(0, (start + zone.offset(at: start)) / 86_400 - 1)
        while let found = firstDay(from: day) {
            if let next = first(on: found, after: start, in: zone) { return Timestamp(seconds: next) }
            day = found + 1
        }
        return nil
    }

    private func first(on day: Int64, after start: Int64, in zone: TimeZone) -> Int64? {
        let walls = hours.lazy.flatMap { hour in
            minutes.lazy.map { day * 86_400 + hour * 3600 + $0 * 60 }
        }
        let offset = zone.offset(at: (day - 1) * 86_400)
        if offset == zone.offset(at: (day + 2) * 86_400) {
            return walls.first { $0 - offset > start }.map { $0 - offset }
        }
        // Where the clock is changed, what is later on the wall may be earlier in time.
        return walls.flatMap { zone.instants(of: $0, isInterval: isInterval) }.filter { $0 > start }.min()
    }
}

extension TimeZone {
    /// How far the wall clock is ahead of UTC at an instant, in seconds.
    fileprivate func offset(at instant: Int64) -> Int64 {
        Int64(secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(instant))))
    }

    /// The instants at which a schedule that asks for this time on the wall clock comes.
    ///
    /// - Parameter wall: seconds from 1970-01-01 00:00 on that clock.
    fileprivate func instants(of wall: Int64, isInterval: Bool) -> [Int64] {
        let (before, after) = (offset(at: wall - 86_400), offset(at: wall + 86_400))
        var found = [wall - before]
        if after != before { found.append(wall - after) }
        found = found.filter { $0 + offset(at: $0) == wall }.sorted()
        if isInterval { return found }
        if let first = found.first { return [first] }
        return [endOfGap(from: wall - max(before, after), to: wall - min(before, after))]
    }

    /// The first instant after a change of the clock that lies between two instants.
    private func endOfGap(from start: Int64, to end: Int64) -> Int64 {
        var (low, high) = (start, end)
        let before = offset(at: low)
        while high - low > 1 {
            let middle = (low + high) / 2
            if offset(at: middle) == before { low = middle } else { high = middle }
        }
        return high
    }
}
