import CacheIndex
import CacheModel
import Foundation

/// The query of a request, read strictly: what is not understood is refused, not ignored.
struct WebQuery {
    private var values: [String: String] = [:]
    private var lists: [String: [String]] = [:]

    /// Reads `a=b&c=d`, percent-encoded, with `+` for a space; empty values count as absent.
    ///
    /// - Parameter repeated: the names that may stand there more than once.
    /// - Throws: `WebError` for unknown and repeated parameters, and for what is not UTF-8.
    init(_ query: String?, known: [String], repeated: [String] = []) throws(WebError) {
        for pair in (query ?? "").split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : "")
            else { throw .malformed("the query string cannot be decoded", "percent-encode it, as UTF-8") }
            if repeated.contains(name) {
                if !value.isEmpty { lists[name, default: []].append(value) }
                guard lists[name, default: []].count <= 16 else {
                    throw .malformed("too many parameters \(name)", "write at most 16")
                }
                continue
            }
            guard known.contains(name), values[name] == nil else {
                throw .malformed(
                    "unknown or repeated query parameter",
                    "accepted once each: \(known.joined(separator: ", "))"
                        + (repeated.isEmpty
                            ? "" : "; any number of times: \(repeated.joined(separator: ", "))"))
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

    /// All values of a parameter that may be repeated.
    func texts(_ name: String, longest: Int = 200) throws(WebError) -> [String] {
        for value in lists[name] ?? [] where value.utf8.count > longest {
            throw .malformed("\(name) is too long", "write at most \(longest) bytes")
        }
        return lists[name] ?? []
    }

    func number(_ name: String, _ range: ClosedRange<Int>) throws(WebError) -> Int? {
        guard let value = values[name] else { return nil }
        guard value.count < 10, let number = Int(value), range.contains(number) else {
            throw .malformed(
                "\(name) is not a number in range", "write \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func word<Word: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Word.Type
    ) throws(WebError) -> Word? where Word.RawValue == String {
        guard let value = values[name] else { return nil }
        guard let word = Word(rawValue: value) else {
            throw .malformed(
                "unknown value of \(name)",
                "write one of \(Word.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return word
    }

    /// Percent-decoded text; nil where it is broken or not UTF-8.
    static func decoded(_ text: some StringProtocol) -> String? {
        String(text).replacing("+", with: " ").removingPercentEncoding
    }
}

/// Where a page ends: the order's value and the row, as text that a URL can hold.
enum WebCursor {
    /// Longer ones are of no entry: two of them fit into a request's line beside the rest.
    static let longest = 3000
    static let longestOfRuns = 400
    /// Longer keys are asked for by nobody: percent-encoded, one fits into a request's line.
    static let longestKey = 512

    static func text(_ cursor: RunSummary.Cursor) -> String {
        encoded("\(cursor.startedAt.nanoseconds):\(cursor.id)")
    }

    static func entry(_ text: String?, _ order: EntryQuestion.Order) throws(WebError) -> EntryQuestion.Cursor?
    {
        guard let text else { return nil }
        guard let cursor = EntryQuestion.Cursor(text), cursor.order == order else { throw unknown }
        return cursor
    }

    static func run(_ text: String?) throws(WebError) -> RunSummary.Cursor? {
        guard let (number, id) = try parts(text) else { return nil }
        return RunSummary.Cursor(startedAt: Timestamp(nanoseconds: number), id: id)
    }

    private static let unknown = WebError(
        status: .notFound, text: "no page begins or ends there",
        hint: "use next_cursor or previous_cursor of another page, with the same sort")

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
