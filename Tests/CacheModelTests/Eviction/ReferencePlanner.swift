import CacheModel

/// The planner told again in the plainest way: look at everything, take the one that goes next, begin again.
///
/// Slow, and shares no code with the real one.
struct ReferencePlanner {
    let policy: EvictionPolicy
    let quota: Quota
    let usage: VolumeUsage

    struct Result: Equatable {
        var evicted: [Int64] = []
        var freed: [Int64] = []
        var kept: [Int64: Protection] = [:]
        var keptBytes: [Protection: Int64] = [:]
        var reachesGoal = false
    }

    func plan() -> Result {
        var result = Result()
        for entry in usage.entries { result.kept[entry.id] = reason(entry) }
        var live = Set(usage.entries.map(\.id))
        var looked: Set<Int64> = []
        var goals = Goals(self)
        while let (group, freed) = next(live, &looked, goals, result.kept) {
            for entry in group {
                live.remove(entry.id)
                result.evicted.append(entry.id)
                result.freed.append(entry.id == group.last?.id ? freed : 0)
            }
            goals.free(freed, in: group[0].pool)
        }
        for entry in usage.entries where looked.contains(entry.id) && live.contains(entry.id) {
            let same = usage.entries.filter {
                $0.pool == .images && looked.contains($0.id) && live.contains($0.id)
                    && chain($0) == chain(entry)
            }
            if bytes(live) == bytes(live.subtracting(same.map(\.id))) {
                result.kept[entry.id] = .sharedLayers
            }
        }
        result.reachesGoal = !goals.isAbove(nil) && !Pool.allCases.contains { goals.isAbove($0) }
        result.keptBytes = keptBytes(result.kept)
        return result
    }

    /// The sizes to come down to.
    struct Goals {
        private var used: [Pool?: Int64] = [:]
        private var goal: [Pool?: Int64] = [:]

        init(_ planner: ReferencePlanner) {
            let usage = planner.usage
            used[nil] = usage.usedBytes.bytes
            if usage.usedBytes > planner.policy.target ?? planner.quota.high {
                goal[nil] = (planner.policy.target ?? planner.quota.low).bytes
            }
            for pool in Pool.allCases {
                let entries = usage.entries.filter { $0.pool == pool }
                used[pool] =
                    pool == .images
                    ? planner.stored(Set(entries.flatMap { planner.chain($0) }))
                    : entries.reduce(0) { $0 + $1.bytes.bytes }
                guard let quota = planner.policy.poolQuotas[pool] else { continue }
                if ByteCount(used[pool] ?? 0) > quota.high { goal[pool] = quota.low.bytes }
            }
        }

        func isAbove(_ pool: Pool?) -> Bool { (used[pool] ?? 0) > (goal[pool] ?? .max) }

        func wants(_ pool: Pool) -> Bool { isAbove(nil) || isAbove(pool) }

        mutating func free(_ bytes: Int64, in pool: Pool) {
            used[nil, default: 0] -= bytes
            used[pool, default: 0] -= bytes
        }
    }

    private func next(
        _ live: Set<Int64>, _ looked: inout Set<Int64>, _ goals: Goals, _ kept: [Int64: Protection]
    ) -> ([CacheEntry], Int64)? {
        var seen: Set<Int64> = []
        while true {
            let rest = usage.entries.filter {
                live.contains($0.id) && kept[$0.id] == nil && goals.wants($0.pool) && !seen.contains($0.id)
            }
            guard let entry = rest.min(by: comesBefore) else { return nil }
            seen.insert(entry.id)
            guard entry.pool == .images else { return ([entry], entry.bytes.bytes) }
            looked.insert(entry.id)
            let group = usage.entries.filter {
                $0.pool == .images && live.contains($0.id) && kept[$0.id] == nil && chain($0) == chain(entry)
                    && !comesBefore(entry, $0)
            }.sorted(by: comesBefore)
            let freed = bytes(live) - bytes(live.subtracting(group.map(\.id)))
            if freed > 0 { return (group, freed) }
        }
    }

    private func comesBefore(_ a: CacheEntry, _ b: CacheEntry) -> Bool {
        if a.lastUsed != b.lastUsed { return a.lastUsed < b.lastUsed }
        if a.bytes != b.bytes { return a.bytes > b.bytes }
        return a.key != b.key ? a.key < b.key : a.found.path < b.found.path
    }

    private func chain(_ entry: CacheEntry) -> Set<String> { Set(entry.found.image?.layers ?? []) }

    /// What the layers occupy that these images, or what cannot be removed, need.
    private func bytes(_ images: Set<Int64>) -> Int64 {
        let everNamed = Set(usage.entries.flatMap { chain($0) })
        var needed = Set(usage.entries.filter { images.contains($0.id) }.flatMap { chain($0) })
        var grounds = usage.layers.filter {
            $0.containers > 0 || ($0.images == 0 && !everNamed.contains($0.id))
        }.map(\.id)
        var held: Set<String> = []
        while let id = grounds.popLast() {
            guard held.insert(id).inserted else { continue }
            grounds += usage.layers.filter { $0.id == id }.compactMap(\.parent)
        }
        needed.formUnion(held.intersection(everNamed))
        return stored(needed)
    }

    private func stored(_ ids: Set<String>) -> Int64 {
        usage.layers.filter { ids.contains($0.id) }.reduce(0) { $0 + $1.storedBytes.bytes }
    }

    private func reason(_ entry: CacheEntry) -> Protection? {
        let names = [entry.key] + (entry.found.image?.names ?? [])
        var reasons: [Protection] = entry.found.protections.all
        if names.contains(where: { name in policy.keep.contains { $0 == name || $0 == "*" } }) {
            reasons.append(.keepPattern)
        }
        if let until = entry.warmedUntil, until > now { reasons.append(.warmed) }
        let floor = now.nanoseconds - policy.idleFloor.nanoseconds
        if policy.idleFloor != .zero,
            entry.lastUsed.nanoseconds > floor || entry.found.fetched.nanoseconds > floor
        {
            reasons.append(.idleFloor)
        }
        return reasons.first
    }

    private func keptBytes(_ kept: [Int64: Protection]) -> [Protection: Int64] {
        let decided: [Protection] = [.keepPattern, .warmed, .idleFloor, .sharedLayers]
        let strength = Protection.allCases.filter { !decided.contains($0) } + decided
        var sums: [Protection: Int64] = [:]
        for entry in usage.entries where entry.pool != .images {
            if let reason = kept[entry.id] { sums[reason, default: 0] += entry.bytes.bytes }
        }
        for layer in usage.layers {
            let reasons = usage.entries.filter { chain($0).contains(layer.id) }.compactMap { kept[$0.id] }
            if let reason = strength.first(where: reasons.contains) {
                sums[reason, default: 0] += layer.storedBytes.bytes
            }
        }
        return sums.filter { $0.value != 0 }
    }
}
