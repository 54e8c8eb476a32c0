import CacheModel

/// How much of a plan one run may carry out: what really went counts, and nothing that was refused.
struct RunAllowance {
    private let allowed: ByteCount
    private let most: Int
    private var freed = ByteCount.zero
    private var count = 0
    private var isUsedUp = false

    /// The limits of a run on a volume that uses so much; without limits, as many entries as a journal holds.
    init(_ limits: Pruner.Limits?, used: ByteCount) {
        allowed = limits?.bytesShare.of(used) ?? ByteCount(.max)
        most = min(limits?.entries ?? .max, TrashJournal.mostEntries)
    }

    /// Why an eviction must wait for another run; nil where it may be tried.
    ///
    /// Evictions are asked about in their order. Once the allowance is used up nothing else is let through, so that
    /// none goes before its turn; what is too large for any run keeps nothing else from going.
    mutating func refusal(of bytes: ByteCount) -> String? {
        let lifting = "; --force-limit lifts that"
        if bytes > allowed { return "alone beyond what one run may evict (\(allowed))\(lifting)" }
        if freed + bytes > allowed || count >= most { isUsedUp = true }
        return isUsedUp ? "beyond what one run may evict (\(allowed), \(most) entries)\(lifting)" : nil
    }

    /// What of a plan waits for later runs; nil where one run may do it all.
    static func later(_ plan: EvictionPlan, _ limits: Pruner.Limits?) -> EvictionPlan.Later? {
        var allowance = RunAllowance(limits, used: plan.usedBytes)
        var later: EvictionPlan.Later?
        for place in plan.evict.indices {
            let bytes = plan.evict[place].freedBytes
            guard let reason = allowance.refusal(of: bytes) else {
                allowance.use(bytes)
                continue
            }
            var sum = later ?? .init(entries: 0, bytes: .zero, reason: reason)
            sum.entries += 1
            sum.bytes = sum.bytes + bytes
            later = sum
        }
        return later
    }

    /// Counts what went.
    mutating func use(_ bytes: ByteCount) {
        freed = freed + bytes
        count += 1
    }
}
