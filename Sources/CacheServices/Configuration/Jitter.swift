import CacheModel

/// How far activities are moved from their schedule, so that many Larders do not all begin in the same second.
package struct Jitter: Sendable, Hashable {
    /// How the delay is chosen.
    package enum Kind: String, Sendable, CaseIterable {
        /// The same each time, by the names of activity and volume: figures stay comparable from day to day.
        case fixed
        /// Another one each time.
        case random
    }

    /// The delay is at least zero and less than this.
    package var most: Span
    /// How it is chosen.
    package var kind: Kind

    /// Makes a jitter from both.
    package init(most: Span = .zero, kind: Kind = .fixed) {
        self.most = most
        self.kind = kind
    }
}
