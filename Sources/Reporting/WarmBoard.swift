import CacheModel

/// A warm-up as it goes, for a terminal: a line for each image under way, and a total.
///
/// Podman names a layer when it begins with it and never says that it is done, so how many are done comes from
/// the store. Pure: whoever draws it says what is done and how wide the terminal is.
package struct WarmBoard: Sendable {
    private struct Row {
        var name: String
        var total: Int?
        var announced: Set<String> = []
        var pause: String?
    }

    /// How many images there are in all.
    private let count: Int
    private var ended = 0
    private var ready = 0
    private var rows: [Row] = []
    private let totals: [String: Int]

    /// Makes the board of a warm-up that has not begun.
    ///
    /// - Parameter images: the names of all images, each with the number of its layers where that is known.
    package init(images: [(name: String, layers: Int?)]) {
        count = images.count
        totals = Dictionary(
            images.compactMap { image in image.layers.map { (image.name, $0) } },
            uniquingKeysWith: { _, last in last })
    }

    /// An image is being pulled, for the first time or again.
    package mutating func began(_ name: String) {
        if let place = rows.firstIndex(where: { $0.name == name }) {
            rows[place].pause = nil
        } else {
            rows.append(Row(name: name, total: totals[name]))
        }
    }

    /// A layer of it is being fetched, or was found to be there.
    package mutating func announced(_ digest: String, of name: String) {
        guard let place = rows.firstIndex(where: { $0.name == name }) else { return }
        rows[place].announced.insert(digest)
    }

    /// It is tried again after the pause.
    package mutating func paused(_ name: String, for pause: Span) {
        guard let place = rows.firstIndex(where: { $0.name == name }) else { return }
        rows[place].pause = "again in \(pause)"
    }

    /// An image's end.
    package mutating func ended(_ image: WarmedImage) {
        rows.removeAll { $0.name == image.reference }
        ended += 1
        if image.isReady { ready += 1 }
    }

    /// The lines, none wider than `width`: the images under way, and the total.
    ///
    /// - Parameter done: the digests of all layers in the store.
    package func lines(width: Int, done: Set<String>) -> [String] {
        let known = rows.map { row in
            (done: row.announced.intersection(done).count, of: max(row.total ?? 0, row.announced.count))
        }
        var lines = zip(rows, known).map { row, layers in
            let state = row.pause ?? (layers.of > 0 ? "\(layers.done) of \(layers.of) layers" : "asking")
            return Self.line(state, row.name, width)
        }
        let layers = known.reduce((done: 0, of: 0)) { ($0.done + $1.done, $0.of + $1.of) }
        var total = "\(ready) of \(Figures.count(Int64(count), "image", "images")) ready"
        if ended > ready { total += ", \(ended - ready) not" }
        if layers.of > 0 { total += "; \(layers.done) of \(layers.of) layers under way" }
        lines.append(DisplayWidth.shortened(total, to: width))
        return lines
    }

    /// The line of an image that has ended, which stays above the others.
    package static func ending(_ image: WarmedImage, width: Int) -> String {
        var state = image.result.rawValue
        if image.isReady, image.bytes > .zero { state += " \(image.bytes)" }
        return line(state, image.reference, width)
    }

    private static func line(_ state: String, _ name: String, _ width: Int) -> String {
        let padded = state + String(repeating: " ", count: max(0, 17 - DisplayWidth.columns(state)))
        let rest = width - DisplayWidth.columns(padded) - 2
        return DisplayWidth.shortened(
            "\(padded)  \(DisplayWidth.shortened(DisplayWidth.printable(name), to: max(10, rest)))", to: width
        )
    }
}
