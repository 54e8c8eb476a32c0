import TestSupport

/// Makes new inputs from those of a corpus: the same ones for the same seed.
struct Mutator {
    private var random: SeededGenerator
    private let corpus: [[UInt8]]

    /// What parsers stumble over.
    private static let words: [[UInt8]] =
        [
            "\0", "\u{1b}[2J", "\"", "\\", "\\u0000", "\\ud800", "{", "}", "[", "]", "[[", "{\"a\":", ",",
            ":", "=",
            "-1", "1e400", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "0x7f",
            "1.5", "null",
            "true", "\n", "\r\n", "\t", " ", "é", "\u{202e}", "\u{9b}", "<", "</", "<![CDATA[", "]]>", "<!--",
            "&a", "*a",
            "<<", "!!binary", "%", "..", "/", "../../", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "292277026596-01-01T00:00:00Z", "---\n", "&x [*x]", "''", "\"\"\"", "[[runners]]", "sha256:",
        ].map { Array($0.utf8) } + [
            [0xff], [0xfe, 0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x7f, 0xff, 0xff, 0xff],
        ]

    /// Mutates the files of a corpus.
    init(corpus: [[UInt8]], seed: UInt64) {
        self.corpus = corpus
        random = SeededGenerator(seed: seed)
    }

    /// The next input: one of the corpus with a few changes.
    mutating func next() -> [UInt8] {
        var bytes = corpus.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...5, using: &random) { change(&bytes) }
        return Array(bytes.prefix(1 << 20))
    }

    private mutating func place(_ bytes: [UInt8]) -> Int { Int.random(in: 0...bytes.count, using: &random) }

    private mutating func part(_ bytes: [UInt8]) -> Range<Int> {
        let start = place(bytes)
        return start..<min(bytes.count, start + Int.random(in: 0...64, using: &random))
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: flip(&bytes)
        case 1: bytes.removeLast(bytes.count - place(bytes))
        case 2: bytes.removeSubrange(part(bytes))
        case 3: bytes.insert(contentsOf: bytes[part(bytes)], at: place(bytes))
        case 4, 5: bytes.insert(contentsOf: Self.words.randomElement(using: &random) ?? [], at: place(bytes))
        case 6: bytes.replaceSubrange(part(bytes), with: Self.words.randomElement(using: &random) ?? [])
        case 7: splice(&bytes)
        case 8: nest(&bytes)
        default: number(&bytes)
        }
    }

    private mutating func flip(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes[Int.random(in: bytes.indices, using: &random)] ^=
                1 << UInt8.random(in: 0..<8, using: &random)
        }
    }

    /// The beginning of this one and the end of another.
    private mutating func splice(_ bytes: inout [UInt8]) {
        let other = corpus.randomElement(using: &random) ?? []
        bytes = Array(bytes[..<place(bytes)] + other[place(other)...])
    }

    /// Opens something a thousand times.
    private mutating func nest(_ bytes: inout [UInt8]) {
        let openings = ["[", "{\"a\":", "<a>", "- ", "? ", "((", "[[a]]\n", "{", " "]
        let word = Array((openings.randomElement(using: &random) ?? "[").utf8)
        let count = [10, 1000, 20_000].randomElement(using: &random) ?? 10
        bytes.insert(contentsOf: Array(repeatElement(word, count: count).joined()), at: place(bytes))
    }

    /// Puts another number in the place of one.
    private mutating func number(_ bytes: inout [UInt8]) {
        let digits = bytes.indices.filter { (48...57).contains(bytes[$0]) }
        guard let at = digits.randomElement(using: &random) else { return flip(&bytes) }
        let end = bytes[at...].firstIndex { !(48...57).contains($0) } ?? bytes.count
        let edges = [
            "0", "-1", "9223372036854775807", "9223372036854775808", "1e300", "4611686018427387904", "00",
        ]
        bytes.replaceSubrange(at..<end, with: Array((edges.randomElement(using: &random) ?? "0").utf8))
    }
}
