// What people write for sizes and times, and what they meant where that is neither: one wording for the configuration,
// the command line and the filters of lists.

extension ByteCount {
    /// What is accepted for a size.
    package static let accepted = "a quantity such as 20Gi, 500M or 21474836480 (bytes)"

    /// What somebody meant who wrote `20GB`: "`20Gi` or `20G`"; nil where that is anyone's guess.
    @Sendable package static func meant(by text: String) -> String? {
        let close = text.lowercased().filter { $0 != " " }
        let digits = String(close.prefix { $0.isASCII && ($0.isNumber || $0 == ".") })
        let unit = close.dropFirst(digits.count)
        guard let letter = unit.first, "kmgtp".contains(letter), unit.utf8.count <= 3,
            ["", "b", "i", "ib"].contains(unit.dropFirst())
        else { return nil }
        let binary = digits + letter.uppercased() + "i"
        let decimal = digits + (letter == "k" ? "k" : letter.uppercased())
        guard let size = ByteCount(quantity: binary), size > .zero else { return nil }
        return unit.contains("i") ? "`\(binary)`" : "`\(binary)` or `\(decimal)`"
    }
}

extension Span {
    /// What is accepted for a length of time.
    package static let accepted = "a duration such as 36h, 14d, 1h30m or 0s (units w, d, h, m, s)"

    /// What somebody meant who wrote `5`, `5 days` or `14D`: "`5d`"; nil where that is anyone's guess.
    ///
    /// - Parameters:
    ///   - text: what was written.
    ///   - units: the units that a number without one may be meant in.
    package static func meant(by text: String, units: [String] = ["h", "d"]) -> String? {
        let close = text.lowercased().filter { $0 != " " }
        if close != text, Span(close) != nil { return "`\(close)`" }
        let digits = String(close.prefix { $0.isASCII && $0.isNumber })
        let word = String(close.dropFirst(digits.count))
        if word.isEmpty {
            let forms = units.map { digits + $0 }.filter { Span($0) != nil }
            return forms.isEmpty ? nil : forms.map { "`\($0)`" }.joined(separator: " or ")
        }
        let form = words.first { $0.words.contains(word) }.map { digits + $0.unit }
        return form.flatMap { Span($0) == nil ? nil : "`\($0)`" }
    }

    private static let words: [(unit: String, words: [String])] = [
        ("w", ["week", "weeks"]), ("d", ["day", "days"]), ("h", ["hour", "hours", "hr", "hrs"]),
        ("m", ["min", "mins", "minute", "minutes"]), ("s", ["sec", "secs", "second", "seconds"]),
    ]
}
