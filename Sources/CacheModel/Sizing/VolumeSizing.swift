/// Everything that sizing says of one volume, from its history alone.
package struct VolumeSizing: Sendable {
    /// What is asked.
    package struct Question: Sendable {
        /// The window: accesses after it began count.
        package var window: Span
        /// Now.
        package var now: Timestamp
        /// Today's size of the volume.
        package var limit: ByteCount
        /// What of it belongs to no pool.
        package var unmanaged: ByteCount
        /// What the containers occupy that are there at once.
        package var containers: ByteCount
        /// What the recommendation shall keep to.
        package var terms: Recommendation.Terms
        /// Whether the policies are compared: that takes longer.
        package var simulates: Bool
        /// Whether the volume gives evidence of use: without any, there is no rate, no curve and no advice.
        package var hasEvidence: Bool

        /// Makes a question from all it consists of.
        package init(
            window: Span = .days(30), now: Timestamp, limit: ByteCount, unmanaged: ByteCount = .zero,
            containers: ByteCount = .zero, terms: Recommendation.Terms = .init(), simulates: Bool = false,
            hasEvidence: Bool = true
        ) {
            self.window = window
            self.now = now
            self.limit = limit
            self.unmanaged = unmanaged
            self.containers = containers
            self.terms = terms
            self.simulates = simulates
            self.hasEvidence = hasEvidence
        }
    }

    /// How many days of history a forecast needs.
    package static let daysNeeded = 7

    /// How long the history is.
    package let history: Span
    /// Hits and misses in the window by pool; pools without any are left out.
    package let rates: [Pool: HitRate]
    /// What was evicted and fetched again in the window, by pool: how many times, and its bytes.
    package let regret: [Pool: HitRate]
    /// The curve; nil where no access counts.
    package let curve: HitRateCurve?
    /// The whole days of the window.
    package let days: [DailyFigures.Day]
    /// The bytes used in a day.
    package let dailySet: WorkingSet?
    /// The bytes used in 7 days.
    package let weeklySet: WorkingSet?
    /// How the volume grows and when it is full; nil before 7 days of history.
    package let bytesForecast: FillForecast?
    /// How the demand of jobs grows; nil before 7 days of history.
    package let demandForecast: FillForecast?
    /// How its inodes grow; nil where that cannot be told.
    package let inodesForecast: FillForecast?
    /// How large the PVC should be; nil before 7 days of history or without accesses.
    package let recommendation: Recommendation?
    /// What other sizes bring; empty where something is missing for a recommendation.
    package let advice: [SizeAdvice]
    /// The policies compared at today's size; empty unless asked for.
    package let policies: [PolicyResult]
    /// What is missing for a recommendation, in a sentence; nil where nothing is.
    package let missing: String?

    /// Answers the question.
    package init(_ history: VolumeHistory, _ question: Question) {
        let since = question.now - question.window
        self.history = history.lastScanAt - history.beganAt
        var (rates, regret): ([Pool: HitRate], [Pool: HitRate]) = ([:], [:])
        for access in history.accesses where access.at > since && access.at <= question.now {
            rates[access.pool, default: HitRate()].add(access)
            if access.isRegret { regret[access.pool, default: HitRate()].add(access) }
        }
        self.rates = rates
        self.regret = regret
        let figures = DailyFigures(history)
        let windowDays = Int(question.window.seconds / 86_400)
        days = figures.last(windowDays)
        let hasUse = question.hasEvidence && !rates.isEmpty
        let curve = hasUse ? HitRateCurve(history, since: since) : nil
        self.curve = curve
        dailySet = hasUse ? WorkingSet(days.map(\.distinctBytes)) : nil
        weeklySet = hasUse ? WorkingSet(days.compactMap(\.weekBytes)) : nil
        let forecasts = FillForecast.all(history, figures, limit: question.limit)
        bytesForecast = forecasts.bytes
        demandForecast = hasUse ? forecasts.demand : nil
        inodesForecast = forecasts.inodes
        missing = Self.missing(days: figures.days.count, hasUse: hasUse, question)
        let headroom = WorkingSet(days.map(\.rate.missBytes))?.p95 ?? .zero
        let recommended =
            missing == nil
            ? curve.flatMap {
                Recommendation(
                    $0, growthPerDay: forecasts.demand?.growth.perDay ?? 0, headroom: headroom,
                    unmanaged: question.unmanaged, containers: question.containers, limit: question.limit,
                    terms: question.terms)
            } : nil
        recommendation = recommended
        let covered = min(question.window.seconds, (question.now - history.beganAt).seconds)
        // Rates per day from a few hours would be made up.
        advice =
            missing == nil
            ? curve.map {
                SizeAdvice.table(
                    $0, limit: question.limit, also: recommended?.bytes, unmanaged: question.unmanaged,
                    days: Double(covered) / 86_400)
            } ?? [] : []
        let room = max(.zero, question.limit - question.unmanaged)
        policies =
            question.simulates && hasUse ? CachePolicy.compare(history, since: since, size: room) : []
    }

    private static func missing(days: Int, hasUse: Bool, _ question: Question) -> String? {
        if !question.hasEvidence {
            return "the volume gives no evidence of use (noatime?): mount it relatime"
        }
        if days < daysNeeded {
            return "\(days) of \(daysNeeded) days of history: keep scanning, and ask again in "
                + "\(daysNeeded - days) \(daysNeeded - days == 1 ? "day" : "days")"
        }
        return hasUse ? nil : "no use was seen in the window: scan after jobs have run, or widen --window"
    }
}

extension HitRate {
    mutating func add(_ access: VolumeHistory.Access) {
        if access.isHit {
            hits += 1
            hitBytes += access.bytes
        } else {
            misses += 1
            missBytes += access.bytes
        }
    }
}
