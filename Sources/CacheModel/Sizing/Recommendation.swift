/// How large the PVC should be.
///
/// The smallest size at which a replay keeps the avoidable fetches within the target and at which everything fits
/// between two prunes; and to that the growth of demand until the next review. Rounded up to whole gibibytes.
package struct Recommendation: Sendable, Hashable {
    /// What the recommendation was asked to keep to.
    package struct Terms: Sendable, Hashable {
        /// How many of the entries that jobs want in a day may be fetched though a larger volume would have had
        /// them, as a part in 0…1.
        package var distance: Double
        /// How long the size shall do.
        package var review: Span
        /// What is kept free for the fetches between two prunes; nil for what the replay shows.
        package var headroom: ByteCount?

        /// Makes the terms; the defaults are one in a hundred, 90 days and the headroom of the replay.
        package init(distance: Double = 0.01, review: Span = .days(90), headroom: ByteCount? = nil) {
            self.distance = distance
            self.review = review
            self.headroom = headroom
        }
    }

    /// What is to be done.
    package enum Action: Sendable, Hashable {
        /// Nothing: today's size is enough.
        case keep
        /// The volume is too small already.
        case growNow
        /// It will be too small from that day on.
        case grow(by: Timestamp)
    }

    /// What was asked for.
    package var terms: Terms
    /// The recommended size: whole gibibytes (mebibytes below one), or today's limit where that is enough and hardly more.
    package var bytes: ByteCount
    /// What must be there for entries: the most that they occupy at once in the replay at the smallest size that
    /// is enough.
    package var enough: ByteCount
    /// What of that no prune takes, as it is now.
    package var protected: ByteCount
    /// What demand and what no prune takes grow by until the review; zero where it is not certain that they grow.
    package var growth: ByteCount
    /// What of that no prune takes.
    package var protectedGrowth: ByteCount
    /// What prunes have evicted and the trash still keeps when the volume is fullest.
    package var trash: ByteCount
    /// What stays free above that for the watermarks and for the fetches between two prunes.
    package var headroom: ByteCount
    /// What the containers occupy that are there at once.
    package var containers: ByteCount
    /// What belongs to no pool.
    package var unmanaged: ByteCount
    /// What is there for the inodes that come with it alone, where those run out before bytes.
    package var forInodes = ByteCount.zero
    /// How many inodes are needed; nil where bytes decide.
    package var inodes: Int64?
    /// The smallest size that is enough today, in bytes.
    package var smallest: ByteCount
    /// Whether a smaller size would spare as many fetches, and is too small for what is used between two prunes.
    package var isForBusiestDay: Bool
    /// What a volume of the recommended size gives.
    package var outcome: ReplayOutcome
    /// What a volume of today's size gives.
    package var today: ReplayOutcome
    /// What a volume without any limit gives.
    package var unlimited: ReplayOutcome
    /// What the recommended size gives at first: what was evicted before must be fetched once more; nil where
    /// today's size is as large.
    package var first: ReplayOutcome?
    /// How many days the replays cover.
    package var days: Double
    /// The avoidable fetches a day that were allowed.
    package var allowed: Double
    /// Today's limit.
    package var limit: ByteCount
    /// What is to be done.
    package var action: Action

    /// The hit rate over entries of the recommended size.
    package var rateAdvised: Double { outcome.rate.objects ?? 0 }
    /// The hit rate over entries at today's limit.
    package var rateToday: Double { today.rate.objects ?? 0 }
    /// The best hit rate that any size reaches.
    package var best: Double { unlimited.rate.objects ?? 0 }
    /// The avoidable fetches a day at the recommended size, and at today's.
    package var avoidablePerDay: Double { Double(outcome.avoidable) / days }
    package var avoidableTodayPerDay: Double { Double(today.avoidable) / days }
    /// What those bring a day.
    package var avoidableBytesPerDay: Double { Double(outcome.avoidableBytes.bytes) / days }
    package var avoidableBytesTodayPerDay: Double { Double(today.avoidableBytes.bytes) / days }

    /// What all parts come to: the recommended size before it is rounded.
    package var sum: ByteCount {
        Self.sum([enough, growth, trash, headroom, containers, unmanaged, forInodes])
    }

    private static func sum(_ parts: [ByteCount]) -> ByteCount { parts.reduce(.zero) { $0 + $1 } }

    /// The size as a Kubernetes quantity: `40Gi`.
    package var quantity: String { bytes.quantity }

    /// Whether less than today's limit would do: a PVC cannot shrink.
    package var isBelowLimit: Bool { bytes < limit }

    /// Searches a curve; nil where no access counts or no size keeps to the terms.
    ///
    /// - Parameters:
    ///   - curve: what each size would have given.
    ///   - wanted: how many different entries jobs want in a day.
    ///   - growth: how demand grows for what a prune may take; nil where that is not known.
    ///   - protected: what no prune takes, and how it grows; nil where that is not known.
    ///   - unmanaged: what belongs to no entry.
    ///   - containers: what containers write at their peak.
    ///   - limit: today's size.
    ///   - now: when the report is made.
    ///   - inodes: what it needs in inodes, where those decide.
    ///   - least: a size below which none is enough for another reason.
    ///   - terms: what a size must keep to.
    package init?(
        _ curve: inout SizeCurve, wanted: Double, growth: Growth?,
        protected: (bytes: ByteCount, growth: Growth?) = (.zero, nil), unmanaged: ByteCount,
        containers: ByteCount = .zero, limit: ByteCount, now: Timestamp, inodes: InodeNeed? = nil,
        least: ByteCount = .zero, terms: Terms = Terms()
    ) {
        unlimited = curve.best
        guard unlimited.rate.hits > 0 else { return nil }
        let days = curve.days
        let allowed = terms.distance * wanted
        let target = SizeTarget(curve, allowed: allowed, containers: containers)
        func isEnough(_ size: ByteCount, _ outcome: ReplayOutcome) -> Bool {
            target.isMet(at: size, by: outcome) && size >= least
        }
        (self.days, self.allowed, self.terms, self.limit) = (days, allowed, terms, limit)
        (self.unmanaged, self.containers) = (unmanaged, containers)
        curve.spread(from: unmanaged + containers)
        today = curve.outcome(at: limit)
        let rates = [growth, protected.growth].map { growth in
            growth.map { $0.isCertain ? $0.perDay : 0 } ?? 0
        }
        let perDay = rates[0] + rates[1]
        let isEnoughToday = limit >= least && target.isMet(at: limit, by: today, isToday: true)
        guard var smallest = curve.smallestSize(isEnough) else { return nil }
        // Prunes come at other times at each size, so that a size may do where a slightly larger one does not: where
        // nothing grows and today's does, it stays.
        if isEnoughToday, perDay <= 0 { smallest = min(smallest, limit) }
        self.smallest = smallest
        let smaller = curve.points.last { $0.bytes < smallest }
        isForBusiestDay = smaller.map { $0.bytes >= least && target.sparesFetches($0.outcome) } ?? false
        let fullest = curve.outcome(at: smallest)
        trash = min(fullest.peakTrash, max(.zero, smallest - fullest.peakNeeded))
        enough = max(.zero, fullest.peakNeeded - unmanaged - containers)
        // What nobody uses any more is there because there is room for it.
        let peak = fullest.peakNeeded + trash
        let slack = max(.zero, smallest - peak)
        let reviewDays = Double(terms.review.seconds) / 86_400
        let grown = ByteCount(Int64(min((perDay * reviewDays).rounded(), 4e18)))
        self.growth = grown
        self.protected = min(protected.bytes, enough)
        protectedGrowth = min(grown, ByteCount(Int64(min((rates[1] * reviewDays).rounded(), 4e18))))
        // The watermarks are parts of the size: what grows needs as much above it as what is there.
        let part = Double(slack.bytes) / Double(max(1, peak.bytes))
        let free = ByteCount(Int64(min(Double(slack.bytes) + Double(grown.bytes) * part, 4e18)))
        headroom = max(.zero, free, terms.headroom ?? .zero)
        var sum = Self.sum([enough, grown, trash, headroom, containers, unmanaged])
        if let inodes {
            let there = Self.sum([enough, grown, trash, containers, unmanaged])
            self.inodes = inodes.inodes(for: there)
            forInodes = max(.zero, inodes.size(for: there) - sum)
            sum += forInodes
        }
        // What is counted in mebibytes is not advised in gibibytes.
        let unit: Int64 = limit.bytes < 1 << 30 && sum.bytes < 1 << 30 ? 1 << 20 : 1 << 30
        bytes = Self.whole(sum, unit)
        // A step of the curve may lie at just this size.
        for _ in 0..<16 where !isEnough(bytes, curve.outcome(at: bytes)) && bytes < curve.fullSize {
            bytes = bytes + ByteCount(unit)
        }
        if bytes > limit, sum <= limit, isEnoughToday { bytes = limit }
        outcome = curve.outcome(at: bytes)
        if bytes <= limit {
            action = .keep
        } else if isEnoughToday, perDay > 0, forInodes == .zero {
            let room = Double((limit - smallest).bytes) / (1 + part)
            let left = max(0, min(room / perDay, reviewDays))
            action = .grow(by: now + .seconds(Int64(left * 86_400)))
        } else {
            action = .growNow
        }
    }

    private static func whole(_ size: ByteCount, _ unit: Int64) -> ByteCount {
        ByteCount(max(1, size.bytes / unit + (size.bytes % unit > 0 ? 1 : 0)).multipliedPinned(by: unit))
    }
}

/// One line of the table "that much space, that many hits".
package struct SizeAdvice: Sendable, Hashable {
    /// The size of the volume.
    package var bytes: ByteCount
    /// What a replay at that size gives.
    package var outcome: ReplayOutcome
    /// Hits and misses at that size.
    package var rate: HitRate { outcome.rate }
    /// Whether what is used between two prunes fits at all times into it and into each larger size.
    ///
    /// Where it does not, fetches fail, and the rate is one that nothing can reach. Today's size and the recommended one are
    /// judged by themselves: which other sizes somebody asks for must not change what is said of them.
    package var fits: Bool
    /// Whether it has fewer inodes than are needed, where it has as many for its size as today's volume.
    package var lacksInodes = false
    /// Fetches a day that are saved compared with today's size; negative where there are more.
    package var fetchesSaved: Double
    /// Bytes a day that are not fetched again compared with today's size.
    package var bytesSaved: Double

    /// Minutes a day saved, at that many bytes a second.
    package func minutesSaved(at speed: ByteCount) -> Double {
        speed.bytes > 0 ? bytesSaved / Double(speed.bytes) / 60 : 0
    }

    /// The sizes around today's, and along the curve where that ends earlier: in whole gibibytes, or mebibytes where there
    /// are few.
    static func sizes(around limit: ByteCount, _ curve: SizeCurve) -> [ByteCount] {
        func parts(of size: ByteCount, _ percentages: [Int64]) -> [ByteCount] {
            let unit: Int64 = size.bytes >= 8 << 30 ? 1 << 30 : 1 << 20
            return percentages.map { ByteCount(max(1, (size.bytes / 100 * $0 + unit - 1) / unit) * unit) }
        }
        let needed = curve.fullSize
        return
            (needed.bytes < limit.bytes / 2
            ? parts(of: needed, [25, 50, 75, 100]) : parts(of: limit, [50, 75, 90, 110, 125, 150, 200]))
            + [limit]
    }

    /// The table around today's size.
    ///
    /// - Parameters:
    ///   - recommended: the size that was found to be enough; nil where none was.
    ///   - asked: a size that somebody asked for.
    ///   - inodes: what is needed in inodes, where those decide.
    static func table(
        _ curve: inout SizeCurve, limit: ByteCount, recommended: Recommendation?, asked: ByteCount?,
        inodes: InodeNeed?
    ) -> [SizeAdvice] {
        let today = curve.outcome(at: limit)
        let further = [recommended?.bytes, asked].compactMap { $0 }
        let sizes = Set(sizes(around: limit, curve) + further).filter { $0.bytes > 0 }.sorted()
        let outcomes = sizes.map { curve.outcome(at: $0) }
        return zip(sizes, outcomes).map { size, there in
            let fits =
                size == limit || size == recommended?.bytes ? there.peak <= size : curve.fits(from: size)
            let lacksInodes = recommended?.inodes.flatMap { inodes?.runsOut(at: size, of: $0) } ?? false
            return SizeAdvice(
                bytes: size, outcome: there, fits: fits && !lacksInodes, lacksInodes: lacksInodes,
                fetchesSaved: Double(today.rate.misses - there.rate.misses) / curve.days,
                bytesSaved: Double((today.rate.missBytes - there.rate.missBytes).bytes) / curve.days)
        }
    }
}
