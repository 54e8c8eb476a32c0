/// What a volume gives at each size: replays at the sizes that were asked for, kept for the next question.
package struct SizeCurve: Sendable {
    /// One size.
    package struct Point: Sendable, Hashable {
        /// The size of the volume.
        package var bytes: ByteCount
        /// What a replay at it gave.
        package var outcome: ReplayOutcome
        /// Whether what is used between two prunes fits into it at all times.
        package var fits: Bool { outcome.peak <= bytes }
    }

    /// How a curve was estimated from a part of the entries.
    package struct Sampling: Sendable, Hashable {
        /// The part of the entries that was replayed, in 0…1.
        package var share: Double
        /// How far a rate may be off, in 0…1: half of the largest difference between the two halves of the sample.
        package var error: Double

        /// Makes a sampling from both.
        package init(share: Double, error: Double) {
            self.share = share
            self.error = error
        }
    }

    /// The sizes that were replayed, ascending.
    package private(set) var points: [Point] = []
    /// What a volume without any limit gives.
    package let best: ReplayOutcome
    /// The smallest size at which no prune takes anything that was used, however full the volume is.
    package let fullSize: ByteCount
    /// How many days the counted accesses cover.
    package let days: Double
    /// How it was estimated; nil where all entries were replayed.
    package private(set) var sampling: Sampling?
    private let replay: VolumeReplay
    /// How many contents and accesses the history has.
    private let length: Int

    /// The size of a volume without any limit.
    private static let unlimited = ByteCount(.max / 4)

    /// The part of the size, in 0…1, above which prunes take from the trash what is not overdue.
    var critical: Double { replay.regime.purgeAbove }

    /// The quotas of single pools, which hold at any size.
    var poolQuotas: [Pool: Quota] { replay.regime.poolQuotas }

    /// What a volume without any limit gives where one pool has another quota.
    func unlimited(with quota: Quota?, for pool: Pool) -> ReplayOutcome {
        replay.with(quota, for: pool).run(size: Self.unlimited)
    }

    /// For how long entries of single pools stay unused, at any size.
    var maxIdle: [Pool: Span] { replay.regime.maxIdle }

    /// What a volume without any limit gives where entries of one pool go after another time.
    func unlimited(maxIdle: Span?, for pool: Pool) -> ReplayOutcome {
        replay.with(maxIdle: maxIdle, for: pool).run(size: Self.unlimited)
    }

    /// Begins a curve.
    ///
    /// - Parameters:
    ///   - history: every recorded access.
    ///   - since: accesses after it count; those before warm the cache.
    ///   - regime: when the volume is pruned, and how.
    ///   - fixed: what belongs to no entry and is never pruned.
    ///   - days: how many days the counted accesses cover.
    ///   - rank: the order of entries that were used at the same instant and are of one size.
    ///   - bound: with more contents and accesses than this, a sample of the entries is replayed (C. A.
    ///     Waldspurger et al., "Cache Modeling and Optimization using Miniature Simulations", USENIX ATC 2017).
    ///   - events: what each access was, where that was found already.
    package init(
        _ history: VolumeHistory, since: Timestamp, _ regime: PruneRegime, fixed: ByteCount, days: Double,
        rank: [Int64: Int] = [:], bound: Int = 200_000, events: [ReplayTrace.Event]? = nil
    ) {
        let length = history.contents.count + history.accesses.count
        let share = length > bound ? Double(bound) / Double(length) : 1
        let trace = ReplayTrace(
            history, since: since, prunes: regime.critical == nil ? regime.times : nil, pinned: regime.pinned,
            rank: rank, share: share, events: events)
        self.init(VolumeReplay(trace, regime, fixed: fixed), days: days, length: length)
        guard share < 1 else { return }
        // Each half has half of the sample, so twice its variance; their difference has four times that of the
        // whole, so twice its deviation.
        let parts = [0.25, 0.5, 0.75].map { ByteCount(Int64(Double(fullSize.bytes) * $0)) }
        let halves = concurrently(2) { half in
            let sample = SpatialSample(share: share, half: UInt64(half))
            let replay = VolumeReplay(trace.part(sample, share: share / 2), regime, fixed: fixed)
            return parts.map { replay.run(size: $0).rate.objects ?? 0 }
        }
        let errors = zip(halves[0], halves[1]).map { abs($0 - $1) / 2 }
        sampling = Sampling(share: share, error: errors.max() ?? 0)
    }

    /// Begins a curve of the history of another one, where entries go in another order.
    ///
    /// - Parameters:
    ///   - other: the curve.
    ///   - order: in which entries go.
    ///   - bound: as above; no more is replayed than of the other.
    package init(_ other: SizeCurve, order: EvictionOrder, bound: Int) {
        var (trace, regime) = (other.replay.trace, other.replay.regime)
        regime.order = order
        let share = Double(bound) / Double(max(1, other.length))
        if share < trace.share { trace = trace.part(SpatialSample(share: share), share: share) }
        self.init(
            VolumeReplay(trace, regime, fixed: ByteCount(other.replay.fixed)), days: other.days,
            length: other.length)
    }

    private init(_ replay: VolumeReplay, days: Double, length: Int) {
        self.replay = replay
        self.length = length
        let regime = replay.regime
        best = replay.run(size: Self.unlimited)
        // A pool's quota holds at any size: what it keeps low needs no more of the volume.
        let full = Double(best.peakEver.bytes) / max(min(regime.low, regime.high), 0.0001)
        fullSize = ByteCount(Int64(min(full, 4e18).rounded(.up)) + 1)
        self.days = max(days, 1.0 / 24)
    }

    /// What a volume of that size gives; remembered.
    package mutating func outcome(at size: ByteCount) -> ReplayOutcome {
        if let known = self[size] { return known }
        find([size])
        return self[size] ?? best
    }

    /// Replays at those sizes that are not known yet.
    mutating func find(_ sizes: [ByteCount]) {
        let unknown = Set(sizes).filter { self[$0] == nil }.sorted()
        let replay = replay
        let outcomes = concurrently(unknown.count) { replay.expected(size: unknown[$0]) }
        for (size, outcome) in zip(unknown, outcomes) {
            let place = points.firstIndex { $0.bytes > size } ?? points.count
            points.insert(Point(bytes: size, outcome: outcome), at: place)
        }
    }

    /// What was found for that size; nil where it was not replayed.
    package subscript(size: ByteCount) -> ReplayOutcome? {
        if let point = points.first(where: { $0.bytes == size }) { return point.outcome }
        return size >= fullSize ? best : nil
    }

    /// Whether what is used between two prunes fits into a volume of that size and of each larger one.
    package func fits(from size: ByteCount) -> Bool { points.allSatisfy { $0.bytes < size || $0.fits } }

    /// What another rule of eviction gives at a size.
    package func outcome(at size: ByteCount, _ rule: VolumeReplay.Rule) -> ReplayOutcome {
        replay.expected(size: size, rule: rule)
    }

    /// The avoidable fetches a day.
    package func avoidable(_ outcome: ReplayOutcome) -> Double { Double(outcome.avoidable) / days }

    /// Adds sizes from the smallest to the one from which on nothing is gained.
    package mutating func spread(from smallest: ByteCount) {
        let (low, high) = (Double(smallest.bytes), Double(fullSize.bytes))
        find(
            [0.02, 0.05, 0.1, 0.17, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.93].map { step in
                ByteCount(Int64(low + (high - low) * step))
            })
        if points.last.map({ $0.bytes < fullSize }) ?? true {
            points.append(Point(bytes: fullSize, outcome: best))
        }
    }

    /// The smallest size from which on all are enough, as far as replays tell; nil where none is.
    ///
    /// Prunes in steps make a curve that is not quite monotone: a size counts if all larger ones that were
    /// replayed are enough too.
    package mutating func smallestSize(
        _ isEnough: (ByteCount, ReplayOutcome) -> Bool
    ) -> ByteCount? {
        guard let last = points.last, isEnough(last.bytes, last.outcome) else { return nil }
        let failing = points.last { !isEnough($0.bytes, $0.outcome) }?.bytes
        var low = failing ?? .zero
        guard var high = points.first(where: { $0.bytes > low })?.bytes else { return nil }
        let unit = max(high.bytes / 256, 1 << 20)
        while high.bytes - low.bytes > unit {
            let middle = ByteCount(low.bytes + (high.bytes - low.bytes) / 2)
            if isEnough(middle, outcome(at: middle)) { high = middle } else { low = middle }
        }
        return high
    }
}
