/// How large the PVC should be.
///
/// The smallest size whose hit rate is close enough to the best that any size reaches, and to that what it must
/// hold besides: the growth of demand until the next review, what a day brings in before the prune, the copies
/// that containers have of their images, and the files that belong to no pool. Rounded up to whole gibibytes.
package struct Recommendation: Sendable, Hashable {
    /// What the recommendation was asked to keep to.
    package struct Terms: Sendable, Hashable {
        /// How far the hit rate may stay below the best reachable, in 0…1.
        package var distance: Double
        /// How long the size shall do.
        package var review: Span
        /// What is kept free for the fetches between two prunes; nil for what was measured.
        package var headroom: ByteCount?

        /// Makes the terms; the defaults are one point, 90 days and the measured headroom.
        package init(distance: Double = 0.01, review: Span = .days(90), headroom: ByteCount? = nil) {
            self.distance = distance
            self.review = review
            self.headroom = headroom
        }
    }

    /// What was asked for.
    package var terms: Terms
    /// The recommended size, in whole gibibytes.
    package var bytes: ByteCount
    /// The smallest size of the curve that is close enough.
    package var enough: ByteCount
    /// What demand grows by until the review; zero where it shrinks.
    package var growth: ByteCount
    /// What is kept free for fetches: what the terms say, else what all but one day in twenty bring in at most.
    package var headroom: ByteCount
    /// What the containers occupy that are there at once.
    package var containers: ByteCount
    /// What belongs to no pool.
    package var unmanaged: ByteCount
    /// The hit rate over entries at `enough`.
    package var rate: Double
    /// The hit rate over entries of a cache of the recommended size.
    package var rateAdvised: Double
    /// The best hit rate that any size reaches.
    package var best: Double
    /// Today's limit.
    package var limit: ByteCount
    /// The hit rate over entries at today's limit.
    package var rateToday: Double

    /// The size as a Kubernetes quantity: `40Gi`.
    package var quantity: String { "\(bytes.bytes >> 30)Gi" }

    /// Whether less than today's limit would do: a PVC cannot shrink.
    package var isBelowLimit: Bool { bytes < limit }

    /// Reads the recommendation from a curve; nil where no access counts.
    package init?(
        _ curve: HitRateCurve, growthPerDay: Double, headroom: ByteCount, unmanaged: ByteCount,
        containers: ByteCount = .zero, limit: ByteCount, terms: Terms = Terms()
    ) {
        guard let best = curve.best.objects, let enough = curve.smallestSize(reaching: best - terms.distance)
        else { return nil }
        self.terms = terms
        self.best = best
        self.enough = enough
        rate = curve.rate(at: enough).objects ?? 0
        rateToday = curve.rate(at: max(.zero, limit - unmanaged)).objects ?? 0
        let grown = max(0, growthPerDay) * Double(terms.review.seconds) / 86_400
        growth = ByteCount(Int64(min(grown.rounded(), 4e18)))
        self.headroom = terms.headroom ?? headroom
        self.containers = containers
        self.unmanaged = unmanaged
        self.limit = limit
        let sum = enough + growth + self.headroom + containers + unmanaged
        let unit: Int64 = 1 << 30
        bytes = ByteCount(max(1, sum.bytes / unit + (sum.bytes % unit > 0 ? 1 : 0)) * unit)
        rateAdvised = curve.rate(at: bytes).objects ?? rate
    }
}

/// One line of the table "that much space, that many hits".
package struct SizeAdvice: Sendable, Hashable {
    /// The size of the volume.
    package var bytes: ByteCount
    /// Hits and misses at that size.
    package var rate: HitRate
    /// Fetches a day that are saved compared with today's size; negative where there are more.
    package var fetchesSaved: Double
    /// Bytes a day that are not fetched again compared with today's size.
    package var bytesSaved: Double

    /// Minutes a day saved, at that many bytes a second.
    package func minutesSaved(at speed: ByteCount) -> Double {
        speed.bytes > 0 ? bytesSaved / Double(speed.bytes) / 60 : 0
    }

    /// The table around today's size.
    ///
    /// - Parameters:
    ///   - unmanaged: what of each size is not for entries.
    ///   - days: how many days the counted accesses cover.
    static func table(
        _ curve: HitRateCurve, limit: ByteCount, also: ByteCount?, unmanaged: ByteCount, days: Double
    ) -> [SizeAdvice] {
        guard curve.accesses > 0, days > 0 else { return [] }
        func rate(_ size: ByteCount) -> HitRate { curve.rate(at: max(.zero, size - unmanaged)) }
        // Around today's size, and along the curve where that ends earlier: in whole gibibytes, or mebibytes where
        // there are few.
        func parts(of size: ByteCount, _ percentages: [Int64]) -> [ByteCount] {
            let unit: Int64 = size.bytes >= 8 << 30 ? 1 << 30 : 1 << 20
            return percentages.map { ByteCount(max(1, (size.bytes / 100 * $0 + unit - 1) / unit) * unit) }
        }
        let needed = curve.fullSize + unmanaged
        let steps =
            needed.bytes < limit.bytes / 2
            ? parts(of: needed, [10, 25, 50, 75, 100])
            : parts(of: limit, [25, 50, 75, 90, 110, 125, 150, 200])
        let today = rate(limit)
        return Set(steps + [limit] + [also].compactMap { $0 }).sorted().map { size in
            let there = rate(size)
            return SizeAdvice(
                bytes: size, rate: there, fetchesSaved: Double(today.misses - there.misses) / days,
                bytesSaved: Double((today.missBytes - there.missBytes).bytes) / days)
        }
    }
}
