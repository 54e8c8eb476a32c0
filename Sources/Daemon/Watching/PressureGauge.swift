import CacheModel

/// Decides, from the fill of one volume, when a prune cannot wait for its schedule.
///
/// A prune begins as soon as more than the critical level is used. The next one does not begin before the fill was
/// at or below the high level, or, where a prune could not bring it there, before a pause that doubles each time.
/// Where the fill is a guess that others on the same file system may have raised, a scan comes first.
struct PressureGauge: Sendable, Equatable {
    /// How much of a volume is used.
    struct Fill {
        /// What it is taken to be.
        var used: ByteCount
        /// When it was last counted and what that found, where the rest is what its file system gained since, whoever
        /// wrote it.
        var counted: (at: Timestamp, used: ByteCount)?
        /// The same in inodes; nil where they are no quota.
        var inodes: Inodes?
    }

    /// How many inodes of a volume's own file system are used, with their levels.
    struct Inodes: Sendable, Equatable {
        var used: Int64
        var high: Int64
        var critical: Int64
    }

    /// What is to be done about a reading.
    enum Advice: Equatable {
        /// Nothing.
        case none
        /// A scan begins at once: the fill is a guess.
        case scan
        /// A prune begins at once.
        case prune
        /// The fill is back at the high level.
        case relieved
    }

    private enum State: Equatable {
        case calm
        case pruning
        case waiting(until: Timestamp, pause: Span)
    }

    private var state = State.calm
    private var pause = PruneRegime.firstPause
    private var isTold = false
    private var scanAskedAt: Timestamp?
    /// Whether the scan that was asked for did not begin yet.
    private var isScanAwaited = false

    /// The least time from one scan for a guess to the next.
    static let scanPause = Span.seconds(30)

    /// Whether the volume was above its critical level and is not yet back at the high one.
    var isUnderPressure: Bool { state != .calm }

    /// Takes a reading: how much is used, and the two levels.
    mutating func read(_ fill: Fill, high: ByteCount, critical: ByteCount, now: Timestamp) -> Advice {
        // The file system itself counts inodes: they are no guess.
        let areInodesCritical = fill.inodes.map { $0.used > $0.critical } ?? false
        let isCritical = fill.used > critical || areInodesCritical
        let isCertain = isCertain(fill, critical) || areInodesCritical
        if fill.used <= high, fill.inodes.map({ $0.used <= $0.high }) ?? true {
            let wasUnderPressure = isUnderPressure
            if state != .pruning { (state, pause, isTold) = (.calm, PruneRegime.firstPause, false) }
            return wasUnderPressure && state == .calm ? .relieved : .none
        }
        switch state {
        case .calm where isCritical: break
        case .waiting(let until, _) where now >= until && isCritical: break
        default: return .none
        }
        guard isCertain else {
            if let scanAskedAt, now - scanAskedAt < Self.scanPause { return .none }
            (scanAskedAt, isScanAwaited) = (now, true)
            return .scan
        }
        state = .pruning
        return .prune
    }

    /// Whether no guess says that a fill is critical: it is the file system's own figure, or the scan that was asked for
    /// has counted as much.
    private mutating func isCertain(_ fill: Fill, _ critical: ByteCount) -> Bool {
        guard let counted = fill.counted else { return true }
        guard isScanAwaited, let scanAskedAt, counted.at >= scanAskedAt else { return false }
        isScanAwaited = false
        return counted.used > critical
    }

    /// Takes note that the prune ended.
    ///
    /// - Returns: whether to say that nothing more can be evicted: once until the pressure is over.
    mutating func pruned(evictedNothing: Bool, now: Timestamp) -> Bool {
        guard state == .pruning else { return false }
        state = .waiting(until: now + pause, pause: pause)
        pause = PruneRegime.nextPause(after: pause)
        defer { if evictedNothing { isTold = true } }
        return evictedNothing && !isTold
    }
}
