import Digests

extension GradleJournal {
    /// The hashes that a path may stand under in the index: the last 8 bytes of the MD5 of its serialised text
    /// (gradle/gradle `KeyHasher`, `BaseSerializerFactory.FILE_SERIALIZER`).
    ///
    /// Gradle changed how it serialises texts of less than 64 ASCII characters, so those have two.
    static func hashes(of path: String) -> [Int64] {
        var texts = [lengthFirst(path)]
        if let short = lastByteMarked(path) { texts.append(short) }
        return texts.map { text in
            DigestFunction.md5.digest(of: text).suffix(8).reduce(0) { $0 << 8 | Int64($1) }
        }
    }

    /// Kryo's `writeString(CharSequence)`: the number of UTF-16 units and one more in groups of 7 bits, the first
    /// of 6 below a mark, then each unit by itself in UTF-8.
    private static func lengthFirst(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var length = text.utf16.count + 1
        bytes.reserveCapacity(length + 4)
        bytes.append(UInt8(0x80 | length & 0x3f | (length > 0x3f ? 0x40 : 0)))
        length >>= 6
        while length > 0 {
            bytes.append(UInt8(length & 0x7f | (length > 0x7f ? 0x80 : 0)))
            length >>= 7
        }
        for unit in text.utf16 {
            switch unit {
            case ..<0x80: bytes.append(UInt8(unit))
            case ..<0x800: bytes += [UInt8(0xc0 | unit >> 6), UInt8(0x80 | unit & 0x3f)]
            default:
                bytes += [
                    UInt8(0xe0 | unit >> 12), UInt8(0x80 | unit >> 6 & 0x3f), UInt8(0x80 | unit & 0x3f),
                ]
            }
        }
        return bytes
    }

    /// Kryo's `writeString(String)` for 2 to 63 ASCII characters: as they are, the last one marked.
    private static func lastByteMarked(_ text: String) -> [UInt8]? {
        var bytes = Array(text.utf8)
        guard (2..<64).contains(bytes.count), bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
        bytes[bytes.count - 1] |= 0x80
        return bytes
    }
}
