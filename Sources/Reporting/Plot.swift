import CacheModel
import Foundation

/// A plot in SVG, of 400 by 230 units: small enough to be read on a telephone.
struct Plot {
    static let (width, height) = (400.0, 230.0)
    private static let (left, right, top, bottom) = (54.0, 10.0, 14.0, 30.0)

    /// What an axis counts.
    enum Scale {
        case bytes
        case percent
        case times
    }

    let x: (range: ClosedRange<Double>, scale: Scale)
    let y: (range: ClosedRange<Double>, scale: Scale)
    private var body = ""
    /// What is written on the plot: above all that is drawn.
    private var labels = ""

    init(x: (ClosedRange<Double>, Scale), y: (ClosedRange<Double>, Scale)) {
        self.x = x
        self.y = y
        let levels = Self.ticks(y.0, y.1, most: 5)
        let isFine = y.1 == .percent && levels.contains { abs(($0 * 100).rounded() - $0 * 100) > 0.01 }
        for tick in levels {
            let at = Self.text(placeY(tick))
            body +=
                "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(at)\" y2=\"\(at)\"/>"
            body += text(
                isFine ? Figures.rate(tick) : Self.label(tick, y.1), x: Self.left - 5, y: placeY(tick) + 4,
                anchor: "end", kind: "tick")
        }
        for tick in Self.ticks(x.0, x.1, most: 5) {
            let at = min(max(placeX(tick), Self.left + 12), Self.width - Self.right - 18)
            body += text(
                Self.label(tick, x.1), x: at, y: Self.height - Self.bottom + 16, anchor: "middle",
                kind: "tick")
        }
    }

    /// The part of 0…1 that rates fill, with some room, and two hundredths at the least.
    static func range(of rates: [Double]) -> ClosedRange<Double> {
        guard let low = rates.min(), let high = rates.max() else { return 0...1 }
        let room = max((high - low) * 0.15, 0.01)
        return max(0, low - room)...min(1, max(high + room, max(0, low - room) + 0.02))
    }

    /// Adds what is told of points where a pointer rests on them.
    mutating func values(_ points: [(x: Double, y: Double, label: String)]) {
        for point in points {
            body +=
                "<circle class=\"value\" cx=\"\(Self.text(placeX(point.x)))\" cy=\"\(Self.text(placeY(point.y)))\" "
                + "r=\"5\"><title>\(HTMLText.escaped(point.label))</title></circle>"
        }
    }

    /// Adds all that may come between two slopes, and the line in the middle.
    mutating func band(
        from start: (x: Double, y: Double), to end: Double, low: Double, middle: Double, high: Double,
        _ label: String
    ) {
        func place(_ value: Double) -> String {
            Self.text(placeY(min(max(value, y.range.lowerBound), y.range.upperBound)))
        }
        let (from, to) = (Self.text(placeX(start.x)), Self.text(placeX(end)))
        body +=
            "<path class=\"band\" d=\"M\(from),\(place(start.y))L\(to),\(place(high))V\(place(low))Z\">"
            + "<title>\(HTMLText.escaped(label))</title></path>"
            + "<path class=\"forecast\" d=\"M\(from),\(place(start.y))L\(to),\(place(middle))\"/>"
    }

    /// Adds marks at the foot, such as of prunes.
    mutating func marks(_ marks: [(x: Double, label: String)]) {
        let foot = Self.height - Self.bottom
        for mark in marks {
            let at = placeX(mark.x)
            body +=
                "<path class=\"prune\" d=\"M\(Self.text(at)),\(Self.text(foot - 9))l4,8h-8Z\">"
                + "<title>\(HTMLText.escaped(mark.label))</title></path>"
        }
    }

    /// Adds a line through points; as steps where values hold until the next, filled below where told.
    mutating func line(
        _ points: [(x: Double, y: Double)], isStep: Bool = false, isFilled: Bool = false,
        kind: String = "curve"
    ) {
        guard let first = points.first, let last = points.last else { return }
        var path = "M\(Self.text(placeX(first.x))),\(Self.text(placeY(first.y)))"
        for point in points.dropFirst() {
            let (x, y) = (Self.text(placeX(point.x)), Self.text(placeY(point.y)))
            path += isStep ? "H\(x)V\(y)" : "L\(x),\(y)"
        }
        if isFilled {
            let floor = Self.text(placeY(y.range.lowerBound))
            body += "<path class=\"area\" d=\"\(path)V\(floor)H\(Self.text(placeX(first.x)))Z\"/>"
        }
        body += "<path class=\"\(kind)\" d=\"\(path)\"/>"
        if points.count == 1 {
            body +=
                "<circle class=\"dot\" cx=\"\(Self.text(placeX(last.x)))\" cy=\"\(Self.text(placeY(last.y)))\" r=\"4\"/>"
        }
    }

    /// Adds bars from the floor up, each `width` wide in units of the axis.
    mutating func bars(_ points: [(x: Double, y: Double, label: String)], width: Double) {
        let wide = max(1, (placeX(x.range.lowerBound + width) - placeX(x.range.lowerBound)) * 0.8)
        for point in points where point.y > 0 {
            let top = placeY(point.y)
            body +=
                "<rect class=\"bar\" x=\"\(Self.text(placeX(point.x) - wide / 2))\" y=\"\(Self.text(top))\" "
            body += "width=\"\(Self.text(wide))\" height=\"\(Self.text(placeY(y.range.lowerBound) - top))\">"
            body += "<title>\(HTMLText.escaped(point.label))</title></rect>"
        }
    }

    /// Adds an upright line with a label; `row` moves the label down.
    mutating func mark(_ value: Double, _ label: String, kind: String, row: Int) {
        let at = placeX(value)
        body += "<line class=\"\(kind)\" x1=\"\(Self.text(at))\" x2=\"\(Self.text(at))\" "
        body += "y1=\"\(Self.top)\" y2=\"\(Self.height - Self.bottom)\"/>"
        let isLeft = at > Self.width * 0.6
        labels += text(
            label, x: at + (isLeft ? -5 : 5), y: Self.height - Self.bottom - 10 - Double(row) * 15,
            anchor: isLeft ? "end" : "start", kind: "label")
    }

    /// Adds a level line with a label above it.
    mutating func level(_ value: Double, _ label: String) {
        let at = Self.text(placeY(value))
        body +=
            "<line class=\"today\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" y1=\"\(at)\" y2=\"\(at)\"/>"
        labels += text(label, x: Self.width - Self.right, y: placeY(value) - 4, anchor: "end", kind: "label")
    }

    /// The drawing, with a title and a description for those who do not see it.
    func svg(id: String, title: String, description: String) -> String {
        Self.svg(id: id, title: title, description: description, body + labels)
    }

    static func svg(id: String, title: String, description: String, _ body: String) -> String {
        "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-labelledby=\"\(id)-t \(id)-d\">"
            + "<title id=\"\(id)-t\">\(HTMLText.escaped(title))</title>"
            + "<desc id=\"\(id)-d\">\(HTMLText.escaped(description))</desc>\(body)</svg>"
    }

    private func text(_ label: String, x: Double, y: Double, anchor: String, kind: String) -> String {
        "<text class=\"\(kind)\" x=\"\(Self.text(x))\" y=\"\(Self.text(y))\" text-anchor=\"\(anchor)\">"
            + "\(HTMLText.escaped(label))</text>"
    }

    private func placeX(_ value: Double) -> Double {
        let span = max(x.range.upperBound - x.range.lowerBound, 1e-9)
        return Self.left + (value - x.range.lowerBound) / span * (Self.width - Self.left - Self.right)
    }

    private func placeY(_ value: Double) -> Double {
        let span = max(y.range.upperBound - y.range.lowerBound, 1e-9)
        let share = (value - y.range.lowerBound) / span
        return Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
    }

    static func text(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }

    /// Round values along an axis: 1, 2 or 5 of a unit, in binary units for bytes, in days for times.
    private static func ticks(_ range: ClosedRange<Double>, _ scale: Scale, most: Int) -> [Double] {
        let span = range.upperBound - range.lowerBound
        guard span > 0 else { return [range.lowerBound] }
        var unit = 1.0
        if scale == .bytes { while range.upperBound / unit >= 1024 { unit *= 1024 } }
        if scale == .times { unit = 86_400 }
        let rough = span / Double(most) / unit
        let power = pow(10, floor(log10(rough)))
        var step = (([1, 2, 5, 10].first { $0 * power >= rough }) ?? 10) * power * unit
        if scale == .times { step = max(step, unit) }
        // There are no parts of bytes.
        if scale == .bytes { step = max(step, 1) }
        let first = (range.lowerBound / step).rounded(.up)
        return (0...most).map { (first + Double($0)) * step }.filter { $0 <= range.upperBound + step / 1e6 }
    }

    private static func label(_ value: Double, _ scale: Scale) -> String {
        switch scale {
        case .bytes:
            let size = ByteCount(Int64(pinning: value)).description
            return size.replacing(".0 ", with: " ")
        case .percent: return "\(Int64(pinning: (value * 100).rounded())) %"
        case .times: return String(Timestamp(seconds: Int64(pinning: value)).description.prefix(10).suffix(5))
        }
    }
}
