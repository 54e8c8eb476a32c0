import CacheModel

/// Whether a pom is XML that ends where it should: every element closed, `project` around all of it.
///
/// Extensible Markup Language 1.0 (Fifth Edition), sections 2.1 to 2.8, as far as truncation and foreign pages
/// (a proxy's login page under a pom's name) need it: entities and characters are not looked at, since Maven
/// itself passes over many faults in them. A scanner of our own, as Foundation's parser on Linux ends the
/// process on some files that are no XML.
struct PomText {
    private var rest: ArraySlice<UInt8>
    private var open: [ArraySlice<UInt8>] = []
    private var hasRoot = false

    private enum Fault: Error {
        case cutOff(String)
        case malformed(String)
    }

    private static let deepest = 1000

    private init(_ text: [UInt8]) {
        rest = text[...]
        if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
    }

    /// Looks at a pom's bytes.
    static func verdict(on text: [UInt8]) -> FileVerdict {
        if text.isEmpty { return .damaged(.truncated, "it is empty") }
        if text.allSatisfy({ $0 == 0 }) { return .damaged(.truncated, "it holds nothing but zeros") }
        if text.starts(with: [0xfe, 0xff]) || text.starts(with: [0xff, 0xfe]) {
            return .unverifiable("a pom in UTF-16, without a checksum")
        }
        var scanner = PomText(text)
        do { try scanner.run() } catch {
            switch error {
            case .cutOff(let text): return .damaged(.truncated, text)
            case .malformed(let text): return .damaged(.malformed, text)
            }
        }
        return .intact
    }

    private mutating func run() throws(Fault) {
        while let at = rest.firstIndex(of: UInt8(ascii: "<")) {
            try checkText(rest[..<at])
            rest = rest[(at + 1)...]
            if rest.starts(with: "!--".utf8) {
                try skip(past: "-->", within: "a comment")
            } else if rest.starts(with: "![CDATA[".utf8) {
                guard !open.isEmpty else { throw .malformed("it has text outside of its root element") }
                try skip(past: "]]>", within: "a CDATA section")
            } else if rest.first == UInt8(ascii: "?") {
                try skip(past: "?>", within: "a processing instruction")
            } else if rest.first == UInt8(ascii: "!") {
                try skipDeclaration()
            } else {
                try tag()
            }
        }
        try checkText(rest)
        if let inner = open.last { throw .cutOff("it ends within the element \(Self.printable(inner))") }
        guard hasRoot else { throw .cutOff("it ends before its first element") }
    }

    private func checkText(_ text: ArraySlice<UInt8>) throws(Fault) {
        guard open.isEmpty else {
            if text.contains(0) { throw .malformed("it holds zero bytes") }
            return
        }
        if text.contains(where: { ![9, 10, 13, 32].contains($0) }) {
            throw .malformed(
                hasRoot ? "it goes on after its root element" : "it is no XML: text comes before any element")
        }
    }

    private mutating func skip(past end: String, within what: String) throws(Fault) {
        let end = Array(end.utf8)
        while let at = rest.firstIndex(of: end[0]) {
            rest = rest[at...]
            if rest.starts(with: end) {
                rest = rest.dropFirst(end.count)
                return
            }
            rest = rest.dropFirst()
        }
        throw .cutOff("it ends within \(what)")
    }

    /// A document type, whose internal subset stands in brackets.
    private mutating func skipDeclaration() throws(Fault) {
        var brackets = 0
        var quote: UInt8?
        while let byte = rest.popFirst() {
            if let mark = quote {
                if byte == mark { quote = nil }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = byte
            case UInt8(ascii: "["): brackets += 1
            case UInt8(ascii: "]"): brackets -= 1
            case UInt8(ascii: ">") where brackets <= 0: return
            default: break
            }
        }
        throw .cutOff("it ends within a declaration")
    }

    private mutating func tag() throws(Fault) {
        let start = rest.startIndex
        var quote: UInt8?
        var end: Int?
        for at in rest.indices {
            let byte = rest[at]
            if let mark = quote {
                if byte == mark { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                end = at
                break
            } else if byte == UInt8(ascii: "<") {
                throw .malformed("it has a < within a tag")
            }
        }
        guard let end else { throw .cutOff("it ends within a tag") }
        let text = rest[start..<end]
        rest = rest[(end + 1)...]
        if text.first == UInt8(ascii: "/") {
            try close(Self.name(text.dropFirst()))
            return
        }
        try begin(Self.name(text), isEmpty: text.last == UInt8(ascii: "/"))
    }

    private mutating func begin(_ name: ArraySlice<UInt8>, isEmpty: Bool) throws(Fault) {
        guard let first = name.first, first > 64 || first == UInt8(ascii: ":") else {
            throw .malformed("it has a < that begins no tag")
        }
        if open.isEmpty {
            guard !hasRoot else { throw .malformed("it has two root elements") }
            hasRoot = true
            let local = name.split(separator: UInt8(ascii: ":")).last ?? name
            guard local.elementsEqual("project".utf8) else {
                throw .malformed("its root element is \(Self.printable(name)), not project")
            }
        }
        guard open.count < Self.deepest else { throw .malformed("its elements are nested too deeply") }
        if !isEmpty { open.append(name) }
    }

    private mutating func close(_ name: ArraySlice<UInt8>) throws(Fault) {
        guard let inner = open.popLast(), inner.elementsEqual(name) else {
            throw .malformed("the element \(Self.printable(name)) is closed and was not open")
        }
    }

    private static func name(_ tag: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        tag.prefix { $0 > 32 && $0 != UInt8(ascii: "/") }
    }

    private static func printable(_ name: ArraySlice<UInt8>) -> String { escaped(name.prefix(40)) }
}
