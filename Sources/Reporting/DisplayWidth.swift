/// How many columns of a terminal a text takes.
enum DisplayWidth {
    /// The columns of a text: two for a wide East Asian character or an emoji, none for a combining mark, one
    /// for anything else (Unicode 16, EastAsianWidth.txt, W and F; the ambiguous ones are narrow).
    static func columns(_ text: some StringProtocol) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 }
            ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + columns($1) }
    }

    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value < 0x300 { return 1 }
        // The emoji presentation selector makes the character before it wide.
        if value == 0xfe0f { return 1 }
        if isWide(value) { return 2 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return 1
        }
    }

    private static func isWide(_ value: UInt32) -> Bool {
        guard value >= 0x1100 else { return false }
        var (low, high) = (0, wide.count)
        while low < high {
            let middle = (low + high) / 2
            if wide[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < wide.count && wide[low].contains(value)
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x231a...0x231b, 0x2329...0x232a, 0x23e9...0x23ec, 0x23f0...0x23f0, 0x23f3...0x23f3,
        0x25fd...0x25fe, 0x2614...0x2615, 0x2630...0x2637, 0x2648...0x2653, 0x267f...0x267f, 0x268a...0x268f,
        0x2693...0x2693, 0x26a1...0x26a1, 0x26aa...0x26ab, 0x26bd...0x26be, 0x26c4...0x26c5, 0x26ce...0x26ce,
        0x26d4...0x26d4, 0x26ea...0x26ea, 0x26f2...0x26f3, 0x26f5...0x26f5, 0x26fa...0x26fa, 0x26fd...0x26fd,
        0x2705...0x2705, 0x270a...0x270b, 0x2728...0x2728, 0x274c...0x274c, 0x274e...0x274e, 0x2753...0x2755,
        0x2757...0x2757, 0x2795...0x2797, 0x27b0...0x27b0, 0x27bf...0x27bf, 0x2b1b...0x2b1c, 0x2b50...0x2b50,
        0x2b55...0x2b55, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
        0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18dff,
        0x1aff0...0x1b2ff, 0x1d300...0x1d376, 0x1f004...0x1f004, 0x1f0cf...0x1f0cf, 0x1f18e...0x1f18e,
        0x1f191...0x1f19a, 0x1f1e6...0x1f64f, 0x1f680...0x1f6ff, 0x1f7e0...0x1f7f0, 0x1f900...0x1f9ff,
        0x1fa70...0x1faff, 0x20000...0x3fffd,
    ]

    /// The text cut in the middle to at most that many columns, with `…` where something is missing.
    static func shortened(_ text: String, to limit: Int) -> String {
        if columns(text) <= limit { return text }
        guard limit > 1 else { return limit == 1 ? "…" : "" }
        let characters = Array(text)
        var (head, tail) = (0, characters.count)
        var left = limit - 1
        while head < tail {
            // The two ends grow in turn; the end of a key, its version, is as telling as its beginning.
            let takesHead = head <= characters.count - tail
            let next = columns(String(takesHead ? characters[head] : characters[tail - 1]))
            guard next <= left else { break }
            left -= next
            if takesHead { head += 1 } else { tail -= 1 }
        }
        return String(characters[..<head]) + "…" + String(characters[tail...])
    }

    /// The text in lines of at most `first` columns for the first of them and `rest` for the others.
    ///
    /// It is broken at spaces, which are left out there; a word wider than a line is broken after a colon or a slash,
    /// so that the parts of a key or a path stay whole where they fit, else between characters.
    static func broken(_ text: String, first: Int, rest: Int) -> [String] {
        if first == unboundedWidth || columns(text) <= first { return [text] }
        var lines: [String] = []
        var line: [Character] = []
        var (used, room) = (0, max(2, first))
        var space: Int?
        for character in text {
            let step = columns(String(character))
            if used + step > room {
                var carried: [Character] = []
                if character == " " {
                    // The line ends here by itself.
                } else if let end = space, line[..<end].contains(where: { $0 != " " }) {
                    carried = Array(line[(end + 1)...])
                    line.removeSubrange(end...)
                } else {
                    carried = takenAfterSeparator(from: &line)
                }
                lines.append(String(line))
                (line, used, space, room) = ([], 0, nil, max(2, rest))
                if character == " " { continue }
                // What is carried over may be wider than a line by itself, or fill it just so.
                for (each, width) in (carried + [character]).map({ ($0, columns(String($0))) }) {
                    if used + width > room, !line.isEmpty {
                        let rest = takenAfterSeparator(from: &line)
                        lines.append(String(line))
                        (line, used) = (rest, columns(String(rest)))
                    }
                    line.append(each)
                    used += width
                }
                continue
            }
            if character == " " { space = line.count }
            line.append(character)
            used += step
        }
        if !line.isEmpty || lines.isEmpty { lines.append(String(line)) }
        return lines.map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// What follows the last colon or slash of a word, taken from its end; nothing where it has none.
    private static func takenAfterSeparator(from word: inout [Character]) -> [Character] {
        guard let separator = word.lastIndex(where: { $0 == ":" || $0 == "/" }) else { return [] }
        let rest = Array(word[(separator + 1)...])
        word.removeSubrange((separator + 1)...)
        return rest
    }

    /// The text without what could move the cursor, hide text or begin a new line.
    static func printable(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) { return text }
        var clean = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                clean.append(scalar == "\n" || scalar == "\t" ? " " : "?")
            case .format, .unassigned, .privateUse, .surrogate: clean.append("?")
            default: clean.append(scalar)
            }
        }
        return String(clean)
    }
}
