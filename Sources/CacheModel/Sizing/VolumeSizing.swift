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
        /// How the volume is pruned; without any times, each night.
        package var regime: PruneRegime
        /// A size that is asked for beside the recommended one.
        package var asked: ByteCount?
        /// In which order entries go that were used at the same instant and are of one size.
        package var rank: [Int64: Int]
        /// How much older an entry would count that was never used again, where the order is asked for.
        package var probation: Span
        /// Whether anything is there now that a pool has.
        package var hasEntries: Bool
        /// What the volume needs in inodes; nil where bytes decide.
        package var inodes: InodeNeed?

        /// Makes a question from all it consists of.
        package init(
            window: Span = .days(30), now: Timestamp, limit: ByteCount, unmanaged: ByteCount = .zero,
            containers: ByteCount = .zero, terms: Recommendation.Terms = .init(), simulates: Bool = false,
            hasEvidence: Bool = true, regime: PruneRegime = PruneRegime(), asked: ByteCount? = nil,
            rank: [Int64: Int] = [:], probation: Span = .days(21), hasEntries: Bool = false,
            inodes: InodeNeed? = nil
        ) {
            self.window = window
            self.now = now
            self.limit = limit
            self.unmanaged = unmanaged
            self.containers = containers
            self.terms = terms
            self.simulates = simulates
            self.hasEvidence = hasEvidence
            self.regime = regime
            self.asked = asked
            self.rank = rank
            self.probation = probation
            self.hasEntries = hasEntries
            self.inodes = inodes
        }
    }

    /// The replay at today's size beside what was measured.
    package struct Calibration: Sendable, Hashable {
        /// What a replay of the same window at today's size gives, pruned when it was pruned in reality.
        package var predicted: HitRate
        /// What was measured in the window.
        package var measured: HitRate
        /// How many prunes of it went further than to the low watermark, as they were told to.
        package var furtherPrunes = 0

        /// The difference over entries, in -1…1: what a promise may be off by.
        package var objects: Double? { Self.difference(predicted.objects, measured.objects) }
        /// The same over bytes.
        package var bytes: Double? { Self.difference(predicted.bytes, measured.bytes) }

        private static func difference(_ one: Double?, _ other: Double?) -> Double? {
            one.flatMap { one in other.map { one - $0 } }
        }

        /// How far a prediction can be trusted that was off by that much.
        package var confidence: Confidence {
            let off = max(abs(objects ?? 0), abs(bytes ?? 0))
            return off <= 0.01 ? .high : off <= 0.05 ? .medium : .low
        }
    }

    /// That today's limit is not what the limit was in all of the window.
    package struct LimitChange: Sendable, Hashable {
        /// The first scan with today's limit.
        package var at: Timestamp
        /// The limit before.
        package var before: ByteCount
    }

    /// That jobs use more or less than before since some day of the window.
    package struct DemandChange: Sendable, Hashable {
        /// About when that began.
        package var at: Timestamp
        /// What they used in a week before: the mean.
        package var before: ByteCount
        /// What they use in a week since.
        package var after: ByteCount
        /// The size that is enough for what they did since; nil where that is less than a week (two where they use less), or
        /// where none is.
        package var enough: ByteCount?

        /// Whether they use more.
        package var isMore: Bool { after > before }
    }

    /// That one day of the window asks for much of the size: what came on it was not used on any other.
    package struct RareDay: Sendable, Hashable {
        /// When that day ended.
        package var end: Timestamp
        /// What came on it and was not used on any other day.
        package var bytes: ByteCount
        /// The size that is enough without that.
        package var enough: ByteCount
    }

    /// What another order of eviction would bring.
    package struct ProbationGain: Sendable, Hashable {
        /// What today's size would give.
        package var outcome: ReplayOutcome
        /// The smallest size that would be enough; nil where none is.
        package var smallest: ByteCount?
        /// Fetches a day that it would save at today's size.
        package var fetchesSaved: Double
    }

    /// How many days of history a recommendation needs.
    package static let daysNeeded = 7
    /// For how many days today's limit must have held for a calibration.
    package static let calibrationDays = 3

    /// How long the history is of which single uses are known.
    package let history: Span
    /// Hits and misses in the window by pool; pools without any are left out.
    package let rates: [Pool: HitRate]
    /// What was evicted and fetched again in the window, by pool: how many times, and its bytes.
    package let regret: [Pool: HitRate]
    /// What LRU would reach that is always full and evicts one by one: a bound; nil where no access counts.
    package let ideal: HitRateCurve?
    /// What the volume would give at each size; nil where no access counts or something is missing.
    package let curve: SizeCurve?
    /// What belongs to no entry, of each size.
    package let fixed: ByteCount
    /// The whole days of the window.
    package let days: [DailyFigures.Day]
    /// The bytes used in a day.
    package let dailySet: WorkingSet?
    /// The bytes used in a day, of those days alone on which anything was used.
    package let activeDailySet: WorkingSet?
    /// On how many days of the window anything was used.
    package let activeDays: Int
    /// The bytes used in 7 days.
    package let weeklySet: WorkingSet?
    /// How the volume grows and when it is full; nil before 14 days of history.
    package let bytesForecast: FillForecast?
    /// How the demand of jobs grows for what a prune may take; nil before that.
    package let demandForecast: FillForecast?
    /// What no prune takes at the last scan, as far as entries are known.
    package let protectedBytes: ByteCount
    /// How that grows; nil before 14 days of history.
    package let protectedGrowth: Growth?
    /// Whether a prune ran at all in the history, and whether one evicted anything.
    package let prunes: (ran: Bool, evicted: Bool)
    /// How its inodes grow; nil where that cannot be told.
    package let inodesForecast: FillForecast?
    /// How large the PVC should be; nil before 7 days of history or without accesses.
    package let recommendation: Recommendation?
    /// What the size gives that was asked for.
    package let asked: SizeAdvice?
    /// What other sizes bring; empty where something is missing for a recommendation.
    package let advice: [SizeAdvice]
    /// The policies compared at today's size; empty unless asked for.
    package let policies: [PolicyResult]
    /// The pools whose own quotas cost fetches at any size; empty where something is missing for a recommendation.
    package let bottlenecks: [QuotaBottleneck]
    /// The pools whose `max_idle` costs fetches at any size; empty as well.
    package let idleBottlenecks: [IdleBottleneck]
    /// When the limit was changed in the window, by more than a tenth; nil where it was not.
    package let limitChange: LimitChange?
    /// When jobs began to use at least a fifth more or less in the window; nil where they did not, or without a
    /// recommendation.
    package let demandChange: DemandChange?
    /// The day that asks for much of the size; nil where none does, or without a recommendation.
    package let rareDay: RareDay?
    /// For how long an entry that nobody uses stays at the recommended size, where that is more than half of the history,
    /// and a larger size would serve more: how often jobs come back after so long is hardly known.
    package let longStay: Span?
    /// The most that belonged to no pool in the window, where that comes and goes; what does now otherwise.
    package let mostUnmanaged: ByteCount
    /// What others removed in the window, entry by entry; nil where they removed nothing.
    package let removals: RemovalsByOthers?
    /// The replay beside what was measured, since the limit was changed where it was; nil where no access counts, or where
    /// that was less than `calibrationDays` ago.
    package let calibration: Calibration?
    /// What probation would bring, or LRU where the volume has probation; nil without a recommendation.
    package let otherOrder: ProbationGain?
    /// How many accesses were recorded for each entry and day that it was used on: what scans more often record.
    package let accessesPerUse: Double?
    /// What is missing for a recommendation, in a sentence; nil where nothing is.
    package let missing: String?

    /// Answers the question.
    package init(_ history: VolumeHistory, _ question: Question) {
        let since = question.now - question.window
        self.history = history.lastScanAt - history.knownSince
        var (rates, regret): ([Pool: HitRate], [Pool: HitRate]) = ([:], [:])
        for access in history.accesses where access.at > since && access.at <= question.now {
            rates[access.pool, default: HitRate()].add(access)
            if access.isRegret { regret[access.pool, default: HitRate()].add(access) }
        }
        self.rates = rates
        self.regret = regret
        let removals = RemovalsByOthers(history, since: since)
        self.removals = removals
        let unmanaged = history.unmanaged(beyond: question.unmanaged)
        let passing = Self.passing(unmanaged, since: since, limit: question.limit)
        let mostUnmanaged =
            question.unmanaged + ByteCount(passing.reduce(0) { $1.at > since ? max($0, $1.bytes) : $0 })
        self.mostUnmanaged = mostUnmanaged
        let history = history.with(unmanagedMore: passing).with(
            removedAfter: removals.flatMap { $0.isRule ? $0.youngest : nil })
        let figures = DailyFigures(
            history, pinned: question.regime.pinned.subtracting(question.regime.expiring))
        let windowDays = Int(question.window.seconds / 86_400)
        days = figures.last(windowDays)
        let unusable = Self.unusable(history, question)
        let hasUse = question.hasEvidence && !rates.isEmpty && unusable == nil
        let events = hasUse ? ReplayTrace.events(of: history) : []
        dailySet = hasUse ? WorkingSet(days.map(\.distinctBytes)) : nil
        let active = days.filter { $0.distinct > 0 }
        activeDays = active.count
        activeDailySet = hasUse ? WorkingSet(active.map(\.distinctBytes)) : nil
        let lastChange = Self.limitChange(history, today: question.limit)
        limitChange = lastChange.flatMap { $0.at > since ? $0 : nil }
        weeklySet = hasUse ? WorkingSet(days.compactMap(\.weekBytes)) : nil
        let forecasts = FillForecast.all(history, figures, limit: question.limit)
        bytesForecast = forecasts.bytes
        demandForecast = hasUse ? forecasts.demand : nil
        inodesForecast = forecasts.inodes
        protectedBytes = figures.days.last?.protectedBytes ?? .zero
        protectedGrowth = forecasts.protected
        prunes = (
            !history.evictions.isEmpty, history.evictions.contains { $0.entries > 0 }
        )
        let uses = days.reduce(0) { $0 + $1.distinct }
        accessesPerUse =
            uses > 0
            ? Double(days.reduce(0) { $0 + $1.rate.hits + $1.rate.misses }) / Double(uses) : nil
        let fixed = question.unmanaged + question.containers
        self.fixed = fixed
        let measured = rates.values.reduce(HitRate(), +)
        var missing =
            unusable
            ?? Self.missing(
                days: figures.days.count, used: Self.entriesUsed(history, since, question.now),
                isEmpty: history.contents.isEmpty && history.accesses.isEmpty && !question.hasEntries,
                hasMore: history.beganAt < since, question)
        guard hasUse else {
            ideal = nil
            (curve, recommendation, calibration, otherOrder, asked) = (nil, nil, nil, nil, nil)
            (demandChange, rareDay, longStay) = (nil, nil, nil)
            (advice, policies, bottlenecks, idleBottlenecks, self.missing) = ([], [], [], [], missing)
            return
        }
        // Up to the last scan: of what came after it nothing is known yet, whenever the question is asked.
        let covered = Double(min(question.window.seconds, self.history.seconds)) / 86_400
        var regime = question.regime
        if regime.times.isEmpty {
            regime.times = PruneRegime.nightly(from: history.beganAt, to: question.now)
        }
        regime.removedAfter = history.removedAfter
        // Before the history has lasted as long as the idle floor, it knows too little of what was in use: a prune
        // would take what in reality the floor protected.
        regime.times = regime.times.filter { $0 > history.beganAt + regime.idleFloor }
        let (limitChange, replayed) = (limitChange, regime)
        // What no prune takes is there from now on: a size must do with all of it, however late it came.
        let lasting = history.withArrivals(ofAll: regime.pinned)
        var curve: SizeCurve
        (curve, (ideal, calibration)) = concurrently {
            SizeCurve(
                lasting, since: since, replayed, fixed: fixed, days: covered, rank: question.rank,
                events: events)
        } _: {
            (
                // A bound to look at, which decides nothing.
                HitRateCurve(history, since: since, bound: 500_000, events: events, tellsError: false),
                Self.calibrate(
                    history.with(unmanagedMore: unmanaged), since, question, lastChange, measured: measured,
                    events: events)
            )
        }
        let wanted = Double(uses) / Double(max(1, days.count))
        var recommended: Recommendation?
        let allowed = question.terms.distance * wanted
        bottlenecks = missing == nil ? curve.bottlenecks(allowed: allowed) : []
        idleBottlenecks = missing == nil ? curve.idleBottlenecks(allowed: allowed) : []
        var demandChange: DemandChange?
        var rareDay: RareDay?
        if missing == nil {
            let protected = (protectedBytes, forecasts.protected)
            func advice(
                _ curve: inout SizeCurve, wanted: Double, least: ByteCount = .zero
            ) -> Recommendation? {
                Recommendation(
                    &curve, wanted: wanted, growth: forecasts.demand?.growth, protected: protected,
                    unmanaged: mostUnmanaged, containers: question.containers, limit: question.limit,
                    now: question.now, inodes: question.inodes, least: least, terms: question.terms)
            }
            // What the table shows must not tell of a size beyond the recommended one that is too small.
            curve.find(SizeAdvice.sizes(around: question.limit, curve).filter { $0 > .zero })
            demandChange = Self.demandChange(forecasts.demand, since: since)
            var least = ByteCount.zero
            // What jobs do not use any more is there until prunes have taken it.
            let settled = demandChange.map { $0.isMore ? $0.at : $0.at + regime.idleFloor + .days(2) }
            if let change = demandChange, let settled,
                history.lastScanAt - settled >= .days(Int64(change.isMore ? 1 : 2) * Int64(Self.daysNeeded))
            {
                let days = figures.days.filter { $0.end > settled }
                // What nobody uses any more is no part of what they do since, and would have to be evicted first.
                let current = change.isMore ? lasting : lasting.without(history.unused(since: settled))
                var recent = SizeCurve(
                    current, since: settled, replayed, fixed: fixed,
                    days: Double((history.lastScanAt - settled).seconds) / 86_400, rank: question.rank,
                    bound: 100_000, events: change.isMore ? events : nil)
                let found = advice(
                    &recent, wanted: Double(days.reduce(0) { $0 + $1.distinct }) / Double(max(1, days.count)))
                demandChange?.enough = found?.bytes
                // What the days before needed less must not make up for what these lack.
                if change.isMore, let found { least = found.smallest }
            }
            recommended = advice(&curve, wanted: wanted, least: least)
            if recommended == nil { missing = Self.helpless(curve, bottlenecks, idleBottlenecks) }
            if let recommended, let day = Self.fullestDay(days, history, since: since, recommended) {
                let others = lasting.without(day.entries)
                var otherwise = SizeCurve(
                    others, since: since, replayed, fixed: fixed, days: covered, rank: question.rank,
                    bound: 100_000)
                let count = max(1, uses - Int64(day.entries.count))
                if let found = advice(&otherwise, wanted: Double(count) / Double(max(1, days.count))),
                    Double(found.bytes.bytes) < 0.75 * Double(recommended.bytes.bytes)
                {
                    rareDay = RareDay(end: day.end, bytes: day.bytes, enough: found.bytes)
                }
            }
            // Less than today's size lacks nothing at first, as a volume does not shrink; nor does one that never
            // evicted anything.
            if let size = recommended?.bytes, prunes.evicted {
                if size > question.limit {
                    recommended?.first = Self.firstDays(lasting, regime, question, size: size)
                } else if let limitChange, limitChange.before < question.limit {
                    recommended?.first = Self.nextDays(lasting, regime, question)
                }
                // A volume that grows loses nothing by that, and its first days are not better than those that follow.
                if let first = recommended?.first?.rate.objects, let advice = recommended {
                    if first < advice.rateToday { recommended?.first = advice.today }
                    if first > advice.rateAdvised { recommended?.first = advice.outcome }
                }
            }
        }
        recommendation = recommended
        if let recommended {
            longStay = Self.longStay(recommended, low: regime.low, fixed: fixed, history: self.history)
        } else {
            longStay = nil
        }
        self.demandChange = recommended == nil ? nil : demandChange
        self.rareDay = rareDay
        // Rates per day from a few hours would be made up.
        let advice =
            missing == nil
            ? SizeAdvice.table(
                &curve, limit: question.limit, recommended: recommended, asked: question.asked,
                inodes: question.inodes)
            : []
        self.advice = advice
        asked = advice.first { $0.bytes == question.asked }
        policies =
            question.simulates
            ? CachePolicy.compare(
                lasting, since: since, curve, size: question.limit, fixed: fixed,
                probation: question.probation)
            : []
        self.curve = curve
        if let recommended {
            otherOrder = Self.otherOrder(curve, question, than: recommended)
        } else {
            otherOrder = nil
        }
        self.missing = missing
    }

    /// For how long an entry stays that nobody uses, where the history is too short for it; nil where it is not.
    ///
    /// What is below the low watermark is replaced by what comes.
    private static func longStay(
        _ advice: Recommendation, low: Double, fixed: ByteCount, history: Span
    ) -> Span? {
        let days = Double(history.seconds) / 86_400
        let perDay = Double(advice.outcome.rate.missBytes.bytes) / advice.days
        guard days < 120, perDay > 0, advice.best - advice.rateAdvised >= 0.003 else { return nil }
        let stay = max(0, low * Double(advice.bytes.bytes) - Double(fixed.bytes)) / perDay
        return stay * 2 > days ? .days(Int64(min(stay, 10_000))) : nil
    }

    /// What belonged to no pool beyond what does now, where that comes and goes: where it came at least twice in the window.
    ///
    /// What was there once and is gone, such as a log that somebody cleared, will not come again by itself.
    ///
    /// - Parameters:
    ///   - unmanaged: what belonged to no pool at each scan, less what does now.
    ///   - since: when the window began.
    ///   - limit: today's size; a hundredth of it is not worth while.
    private static func passing(
        _ unmanaged: [(at: Timestamp, bytes: Int64)], since: Timestamp, limit: ByteCount
    ) -> [(at: Timestamp, bytes: Int64)] {
        let window = unmanaged.filter { $0.at > since }
        let most = window.reduce(0) { max($0, $1.bytes) }
        guard most > limit.bytes / 100 else { return [] }
        let rises = zip(window, window.dropFirst()).count { $0.bytes <= most / 2 && $1.bytes > most / 2 }
        guard rises >= 2 else { return [] }
        return unmanaged.map { ($0.at, max(0, $0.bytes)) }
    }

    /// When the limit was changed last; nil where no scan knew another one.
    private static func limitChange(_ history: VolumeHistory, today: ByteCount) -> LimitChange? {
        // A file system's own capacity may move a little.
        let place = history.samples.lastIndex { sample in
            sample.limit.map { abs(($0 - today).bytes) > today.bytes / 10 } ?? false
        }
        guard let place, let before = history.samples[place].limit else { return nil }
        let next = place + 1
        let at = next < history.samples.count ? history.samples[next].at : history.lastScanAt
        return LimitChange(at: at, before: before)
    }

    /// The jump of what jobs use in a week, where it lies in the window and is at least a fifth.
    private static func demandChange(_ demand: FillForecast?, since: Timestamp) -> DemandChange? {
        guard let at = demand?.jumpAt, at > since, let jump = demand?.growth.levels,
            abs(jump.after - jump.before) >= max(jump.before, 1) / 5
        else { return nil }
        return DemandChange(
            at: at, before: ByteCount(Int64(jump.before)), after: ByteCount(Int64(jump.after)))
    }

    /// The day of the window that brought most, where what came on it and was not used on any other is a quarter of what
    /// the recommended size has for entries; nil where it is less, and for images, which share what they bring.
    private static func fullestDay(
        _ days: [DailyFigures.Day], _ history: VolumeHistory, since: Timestamp, _ advice: Recommendation
    ) -> (end: Timestamp, entries: Set<Int64>, bytes: ByteCount)? {
        guard history.layers.ofImage.isEmpty,
            let day = days.max(by: { $0.rate.missBytes < $1.rate.missBytes }),
            day.rate.missBytes.bytes > advice.enough.bytes / 4
        else { return nil }
        let begin = day.end - .days(1)
        var sizes: [Int64: ByteCount] = [:]
        for access in history.accesses where access.at > begin && access.at <= day.end && !access.isHit {
            sizes[access.entry] = access.size
        }
        for access in history.accesses
        where access.at > since && (access.at <= begin || access.at > day.end) {
            sizes[access.entry] = nil
        }
        let bytes = sizes.values.reduce(ByteCount.zero, +)
        return bytes.bytes > advice.enough.bytes / 4 ? (day.end, Set(sizes.keys), bytes) : nil
    }

    /// - Parameters:
    ///   - history: every recorded access.
    ///   - since: when the window began.
    ///   - question: what is asked.
    ///   - change: when the limit was changed: only what came after it can be compared with a replay at today's size,
    ///     which begins with what was there then.
    ///   - measured: hits and misses of the window.
    ///   - events: what each access was.
    private static func calibrate(
        _ history: VolumeHistory, _ since: Timestamp, _ question: Question, _ change: LimitChange?,
        measured: HitRate, events: [ReplayTrace.Event]
    ) -> Calibration? {
        var (history, since, measured) = (history, since, measured)
        var events: [ReplayTrace.Event]? = events
        if let change {
            guard question.now - change.at >= .days(Int64(calibrationDays)) else { return nil }
            history = history.part(from: change.at, to: question.now)
            since = max(since, history.beganAt)
            events = nil
            measured = history.accesses.reduce(into: HitRate()) { if $1.at > since { $0.add($1) } }
            guard measured.hits + measured.misses > 0 else { return nil }
        }
        var regime = question.regime
        // What really happened: prunes by hand and on request as well as those of a schedule, and none before
        // Larder was told to prune.
        regime.times = history.evictions.map(\.at)
        regime.goals = furtherGoals(history, question)
        regime.critical = nil
        let trace = ReplayTrace(
            history, since: since, prunes: regime.times, pinned: regime.pinned, rank: question.rank,
            share: min(1, 500_000 / Double(max(1, history.contents.count + history.accesses.count))),
            events: events)
        let replay = VolumeReplay(trace, regime, fixed: question.unmanaged + question.containers)
        return Calibration(
            predicted: replay.run(size: question.limit).rate, measured: measured,
            furtherPrunes: regime.goals.keys.count { $0 > since })
    }

    /// What single prunes left that went further than to the low watermark, as they were told to (`prune --to`, `--key`).
    ///
    /// Where pools have quotas or times of their own, any prune may.
    private static func furtherGoals(
        _ history: VolumeHistory, _ question: Question
    ) -> [Timestamp: ByteCount] {
        guard question.regime.poolQuotas.isEmpty, question.regime.maxIdle.isEmpty else { return [:] }
        // The last entry of a prune may be a large one.
        let far = Double(question.limit.bytes) * question.regime.low * 0.9
        return history.evictions.reduce(into: [:]) { goals, prune in
            guard prune.entries > 0, let left = prune.left, Double(left.bytes) < far else { return }
            goals[prune.at] = left
        }
    }

    /// What a volume gives in the days after it has grown to that size.
    ///
    /// What it would have given if it had grown when the window began, with what was there then. How full it was that
    /// day is chance, so it is the mean of up to four such days, a week from one to the next; they are of the weekday on
    /// which it would grow now, as it matters whether a weekend follows. Before its first prune the volume was filling up,
    /// which says nothing of one that is full.
    private static func firstDays(
        _ history: VolumeHistory, _ regime: PruneRegime, _ question: Question, size: ByteCount
    ) -> ReplayOutcome {
        let weeks = (question.window.seconds / 86_400 + 6) / 7
        let full = history.evictions.first { $0.entries > 0 }?.at ?? history.knownSince
        let begin = max(history.knownSince, full)
        var starts = (0..<4).map { question.now - .days(7 * (weeks + $0)) }
        starts.removeAll { $0 < begin }
        if starts.isEmpty {
            // Where that was less than a window ago, the whole weeks since then tell of it.
            let known = (question.now - begin).seconds / 86_400 / 7
            starts = [question.now - .days(7 * max(1, known))]
        }
        let outcomes = starts.map { start in
            let part = history.part(from: start, to: start + question.window)
            return replay(part, regime, question, size: size)
        }
        return ReplayOutcome(meanOf: outcomes)
    }

    /// What today's size gives in the days to come, where it has grown and not all that was evicted before has come back.
    ///
    /// The window once more, from what is there now.
    private static func nextDays(
        _ history: VolumeHistory, _ regime: PruneRegime, _ question: Question
    ) -> ReplayOutcome {
        let now = history.part(from: history.lastScanAt, to: history.lastScanAt)
        var part = history.part(from: question.now - question.window, to: question.now)
        let length = part.lastScanAt - part.beganAt
        part.contents = now.contents.map { content in
            var content = content
            content.lastUsed = content.lastUsed - length
            return content
        }
        return replay(part, regime, question, size: question.limit)
    }

    /// A part of the history on a volume of that size, by the prunes that fall into it.
    private static func replay(
        _ part: VolumeHistory, _ regime: PruneRegime, _ question: Question, size: ByteCount
    ) -> ReplayOutcome {
        var regime = regime
        regime.times.removeAll { $0 <= part.beganAt || $0 > part.lastScanAt }
        let trace = ReplayTrace(
            part, since: part.beganAt, prunes: regime.critical == nil ? regime.times : nil,
            pinned: regime.pinned, rank: question.rank,
            share: min(1, 500_000 / Double(max(1, part.contents.count + part.accesses.count))))
        return VolumeReplay(trace, regime, fixed: question.unmanaged + question.containers).run(size: size)
    }

    private static func otherOrder(
        _ known: SizeCurve, _ question: Question, than advice: Recommendation
    ) -> ProbationGain {
        var curve = SizeCurve(
            known, order: question.regime.order == .lru ? .probation(question.probation) : .lru,
            bound: 100_000)
        let today = curve.outcome(at: question.limit)
        curve.spread(from: question.unmanaged + question.containers)
        let target = SizeTarget(known, allowed: advice.allowed, containers: question.containers)
        let smallest = curve.smallestSize { target.isMet(at: $0, by: $1) }
        return ProbationGain(
            outcome: today, smallest: smallest,
            fetchesSaved: Double(advice.today.avoidable - today.avoidable) / advice.days)
    }

    private static func missing(
        days: Int, used: Int, isEmpty: Bool, hasMore: Bool, _ question: Question
    ) -> String? {
        if isEmpty, question.unmanaged > .zero {
            return
                "entries: all of the \(question.unmanaged) on the volume belong to no pool, and nothing is known "
                + "of their use; see \"unmanaged\" for the directories, and name pools of your own for them"
        }
        if !question.hasEvidence {
            return "the volume gives no evidence of use (noatime?): mount it relatime"
        }
        if days < daysNeeded {
            return "\(days) of \(daysNeeded) days of history: keep scanning, and ask again in "
                + "\(daysNeeded - days) \(daysNeeded - days == 1 ? "day" : "days")"
        }
        // A window beyond the history holds no more than it.
        let wider = hasMore ? ", or widen --window" : ""
        switch used {
        case 0: return "no use was seen in the window: scan after jobs have run\(wider)"
        case 1: return "only one entry was used in the window: more than one must be\(wider)"
        default: return nil
        }
    }

    /// How many different entries were used in the window; at most two are counted.
    private static func entriesUsed(_ history: VolumeHistory, _ since: Timestamp, _ now: Timestamp) -> Int {
        var first: Int64?
        for access in history.accesses where access.at > since && access.at <= now {
            if let first, first != access.entry { return 2 }
            first = access.entry
        }
        return first == nil ? 0 : 1
    }

    /// What makes a history worthless for sizing; nil where nothing does.
    private static func unusable(_ history: VolumeHistory, _ question: Question) -> String? {
        if history.lastScanAt > question.now + .hours(1) {
            return "a scan of today: the last one is dated \(history.lastScanAt), and by this clock it is "
                + "\(question.now); set the clocks right, and scan again"
        }
        if history.lastScanAt < history.beganAt {
            return "a history in order: the last scan is dated \(history.lastScanAt), before the first one, "
                + "\(history.beganAt); set the clocks right, and scan again"
        }
        // Sums of sizes, such as of what was read in the window, must fit as well.
        let (largest, most) = (Int64(1) << 60, Int64(1) << 62)
        var sum: Int64 = 0
        var isAbsurd = history.contents.contains { content in
            sum.addPinned(content.bytes.bytes)
            return !(0..<largest).contains(content.bytes.bytes)
        }
        isAbsurd =
            isAbsurd
            || history.accesses.contains { access in
                sum.addPinned(access.size.bytes.multipliedPinned(by: Int64(max(1, access.count))))
                return !(0..<largest).contains(access.size.bytes)
                    || !(0..<largest).contains(access.bytes.bytes)
            } || sum >= most
        return isAbsurd
            ? "sizes that can be true: what is recorded is less than nothing, or comes to exbibytes; scan again"
            : nil
    }

    /// Why no size can be named although there were accesses.
    private static func helpless(
        _ curve: SizeCurve, _ bottlenecks: [QuotaBottleneck], _ idle: [IdleBottleneck]
    ) -> String {
        let best = curve.best.rate
        if best.hits == 0, let quota = bottlenecks.first {
            return
                "a larger quota of pool \(quota.pool.rawValue): with its \(quota.limit) nothing is there any more when it "
                + "is used again, at any size of the volume; \(quota.needed.quantity) would do"
        }
        if best.hits == 0, let idle = idle.first {
            return
                "a longer max_idle of pool \(idle.pool.rawValue): after \(idle.limit) nothing is there any more when it is "
                + "used again, at any size of the volume; \(idle.needed) would do"
        }
        if best.hits == 0 {
            return
                "caching does not help here: each of the \(best.misses) accesses in the window fetched what "
                + "no volume of any size would have held"
        }
        return "no size that was tried keeps to the terms: see report.distance"
    }
}

extension HitRate {
    mutating func add(_ access: VolumeHistory.Access) {
        let count = Int64(max(1, access.count))
        let bytes = ByteCount(access.bytes.bytes.multipliedPinned(by: count))
        if access.isHit {
            hits += count
            hitBytes += bytes
        } else {
            misses += count
            missBytes += bytes
        }
    }
}
