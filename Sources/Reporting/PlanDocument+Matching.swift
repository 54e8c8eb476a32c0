import CacheModel

extension PlanDocument.Volume {
    /// Holds the file against the volume as it is now: entries that are still there, were neither used nor
    /// fetched since and are not protected go, in the file's order; of each of the others the result says why
    /// it stays.
    ///
    /// Nothing is added to what the file names.
    package func matched(
        with usage: VolumeUsage, under policy: EvictionPolicy, now: Timestamp
    ) -> (plan: EvictionPlan, refused: [EvictionOutcome.Line]) {
        let entries = Dictionary(
            usage.entries.map { ($0.found.path, $0) }, uniquingKeysWith: { first, _ in first })
        var evictions: [Eviction] = []
        var refused: [EvictionOutcome.Line] = []
        for line in evict {
            // An image that somebody else removed is gone, as was planned.
            if line.pool == .images, entries[line.path] == nil { continue }
            switch line.match(entries[line.path], under: policy, now: now) {
            case .success(let entry):
                evictions.append(
                    Eviction(
                        entry: entry, freedBytes: line.exclusiveBytes, cause: .volume, decidedAt: now))
            case .failure(let refusal):
                // What is there now counts: nothing where it is gone, another size where it was fetched again.
                let entry = entries[line.path].flatMap { $0.pool == line.pool ? $0 : nil }
                let bytes = entry.map { $0.pool == .images ? line.exclusiveBytes : $0.bytes } ?? .zero
                refused.append(
                    EvictionOutcome.Line(
                        entryID: entry?.id ?? 0, pool: line.pool, key: line.key, bytes: bytes,
                        reason: refusal.reason))
            }
        }
        let current = policy.plan(usage, under: quota, now: now)
        let freed = evictions.reduce(ByteCount.zero) { $0 + $1.freedBytes }
        var plan = EvictionPlan(
            volume: name, createdAt: now, usedBytes: usage.usedBytes, trashBytes: usage.trashBytes,
            unmanagedBytes: current.unmanagedBytes, quota: quota, goal: goal, evict: evictions,
            kept: current.kept,
            volumeIsOver: usage.usedBytes > goal, reachesGoal: usage.usedBytes - freed <= goal,
            protections: current.protections)
        plan.inodes = current.inodes.map { inodes in
            .init(
                quota: inodes.quota, used: inodes.used,
                usedAfter: inodes.used - evictions.reduce(0) { $0 + $1.entry.found.inodes })
        }
        return (plan, refused)
    }
}

private struct Refusal: Error {
    let reason: String
}

extension PlanDocument.Line {
    fileprivate func match(
        _ entry: CacheEntry?, under policy: EvictionPolicy, now: Timestamp
    ) -> Result<CacheEntry, Refusal> {
        guard let entry, entry.pool == pool else {
            return .failure(Refusal(reason: "it is no longer there"))
        }
        if entry.found.inode != inode {
            return .failure(Refusal(reason: "it was fetched again since the plan was made"))
        }
        // The file keeps last uses to the second.
        if entry.found.accessed > accessed || entry.lastUsed.seconds > lastUsed.seconds {
            return .failure(Refusal(reason: "it was used since the plan was made"))
        }
        if let protection = policy.protection(of: entry, now: now) {
            return .failure(Refusal(reason: protection.text))
        }
        return .success(entry)
    }
}
