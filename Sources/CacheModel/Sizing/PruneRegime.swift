/// How a volume is pruned: what a replay does to it.
package struct PruneRegime: Sendable, Hashable {
    /// A part of a size.
    private static let whole = 10_000.0

    /// A prune starts above this part of the size.
    package var high: Double
    /// A prune stops at or below this part of the size.
    package var low: Double
    /// Above this part a prune does not wait for its schedule; nil where nobody watches the fill.
    package var critical: Double?
    /// For how long the trash keeps what was evicted; zero where there is none.
    package var trash = Span.zero
    /// Above this part of the size a prune purges from the trash before its time.
    package var purgeAbove = 0.95
    /// Quotas of single pools, which do not change with the volume's size.
    package var poolQuotas: [Pool: Quota]
    /// What goes of single pools whatever the levels are: what was not used for longer.
    package var maxIdle: [Pool: Span]
    /// What was used or fetched more recently stays.
    package var idleFloor: Span
    /// The part of the used bytes that one run may evict at most.
    package var bytesShare: Double
    /// The number of entries that one run may evict at most.
    package var entries: Int
    /// In which order entries go.
    package var order: EvictionOrder
    /// When prunes come, the earliest first.
    package var times: [Timestamp]
    /// The entries that never go, by their rows in the index.
    package var pinned: Set<Int64>
    /// Those of them that go by a rule for installed builds in time, so that they do not add up for ever.
    package var expiring: Set<Int64> = []
    /// After how long without a use others remove an entry; nil where they do not.
    package var removedAfter: Span?
    /// What single prunes leave on the volume, where they were told to go below the low watermark.
    package var goals: [Timestamp: ByteCount] = [:]

    /// Makes a regime from all it consists of; by default that of a new installation, which never prunes.
    package init(
        high: Double = 0.85, low: Double = 0.7, critical: Double? = nil, poolQuotas: [Pool: Quota] = [:],
        maxIdle: [Pool: Span] = [:], idleFloor: Span = .hours(24), bytesShare: Double = 0.5,
        entries: Int = 50_000,
        order: EvictionOrder = .lru, times: [Timestamp] = [], pinned: Set<Int64> = []
    ) {
        self.high = high
        self.low = low
        self.critical = critical
        self.poolQuotas = poolQuotas
        self.maxIdle = maxIdle
        self.idleFloor = idleFloor
        self.bytesShare = bytesShare
        self.entries = entries
        self.order = order
        self.times = times
        self.pinned = pinned
    }

    /// How long a prune above the critical level that did not help holds up the next one, at first.
    package static let firstPause = Span.minutes(5)
    private static let longestPause = Span.hours(1)

    /// The pause after a further one that did not help: twice as long, and an hour at most.
    ///
    /// - Parameter pause: the last one.
    package static func nextPause(after pause: Span) -> Span {
        Span(nanoseconds: min(pause.nanoseconds * 2, longestPause.nanoseconds))
    }

    /// The regime of a volume: watermarks that are sizes become parts of today's limit, as whoever lets the
    /// volume grow will let them grow as well.
    package init(
        _ volume: Volume, limit: ByteCount, watchesPressure: Bool = false, idleFloor: Span = .hours(24),
        bytesShare: Watermark = .share(basisPoints: 5000), entries: Int = 50_000, times: [Timestamp] = [],
        pinned: Set<Int64> = []
    ) {
        func part(_ level: Watermark) -> Double {
            switch level {
            case .share(let basisPoints): Double(basisPoints) / Self.whole
            case .size(let size): min(1, Double(max(0, size.bytes)) / Double(max(1, limit.bytes)))
            }
        }
        self.init(
            high: part(volume.high), low: part(volume.low),
            critical: watchesPressure ? part(volume.critical) : nil, poolQuotas: volume.poolQuotas,
            maxIdle: volume.maxIdle,
            idleFloor: idleFloor, bytesShare: part(bytesShare), entries: entries, order: volume.order,
            times: times, pinned: pinned)
        if volume.kind == .buildCache {
            trash = Span(
                nanoseconds: volume.trashRetention.nanoseconds - volume.trashSlack.nanoseconds)
            purgeAbove = part(volume.critical)
        }
    }

    /// A prune each night at that time of the day (in UTC), from one instant to another.
    package static func nightly(
        from: Timestamp, to: Timestamp, at time: Span = .seconds(6180)
    ) -> [Timestamp] {
        let day: Int64 = 86_400
        var next = from.seconds - ((from.seconds % day) + day) % day + time.seconds
        if next <= from.seconds { next += day }
        var times: [Timestamp] = []
        while next <= to.seconds, times.count < 20_000 {
            times.append(Timestamp(seconds: next))
            next += day
        }
        return times
    }
}

/// In which order entries are evicted.
package enum EvictionOrder: Sendable, Hashable {
    /// The least recently used goes first.
    case lru
    /// As LRU, but an entry that was never used again since it was fetched counts as that much older.
    case probation(Span)

    /// How much older an entry counts that was never used again.
    package var probation: Span {
        switch self {
        case .lru: .zero
        case .probation(let span): span
        }
    }
}
