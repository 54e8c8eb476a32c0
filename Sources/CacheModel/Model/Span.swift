/// A length of time in nanoseconds, written as in configuration: `90s`, `15m`, `36h`, `14d`, `2w`.
package struct Span: Hashable, Sendable, Comparable {
    /// Nanoseconds; negative where the end precedes the start.
    package var nanoseconds: Int64

    /// Makes a span of that many nanoseconds.
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// A span of that many seconds.
    package static func seconds(_ n: Int64) -> Span {
        Span(nanoseconds: n.multipliedPinned(by: 1_000_000_000))
    }
    /// A span of that many minutes.
    package static func minutes(_ n: Int64) -> Span { .seconds(n.multipliedPinned(by: 60)) }
    /// A span of that many hours.
    package static func hours(_ n: Int64) -> Span { .seconds(n.multipliedPinned(by: 3600)) }
    /// A span of that many days of 24 hours.
    package static func days(_ n: Int64) -> Span { .seconds(n.multipliedPinned(by: 86_400)) }
    /// No time at all.
    package static let zero = Span(nanoseconds: 0)

    /// The span in whole seconds, rounded towards zero.
    package var seconds: Int64 { nanoseconds / 1_000_000_000 }

    /// Whether the first span is the shorter one.
    package static func < (a: Span, b: Span) -> Bool { a.nanoseconds < b.nanoseconds }

    private static let units: [(Character, Int64)] = [
        ("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
    ]

    /// Reads whole numbers with units from large to small: `24h`, `1d12h`, `90s`, `0s`.
    ///
    /// Nil for anything else
    /// and for more than 100 years.
    package init?(_ text: String) {
        var total: Int64 = 0
        var digits = ""
        var nextUnit = 0
        guard !text.isEmpty else { return nil }
        for character in text {
            if character.isASCII, character.isNumber, digits.count < 10 {
                digits.append(character)
                continue
            }
            guard let number = Int64(digits),
                let unit = Self.units[nextUnit...].firstIndex(where: { $0.0 == character })
            else { return nil }
            total += number * Self.units[unit].1
            guard total <= 3_155_760_000 else { return nil }
            nextUnit = unit + 1
            digits = ""
        }
        guard digits.isEmpty else { return nil }
        self = .seconds(total)
    }
}

extension Span: CustomStringConvertible {
    /// The span in its two largest units: `1d12h`, `90s` as `1m30s`, `0s`.
    package var description: String {
        if nanoseconds < 0 {
            return "-" + Span(nanoseconds: nanoseconds == .min ? .max : -nanoseconds).description
        }
        var rest = seconds
        var parts: [String] = []
        for (unit, length) in Self.units.dropFirst() where parts.count < 2 {
            if rest >= length { parts.append("\(rest / length)\(unit)") } else if !parts.isEmpty { break }
            rest %= length
        }
        return parts.isEmpty ? "0s" : parts.joined()
    }

    /// The age for people, in one unit: `12 d`, `3 h`, `40 min`, `5 s`; `in the future` where negative.
    package var age: String {
        switch seconds {
        case ..<0: "in the future"
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}
