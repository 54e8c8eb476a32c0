import CacheModel

/// Times as Go's encoding/json writes them: RFC 3339 with up to nine digits of a second's fraction and `Z` or
/// an offset (Go 1.19, time/format.go, RFC3339Nano).
enum GoTime {
    /// Reads such a time to the nanosecond.
    ///
    /// Go's zero time, the year 1, stands for "not known" and gives
    /// instant 0, and so does an empty text. Nil for anything else.
    static func read(_ text: String) -> Timestamp? {
        if text.isEmpty || text == "0001-01-01T00:00:00Z" { return Timestamp(nanoseconds: 0) }
        if text.hasSuffix("Z") { return Timestamp(rfc3339: text) }
        let offset = Array(text.utf8.suffix(6))
        guard offset.count == 6, offset[0] == UInt8(ascii: "+") || offset[0] == UInt8(ascii: "-"),
            offset[3] == UInt8(ascii: ":"), let hours = number(offset[1...2]), hours < 24,
            let minutes = number(offset[4...5]), minutes < 60,
            let local = Timestamp(rfc3339: String(decoding: text.utf8.dropLast(6), as: UTF8.self) + "Z")
        else { return nil }
        let ahead = Span.minutes(hours * 60 + minutes)
        return offset[0] == UInt8(ascii: "+") ? local - ahead : local + ahead
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 48)
        }
        return value
    }
}
