/// An instant, in nanoseconds since 1970-01-01T00:00:00Z, as file systems keep it.
package struct Timestamp: Hashable, Sendable, Comparable {
    /// Nanoseconds since the Unix epoch.
    package var nanoseconds: Int64

    /// Makes an instant from nanoseconds since the Unix epoch.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Makes an instant from seconds since the Unix epoch; seconds beyond the year 2262 are pinned.
    package init(seconds: Int64, nanoseconds: Int64 = 0) {
        let pinned = min(max(seconds, -9_223_372_035), 9_223_372_035)
        self.nanoseconds = (pinned * 1_000_000_000).addingPinned(nanoseconds)
    }

    /// Whole seconds since the Unix epoch, rounded down.
    package var seconds: Int64 {
        nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : (nanoseconds + 1) / 1_000_000_000 - 1
    }

    /// Whether the first instant is the earlier one.
    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

    /// The instant that much later, pinned at the last one rather than wrapping.
    package static func + (a: Timestamp, b: Span) -> Timestamp {
        Timestamp(nanoseconds: a.nanoseconds.addingPinned(b.nanoseconds))
    }

    /// The instant that much earlier, pinned at the first one rather than wrapping.
    package static func - (a: Timestamp, b: Span) -> Timestamp {
        Timestamp(nanoseconds: a.nanoseconds.subtractingPinned(b.nanoseconds))
    }

    /// The time from the second instant to the first; negative where the first is earlier, and pinned at 292 years.
    package static func - (a: Timestamp, b: Timestamp) -> Span {
        Span(nanoseconds: a.nanoseconds.subtractingPinned(b.nanoseconds))
    }
}

extension Timestamp: CustomStringConvertible {
    /// The instant as RFC 3339 in UTC, to the second: `2026-11-23T05:30:00Z`.
    package var description: String {
        let days = seconds >= 0 ? seconds / 86_400 : -((-seconds + 86_399) / 86_400)
        let rest = seconds - days * 86_400
        let (year, month, day) = Self.civil(days: days)
        func two(_ n: Int64) -> String { n < 10 ? "0\(n)" : "\(n)" }
        let years = String(repeating: "0", count: max(0, 4 - "\(year)".count)) + "\(year)"
        return
            "\(years)-\(two(month))-\(two(day))T\(two(rest / 3600)):\(two(rest % 3600 / 60)):\(two(rest % 60))Z"
    }

    /// Reads `2026-11-23T05:30:00Z`, with an optional fraction of a second; UTC only.
    ///
    /// Nil for anything else.
    package init?(rfc3339 text: String) {
        let all = Array(text.utf8)
        guard all.count >= 20, all.last == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for byte in all[range] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            all[4] == 45, all[7] == 45, all[10] == 84, all[13] == 58, all[16] == 58,
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var nanoseconds: Int64 = 0
        if all.count > 20 {
            guard all[19] == 46, all.count <= 30, let fraction = number(20..<all.count - 1) else {
                return nil
            }
            nanoseconds = fraction
            for _ in 0..<(9 - (all.count - 21)) { nanoseconds *= 10 }
        }
        let days = Self.days(year: year, month: month, day: day)
        guard Self.civil(days: days) == (year, month, day) else { return nil }
        self.init(seconds: days * 86_400 + hour * 3600 + minute * 60 + second, nanoseconds: nanoseconds)
    }

    // Days ↔ civil date in the proleptic Gregorian calendar: H. Hinnant, "chrono-Compatible Low-Level Date
    // Algorithms".
    private static func civil(days: Int64) -> (Int64, Int64, Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Timestamp: Codable {
    /// Reads RFC 3339 in UTC.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = Timestamp(rfc3339: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not a time in RFC 3339, UTC: \(text)")
        }
        self = time
    }

    /// Writes RFC 3339 in UTC, to the second.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// A time or none in eight bytes, where a `Timestamp?` takes sixteen: for entries, of which there are half a million.
struct PackedTimestamp: Sendable, Hashable {
    private var nanoseconds = Int64.min

    var value: Timestamp? {
        get { nanoseconds == .min ? nil : Timestamp(nanoseconds: nanoseconds) }
        set { nanoseconds = newValue?.nanoseconds ?? .min }
    }
}
