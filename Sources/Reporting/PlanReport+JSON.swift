import CacheModel

extension EvictionPlan {
    /// The plan of one volume as in `larder.plan/1`, with what `prune --plan` needs besides the contract's keys:
    /// `path`, `inode`, `accessed` in nanoseconds, and `exclusive_bytes`, what the removal frees at its place in
    /// the order.
    var jsonValue: JSONValue {
        [
            "name": .text(volume), "used_bytes": .bytes(usedBytes), "limit_bytes": .bytes(quota.limit),
            "high_bytes": .bytes(quota.high), "low_bytes": .bytes(quota.low), "goal_bytes": .bytes(goal),
            "trash_bytes": .bytes(trashBytes), "unmanaged_bytes": .bytes(unmanagedBytes),
            "unmanaged": .array(unmanaged.map(\.jsonValue)),
            "evict": .array(evict.map(\.jsonValue)),
            "kept": .array(
                kept.map { kept in
                    [
                        "reason": .text(kept.reason.rawValue), "entries": .integer(kept.entries),
                        "bytes": .bytes(kept.bytes),
                    ]
                }),
            "pools_over_quota": .array(
                poolsOverQuota.map { pool in
                    [
                        "name": .text(pool.pool.rawValue), "used_bytes": .bytes(pool.usedBytes),
                        "high_bytes": .bytes(pool.quota.high), "low_bytes": .bytes(pool.quota.low),
                        "used_bytes_after": .bytes(pool.usedAfter),
                    ]
                }),
            "inodes": inodes?.jsonValue ?? .null,
            "freed_bytes": .bytes(freedBytes), "needed": .bool(needed), "reaches_low": .bool(reachesGoal),
            "later": later.map {
                ["entries": .integer($0.entries), "bytes": .bytes($0.bytes), "reason": .text($0.reason)]
            } ?? .null,
            "purged_bytes": .bytes(purgedBytes), "purged_earlier_bytes": .bytes(purgedEarlierBytes),
        ]
    }
}

extension Eviction {
    var jsonValue: JSONValue {
        [
            "pool": .text(entry.pool.rawValue), "key": .text(entry.key), "bytes": .bytes(entry.bytes),
            "exclusive_bytes": .bytes(freedBytes), "last_used": .time(entry.lastUsed),
            "evidence": .text(entry.evidence.rawValue), "confidence": .text(entry.confidence.rawValue),
            "reason": .text(reason), "inodes": .integer(entry.found.inodes),
            "path": .text(entry.found.path.description), "inode": .unsigned(entry.found.inode),
            "accessed": .integer(entry.found.accessed.nanoseconds),
        ]
    }
}
