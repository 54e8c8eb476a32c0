/// The lines on which the keys of a TOML document stand (TOML 1.0.0).
///
/// The TOML library checks the document and gives its values, but forgets where they stood. This reader only follows
/// the structure of a document that the library has accepted: headers, keys, and where a value ends.
struct SettingLines {
    /// The line of each path: `runners[0].kubernetes.image`.
    private(set) var lines: [String: Int] = [:]
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var table: [String] = []
    private var counts: [String: Int] = [:]

    init(_ text: String) {
        bytes = Array(text.utf8)
        while position < bytes.count { readStatement() }
    }

    private init(unread text: String) { bytes = Array(text.utf8) }

    /// The line of the first header without a key, such as `[=]`; nil where there is none.
    ///
    /// To be asked before the library reads the document: it takes for granted that a key begins after a header's
    /// brackets (tomlplusplus v3.4, parse_key), and ends the process where none does. Up to the first such
    /// header this reader follows whatever the library accepts.
    static func headerWithoutKey(in text: String) -> Int? {
        var reader = SettingLines(unread: text)
        while true {
            reader.skip { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
            guard let byte = reader.current else { return nil }
            if byte == UInt8(ascii: "[") {
                if !reader.beginsHeader { return reader.line }
                reader.skip { $0 != 10 }
            } else if byte == UInt8(ascii: "#") {
                reader.skip { $0 != 10 }
            } else {
                reader.skipKeys()
                if reader.current == UInt8(ascii: "=") { reader.advance() }
                reader.skipValue()
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

    /// Goes to the equals sign after a key, or to the end of the line.
    private mutating func skipKeys() {
        while let byte = current, byte != UInt8(ascii: "="), byte != 10 {
            let isQuote = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
            advance()
            guard isQuote else { continue }
            while let inner = current, inner != byte, inner != 10 {
                advance()
                if inner == UInt8(ascii: "\\"), byte == UInt8(ascii: "\""), current != 10 { advance() }
            }
            if current == byte { advance() }
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func advance() {
        if current == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    private mutating func skip(_ isSkipped: (UInt8) -> Bool) {
        while let byte = current, isSkipped(byte) { advance() }
    }

    private mutating func readStatement() {
        skip { $0 == 32 || $0 == 9 || $0 == 10 || $0 == 13 }
        guard let byte = current else { return }
        if byte == UInt8(ascii: "#") {
            skip { $0 != 10 }
        } else if byte == UInt8(ascii: "[") {
            readHeader()
        } else {
            let start = line
            let keys = readKeys()
            note(table + keys, line: start)
            if current == UInt8(ascii: "=") { advance() }
            skipValue()
        }
    }

    private mutating func readHeader() {
        let start = line
        advance()
        let isElement = current == UInt8(ascii: "[")
        if isElement { advance() }
        var path: [String] = []
        let keys = readKeys()
        for (place, key) in keys.enumerated() {
            path.append(key)
            let name = path.joined(separator: ".")
            if isElement, place == keys.count - 1 {
                counts[name, default: 0] += 1
                lines[name] = lines[name] ?? start
            }
            // A header below an array of tables speaks of its last element.
            if let count = counts[name] { path[path.count - 1] = "\(key)[\(count - 1)]" }
        }
        note(path, line: start)
        table = path
        skip { $0 != 10 }
    }

    private mutating func note(_ path: [String], line: Int) {
        for end in path.indices {
            let name = path[...end].joined(separator: ".")
            // A table that a deeper header made has its own header's line as soon as that comes.
            if lines[name] == nil || end == path.count - 1 { lines[name] = line }
        }
    }

    /// The parts of a dotted key, up to what ends it.
    private mutating func readKeys() -> [String] {
        var keys: [String] = []
        while let byte = current, byte != UInt8(ascii: "="), byte != UInt8(ascii: "]"), byte != 10 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                advance()
                let start = position
                skip { $0 != byte && $0 != 10 }
                keys.append(String(decoding: bytes[start..<position], as: UTF8.self))
                advance()
            } else if byte == 32 || byte == 9 || byte == UInt8(ascii: ".") {
                advance()
            } else {
                let start = position
                skip {
                    $0 > 32 && $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "]")
                }
                keys.append(String(decoding: bytes[start..<position], as: UTF8.self))
                if start == position { advance() }
            }
        }
        return keys
    }

    /// Goes to the end of a value: the end of its line, outside of strings and brackets.
    private mutating func skipValue() {
        var depth = 0
        while let byte = current {
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: "#"):
                skip { $0 != 10 }
                continue
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                skipString(byte)
                continue
            case 10 where depth <= 0: return
            default: break
            }
            advance()
        }
    }

    private mutating func skipString(_ quote: UInt8) {
        let isLong = bytes[position...].prefix(3).elementsEqual([quote, quote, quote])
        let closing = isLong ? 3 : 1
        for _ in 0..<closing { advance() }
        while current != nil {
            if current == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                advance()
            } else if bytes[position...].prefix(closing).elementsEqual(repeatElement(quote, count: closing)) {
                for _ in 0..<closing { advance() }
                // Up to two quotes may stand right before the closing three.
                if isLong { skip { $0 == quote } }
                return
            }
            advance()
        }
    }
}
