import CacheModel
import CacheServices

extension ValueFormat<Watermark> {
    /// A distance between two hit rates.
    static var points: Self {
        Self(
            accepted: "a percentage from 0% to 50%, such as 1% (one point) or 0.5%",
            read: { text in
                guard text.hasSuffix("%"), let level = ValueFormat<Watermark>.watermark.read(text),
                    case .share(0...5000) = level
                else { return nil }
                return level
            }, guess: ValueFormat<Watermark>.share.guess)
    }
}

extension ValueFormat<ReportConfiguration.Review> {
    /// A length of time, or a day.
    static var review: Self {
        Self(
            accepted: "a duration such as 90d, or a date such as 2027-03-31",
            read: { text in
                if let span = Span(text) { return .after(span) }
                guard text.utf8.count == 10 else { return nil }
                return Timestamp(rfc3339: text + "T00:00:00Z").map { .on($0) }
            }, guess: ValueFormat<Span>.span.guess)
    }
}

extension ValueFormat<ByteCount?> {
    /// A room for fetches; nil stands for what was measured.
    static var headroom: Self {
        Self(
            accepted: "`measured`, 0, or a quantity such as 5Gi or 500M",
            read: { text in
                if text == "measured" { return .some(nil) }
                if text == "0" { return .some(.zero) }
                return ValueFormat<ByteCount?>.poolLimit.read(text).flatMap { $0 }.map { .some($0) }
            }, guess: ValueFormat<ByteCount?>.poolLimit.guess)
    }

    /// Bytes a second; nil stands for no knowledge of it.
    static var speed: Self {
        Self(
            accepted: "`none`, or a quantity a second such as 20Mi or 100M",
            read: ValueFormat<ByteCount?>.poolLimit.read, guess: ValueFormat<ByteCount?>.poolLimit.guess)
    }
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
