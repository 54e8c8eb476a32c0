import CacheModel

/// How many inodes a volume uses, where those are a quota.
package struct InodeUse: Sendable, Hashable {
    /// How many live files and directories take.
    package var used: Int64
    /// The quota.
    package var quota: InodeQuota

    /// Puts both together; nil where either is missing.
    package init?(used: Int64?, quota: InodeQuota?) {
        guard let used, let quota else { return nil }
        (self.used, self.quota) = (used, quota)
    }

    /// Whether a prune starts.
    package var isOver: Bool { used > quota.high }

    /// `inodes: 5,800 of 8,192 (71 %); a prune starts above 6,963 and stops at 5,734`.
    var sentence: String {
        let share = Figures.percent(ByteCount(used), of: ByteCount(quota.limit))
        return
            "inodes: \(Figures.grouped(used)) of \(Figures.grouped(quota.limit)) (\(share)); a prune starts above "
            + "\(Figures.grouped(quota.high)) and stops at \(Figures.grouped(quota.low))"
    }

    /// The figures as in every schema.
    var jsonValue: JSONValue {
        [
            "used": .integer(used), "limit": .integer(quota.limit), "high": .integer(quota.high),
            "low": .integer(quota.low),
        ]
    }
}

extension EvictionPlan.Inodes {
    /// The figures before and after.
    var jsonValue: JSONValue {
        [
            "used": .integer(used), "limit": .integer(quota.limit), "high": .integer(quota.high),
            "low": .integer(quota.low), "used_after": .integer(usedAfter), "over": .bool(areOver),
        ]
    }
}
