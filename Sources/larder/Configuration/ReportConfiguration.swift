import CacheModel

/// What the size that `report` recommends shall keep to.
struct ReportConfiguration: Sendable, Hashable {
    /// How far the hit rate may stay below the best reachable; a part of all accesses, 1 % is one point.
    var distance: Watermark = .share(basisPoints: 100)
    /// For how long, or until when, the size shall do: demand is extended that far.
    var review = Review.after(.days(90))
    /// What is kept free for the fetches between two prunes; nil for what was measured.
    var headroom: ByteCount?
    /// What jobs fetch a second; nil where nobody said.
    var fetchSpeed: ByteCount?

    /// When the size is looked at again.
    enum Review: Sendable, Hashable {
        /// That long after each report.
        case after(Span)
        /// On that day.
        case on(Timestamp)

        /// How long it is until then; zero where the day has passed.
        func span(from now: Timestamp) -> Span {
            switch self {
            case .after(let span): span
            case .on(let day): max(.zero, day - now)
            }
        }

        /// What to tell a person whose review is overdue; nil for all others.
        func overdue(at now: Timestamp) -> String? {
            guard case .on(let day) = self, day < now else { return nil }
            return "report.review: \(day.description.prefix(10)) has passed, so no growth is added; set the "
                + "next date"
        }
    }

    /// The same as sizing takes it, at that time.
    func terms(now: Timestamp) -> Recommendation.Terms {
        let review = review.span(from: now)
        guard case .share(let basisPoints) = distance else {
            return .init(review: review, headroom: headroom)
        }
        return .init(distance: Double(basisPoints) / 10_000, review: review, headroom: headroom)
    }
}

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
