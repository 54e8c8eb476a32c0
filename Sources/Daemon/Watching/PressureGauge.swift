import CacheModel

/// Decides, from the fill of one volume, when a prune cannot wait for its schedule.
///
/// A prune begins as soon as more than the critical level is used. The next one does not begin before the fill was
/// at or below the high level, or, where a prune could not bring it there, before a pause that doubles each time.
struct PressureGauge: Sendable, Equatable {
    /// What is to be done about a reading.
    enum Advice: Equatable {
        /// Nothing.
        case none
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
    private var pause = Self.firstPause
    private var isTold = false

    static let firstPause = Span.minutes(5)
    static let longestPause = Span.hours(1)

    /// Whether the volume was above its critical level and is not yet back at the high one.
    var isUnderPressure: Bool { state != .calm }

    /// Takes a reading: how much is used, and the two levels.
    mutating func read(used: ByteCount, high: ByteCount, critical: ByteCount, now: Timestamp) -> Advice {
        if used <= high {
            let wasUnderPressure = isUnderPressure
            if state != .pruning { self = PressureGauge() }
            return wasUnderPressure && state == .calm ? .relieved : .none
        }
        switch state {
        case .calm where used > critical: break
        case .waiting(let until, _) where now >= until && used > critical: break
        default: return .none
        }
        state = .pruning
        return .prune
    }

    /// Takes note that the prune ended.
    ///
    /// - Returns: whether to say that nothing more can be evicted: once until the pressure is over.
    mutating func pruned(evictedNothing: Bool, now: Timestamp) -> Bool {
        guard state == .pruning else { return false }
        state = .waiting(until: now + pause, pause: pause)
        pause = Span(nanoseconds: min(pause.nanoseconds * 2, Self.longestPause.nanoseconds))
        defer { if evictedNothing { isTold = true } }
        return evictedNothing && !isTold
    }
}
