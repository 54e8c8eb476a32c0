import CacheModel

/// When something is to happen, in the five fields of cron: minute, hour, day of month, month, day of week.
///
/// Written as for Vixie cron (crontab(5)): `*`, numbers, ranges `a-b`, steps `*/n` and `a-b/n`, lists with commas,
/// names of months and weekdays in English, 0 and 7 for Sunday, and `@hourly`, `@daily`, `@midnight`, `@weekly`,
/// `@monthly`, `@yearly`, `@annually`. Where neither day field begins with `*`, a day that fits either of them
/// counts; else it must fit both.
package struct CronSchedule: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    package let description: String

    /// The hours and minutes in rising order.
    let hours: [Int64]
    let minutes: [Int64]
    let days: Set<Int64>
    let months: Set<Int64>
    let weekdays: Set<Int64>
    /// Whether a day that fits one of the two day fields is enough.
    let eitherDay: Bool
    /// Whether the minute or the hour begins with `*`: such a schedule runs by real time, and no change of the
    /// clock moves it (cron(8) of Debian, `MIN_STAR` and `HR_STAR`).
    let isInterval: Bool

    /// Reads a schedule.
    ///
    /// Nil for anything else, and for one that never comes, such as the 31st of February.
    package init?(_ text: String) {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        description = words.joined(separator: " ")
        let nickname = words.count == 1 ? Self.nicknames[words[0].lowercased()] : nil
        let fields = nickname?.split(separator: " ").map(String.init) ?? words
        guard fields.count == 5, text.utf8.count <= 200,
            let minutes = Self.values(of: fields[0], in: 0...59),
            let hours = Self.values(of: fields[1], in: 0...23),
            let days = Self.values(of: fields[2], in: 1...31),
            let months = Self.values(of: fields[3], in: 1...12, names: Self.monthNames, first: 1),
            let weekdays = Self.values(of: fields[4], in: 0...7, names: Self.weekdayNames, first: 0)
        else { return nil }
        self.minutes = minutes.sorted()
        self.hours = hours.sorted()
        self.days = days
        self.months = months
        self.weekdays = Set(weekdays.map { $0 % 7 })
        eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        isInterval = fields[0].hasPrefix("*") || fields[1].hasPrefix("*")
        guard firstDay(from: 0) != nil else { return nil }
    }

    private static let nicknames = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]
    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// What is wrong with a text that is no schedule: the field by its name, and what it accepts.
    ///
    /// Nil where nothing more can be said than that it is none.
    package static func flaw(in text: String) -> String? {
        let fields = text.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
        if fields.first?.hasPrefix("@") == true { return nil }
        guard fields.count == 5 else {
            return "\(fields.count) \(fields.count == 1 ? "field" : "fields") where five are expected"
        }
        let known: [(name: String, range: ClosedRange<Int64>, names: [String], first: Int64, also: String)] =
            [
                ("minute", 0...59, [], 0, ""), ("hour", 0...23, [], 0, ""),
                ("day of the month", 1...31, [], 0, ""),
                ("month", 1...12, monthNames, 1, " or jan to dec"),
                ("day of the week", 0...7, weekdayNames, 0, " or sun to sat"),
            ]
        for (field, rule) in zip(fields, known)
        where values(of: field, in: rule.range, names: rule.names, first: rule.first) == nil {
            return "the \(rule.name) is \"\(escaped(field.utf8.prefix(40)))\", and takes "
                + "\(rule.range.lowerBound) to \(rule.range.upperBound)\(rule.also), ranges, steps and lists of them"
        }
        return CronSchedule(text) == nil ? "no such day ever comes" : nil
    }

    /// The values of one field; nil where it is wrong.
    private static func values(
        of field: String, in range: ClosedRange<Int64>, names: [String] = [], first: Int64 = 0
    ) -> Set<Int64>? {
        func number(_ text: Substring) -> Int64? {
            if let place = names.firstIndex(of: text.lowercased()) { return Int64(place) + first }
            guard (1...2).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }) else {
                return nil
            }
            return Int64(text).flatMap { range.contains($0) ? $0 : nil }
        }
        var values: Set<Int64> = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            guard let whole = halves.first, halves.count <= 2 else { return nil }
            var step: Int64 = 1
            let bounds = whole.split(separator: "-", omittingEmptySubsequences: false)
            let isRange = whole == "*" || bounds.count == 2
            if halves.count == 2 {
                guard isRange, let last = halves.last, (1...2).contains(last.utf8.count),
                    last.utf8.allSatisfy({ (48...57).contains($0) }), let given = Int64(last), given > 0
                else { return nil }
                step = given
            }
            if whole == "*" {
                values.formUnion(stride(from: range.lowerBound, through: range.upperBound, by: Int(step)))
            } else if let low = bounds.first.flatMap(number), let high = bounds.last.flatMap(number),
                low <= high, bounds.count <= 2
            {
                values.formUnion(stride(from: low, through: high, by: Int(step)))
            } else {
                return nil
            }
        }
        return values
    }

    /// The first day from that one on that fits, in days since 1970-01-01; nil where none does in 50 years.
    func firstDay(from start: Int64) -> Int64? {
        (start..<start + 50 * 366).first(where: isOn)
    }

    private func isOn(_ day: Int64) -> Bool {
        let date = CivilDate(daysSince1970: day)
        guard months.contains(date.month) else { return false }
        let (fitsDay, fitsWeekday) = (days.contains(date.day), weekdays.contains(date.weekday))
        return eitherDay ? fitsDay || fitsWeekday : fitsDay && fitsWeekday
    }
}

/// A day of the Gregorian calendar.
struct CivilDate {
    var month: Int64
    var day: Int64
    /// 0 is Sunday.
    var weekday: Int64

    /// Finds the date of a day from 1970 on.
    ///
    /// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    init(daysSince1970 days: Int64) {
        let shifted = days + 719_468
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        weekday = (days + 4) % 7
    }
}
