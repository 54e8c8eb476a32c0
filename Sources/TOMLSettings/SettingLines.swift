/// The lines on which the keys of a TOML document stand (TOML 1.0.0).
///
/// The TOML library checks the document and gives its values, but forgets where they stood. This reader only follows
/// the structure of a document that the library has accepted: headers, keys, and where a value ends.
struct SettingLines {
    /// The line of each path: `runners[0].kubernetes.image`.
    private(set) var lines: [String: Int] = [:]
    let bytes: [UInt8]
    var position = 0
    private(set) var line = 1
    private var table: [String] = []
    private var counts: [String: Int] = [:]

    init(_ text: String) {
        bytes = Array(text.utf8)
        while position < bytes.count { readStatement() }
    }

    init(unread text: String) { bytes = Array(text.utf8) }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func advance() {
        if current == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    mutating func skip(_ isSkipped: (UInt8) -> Bool) {
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
            _ = skipNestedValue()
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

    mutating func skipString(_ quote: UInt8) {
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
