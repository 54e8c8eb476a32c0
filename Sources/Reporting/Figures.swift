import CacheModel
import Foundation

/// Numbers as people read them.
enum Figures {
    /// `1,234,567`.
    static func grouped(_ number: Int64) -> String {
        let digits = Array(String(number.magnitude))
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    /// `1 entry`, `1,234 entries`.
    static func entries(_ number: Int64) -> String { count(number, "entry", "entries") }

    /// A number with the noun that agrees with it.
    static func count(_ number: Int64, _ one: String, _ many: String) -> String {
        "\(grouped(number)) \(number == 1 ? one : many)"
    }

    /// Hits and misses: `3 hits, 1 miss`.
    static func uses(_ hits: Int64, _ misses: Int64) -> String {
        "\(count(hits, "hit", "hits")), \(count(misses, "miss", "misses"))"
    }

    /// The share in whole percent, rounded down: `84 %`; `–` of nothing.
    static func percent(_ part: ByteCount, of whole: ByteCount) -> String {
        guard whole.bytes > 0 else { return "–" }
        let share = Double(part.bytes) / Double(whole.bytes) * 100
        return share >= 1_000_000 ? "> 999,999 %" : "\(grouped(Int64(share.rounded(.down)))) %"
    }

    /// A rate in 0…1 with one decimal: `93.4 %`; `–` where there is none.
    ///
    /// All and nothing are said of nothing less.
    static func rate(_ rate: Double?) -> String {
        guard let rate, rate.isFinite else { return "–" }
        var tenths = Int64((min(max(rate, 0), 1) * 1000).rounded())
        if rate < 1 { tenths = min(tenths, 999) }
        if rate > 0 { tenths = max(tenths, 1) }
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// Two sizes and their difference, so that the one less the other gives the third as they are printed.
    ///
    /// All are in the unit of the larger one, rounded to a tenth; what is less than a tenth of it has its own unit.
    static func change(
        from before: ByteCount, to after: ByteCount
    ) -> (before: String, after: String, difference: String) {
        var (unit, name) = (Int64(1), "B")
        for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
            guard max(before, after).bytes / 1024 >= unit else { break }
            (unit, name) = (unit * 1024, next)
        }
        guard unit > 1, before >= .zero, after >= .zero else {
            let difference = before > after ? before - after : after - before
            return ("\(before)", "\(after)", "\(difference)")
        }
        func tenths(_ size: ByteCount) -> Int64 {
            size.bytes / unit * 10 + (size.bytes % unit * 10 + unit / 2) / unit
        }
        func text(_ tenths: Int64) -> String {
            name == "B" ? "\(tenths / 10) B" : "\(tenths / 10).\(tenths % 10) \(name)"
        }
        let (one, other) = (tenths(before), tenths(after))
        let difference = before > after ? before - after : after - before
        return (
            one == 0 ? "\(before)" : text(one), other == 0 ? "\(after)" : text(other),
            one == other ? "\(difference)" : text(abs(one - other))
        )
    }

    /// A row of blocks, one for each rate, from none to all; a space where there is none.
    static func sparkline(_ rates: [Double?]) -> String {
        let blocks = Array("▁▂▃▄▅▆▇█")
        return String(
            rates.map { rate in
                guard let rate, rate.isFinite else { return " " }
                return blocks[min(blocks.count - 1, max(0, Int(rate * Double(blocks.count))))]
            })
    }

    /// When something comes: `now`, `in 3 h`.
    static func ahead(_ time: Timestamp, now: Timestamp) -> String {
        time <= now ? "now" : "in \((time - now).age)"
    }

    /// `3 h ago`; `in the future`; `never` where there is no time.
    static func ago(_ time: Timestamp?, now: Timestamp) -> String {
        guard let time else { return "never" }
        let span = now - time
        return span.seconds < 0 ? span.age : span.age + " ago"
    }

    /// An instant by the clock on a zone's walls (RFC 3339): `2026-11-28T03:30:00+01:00`.
    static func time(_ time: Timestamp, in zone: TimeZone) -> String {
        let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(time.seconds))) / 60
        guard offset != 0 else { return "\(time)" }
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
        let wall = Timestamp(seconds: time.seconds + Int64(offset) * 60).description.dropLast()
        return "\(wall)\(offset < 0 ? "-" : "+")\(two(abs(offset) / 60)):\(two(abs(offset) % 60))"
    }

    /// A running time: `0.8 s`, `12.3 s`, `5 min`.
    static func duration(_ span: Span) -> String {
        let tenths = max(0, span.nanoseconds) / 100_000_000
        return tenths < 600 ? "\(tenths / 10).\(tenths % 10) s" : span.age
    }

    /// Seconds with three decimals, for JSON.
    static func seconds(_ span: Span) -> Double {
        (Double(span.nanoseconds) / 1e6).rounded() / 1e3
    }

    /// `a, b and c`.
    static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " and " + last
    }
}

extension Evidence {
    /// Where the knowledge came from, in one word or two.
    var short: String {
        switch self {
        case .atime: "atime"
        case .gradleJournal: "journal"
        case .podmanEvents: "events"
        case .firstSeen: "first seen"
        case .mtime: "mtime"
        case .jobLog: "job log"
        }
    }
}
