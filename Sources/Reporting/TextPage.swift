/// How a piece of text stands out on a terminal.
enum Tone: String {
    case plain = ""
    case strong = "1"
    case faint = "2"
    case good = "32"
    case warning = "33"
    case bad = "1;31"
}

/// Lines of text that are never wider than the page, and never shortened.
struct TextPage {
    let width: Int
    private let color: Bool
    private var lines: [String] = []

    /// Prose that runs over more columns than this is hard to read.
    private static let widestProse = 120

    init(width: Int, color: Bool) {
        self.width = max(40, width)
        self.color = color
    }

    /// Whether the page has an edge: then long lists are cut, and what follows says by how much.
    var isBounded: Bool { width != unboundedWidth }

    /// The first few of a list that has its rest in JSON; all of them on a page without an edge.
    func first<Items: Collection>(_ count: Int, of items: Items) -> Items.SubSequence {
        items.prefix(isBounded ? count : items.count)
    }

    /// The page with a trailing newline.
    var text: String { lines.joined(separator: "\n") + "\n" }

    mutating func blank() {
        if !lines.isEmpty, lines.last != "" { lines.append("") }
    }

    /// Adds one line; what does not fit goes on in the next, two columns further in.
    mutating func line(_ text: String, indent: Int = 0, tone: Tone = .plain) {
        let room = width - indent
        let parts = DisplayWidth.broken(DisplayWidth.printable(text), first: room, rest: room - 2)
        for (place, part) in parts.enumerated() {
            append(part, indent: place == 0 ? indent : indent + 2, tone: tone)
        }
    }

    /// Adds a text in as many lines as it needs, broken at spaces but not within a command that fits into one;
    /// `hanging` is the further indentation of all but the first.
    mutating func paragraph(_ text: String, indent: Int = 0, hanging: Int = 0, tone: Tone = .plain) {
        let room = (isBounded ? min(width, Self.widestProse) : width) - indent
        let words = DisplayWidth.printable(text).split(separator: " ").joined(separator: " ")
        guard !words.isEmpty else { return }
        let whole = isBounded ? Self.keepingCommands(words, within: room - hanging) : words
        for (place, part) in DisplayWidth.broken(whole, first: room, rest: room - hanging).enumerated() {
            let part = part.replacing(Self.firmSpace, with: " ")
            append(part, indent: place == 0 ? indent : indent + hanging, tone: tone)
        }
    }

    private static let firmSpace = "\u{a0}"

    /// The text with firm spaces in its commands: what is pasted must be one line.
    private static func keepingCommands(_ text: String, within room: Int) -> String {
        let command =
            #/
            larder\ [a-z]+ (?: \ (?:list|purge|restore|show|validate)\b )?
            (?: \ (?: RUN(?:\ \[KEY\])? | \d{8}T\S+ | --[a-z-]+ (?: \ [^\s-]\S* )? ) )*
            /#
        return text.replacing(command) { match in
            let whole = String(match.output)
            return DisplayWidth.columns(whole) <= room ? whole.replacing(" ", with: firmSpace) : whole
        }
    }

    /// Adds a table, then how many more rows there would be out of `count`.
    ///
    /// A note stands below its row.
    mutating func table(
        _ table: TextTable, of count: Int? = nil, notes: [Int: String] = [:], indent: Int = 2
    ) {
        for (place, row) in table.rows(width: width - indent).enumerated() {
            for part in row { line(part, indent: indent, tone: place == 0 ? .faint : .plain) }
            if let note = notes[place - 1] { paragraph(note, indent: indent + 10, tone: .faint) }
        }
        more((count ?? 0) - table.rows.count, indent: indent)
    }

    /// Says how many are not shown, if any.
    mutating func more(_ count: Int, indent: Int) {
        guard isBounded, count > 0 else { return }
        line("… and \(Figures.grouped(Int64(count))) more (--format json lists all)", indent: indent)
    }

    /// Adds the bar of a quota.
    mutating func bar(_ bar: QuotaBar, indent: Int = 2) {
        line(bar.text(width: width - indent), indent: indent, tone: bar.tone)
    }

    private mutating func append(_ text: String, indent: Int, tone: Tone) {
        lines.append(String(repeating: " ", count: indent) + styled(text, tone))
    }

    private func styled(_ text: String, _ tone: Tone) -> String {
        color && tone != .plain ? "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m" : text
    }
}

/// Rows under headings, each column as wide as its widest text.
///
/// The last column is what identifies a row: where it does not fit beside the others it stands below them, whole.
struct TextTable {
    enum Alignment {
        case left
        case right
    }

    let columns: [(title: String, alignment: Alignment)]
    var rows: [[String]] = []

    init(_ columns: (title: String, alignment: Alignment)...) { self.columns = columns }

    /// The headings and the rows, each in lines of at most that width.
    func rows(width: Int) -> [[String]] {
        let shown = ([columns.map(\.title)] + rows).map { $0.map(DisplayWidth.printable) }
        let last = columns.count - 1
        let widths = columns.indices.map { column in
            shown.lazy.map { column < $0.count ? DisplayWidth.columns($0[column]) : 0 }.max() ?? 0
        }
        let room = width - widths.dropLast().reduce(0) { $0 + $1 + 2 }
        return shown.map { row in
            var line = ""
            for (column, cell) in row.enumerated() where column < last {
                let gap = String(repeating: " ", count: widths[column] - DisplayWidth.columns(cell))
                line += column > 0 ? "  " : ""
                line += columns[column].alignment == .right ? gap + cell : cell + gap
            }
            let end = row.count > last && last >= 0 ? row[last] : ""
            guard DisplayWidth.columns(end) > room else {
                return [Self.trimmed(last > 0 && !end.isEmpty ? line + "  " + end : line + end)]
            }
            return [Self.trimmed(line)]
                + DisplayWidth.broken(end, first: width - 4, rest: width - 4).map { "    " + $0 }
        }
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
