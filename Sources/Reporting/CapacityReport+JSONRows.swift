import CacheModel

// The rows of a report's tables as JSON, with the same keys as the columns in CSV.

extension SpaceUse.Share {
    var jsonValue: JSONValue {
        [
            "name": .text(name), "entries": .integer(entries), "bytes": .bytes(bytes),
            "reclaim": .optional(reclaim),
        ]
    }
}

extension SpaceSaving {
    var jsonValue: JSONValue {
        [
            "kind": .text(kind.rawValue), "name": .text(name), "entries": .integer(entries),
            "bytes": .bytes(bytes), "reason": .text(reason), "reclaim": .optional(command),
        ]
    }
}

extension CacheEntry {
    /// What takes how much space.
    func spaceValue(_ space: SpaceUse) -> JSONValue {
        [
            "pool": .text(pool.rawValue), "key": .text(key), "bytes": .bytes(bytes),
            "last_used": .text(lastUsed.description),
            "reclaim": .optional(space.reclaim[id]),
        ]
    }

    /// What an image occupies, shares and would free.
    func imageValue(_ space: SpaceUse) -> JSONValue {
        [
            "key": .text(key), "bytes": .bytes(bytes), "shared_bytes": .bytes(sharedBytes),
            "exclusive_bytes": .bytes(exclusiveBytes), "containers": .integer(containers),
            "last_used": .text(lastUsed.description),
            "reclaim": .optional(space.reclaim[id]),
        ]
    }

    /// What an image occupies together with others.
    var sharedBytes: ByteCount { max(.zero, bytes - exclusiveBytes) }

    /// How many containers use an image.
    var containers: Int64 { Int64(found.image?.containers ?? 0) }
}

extension DailyFigures.Day {
    var jsonValue: JSONValue {
        [
            "day": .text(end.description), "object_hit_rate": .optional(rate.objects),
            "hits": .integer(rate.hits), "misses": .integer(rate.misses),
            "inflow_bytes": .bytes(rate.missBytes), "evicted_bytes": .bytes(evictedBytes),
            "distinct_bytes": .bytes(distinctBytes),
        ]
    }
}

extension VolumeHistory.Sample {
    var jsonValue: JSONValue {
        ["at": .text(at.description), "used_bytes": .bytes(used), "trash_bytes": .bytes(trash)]
    }
}
