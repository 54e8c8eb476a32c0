import CacheModel

/// A table of a report: what CSV writes, what stands below a plot, and what the text shows.
struct ReportTable {
    /// One cell: for people, and bare for CSV.
    enum Cell {
        case text(String)
        case size(ByteCount)
        case count(Int64)
        case rate(Double?)
        case number(Double)
        /// An amount of money.
        case cost(Double)
        case time(Timestamp)

        /// As people read it.
        var shown: String {
            switch self {
            case .text(let text): text
            case .size(let size): "\(size)"
            case .count(let count): Figures.grouped(count)
            case .rate(let rate): Figures.rate(rate)
            case .number(let number): abs(number) < 0.05 ? "0" : "\((number * 10).rounded() / 10)"
            case .cost(let cost): CapacityReport.Volume.money(cost)
            case .time(let time): String(time.description.prefix(10))
            }
        }

        /// As a script reads it (RFC 4180), bytes and rates as bare numbers.
        ///
        /// A text that a spreadsheet would
        /// take for a formula gets an apostrophe before it.
        var csv: String {
            switch self {
            case .text(let text):
                let safe = text.first.map { "=+-@\t\r".contains($0) } == true ? "'" + text : text
                let needsQuotes = safe.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
                return needsQuotes ? "\"" + safe.replacing("\"", with: "\"\"") + "\"" : safe
            case .size(let size): return "\(size.bytes)"
            case .count(let count): return "\(count)"
            case .rate(let rate): return rate.map { "\($0)" } ?? ""
            case .number(let number), .cost(let number): return "\(number)"
            case .time(let time): return time.description
            }
        }

        var isNumber: Bool { if case .text = self { false } else { true } }
    }

    /// Its name in CSV and in links: `curve`.
    let name: String
    /// Its heading.
    let title: String
    /// Its columns: for people, and in CSV.
    let columns: [(title: String, key: String)]
    /// Its rows.
    var rows: [[Cell]]
    /// Whether the text shows it.
    var isForText = true
    /// The keys of columns that a terminal of 80 columns has no room for.
    var leftOutOfText: Set<String> = []
    /// The columns whose sum over all rows means something.
    var summed: Set<Int> = []
    /// The command that evicts one of the rows, as an example; nil where none does.
    var reclaim: String?

    /// The sums of all rows, and how many they are; nil where no column has a sum, or there is but one row.
    var sum: [Cell]? {
        guard !summed.isEmpty, rows.count > 1 else { return nil }
        var isNamed = false
        return columns.indices.map { column in
            if summed.contains(column) {
                var (size, count, isSize) = (ByteCount.zero, Int64(0), false)
                for row in rows {
                    switch row[column] {
                    case .size(let bytes): (size, isSize) = (size + bytes, true)
                    case .count(let number): count += number
                    default: break
                    }
                }
                return isSize ? .size(size) : .count(count)
            }
            guard !isNamed, column == columns.count - 1 || !rows[0][column].isNumber else { return .text("") }
            isNamed = true
            return .text("all \(rows.count)")
        }
    }

    /// The first rows for a terminal.
    ///
    /// The text column goes last, as it is the one that is cut.
    func text(rows count: Int) -> TextTable {
        let order = columns.indices.filter { !leftOutOfText.contains(columns[$0].key) }.sorted { a, b in
            let (isNumberA, isNumberB) = (rows.first?[a].isNumber ?? true, rows.first?[b].isNumber ?? true)
            return isNumberA == isNumberB ? a < b : isNumberA
        }
        var table = TextTable(columns: order.map { (columns[$0].title, .right) })
        table.rows = rows.prefix(count).map { row in order.map { row[$0].shown } }
        return table
    }

    /// The table as CSV with a line of keys.
    var csv: String {
        ([columns.map(\.key)] + rows.map { $0.map(\.csv) }).map { $0.joined(separator: ",") + "\r\n" }
            .joined()
    }
}

extension TextTable {
    init(columns: [(title: String, alignment: Alignment)]) { self.columns = columns }
}
