/// How large a volume or a pool may become, and how far a prune goes.
///
/// Pruning starts above `high` and stops at or below `low`.
package struct Quota: Hashable, Sendable {
    /// The size that shall never be passed.
    package var limit: ByteCount
    /// A prune starts when more than this is used.
    package var high: ByteCount
    /// A prune stops when no more than this is used.
    package var low: ByteCount

    /// Makes a quota from sizes; `low ≤ high ≤ limit` is checked where configuration is read.
    package init(limit: ByteCount, high: ByteCount, low: ByteCount) {
        self.limit = limit
        self.high = high
        self.low = low
    }

    /// Makes a quota from a limit and two watermarks.
    package init(limit: ByteCount, high: Watermark, low: Watermark) {
        self.init(limit: limit, high: high.of(limit), low: low.of(limit))
    }
}

/// A level within a limit: a part of it, or a size.
package enum Watermark: Hashable, Sendable {
    /// A part of the limit, in hundredths of a percent: 8500 is 85 %.
    case share(basisPoints: Int64)
    /// A size.
    case size(ByteCount)

    /// The level in bytes, for that limit.
    package func of(_ limit: ByteCount) -> ByteCount {
        switch self {
        case .share(let basisPoints):
            ByteCount(limit.bytes / 10_000 * basisPoints + limit.bytes % 10_000 * basisPoints / 10_000)
        case .size(let size): size
        }
    }

    /// Reads `85%`, `82.5%` or a Kubernetes quantity.
    ///
    /// Nil for anything else and for more than 100 %.
    package init?(_ text: String) {
        if text.hasSuffix("%") {
            guard let percent = Double(String(text.dropLast())), (0...100).contains(percent) else {
                return nil
            }
            self = .share(basisPoints: Int64((percent * 100).rounded()))
        } else {
            guard let size = ByteCount(quantity: text) else { return nil }
            self = .size(size)
        }
    }
}
