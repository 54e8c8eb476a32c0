/// What became of one image that was to be warmed.
package struct WarmedImage: Sendable, Hashable {
    /// How it ended.
    package enum Result: String, Sendable, Hashable, CaseIterable {
        /// It was there, and is as the policy wants it.
        case present
        /// It was not there and is now.
        case pulled
        /// The name stood for another image before.
        case updated
        /// It is not there, or could not be brought up to date.
        case failed
        /// It was not tried: there is no room, or no time.
        case skipped
    }

    /// Its name, in full.
    package var reference: String
    /// How it ended.
    package var result: Result
    /// How often Podman was asked to pull it.
    package var attempts: Int
    /// How long that took, with the pauses between.
    package var duration: Span
    /// What it occupies in the store, parents' copies included; where it is not there, what is expected.
    package var bytes: ByteCount
    /// Why it failed or was skipped.
    package var reason: String?
    /// Why it is on the list: `named`, `configured`, or the uses that speak for it.
    package var why: String
    /// The image ID: 64 hexadecimal digits; nil where it is not there.
    package var image: String?

    /// Makes a record from all it consists of.
    package init(
        reference: String, result: Result, attempts: Int = 0, duration: Span = .zero,
        bytes: ByteCount = .zero,
        reason: String? = nil, why: String = "named", image: String? = nil
    ) {
        self.reference = reference
        self.result = result
        self.attempts = attempts
        self.duration = duration
        self.bytes = bytes
        self.reason = reason
        self.why = why
        self.image = image
    }

    /// Whether the image is there for the jobs to use.
    package var isReady: Bool { [.present, .pulled, .updated].contains(result) }
}

/// What warming one image brought over the last runs.
package struct WarmHistory: Sendable, Hashable {
    /// The image's name, in full.
    package var reference: String
    /// In how many of those runs it was made ready.
    package var warmed: Int
    /// In how many it was fetched for that.
    package var pulled: Int
    /// After how many of them a job used it before the next one.
    package var used: Int
    /// When it was on the list last; nil where that is not known.
    package var lastWarmed: Timestamp?

    /// An image that was warmed at least this often and never used is idle.
    package static let idleRuns = 5

    /// Whether it was warmed again and again, and nobody used it.
    package var isIdle: Bool { warmed >= Self.idleRuns && used == 0 }

    /// What warming it brought: `warmed 14 times, pulled 14, used 0`.
    package var sentence: String { "warmed \(warmed) times, pulled \(pulled), used \(used)" }

    /// Makes a record from all it consists of.
    package init(reference: String, warmed: Int, pulled: Int, used: Int, lastWarmed: Timestamp? = nil) {
        self.reference = reference
        self.warmed = warmed
        self.pulled = pulled
        self.used = used
        self.lastWarmed = lastWarmed
    }
}
