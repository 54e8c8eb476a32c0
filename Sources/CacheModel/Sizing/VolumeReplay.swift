/// Replays a history through what Larder does at a size: fetches and uses at the recorded times, and prunes at the
/// times of the schedule, by the watermarks, the idle floor, the protections and the limits of a run.
///
/// A miss is followed by a fetch: from then on the entry is there. Entries have the size that they had in
/// reality at that time. An image's layers are stored while an image that is there needs them. What jobs do does
/// not depend on the size, and neither does what belongs to no pool.
package struct VolumeReplay: Sendable {
    /// What decides which of the entries that may go goes first.
    package enum Rule: Sendable, Hashable {
        /// What Larder does: the last use, with or without probation.
        case configured(EvictionOrder)
        /// The least often used since it came.
        case lfu
        /// GreedyDual-Size-Frequency.
        case gdsf
        /// SIEVE.
        case sieve
        /// What is needed again last.
        case belady
    }

    /// The history, lined up.
    let trace: ReplayTrace
    /// How the volume is pruned.
    private(set) var regime: PruneRegime
    /// What is used of each size by what is no entry.
    let fixed: Int64
    /// For each prune the number of events before it, and what it is to leave where that is less than the low watermark.
    private let prunes: [ReplayedPrune]

    /// Makes a replay.
    ///
    /// - Parameters:
    ///   - trace: the history, lined up.
    ///   - regime: when the volume is pruned, and how.
    ///   - fixed: what belongs to no entry and is never pruned.
    package init(_ trace: ReplayTrace, _ regime: PruneRegime, fixed: ByteCount = .zero) {
        self.trace = trace
        self.regime = regime
        self.fixed = max(0, fixed.bytes)
        var place = 0
        prunes = regime.times.map { time in
            while place < trace.steps.count, trace.steps[place].time <= time.nanoseconds { place += 1 }
            return ReplayedPrune(
                before: place, at: time.nanoseconds,
                goal: regime.goals[time].map { Int64(Double($0.bytes) * trace.share) } ?? .max)
        }
    }

    /// The same replay with another quota of one pool.
    ///
    /// - Parameters:
    ///   - quota: the quota; nil for none.
    ///   - pool: whose it is.
    func with(_ quota: Quota?, for pool: Pool) -> VolumeReplay {
        var other = self
        other.regime.poolQuotas[pool] = quota
        return other
    }

    /// The same replay where entries of one pool go after another time.
    ///
    /// - Parameters:
    ///   - maxIdle: the time; nil where they do not go by that.
    ///   - pool: whose it is.
    func with(maxIdle: Span?, for pool: Pool) -> VolumeReplay {
        var other = self
        other.regime.maxIdle[pool] = maxIdle
        return other
    }

    /// Replays the history on a volume of that size.
    ///
    /// - Parameters:
    ///   - size: of the volume.
    ///   - rule: which entries go first; nil for the regime's own.
    package func run(size: ByteCount, rule: Rule? = nil) -> ReplayOutcome {
        var whole = state(size, rule)
        defer { whole.nodes.deallocate() }
        whole.play(prunes, until: .max)
        return whole.scaled()
    }

    /// With so many prunes in the window a volume goes through all phases itself, and often enough.
    private static let prunesOfAMean = 8
    /// How near to the next prune volumes are that are replayed where there were fewer: in 0…1, from the low watermark to
    /// the high one.
    private static let phases = (0..<8).map { (Double($0) + 0.5) / 8 }

    /// What is to be expected of a volume of that size in the long run.
    ///
    /// In the long run a volume is anywhere between one prune and the next, and a history is too short to fill a large
    /// one. So where few prunes of the window had something to do, this is the mean of several phases: once events count
    /// and half of the history has passed, the volume is so far full. What it has beyond that goes as in a prune, if
    /// any comes after that at that size; what it lacks is filled up with what nobody uses any more, which goes first.
    ///
    /// - Parameters:
    ///   - size: of the volume.
    ///   - rule: which entries go first; nil for the regime's own.
    package func expected(size: ByteCount, rule: Rule? = nil) -> ReplayOutcome {
        var half = state(size, rule)
        defer { half.nodes.deallocate() }
        let settled = trace.settled
        half.play(prunes, until: settled)
        var whole = half.copy()
        defer { whole.nodes.deallocate() }
        whole.play(prunes, until: .max)
        let outcome = whole.scaled()
        guard outcome.prunes < Self.prunesOfAMean else { return outcome }
        return ReplayOutcome(
            meanOf: Self.phases.map { phase in
                var state = half.copy()
                defer { state.nodes.deallocate() }
                state.settle(in: phase, at: settled, evicts: outcome.prunes > half.outcome.prunes)
                state.play(prunes, until: .max)
                return state.scaled()
            })
    }

    private func state(_ size: ByteCount, _ rule: Rule?) -> ReplayState {
        ReplayState(
            trace, regime, size: Double(max(0, size.bytes)) * trace.share,
            fixed: Int64(Double(fixed) * trace.share), rule: rule ?? .configured(regime.order))
    }
}
