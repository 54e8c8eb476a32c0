import CacheModel

/// What the size that `report` recommends shall keep to.
package struct ReportConfiguration: Sendable, Hashable {
    /// How many of the entries that jobs want in a day may be fetched though a larger volume would have had them.
    package var distance: Watermark = .share(basisPoints: 100)
    /// For how long, or until when, the size shall do: demand is extended that far.
    package var review: Review = .after(.days(90))
    /// What is kept free for the fetches between two prunes; nil for what was measured.
    package var headroom: ByteCount?
    /// What jobs fetch a second; nil where nobody said.
    package var fetchSpeed: ByteCount?
    /// For how long single accesses are kept.
    package var history = Span.days(120)
    /// What a gibibyte costs in a month, in the owner's currency; nil where nobody said.
    package var price: Price?

    /// A price of space.
    package struct Price: Sendable, Hashable {
        /// For one GiB and month.
        package var amount: Double
        /// The currency, as it is to be written: `EUR`.
        package var currency: String

        /// Makes a price from both.
        package init(amount: Double, currency: String) {
            self.amount = amount
            self.currency = currency
        }
    }

    /// Puts it together.
    package init(
        distance: Watermark = .share(basisPoints: 100), review: Review = .after(.days(90)),
        headroom: ByteCount? = nil, fetchSpeed: ByteCount? = nil
    ) {
        self.distance = distance
        self.review = review
        self.headroom = headroom
        self.fetchSpeed = fetchSpeed
    }

    /// When the size is looked at again.
    package enum Review: Sendable, Hashable {
        /// That long after each report.
        case after(Span)
        /// On that day.
        case on(Timestamp)

        /// How long it is until then; zero where the day has passed.
        package func span(from now: Timestamp) -> Span {
            switch self {
            case .after(let span): span
            case .on(let day): max(.zero, day - now)
            }
        }

        /// What to tell a person whose review is overdue; nil for all others.
        package func overdue(at now: Timestamp) -> String? {
            guard case .on(let day) = self, day < now else { return nil }
            return "report.review: \(day.description.prefix(10)) has passed, so no growth is added; set the "
                + "next date"
        }
    }

    /// The same as sizing takes it, at that time.
    package func terms(now: Timestamp) -> Recommendation.Terms {
        let review = review.span(from: now)
        guard case .share(let basisPoints) = distance else {
            return .init(review: review, headroom: headroom)
        }
        return .init(distance: Double(basisPoints) / 10_000, review: review, headroom: headroom)
    }
}
