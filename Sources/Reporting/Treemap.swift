import CacheModel

/// Groups as rectangles whose areas are their sizes.
enum Treemap {
    private struct Area {
        var x, y, width, height: Double
    }

    /// The rectangles of the largest groups, and one for all others, as SVG.
    static func body(_ shares: [SpaceUse.Share], most: Int = 14) -> String {
        var shown = Array(shares.prefix(most).filter { $0.bytes > .zero })
        let rest = shares.dropFirst(most)
        if !rest.isEmpty {
            let bytes = rest.reduce(ByteCount.zero) { $0 + $1.bytes }
            shown.append(.init(name: "\(rest.count) others", entries: Int64(rest.count), bytes: bytes))
        }
        var drawing = ""
        place(shown[...], in: Area(x: 0, y: 0, width: Plot.width, height: Plot.height), &drawing, number: 0)
        return drawing
    }

    // Halves by size, along the longer side.
    private static func place(
        _ shares: ArraySlice<SpaceUse.Share>, in area: Area, _ drawing: inout String, number: Int
    ) {
        guard let first = shares.first else { return }
        if shares.count == 1 {
            drawing += cell(first, area, number: number)
            return
        }
        let all = shares.reduce(0.0) { $0 + Double($1.bytes.bytes) }
        var (sum, split) = (0.0, shares.startIndex)
        repeat {
            sum += Double(shares[split].bytes.bytes)
            split += 1
        } while split < shares.endIndex - 1 && sum + Double(shares[split].bytes.bytes) / 2 < all / 2
        let share = all > 0 ? sum / all : 0.5
        var (one, two) = (area, area)
        if area.width >= area.height {
            one.width *= share
            two.x += one.width
            two.width -= one.width
        } else {
            one.height *= share
            two.y += one.height
            two.height -= one.height
        }
        place(shares[..<split], in: one, &drawing, number: number)
        place(shares[split...], in: two, &drawing, number: number + split - shares.startIndex)
    }

    private static func cell(_ share: SpaceUse.Share, _ area: Area, number: Int) -> String {
        let label = "\(share.name), \(share.bytes)"
        var cell =
            "<rect class=\"cell t\(number % 6)\" x=\"\(Plot.text(area.x))\" y=\"\(Plot.text(area.y))\" "
            + "width=\"\(Plot.text(area.width))\" height=\"\(Plot.text(area.height))\">"
            + "<title>\(HTMLText.escaped(label))</title></rect>"
        let room = Int((area.width - 10) / 7.6)
        guard room >= 6, area.height >= 18 else { return cell }
        func line(_ text: String, _ y: Double) -> String {
            "<text x=\"\(Plot.text(area.x + 5))\" y=\"\(Plot.text(y))\">"
                + "\(HTMLText.escaped(DisplayWidth.shortened(DisplayWidth.printable(text), to: room)))</text>"
        }
        cell += line(share.name, area.y + 14)
        if area.height >= 34 { cell += line("\(share.bytes)", area.y + 28) }
        return cell
    }
}
