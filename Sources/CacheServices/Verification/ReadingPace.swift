import CacheModel

/// How fast, and for how long, a verification may read.
package struct ReadingPace: Sendable, Hashable {
    /// Bytes in a second; nil for as fast as it goes.
    package var rate: ByteCount?
    /// After how long no further entry is begun; nil for all of them.
    package var duration: Span?

    /// Makes a pace.
    package init(rate: ByteCount? = nil, duration: Span? = nil) {
        self.rate = rate
        self.duration = duration
    }

    /// How long to wait after so many bytes in so long a time, for the rate not to be passed.
    func pause(after bytes: Int64, in elapsed: Span) -> Span {
        guard let rate, rate > .zero else { return .zero }
        let due = Double(bytes) / Double(rate.bytes) * 1e9
        return Span(nanoseconds: max(0, Int64(min(due, 1e18)) - elapsed.nanoseconds))
    }

    /// Whether the time is over.
    func isOver(after elapsed: Span) -> Bool { duration.map { elapsed >= $0 } ?? false }
}
