import CacheModel

extension EvictionPlan {
    /// Whether a volume that uses so much after a prune is still above what made the prune necessary, or a
    /// pool could not be brought down.
    ///
    /// A few refused entries between the watermarks are no reason for alarm: the next prune finds others.
    func isExceeded(by usedAfter: ByteCount) -> Bool {
        guard volumeIsOver || !poolsOverQuota.isEmpty else { return false }
        let trigger = max(goal, goal == quota.low ? quota.high : goal)
        return usedAfter > trigger || !poolsReachGoals
    }

    private var poolsReachGoals: Bool { poolsOverQuota.allSatisfy { $0.usedAfter <= $0.quota.high } }
}
