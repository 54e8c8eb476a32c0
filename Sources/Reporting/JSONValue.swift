/// A JSON value (RFC 8259) whose keys stay in the order given, as Foundation's encoder does not keep them.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case number(Double)
    case text(String)
    case array([JSONValue])
    case object([(key: String, value: JSONValue)])

    static func optional(_ text: String?) -> JSONValue { text.map { .text($0) } ?? .null }

    static func optional(_ number: Double?) -> JSONValue { number.map { .number($0) } ?? .null }

    /// The value as a document: two spaces of indentation, and what holds only single values on one line, so
    /// that two plans can be compared line by line.
    func document() throws(JSONError) -> String {
        var text = ""
        try write(to: &text, indent: 0)
        return text + "\n"
    }

    /// The value on one line, without an end of it.
    func line() throws(JSONError) -> String {
        var text = ""
        try write(to: &text, indent: nil)
        return text
    }

    private var isSingle: Bool {
        switch self {
        case .array(let values): values.isEmpty
        case .object(let members): members.isEmpty
        default: true
        }
    }

    /// - Parameter indent: the level of indentation; nil for all on one line.
    private func write(to text: inout String, indent: Int?) throws(JSONError) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .unsigned(let value): text += String(value)
        case .number(let value):
            guard value.isFinite else { throw JSONError.notFinite(value) }
            text += value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        case .text(let value): Self.quote(value, to: &text)
        case .array(let values):
            let isFlat = indent == nil || values.allSatisfy(\.isSingle)
            text += "["
            for (place, value) in values.enumerated() {
                Self.separate(place, isFlat, indent, &text)
                try value.write(to: &text, indent: indent.map { $0 + 1 })
            }
            Self.close("]", values.isEmpty || isFlat, indent, &text)
        case .object(let members):
            let isFlat = indent == nil || members.allSatisfy(\.value.isSingle)
            text += "{"
            for (place, member) in members.enumerated() {
                Self.separate(place, isFlat, indent, &text)
                Self.quote(member.key, to: &text)
                text += ": "
                try member.value.write(to: &text, indent: indent.map { $0 + 1 })
            }
            Self.close("}", members.isEmpty || isFlat, indent, &text)
        }
    }

    private static func separate(_ place: Int, _ isFlat: Bool, _ indent: Int?, _ text: inout String) {
        if place > 0 { text += isFlat ? ", " : "," }
        if !isFlat { text += "\n" + String(repeating: "  ", count: (indent ?? 0) + 1) }
    }

    private static func close(_ bracket: String, _ isFlat: Bool, _ indent: Int?, _ text: inout String) {
        if !isFlat { text += "\n" + String(repeating: "  ", count: indent ?? 0) }
        text += bracket
    }

    private static func quote(_ value: String, to text: inout String) {
        text += "\""
        defer { text += "\"" }
        if value.utf8.allSatisfy({ (0x20..<0x7f).contains($0) && $0 != 0x22 && $0 != 0x5c }) {
            text += value
            return
        }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case _ where scalar.movesTerminal:
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

/// Why a report cannot be written as JSON.
package enum JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// JSON has no infinity and no NaN.
    case notFinite(Double)

    /// What was wrong.
    package var description: String {
        switch self {
        case .notFinite(let value): "JSON has no number for \(value)"
        }
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral {
    init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(members.map { (key: $0, value: $1) })
    }

    init(arrayLiteral values: JSONValue...) { self = .array(values) }
}
