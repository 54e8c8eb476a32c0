/// What a size must keep to, to be enough.
struct SizeTarget {
    /// The avoidable fetches a day that are allowed.
    private let allowed: Double
    /// Those in the window that no size of the volume spares: a pool's own quota costs them.
    private let unavoidable: Int64
    private let days: Double
    /// Above which part of the size, in 0…1, a volume is full.
    private let critical: Double
    /// What containers write at their peak.
    private let containers: ByteCount

    /// The target for the sizes of a curve.
    ///
    /// - Parameters:
    ///   - curve: what each size would have given.
    ///   - allowed: the avoidable fetches a day that are allowed.
    ///   - containers: what containers write at their peak.
    init(_ curve: SizeCurve, allowed: Double, containers: ByteCount) {
        self.allowed = allowed
        self.containers = containers
        (unavoidable, days, critical) = (curve.best.avoidable, curve.days, curve.critical)
    }

    /// How far the rate of a phase may be below what is promised, in 0…1: of a size that is advised, and of one that is
    /// kept, so that a report does not advise another size than the one before for a little.
    private static let (leastFavourable, leastFavourableToday) = (0.005, 0.01)

    /// Whether a size is enough: few fetches are avoidable, in no phase many more, everything fits, and prunes help.
    ///
    /// - Parameters:
    ///   - size: of the volume.
    ///   - outcome: what it gives.
    ///   - isToday: whether the volume has that size.
    func isMet(at size: ByteCount, by outcome: ReplayOutcome, isToday: Bool = false) -> Bool {
        sparesFetches(outcome, isToday: isToday) && outcome.peak <= size && !isFull(size, outcome)
    }

    /// Whether few fetches are avoidable, and the rate of the least favourable phase is about the one that is promised.
    func sparesFetches(_ outcome: ReplayOutcome, isToday: Bool = false) -> Bool {
        let accesses = Double(outcome.rate.hits + outcome.rate.misses)
        return Double(outcome.avoidable - unavoidable) / days <= allowed + 1e-9
            && Double(outcome.mostAvoidable - outcome.avoidable)
                <= (isToday ? Self.leastFavourableToday : Self.leastFavourable) * accesses
    }

    /// Whether a volume is above its critical level whatever is pruned, without what containers write.
    ///
    /// Everything was just used there, or never goes: most prunes do not come down to the low watermark.
    private func isFull(_ size: ByteCount, _ outcome: ReplayOutcome) -> Bool {
        outcome.prunesOver > outcome.prunes / 2
            && Double((outcome.peakNeeded - containers).bytes) > critical * Double(size.bytes)
    }
}
