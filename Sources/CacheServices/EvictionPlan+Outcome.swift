import CacheModel

extension EvictionPlan {
    /// Whether a volume that uses so much after a prune is still above what made the prune necessary, or a
    /// pool could not be brought down.
    ///
    /// A few refused entries between the watermarks are no reason for alarm: the next prune finds others.
    ///
    /// - Parameter inodes: how many of them what went took; nil where the plan's estimate has to do.
    func isExceeded(by usedAfter: ByteCount, inodes evicted: Int64? = nil) -> Bool {
        if let inodes, inodes.areOver,
            evicted.map({ inodes.used - $0 }) ?? inodes.usedAfter > inodes.quota.high
        {
            return true
        }
        guard volumeIsOver || !poolsOverQuota.isEmpty else { return false }
        let trigger = max(goal, goal == quota.low ? quota.high : goal)
        return usedAfter > trigger || !poolsReachGoals
    }

    private var poolsReachGoals: Bool { poolsOverQuota.allSatisfy { $0.usedAfter <= $0.quota.high } }
}
