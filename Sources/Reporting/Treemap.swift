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
        let room = Int((area.width - 10) / 6.9)
        func line(_ text: String, _ y: Double) -> String {
            "<text x=\"\(Plot.text(area.x + 5))\" y=\"\(Plot.text(y))\">"
                + "\(HTMLText.escaped(text))</text>"
        }
        let size = "\(share.bytes)"
        guard room >= 6, area.height >= 18 else {
            // A narrow and high one is written from below upwards.
            let tall = Int((area.height - 10) / 6.9)
            guard area.width >= 18, tall >= 10 + size.count else { return cell }
            let (x, y) = (Plot.text(area.x + 14), Plot.text(area.y + area.height - 5))
            return cell + "<text transform=\"translate(\(x),\(y)) rotate(-90)\">"
                + "\(HTMLText.escaped(name(of: share, room: tall - size.count - 2)))  \(size)</text>"
        }
        if area.height >= 34, size.count <= room {
            return cell + line(name(of: share, room: room), area.y + 14) + line(size, area.y + 28)
        }
        if room >= size.count + 8 {
            return cell + line("\(name(of: share, room: room - size.count - 2))  \(size)", area.y + 14)
        }
        return cell + line(name(of: share, room: room), area.y + 14)
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
