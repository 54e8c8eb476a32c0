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
            var others = SpaceUse.Share(
                name: "\(rest.count) others", entries: Int64(rest.count), bytes: bytes)
            others.age = shown.last?.age
            let ages = rest.compactMap(\.age)
            if !ages.isEmpty { others.age = ages.sorted()[ages.count / 2] }
            shown.append(others)
        }
        var drawing = ""
        place(shown[...], in: Area(x: 0, y: 0, width: Plot.width, height: Plot.height), &drawing)
        return drawing
    }

    // Halves by size, along the longer side.
    private static func place(
        _ shares: ArraySlice<SpaceUse.Share>, in area: Area, _ drawing: inout String
    ) {
        guard let first = shares.first else { return }
        if shares.count == 1 {
            drawing += cell(first, area)
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
        place(shares[..<split], in: one, &drawing)
        place(shares[split...], in: two, &drawing)
    }

    /// A name is shortened where it is too long; a size is there in full or not at all, and always on hover.
    private static func cell(_ share: SpaceUse.Share, _ area: Area) -> String {
        let age = share.age.map { ", last used \(SpaceUse.ageNames[$0]) ago" } ?? ""
        let label = "\(share.name), \(share.bytes)\(age)"
        let cell =
            "<rect class=\"cell a\(share.age ?? 0)\" x=\"\(Plot.text(area.x))\" y=\"\(Plot.text(area.y))\" "
            + "width=\"\(Plot.text(area.width))\" height=\"\(Plot.text(area.height))\">"
            + "<title>\(HTMLText.escaped(label))</title></rect>"
        let (room, tall) = (Int((area.width - 10) / 6.9), Int((area.height - 10) / 6.9))
        let size = "\(share.bytes)"
        func line(_ text: String, _ attributes: String) -> String {
            "<text \(attributes)>\(HTMLText.escaped(text))</text>"
        }
        func level(_ text: String, x: Double, y: Double, anchor: String = "start") -> String {
            line(text, "x=\"\(Plot.text(x))\" y=\"\(Plot.text(y))\" text-anchor=\"\(anchor)\"")
        }
        func upwards(_ text: String, x: Double) -> String {
            let foot = Plot.text(area.y + area.height - 5)
            return line(text, "transform=\"translate(\(Plot.text(x)),\(foot)) rotate(-90)\"")
        }
        if room >= size.count, area.height >= 34 {
            return cell + level(name(of: share, room: room), x: area.x + 5, y: area.y + 14)
                + level(size, x: area.x + 5, y: area.y + 28)
        }
        if area.height > area.width, area.width >= 32, tall >= size.count {
            return cell + upwards(name(of: share, room: tall), x: area.x + 14) + upwards(size, x: area.x + 28)
        }
        guard room >= 6, area.height >= 18 else { return cell }
        let isWide = room >= size.count + 8
        return cell
            + level(
                name(of: share, room: isWide ? room - size.count - 2 : room), x: area.x + 5, y: area.y + 14)
            + (isWide ? level(size, x: area.x + area.width - 5, y: area.y + 14, anchor: "end") : "")
    }

    /// A name in that many columns: of a group id its last parts, `…jackson.core`, as they say more than the first.
    private static func name(of share: SpaceUse.Share, room: Int) -> String {
        let pool = #/ \((?:maven|gradle|gradle-other|images)\)$/#
        let name = DisplayWidth.printable(share.name.replacing(pool, with: ""))
        guard name.count > room else { return name }
        var parts = name.split(separator: ".")[...]
        while parts.count > 1, !name.contains(" ") {
            parts = parts.dropFirst()
            let rest = "…" + parts.joined(separator: ".")
            if rest.count <= room { return rest }
        }
        return name.prefix(room - 1) + "…"
    }

    /// What the colours of the cells mean.
    static func legend(_ shares: [SpaceUse.Share]) -> String {
        let there = Set(shares.compactMap(\.age)).sorted()
        return "<ul class=\"legend\">"
            + there.map { "<li><span class=\"key a\($0)\"></span>\(SpaceUse.ageNames[$0])</li>" }.joined()
            + "</ul>"
    }
}
