import CacheModel

extension MappingReader {
    /// Takes note of watermarks out of order: each must be at or below the next one, and all at or below
    /// the limit.
    ///
    /// Where the limit is the file system's capacity, a percentage and a size cannot be compared.
    func checkOrder(_ levels: [(key: String, level: Watermark)], limit: ByteCount?) {
        for ((lowerKey, lower), (upperKey, upper)) in zip(levels, levels.dropFirst()) {
            // The key that was given is the one to look at; the other may be a default.
            let key = node(upperKey) != nil && node(lowerKey) == nil ? upperKey : lowerKey
            switch isAbove(lower, upper, limit: limit) {
            case true?:
                problems.add(
                    place(of: key), keyPath(key),
                    "\(lowerKey) (\(lower.text)) is above \(upperKey) (\(upper.text)); "
                        + "accepted: \(Self.order)")
            case nil:
                problems.add(
                    place(of: key), keyPath(key),
                    "\(lowerKey) (\(lower.text)) and \(upperKey) (\(upper.text)) cannot be compared without a "
                        + "limit; accepted: two percentages, two sizes, or a size as the limit")
            case false?: break
            }
        }
        guard let limit else { return }
        for (key, level) in levels where level.of(limit) > limit {
            problems.add(
                place(of: key), keyPath(key),
                "\(key) (\(level.text)) is above the limit (\(limit.quantity)); accepted: \(Self.order)")
        }
    }

    private static let order = "low ≤ high ≤ critical ≤ limit"

    /// The place of a key's value; where it is absent, of the mapping.
    func place(of key: String) -> ConfigurationOrigin {
        node(key).map { document.origin(of: $0.node) } ?? origin
    }

    private func isAbove(_ lower: Watermark, _ upper: Watermark, limit: ByteCount?) -> Bool? {
        if let limit { return lower.of(limit) > upper.of(limit) }
        switch (lower, upper) {
        case (.share(let a), .share(let b)): return a > b
        case (.size(let a), .size(let b)): return a > b
        default: return nil
        }
    }
}

extension Watermark {
    /// The level as configuration writes it: `82.5%`, `18Gi`.
    var text: String {
        switch self {
        case .size(let size): return size.quantity
        case .share(let basisPoints):
            let (whole, rest) = basisPoints.quotientAndRemainder(dividingBy: 100)
            if rest == 0 { return "\(whole)%" }
            return rest % 10 == 0 ? "\(whole).\(rest / 10)%" : "\(whole).\(rest < 10 ? "0" : "")\(rest)%"
        }
    }
}
