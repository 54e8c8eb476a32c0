/// A shell-like pattern over a whole key: `*` stands for any run of characters, `?` for one character.
///
/// Everything else stands for itself, `/` and `:` included. The match is anchored at both ends and tells upper
/// from lower case. A failed match steps back to the last `*` only, so that no pattern takes more than pattern
/// length × key length steps.
package struct KeyPattern: Sendable, Hashable {
    private let pattern: [UInt8]

    /// Takes the pattern as configuration has it.
    package init(_ text: String) { pattern = Array(text.utf8) }

    /// Whether the pattern covers the whole key.
    package func matches(_ key: String) -> Bool {
        var key = key
        return key.withUTF8 { matches($0) }
    }

    /// The same for raw bytes.
    package func matches(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        var next = 0
        var place = 0
        var star: (after: Int, place: Int)?
        while place < key.count {
            if next < pattern.count, pattern[next] == UInt8(ascii: "*") {
                next += 1
                star = (next, place)
            } else if next < pattern.count, pattern[next] == UInt8(ascii: "?") {
                next += 1
                place = Self.end(ofCharacterAt: place, in: key)
            } else if next < pattern.count, pattern[next] == key[place] {
                next += 1
                place += 1
            } else if let last = star {
                next = last.after
                place = Self.end(ofCharacterAt: last.place, in: key)
                star = (last.after, place)
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    // UTF-8 continuation bytes are 10xxxxxx: a character ends before the next byte that is none.
    private static func end(ofCharacterAt place: Int, in key: UnsafeBufferPointer<UInt8>) -> Int {
        var end = place + 1
        while end < key.count, key[end] & 0xc0 == 0x80 { end += 1 }
        return end
    }
}
