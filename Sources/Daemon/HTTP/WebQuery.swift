import CacheIndex
import CacheModel
import Foundation

/// The query of a request, read strictly: what is not understood is refused, not ignored.
struct WebQuery {
    private var values: [String: String] = [:]

    /// Reads `a=b&c=d`, percent-encoded, with `+` for a space; empty values count as absent.
    ///
    /// - Throws: `WebError` for unknown or repeated names, and for what is no UTF-8.
    init(_ query: String?, known: [String]) throws(WebError) {
        for pair in (query ?? "").split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : "")
            else { throw .malformed("the query cannot be read", "write it percent-encoded, in UTF-8") }
            guard known.contains(name), values[name] == nil else {
                throw .malformed(
                    "the query has a name too much", "known once each: \(known.joined(separator: ", "))")
            }
            values[name] = value
        }
        values = values.filter { !$0.value.isEmpty }
    }

    func text(_ name: String, longest: Int = 200) throws(WebError) -> String? {
        guard let value = values[name] else { return nil }
        guard value.utf8.count <= longest else {
            throw .malformed("\(name) is too long", "write at most \(longest) bytes")
        }
        return value
    }

    func number(_ name: String, _ range: ClosedRange<Int>) throws(WebError) -> Int? {
        guard let value = values[name] else { return nil }
        guard value.count < 10, let number = Int(value), range.contains(number) else {
            throw .malformed(
                "\(name) is no number that can be used", "write \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Word.Type
    ) throws(WebError) -> Word? where Word.RawValue == String {
        guard let value = values[name] else { return nil }
        guard let word = Word(rawValue: value) else {
            throw .malformed(
                "\(name) is none of those known",
                "write one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// Percent-decoded text; nil where it is broken or no UTF-8.
    static func decoded(_ text: some StringProtocol) -> String? {
        String(text).replacing("+", with: " ").removingPercentEncoding
    }
}

/// Where a page ends: the order's value and the row, as text that a URL can hold.
enum WebCursor {
    static func text(_ cursor: EntryQuestion.Cursor) -> String { encoded("\(cursor.id):\(cursor.value)") }

    static func text(_ cursor: RunSummary.Cursor) -> String {
        encoded("\(cursor.startedAt.nanoseconds):\(cursor.id)")
    }

    static func entry(_ text: String?, _ order: EntryQuestion.Order) throws(WebError) -> EntryQuestion.Cursor?
    {
        guard let (number, value) = try parts(text) else { return nil }
        guard order == .key || Int64(value) != nil else { throw unknown }
        return EntryQuestion.Cursor(value: value, id: number)
    }

    static func run(_ text: String?) throws(WebError) -> RunSummary.Cursor? {
        guard let (number, id) = try parts(text) else { return nil }
        return RunSummary.Cursor(startedAt: Timestamp(nanoseconds: number), id: id)
    }

    private static let unknown = WebError.malformed(
        "the cursor is none of this list", "take next_cursor of the page before, with the same sort")

    private static func parts(_ text: String?) throws(WebError) -> (Int64, String)? {
        guard let text else { return nil }
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        let padded = standard + String(repeating: "=", count: (4 - standard.count % 4) % 4)
        guard let data = Data(base64Encoded: padded), let plain = String(data: data, encoding: .utf8),
            let colon = plain.firstIndex(of: ":"), let number = Int64(plain[..<colon])
        else { throw unknown }
        return (number, String(plain[plain.index(after: colon)...]))
    }

    private static func encoded(_ text: String) -> String {
        Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }
}
