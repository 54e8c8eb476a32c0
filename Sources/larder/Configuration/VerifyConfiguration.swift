import CacheModel

/// How `verify` goes about its work.
struct VerifyConfiguration: Sendable, Hashable {
    /// After how long no further entry is begun; nil for all of them.
    var maxDuration: Span?
    /// How many bytes are read in a second; nil for as fast as it goes.
    var maxRate: ByteCount?
}

extension ValueFormat<Span?> {
    /// A length of time above zero, or `none`.
    static var spanOrNone: Self {
        let format = ValueFormat<Span>.positiveSpan
        return Self(
            accepted: "`none`, or \(format.accepted)",
            read: { $0 == "none" ? .some(nil) : format.read($0).map { .some($0) } }, guess: format.guess)
    }
}
