/// What the TOML library must not be given, for it ends the process.
///
/// Up to the first such place this reader follows whatever the library accepts.
extension SettingLines {
    /// So deep may tables and arrays lie within each other; the runner's own settings reach six.
    ///
    /// The library bounds brackets within each other and not the parts of keys, and takes its document apart by
    /// recursion: a key of 300,000 parts overflows the stack (seen with tomlplusplus v3.4).
    static let depthLimit = 128

    /// The first place that would end the process; nil where there is none.
    ///
    /// The library also takes for granted that a key begins after a header's brackets (tomlplusplus v3.4,
    /// parse_key), and ends the process at `[=]`.
    static func harm(in text: String) -> SyntaxError? {
        var reader = SettingLines(unread: text)
        var table = 0
        while true {
            reader.skip { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
            guard let byte = reader.current else { return nil }
            let line = reader.line
            var depth = 0
            if byte == UInt8(ascii: "[") {
                guard reader.beginsHeader else {
                    return SyntaxError(description: "expected a key after `[`", line: line)
                }
                reader.skip { $0 == UInt8(ascii: "[") }
                table = reader.skipKeys(until: UInt8(ascii: "]"))
                depth = table
                reader.skip { $0 != 10 }
            } else if byte == UInt8(ascii: "#") {
                reader.skip { $0 != 10 }
            } else {
                depth = table + reader.skipKeys(until: UInt8(ascii: "="))
                if reader.current == UInt8(ascii: "=") { reader.advance() }
                depth += reader.skipNestedValue()
            }
            guard depth <= depthLimit else {
                return SyntaxError(description: "nested more than \(depthLimit) deep", line: line)
            }
        }
    }

    /// Whether a key, or the end of the document or of the brackets, follows here after the opening brackets.
    private var beginsHeader: Bool {
        var rest = bytes[position...].dropFirst()
        if rest.first == UInt8(ascii: "[") { rest = rest.dropFirst() }
        guard let byte = rest.first(where: { $0 != 32 && $0 != 9 }) else { return true }
        return switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "-_\"']".utf8.contains(byte)
        }
    }

    /// Goes to what ends a key, or to the end of the line; gives the number of the key's parts.
    private mutating func skipKeys(until end: UInt8) -> Int {
        var parts = 1
        while let byte = current, byte != end, byte != 10 {
            if byte == UInt8(ascii: ".") { parts += 1 }
            let isQuote = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
            advance()
            guard isQuote else { continue }
            while let inner = current, inner != byte, inner != 10 {
                advance()
                if inner == UInt8(ascii: "\\"), byte == UInt8(ascii: "\""), current != 10 { advance() }
            }
            if current == byte { advance() }
        }
        return parts
    }

    /// Goes to the end of a value, that of its line outside of strings and brackets; gives how deep it is at its
    /// deepest.
    ///
    /// Each bracket counts, and each dot in a member's key; so does one in a number, which does no harm.
    mutating func skipNestedValue() -> Int {
        var open: [Int] = []
        var (depth, deepest) = (0, 0)
        while let byte = current {
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                open.append(1)
                depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= open.popLast() ?? 0
            case UInt8(ascii: "."):
                guard !open.isEmpty else { break }
                open[open.count - 1] += 1
                depth += 1
            case UInt8(ascii: ","):
                guard let last = open.last else { break }
                open[open.count - 1] = 1
                depth -= last - 1
            case UInt8(ascii: "#"):
                skip { $0 != 10 }
                continue
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                skipString(byte)
                continue
            case 10 where open.isEmpty: return deepest
            default: break
            }
            deepest = max(deepest, depth)
            advance()
        }
        return deepest
    }
}
