import CacheModel
import Foundation
import Testing

@testable import Reporting

/// The small parts that every report is made of.
struct RenderingTests {
    @Test(arguments: [
        ("abc", 3, "abc"), ("abcdef", 5, "ab…ef"), ("abcdef", 4, "ab…f"), ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("日本語版", 8, "日本語版"), ("日本語版", 7, "日本…版"), ("日本語版", 6, "日…版"), ("日本語版", 2, "…"),
        ("org.example:artifact:1.0", 12, "org.ex…t:1.0"),
    ])
    func shortensInTheMiddle(_ test: (text: String, columns: Int, expected: String)) {
        let short = DisplayWidth.shortened(test.text, to: test.columns)
        #expect(short == test.expected)
        #expect(DisplayWidth.columns(short) <= test.columns)
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("한", 2), ("📦", 2), ("Ａ", 2), ("…·█▌|", 5),
        ("🇩🇪", 4), ("☀\u{fe0f}", 2),
    ])
    func countsColumns(_ test: (text: String, columns: Int)) {
        #expect(DisplayWidth.columns(test.text) == test.columns)
    }

    @Test(arguments: [
        ("abc", 3, 3, ["abc"]), ("abc def", 5, 5, ["abc", "def"]), ("abcdefgh", 5, 3, ["abcde", "fgh"]),
        ("a bcdefgh", 5, 4, ["a", "bcde", "fgh"]), ("", 5, 5, [""]), ("abc de fgh", 6, 6, ["abc de", "fgh"]),
        ("日本語", 4, 2, ["日本", "語"]), ("  ab cd", 5, 5, ["  ab", "cd"]),
    ])
    func breaksLinesAtSpacesAndShortensNothing(
        _ test: (text: String, first: Int, rest: Int, lines: [String])
    ) {
        let lines = DisplayWidth.broken(test.text, first: test.first, rest: test.rest)
        #expect(lines == test.lines)
        #expect(
            lines.joined().filter { $0 != " " } == test.text.filter { $0 != " " }, "nothing is lost")
    }

    /// Sizes whose parts are rounded each by themselves would not add up.
    @Test func sizesAndTheirDifferenceAddUpAsPrinted() throws {
        var generator = SystemRandomNumberGenerator()
        func tenths(_ text: String) -> Int? {
            let parts = text.split(separator: " ")
            return parts.count == 2 ? Int(parts[0].replacing(".", with: "")) : nil
        }
        for _ in 0..<2000 {
            let before = Int64.random(in: 0...(1 << Int64.random(in: 12...45, using: &generator)))
            let after = Int64.random(in: 0...max(1, before))
            let shown = Figures.change(from: ByteCount(before), to: ByteCount(after))
            guard shown.before.hasSuffix("iB"),
                shown.difference.split(separator: " ").last == shown.before.split(separator: " ").last
            else { continue }
            let (a, b, c) = (tenths(shown.before), tenths(shown.difference), tenths(shown.after))
            if shown.after.split(separator: " ").last == shown.before.split(separator: " ").last {
                #expect(a.flatMap { a in b.map { a - $0 } } == c, "\(shown)")
            } else {
                // Less than a tenth of the unit: all of it went, as far as that unit tells.
                #expect(a == b && shown.after == "\(ByteCount(after))", "\(shown)")
            }
        }
        #expect(Figures.change(from: gibibytes(17.55), to: gibibytes(13.5)).difference == "4.0 GiB")
        #expect(
            Figures.change(from: gibibytes(20), to: gibibytes(20) - ByteCount(5 << 20)).difference
                == "5.0 MiB")
        #expect(Figures.change(from: gibibytes(20.05), to: gibibytes(20.04)).difference == "10.2 MiB")
        #expect(Figures.change(from: ByteCount(900), to: ByteCount(100)).difference == "800 B")
    }

    @Test func aSparklineShowsRatesAndGaps() {
        #expect(Figures.sparkline([0, 0.5, 1, nil, 0.99]) == "▁▅█ █")
    }

    @Test func unprintableCharactersAreReplaced() {
        #expect(DisplayWidth.printable("a\u{1b}[2Jb\nc\u{202e}d\u{200b}") == "a?[2Jb c?d?")
    }

    @Test(arguments: [
        (0.0, "[···················|···|····] 0 B of 20.0 GiB (0 %)"),
        (0.4, "[▌··················|···|····] 410 MiB of 20.0 GiB (1 %)"),
        (10, "[██████████████·····|···|····] 10.0 GiB of 20.0 GiB (50 %)"),
        (10.4, "[██████████████▌····|···|····] 10.4 GiB of 20.0 GiB (51 %)"),
        (20, "[███████████████████|███|████] 20.0 GiB of 20.0 GiB (100 %)"),
        (30, "[███████████████████|███|████] 30.0 GiB of 20.0 GiB (150 %)"),
    ])
    func barShowsSizeAndWatermarks(_ test: (used: Double, bar: String)) {
        #expect(QuotaBar(used: gibibytes(test.used), quota: quota(20)).text(width: 78) == test.bar)
    }

    @Test func barOfNothingDoesNotTrap() {
        let none = Quota(limit: .zero, high: .zero, low: .zero)
        #expect(QuotaBar(used: ByteCount(.max), quota: none).text(width: 78).hasSuffix("(–)"))
        #expect(QuotaBar(used: .zero, quota: quota(20)).text(width: 20) == "0 B of 20.0 GiB (0 %)")
    }

    @Test(
        arguments: [
            (nil, "–"), (0, "0.0 %"), (0.00001, "0.1 %"), (0.9336, "93.4 %"), (0.99999, "99.9 %"),
            (1, "100.0 %"),
            (.nan, "–"),
        ] as [(Double?, String)])
    func ratesNeverRoundToAllOrNothing(_ test: (rate: Double?, text: String)) {
        #expect(Figures.rate(test.rate) == test.text)
    }

    @Test(
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"),
            (.min, "-9,223,372,036,854,775,808"),
        ] as [(Int64, String)])
    func groupsDigits(_ test: (number: Int64, text: String)) {
        #expect(Figures.grouped(test.number) == test.text)
    }

    @Test func jsonKeepsOrderAndEscapes() throws {
        let value: JSONValue = [
            "z": "quote \" backslash \\ bell \u{7} line\nend\u{2028}", "a": .null,
            "list": [.integer(.min), .unsigned(.max), .number(0.5), .number(2), .bool(true), []],
        ]
        let text = try value.document()
        #expect(
            text == """
                {
                  "z": "quote \\" backslash \\\\ bell \\u0007 line\\nend\\u2028",
                  "a": null,
                  "list": [-9223372036854775808, 18446744073709551615, 0.5, 2, true, []]
                }

                """)
        #expect(throws: JSONError.self) { try JSONValue.number(.infinity).document() }
    }

    @Test func jsonIsReadBackWhateverTheText() throws {
        let scalars = (0...0x2fff).compactMap(Unicode.Scalar.init).map(Character.init)
        let text = try (["text": .text(String(scalars))] as JSONValue).document()
        let read = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String]
        #expect(read?["text"].map { Array($0.unicodeScalars) } == Array(String(scalars).unicodeScalars))
    }
}
