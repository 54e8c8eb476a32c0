/// How a piece of text stands out on a terminal.
enum Tone: String {
    case plain = ""
    case strong = "1"
    case faint = "2"
    case good = "32"
    case warning = "33"
    case bad = "1;31"
}

/// Lines of text that are never wider than the page.
struct TextPage {
    let width: Int
    private let color: Bool
    private var lines: [String] = []

    init(width: Int, color: Bool) {
        self.width = max(40, width)
        self.color = color
    }

    /// The page with a trailing newline.
    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func blank() {
        if !lines.isEmpty, lines.last != "" { lines.append("") }
    }

    /// Adds one line, cut in the middle where it is too wide.
    mutating func line(_ text: String, indent: Int = 0, tone: Tone = .plain) {
        let clean = DisplayWidth.printable(text)
        let fitting = DisplayWidth.shortened(clean, to: width - indent)
        lines.append(String(repeating: " ", count: indent) + styled(fitting, tone))
    }

    /// Adds a text in as many lines as it needs, broken at spaces; `hanging` is the further indentation of all
    /// but the first.
    mutating func paragraph(_ text: String, indent: Int = 0, hanging: Int = 0, tone: Tone = .plain) {
        var current = ""
        var columns = 0
        var margin = indent
        func flush() {
            line(current, indent: margin, tone: tone)
            (current, columns, margin) = ("", 0, indent + hanging)
        }
        for word in DisplayWidth.printable(text).split(separator: " ") {
            let needed = DisplayWidth.columns(word)
            if columns > 0, columns + 1 + needed <= width - margin {
                current += " " + word
                columns += 1 + needed
                continue
            }
            if columns > 0 { flush() }
            // A word wider than the line is broken, not cut: it may be a path that someone copies.
            for character in word {
                let step = DisplayWidth.columns(String(character))
                if columns + step > width - margin { flush() }
                current.append(character)
                columns += step
            }
        }
        if columns > 0 { flush() }
    }

    /// Adds a table, then how many more rows there would be out of `count`.
    ///
    /// A note stands below its row.
    mutating func table(
        _ table: TextTable, of count: Int? = nil, notes: [Int: String] = [:], indent: Int = 2
    ) {
        for (place, row) in table.lines(width: width - indent).enumerated() {
            line(row, indent: indent, tone: place == 0 ? .faint : .plain)
            if let note = notes[place - 1] { paragraph(note, indent: indent + 10, tone: .faint) }
        }
        more((count ?? 0) - table.rows.count, indent: indent)
    }

    /// Says how many are not shown, if any.
    mutating func more(_ count: Int, indent: Int) {
        guard count > 0 else { return }
        line("… and \(Figures.grouped(Int64(count))) more (--format json lists all)", indent: indent)
    }

    /// Adds the bar of a quota.
    mutating func bar(_ bar: QuotaBar, indent: Int = 2) {
        line(bar.text(width: width - indent), indent: indent, tone: bar.tone)
    }

    private func styled(_ text: String, _ tone: Tone) -> String {
        color && tone != .plain ? "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m" : text
    }
}

/// Rows under headings: each column is as wide as its widest text, but for the last, which is cut in the
/// middle to what is left.
struct TextTable {
    enum Alignment {
        case left
        case right
    }

    let columns: [(title: String, alignment: Alignment)]
    var rows: [[String]] = []

    init(_ columns: (title: String, alignment: Alignment)...) { self.columns = columns }

    /// The headings and the rows, in lines of at most that width.
    func lines(width: Int) -> [String] {
        let shown = ([columns.map(\.title)] + rows).map { $0.map(DisplayWidth.printable) }
        var widths = columns.indices.map { column in
            shown.lazy.map { column < $0.count ? DisplayWidth.columns($0[column]) : 0 }.max() ?? 0
        }
        if let last = widths.indices.last {
            widths[last] = max(10, width - widths[..<last].reduce(0) { $0 + $1 + 2 })
        }
        return shown.map { row in
            var line = ""
            for (column, cell) in row.enumerated() where column < widths.count {
                let text = DisplayWidth.shortened(cell, to: widths[column])
                let isLast = column == widths.count - 1
                let gap = String(repeating: " ", count: widths[column] - DisplayWidth.columns(text))
                let padsRight = columns[column].alignment == .left && !isLast
                line += (column > 0 ? "  " : "") + (columns[column].alignment == .right && !isLast ? gap : "")
                line += text + (padsRight ? gap : "")
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
