/// A path below a volume's root, as the raw bytes that the file system keeps: names need not be UTF-8.
///
/// Components are joined by one `/`; there is no leading one, and no component is empty, `.` or `..`.
/// The root itself is the empty path.
package struct VolumePath: Hashable, Sendable, Comparable {
    /// The raw bytes.
    package let bytes: [UInt8]

    /// The volume's root.
    package static let root = VolumePath(unchecked: [])

    init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Takes names as directory listings gave them, joined by `/`, which is not checked again.
    package init(listed bytes: [UInt8]) { self.bytes = bytes }

    /// Takes raw bytes.
    ///
    /// Nil where they are no path below a root: a leading, doubled or trailing `/`, a `.` or `..` component,
    /// or a NUL byte.
    package init?(bytes: [UInt8]) {
        if !bytes.isEmpty {
            for component in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
                if component.isEmpty || component.elementsEqual([46]) || component.elementsEqual([46, 46])
                    || component.contains(0)
                {
                    return nil
                }
            }
        }
        self.bytes = bytes
    }

    /// Takes a path in UTF-8.
    ///
    /// Nil as for raw bytes.
    package init?(_ text: String) { self.init(bytes: Array(text.utf8)) }

    /// The path of `name` in this directory.
    ///
    /// `name` must be one component, as a directory listing gives it.
    package func appending(_ name: some Collection<UInt8>) -> VolumePath {
        var joined = bytes
        joined.reserveCapacity(bytes.count + 1 + name.count)
        if !joined.isEmpty { joined.append(UInt8(ascii: "/")) }
        joined.append(contentsOf: name)
        return VolumePath(unchecked: joined)
    }

    /// The components in order; empty for the root.
    package var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

    /// The last component; empty for the root.
    package var name: ArraySlice<UInt8> { components.last ?? [] }

    /// The directory that holds this path; the root for the root.
    package var parent: VolumePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return .root }
        return VolumePath(unchecked: Array(bytes[..<slash]))
    }

    /// Whether it is a directory's path, or lies below it.
    package func isInside(_ directory: VolumePath) -> Bool {
        directory.bytes.isEmpty
            || bytes.starts(with: directory.bytes)
                && (bytes.count == directory.bytes.count || bytes[directory.bytes.count] == UInt8(ascii: "/"))
    }

    /// Orders by raw bytes.
    package static func < (a: VolumePath, b: VolumePath) -> Bool {
        // By index over raw memory: sorting 100,000 paths by iterators takes several times as long.
        a.bytes.withUnsafeBufferPointer { a in
            b.bytes.withUnsafeBufferPointer { b in
                let shorter = min(a.count, b.count)
                var at = 0
                while at < shorter, a[at] == b[at] { at += 1 }
                return at < shorter ? a[at] < b[at] : a.count < b.count
            }
        }
    }
}

extension VolumePath: CustomStringConvertible {
    /// The path made safe to print and unambiguous to read back.
    package var description: String { escaped(bytes) }
}

/// Raw bytes as text that is safe to print: what is not UTF-8, a control character or a backslash is written
/// `\xNN`, so no name can move a terminal's cursor or forge a line.
package func escaped(_ bytes: some Sequence<UInt8>) -> String { escaped(Array(bytes)) }

/// The same, for bytes that lie in an array.
package func escaped(_ all: [UInt8]) -> String {
    if all.allSatisfy({ $0 >= 32 && $0 < 127 && $0 != 92 }) { return String(decoding: all, as: UTF8.self) }
    var text = ""
    func appendHex(_ byte: UInt8) {
        let digits = Array("0123456789abcdef")
        text += "\\x"
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    var decoder = UTF8()
    var rest = all[...]
    while !rest.isEmpty {
        var iterator = rest.makeIterator()
        decoder = UTF8()
        let before = rest
        guard case .scalarValue(let scalar) = decoder.decode(&iterator), scalar != "\\", !scalar.movesTerminal
        else {
            appendHex(before[before.startIndex])
            rest = before.dropFirst()
            continue
        }
        text.unicodeScalars.append(scalar)
        rest = before.dropFirst(UTF8.width(scalar))
    }
    return text
}

/// Reads back what `escaped` wrote.
///
/// Nil where a backslash does not begin `\xNN`.
package func unescaped(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte != 92 {
            bytes.append(byte)
            continue
        }
        guard rest.popFirst() == UInt8(ascii: "x"), rest.count >= 2,
            let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(2)
    }
    return bytes
}

extension Unicode.Scalar {
    /// Whether a terminal obeys it, or it hides, breaks or turns round a line: control characters, line and
    /// paragraph separators, and marks of direction (Unicode TR 36).
    package var movesTerminal: Bool {
        switch value {
        case 0...0x1f, 0x7f...0x9f, 0x200b...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff: true
        default: false
        }
    }
}
