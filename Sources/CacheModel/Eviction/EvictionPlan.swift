/// One entry that a prune removes, and why.
package struct Eviction: Sendable, Hashable {
    /// What the entry has to make room for.
    package enum Cause: Sendable, Hashable {
        /// The volume is above its goal.
        case volume
        /// The volume is not, or no longer, above its goal in bytes, but it is in inodes.
        case inodes
        /// The volume is not, or no longer, above its goal, but the entry's pool is.
        case pool(Pool)
        /// An image that frees nothing alone: it goes together with the one of that key, which has the very
        /// same layers.
        case twin(key: String)
        /// An entry that frees little alone: it goes together with the one of that key, which shares its files by hard
        /// links.
        case mate(key: String)
        /// A step of the build that made the image of that key, which goes.
        case step(of: String)
        /// It was not used for longer than that.
        case idle(Span)
        /// It was asked for by its key.
        case selected
    }

    /// The entry as the index knows it.
    package var entry: CacheEntry
    /// What its removal frees in this place of the order; for an image, the layers nothing else needs by then.
    package var freedBytes: ByteCount
    /// What it makes room for.
    package var cause: Cause
    /// When this was decided: ages count up to here.
    package var decidedAt: Timestamp
    /// How much older the entry counts because it was never used again since its fetch.
    package var probation: Span

    /// Makes an eviction from all it consists of.
    package init(
        entry: CacheEntry, freedBytes: ByteCount, cause: Cause, decidedAt: Timestamp, probation: Span = .zero
    ) {
        self.entry = entry
        self.freedBytes = freedBytes
        self.cause = cause
        self.decidedAt = decidedAt
        self.probation = probation
    }

    /// The reason in a sentence: `least recently used: last used 43 d ago (atime)`.
    package var reason: String {
        let lastUse = entry.lastUse(asOf: decidedAt) + onProbation
        return switch cause {
        case .volume where entry.found.image?.isUseless == true:
            "no name leads to it and nothing uses it, so it goes before all others; \(lastUse)"
        case .volume: "least recently used: \(lastUse)"
        case .inodes: "inodes over their quota, frees \(entry.found.inodes) of them; \(lastUse)"
        case .pool(let pool): "pool \(pool.rawValue) over its quota; \(lastUse)"
        case .twin(let key): "goes with \(key), which has the same layers; \(lastUse)"
        case .mate(let key): "goes with \(key), which shares its files (hard links); \(lastUse)"
        case .step(let key): "a step of the build that made \(key); \(lastUse)"
        case .idle(let limit): "unused for more than \(limit): \(lastUse)"
        case .selected: "asked for by its key; \(lastUse)"
        }
    }
}

extension Eviction {
    private var onProbation: String {
        probation > .zero ? ", never since its fetch, so it counts as \(probation.age) older" : ""
    }
}

extension CacheEntry {
    /// The last use with its age and evidence: `last used 43 d ago (atime)`; where no use was seen it says so.
    package func lastUse(asOf now: Timestamp) -> String {
        let idle = now - lastUsed
        let ago = idle.seconds < 0 ? idle.age : idle.age + " ago"
        let unused = "no use seen, there since \(ago) (\(evidence.rawValue))"
        return switch evidence {
        // What the job that fetched it read is no use.
        case .atime, .gradleJournal, .podmanEvents, .jobLog:
            isUsed ? "last used \(ago) (\(evidence.rawValue))" : unused
        // It was used, went, and was brought back.
        case .firstSeen where found.accessed.nanoseconds > 0 && found.accessed < lastUsed:
            "there since \(ago) (\(evidence.rawValue)), and last read \((now - found.accessed).age) ago"
        case .firstSeen, .mtime: unused
        }
    }
}

/// What a prune of one volume would remove now, in order, and why; what it keeps, and why.
///
/// Nothing has been touched when a plan exists: `plan`, `prune --dry-run`, `prune` and `explain` all read one.
package struct EvictionPlan: Sendable {
    /// Entries kept for one reason.
    package struct Kept: Sendable, Hashable {
        /// The strongest reason that applies to them.
        package var reason: Protection
        /// How many they are.
        package var entries: Int64
        /// What they occupy.
        ///
        /// A layer of several images counts once, for the strongest reason.
        package var bytes: ByteCount

        /// Makes a line from its three values.
        package init(reason: Protection, entries: Int64, bytes: ByteCount) {
            self.reason = reason
            self.entries = entries
            self.bytes = bytes
        }
    }

    /// A pool that was over its own quota.
    package struct PoolOverQuota: Sendable, Hashable {
        /// Which one.
        package var pool: Pool
        /// Its quota.
        package var quota: Quota
        /// What its entries occupy before the prune; for images, each stored layer once.
        package var usedBytes: ByteCount
        /// What they would occupy afterwards.
        package var usedAfter: ByteCount

        /// Makes a state from its four values.
        package init(pool: Pool, quota: Quota, usedBytes: ByteCount, usedAfter: ByteCount) {
            self.pool = pool
            self.quota = quota
            self.usedBytes = usedBytes
            self.usedAfter = usedAfter
        }
    }

    /// How a volume stands in inodes, where those are a quota.
    package struct Inodes: Sendable, Hashable {
        /// The quota.
        package var quota: InodeQuota
        /// How many live files and directories take.
        package var used: Int64
        /// How many they would take afterwards.
        package var usedAfter: Int64

        /// Whether they are above the high watermark, so that a prune works for them.
        package var areOver: Bool { used > quota.high }
        /// Whether they come down to the low watermark, or need not.
        package var reachGoal: Bool { !areOver || usedAfter <= quota.low }

        /// Makes a state from its three values.
        package init(quota: InodeQuota, used: Int64, usedAfter: Int64) {
            self.quota = quota
            self.used = used
            self.usedAfter = usedAfter
        }
    }

    /// What of the evictions waits for later runs.
    package struct Later: Sendable, Hashable {
        /// How many entries.
        package var entries: Int64
        /// What their removal frees.
        package var bytes: ByteCount
        /// Why, and what lifts that.
        package var reason: String

        /// Makes a record from its three values.
        package init(entries: Int64, bytes: ByteCount, reason: String) {
            self.entries = entries
            self.bytes = bytes
            self.reason = reason
        }
    }

    /// What happens to one entry.
    package enum Verdict: Sendable, Hashable {
        /// It goes, in that place of the order, counted from 1.
        case evicted(position: Int, Eviction)
        /// It is kept whatever the quota says.
        case kept(Protection)
        /// It could go, and there is no need.
        case notNeeded
    }

    /// The volume's name.
    package var volume: String
    /// When the plan was made.
    package var createdAt: Timestamp
    /// What all live files occupy; the trash is not in it.
    package var usedBytes: ByteCount
    /// What waits in the trash.
    package var trashBytes: ByteCount
    /// What belongs to no entry and is never evicted.
    package var unmanagedBytes: ByteCount
    /// The volume's quota.
    package var quota: Quota
    /// The size to reach: the low watermark, or the target that was asked for.
    package var goal: ByteCount
    /// What goes, in order.
    package var evict: [Eviction]
    /// What is kept whatever the quota says, by reason, the most bytes first.
    package var kept: [Kept]
    /// The pools that were over their own quotas, in the order of declaration.
    package var poolsOverQuota: [PoolOverQuota]
    /// The sum of what the evictions free.
    package var freedBytes: ByteCount
    /// Whether the volume was above its high watermark, or the target; if not, only pools that are over their
    /// own quotas are pruned.
    package var volumeIsOver: Bool
    /// Whether the volume, if it was above, and each pool that was, come down to their goals.
    ///
    /// True where nothing was needed.
    package var reachesGoal: Bool

    /// The largest directories of what belongs to no entry.
    package var unmanaged: [UnmanagedDirectory] = []
    /// The volume in inodes; nil where they are no quota.
    package var inodes: Inodes?
    /// What makes the plan less certain, as the scan noticed it.
    package var warnings: [ScanWarning] = []
    /// What could be named of what belongs to no entry.
    package var unaccounted: [UnaccountedSpace] = []

    /// What is beyond what one run may evict; nil where one run does it all.
    package var later: Later?
    /// What a prune at a later time would do if nothing were used until then.
    package struct Coming: Sendable, Hashable {
        /// When it comes.
        package var at: Timestamp
        /// How many entries it would evict.
        package var entries: Int64
        /// What they free.
        package var freed: ByteCount
        /// Whether the goal is reached.
        package var isEnough: Bool

        /// Makes it from the plan for that time.
        package init(_ plan: EvictionPlan, at: Timestamp) {
            self.at = at
            entries = Int64(plan.evict.count)
            (freed, isEnough) = (plan.freedBytes, plan.reachesGoal)
        }
    }

    /// What of it the trash does not keep, as the volume is above its critical level: it cannot be brought back.
    package var purgedBytes = ByteCount.zero
    /// What of earlier runs goes from the trash before its time, as the volume is above its critical level.
    package var purgedEarlierBytes = ByteCount.zero
    /// Whether the volume is above its critical level, where a daemon prunes it at once.
    package var isCritical = false
    /// What the next prune will do where that is known to come later, and will do something else by then; nil where not.
    package var coming: Coming?

    /// What was asked for by key; nil where the quota decided.
    package var selection: EntrySelection?

    /// What becomes of single entries, by their rows in the index: the place in `evict`, or the protection.
    private var places: [Int64: Int] = [:]
    package var protections: [Int64: Protection] = [:]
    /// Whether the volume is an image store.
    package var areImages = false

    /// Makes a plan from all it consists of; `protections` names the kept entries by their rows in the index.
    package init(
        volume: String, createdAt: Timestamp, usedBytes: ByteCount, trashBytes: ByteCount,
        unmanagedBytes: ByteCount, quota: Quota, goal: ByteCount, evict: [Eviction], kept: [Kept],
        poolsOverQuota: [PoolOverQuota] = [], volumeIsOver: Bool, reachesGoal: Bool,
        selection: EntrySelection? = nil, protections: [Int64: Protection] = [:]
    ) {
        self.selection = selection
        self.volume = volume
        self.createdAt = createdAt
        self.usedBytes = usedBytes
        self.trashBytes = trashBytes
        self.unmanagedBytes = unmanagedBytes
        self.quota = quota
        self.goal = goal
        self.evict = evict
        self.kept = kept
        self.poolsOverQuota = poolsOverQuota
        // By index: copying each of a hundred thousand entries would take most of a plan's time.
        freedBytes = evict.indices.reduce(.zero) { $0 + evict[$1].freedBytes }
        self.volumeIsOver = volumeIsOver
        self.reachesGoal = reachesGoal
        self.protections = protections
        places.reserveCapacity(evict.count)
        for place in evict.indices { places[evict[place].entry.id] = place }
    }

    /// Whether the volume or one of its pools was over, or entries were asked for.
    package var needed: Bool {
        volumeIsOver || inodes?.areOver == true || !poolsOverQuota.isEmpty || selection != nil
            || !evict.isEmpty
    }

    /// The same without what goes: what is left to tell of it once that was tried.
    package var withoutEvictions: EvictionPlan {
        var plan = self
        (plan.evict, plan.places) = ([], [:])
        return plan
    }

    /// What the live files would occupy afterwards.
    package var usedAfter: ByteCount { usedBytes - freedBytes }

    /// What happens to the entry, which must be one of those the plan was made from.
    package func verdict(on entry: CacheEntry) -> Verdict {
        if let place = places[entry.id], evict.indices.contains(place) {
            return .evicted(position: place + 1, evict[place])
        }
        return protections[entry.id].map { .kept($0) } ?? .notNeeded
    }
}
