import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// When schedules come: by hand around changes of the clock, and against two other implementations.
@Suite struct CronScheduleTests {
    private static let oracle = Testbed.packageRoot + "/Tests/CacheServicesTests/Configuration/cron_oracle.py"
    private static let hasCroniter =
        (try? run("/usr/bin/env", "python3", "-c", "import croniter").status) == 0

    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    private func times(
        _ expression: String, _ zone: String, after start: String, count: Int
    ) throws -> [String] {
        let schedule = try #require(CronSchedule(expression))
        let zone = try #require(TimeZone(identifier: zone))
        var (times, last) = ([String](), try time(start))
        for _ in 0..<count {
            last = try #require(schedule.next(after: last, in: zone))
            times.append(last.description)
        }
        return times
    }

    @Test(arguments: [
        "* * * * *", "*/15 0-23/2 1,15 jan-mar MON-fri", "0 0 29 2 *", "5\t4 * * sun", "@daily", "@Weekly",
        "0 22 * * 1-5", "59 23 31 12 7", "0,30 8-18 * * 0-7",
    ])
    func accepts(_ text: String) { #expect(CronSchedule(text) != nil) }

    @Test(arguments: [
        "", "*", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
        "* * * * 8", "5/2 * * * *", "*/0 * * * *", "1-0 * * * *", "1,,2 * * * *", "a * * * *", "-1 * * * *",
        "1- * * * *", "* * * mon *", "@reboot", "@never", "0 0 31 2 *", "0 0 30 feb *", "1-2-3 * * * *",
        "*/100 * * * *", "\u{0661} * * * *", "+5 * * * *", "* * * * fri-mon",
    ])
    func refuses(_ text: String) { #expect(CronSchedule(text) == nil) }

    @Test func aTimeThatIsLeftOutComesOnceAfterTheGap() throws {
        // On 2026-03-29 Berlin goes from 02:00 to 03:00, which is 01:00 UTC.
        #expect(
            try times("30 2 * * *", "Europe/Berlin", after: "2026-03-28T12:00:00Z", count: 2)
                == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"])
        #expect(
            try times("0,20,40 2 * * *", "Europe/Berlin", after: "2026-03-28T12:00:00Z", count: 2)
                == ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"])
    }

    @Test func aTimeThatIsThereTwiceComesOnce() throws {
        // On 2026-10-25 Berlin goes from 03:00 back to 02:00, which is 01:00 UTC.
        #expect(
            try times("30 2 * * *", "Europe/Berlin", after: "2026-10-24T12:00:00Z", count: 2)
                == ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"])
    }

    @Test func intervalsRunByRealTime() throws {
        #expect(
            try times("*/30 * * * *", "Europe/Berlin", after: "2026-10-25T00:00:00Z", count: 4) == [
                "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z",
            ])
        #expect(
            try times("*/30 * * * *", "Europe/Berlin", after: "2026-03-29T00:20:00Z", count: 3)
                == ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"])
    }

    /// Samoa had no 30 December 2011.
    @Test func aDayThatIsLeftOut() throws {
        #expect(
            try times("0 12 30 12 *", "Pacific/Apia", after: "2011-12-29T12:00:00Z", count: 1)
                == ["2011-12-30T10:00:00Z"])
    }

    @Test func eitherDayFieldCounts() throws {
        // 2026-11-13 is a Friday.
        #expect(
            try times("0 0 1 * fri", "UTC", after: "2026-10-31T12:00:00Z", count: 3)
                == ["2026-11-01T00:00:00Z", "2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z"])
        #expect(
            try times("0 0 */13 * fri", "UTC", after: "2026-10-31T12:00:00Z", count: 1)
                == ["2026-11-27T00:00:00Z"])
    }

    @Test func agreesMinuteByMinuteAroundChangesOfTheClock() throws {
        let cases = try run("/usr/bin/env", "python3", Self.oracle, "walk", "7", "300").checked().output
        #expect(try compare(cases, days: 6) == 300)
    }

    @Test(.enabled(if: hasCroniter, "needs croniter: pip install croniter"))
    func agreesWithCroniterOverYears() throws {
        let cases = try run("/usr/bin/env", "python3", Self.oracle, "croniter", "7", "1000").checked().output
        #expect(try compare(cases, days: nil) == 1000)
    }

    private func compare(_ cases: String, days: Int64?) throws -> Int {
        var count = 0
        for line in cases.split(separator: "\n") {
            let parts = line.split(separator: "\t").map(String.init)
            let start = try #require(Int64(parts[2]))
            let expected = parts.dropFirst(3).compactMap { Int64($0) }
            let zone = try #require(TimeZone(identifier: parts[1]))
            let schedule = CronSchedule(parts[0])
            var found: [Int64] = []
            var last = Timestamp(seconds: start)
            let end = days.map { start / 60 * 60 + $0 * 86_400 } ?? .max
            while found.count < 4, let next = schedule?.next(after: last, in: zone), next.seconds <= end {
                found.append(next.seconds)
                last = next
            }
            #expect(found == expected, "\(line)")
            count += 1
        }
        return count
    }
}
