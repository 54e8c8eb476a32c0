/// The rules by which entries are evicted: least recently used first, between two watermarks.
///
/// The policy is pure: the same usage, quota and time give the same plan, whatever order the entries come in.
package struct EvictionPolicy: Sendable, Hashable {
    /// What was used or fetched more recently stays; `0s` turns this off.
    package var idleFloor: Span
    /// Globs over keys that are never evicted, as `KeyPattern` reads them; an image is kept if any of its names
    /// matches.
    package var keep: [String]
    /// The same for the entries of single pools.
    package var poolKeep: [Pool: [String]] = [:]
    /// Quotas of single pools.
    package var poolQuotas: [Pool: Quota]
    /// Whether entries whose reads leave no trace may go, by when they were fetched.
    package var evictsWithoutEvidence = false
    /// The size that the volume's used bytes shall not exceed afterwards, in place of both watermarks.
    package var target: ByteCount?
    /// How long entries of a pool may go unused before they are evicted even where there is room.
    package var maxIdle: [Pool: Span] = [:]
    /// The quota in inodes; nil where they are none.
    package var inodes: InodeQuota?
    /// Installed builds that may go all the same.
    package var installed: [InstalledExpiry] = []
    /// Images that no registry has, and that may go all the same.
    package var replaceable: ReplaceableImages?
    /// The entries that go, whatever the quota says, and no others; nil where the quota decides.
    package var selection: EntrySelection?
    /// In which order entries go.
    package var order: EvictionOrder

    /// Makes a policy; by default with an idle floor of a day and nothing else.
    package init(
        idleFloor: Span = .hours(24), keep: [String] = [], poolQuotas: [Pool: Quota] = [:],
        target: ByteCount? = nil, selection: EntrySelection? = nil, order: EvictionOrder = .lru,
        evictsWithoutEvidence: Bool = false
    ) {
        self.selection = selection
        self.order = order
        self.evictsWithoutEvidence = evictsWithoutEvidence
        self.idleFloor = idleFloor
        self.keep = keep
        self.poolQuotas = poolQuotas
        self.target = target
    }

    /// Decides what goes from a volume now.
    ///
    /// Pruning starts when more than the high watermark is used and stops at or below the low one; a target
    /// stands     /// stands for both. Inodes have the same watermarks, and a pool over its own high watermark comes down to its low one. One pass goes
    /// over the entries by last use; of those last used at the same instant the larger go first, then by key,
    /// then by path. Images without a name and steps of builds that nothing needs go before all others, and what was
    /// made here and named for a registry, which may not have it, counts as used a week later. An entry that was not
    /// used for longer than `maxIdle` goes whatever the levels are. An entry goes if, at its turn, the volume or its pool is still above its goal.
    ///
    /// With a selection exactly what it names goes, as far as nothing protects it, and no level matters.
    package func plan(_ usage: VolumeUsage, under quota: Quota, now: Timestamp) -> EvictionPlan {
        let entries = usage.entries
        let rules = rules(now: now)
        let wholes = Wholes(of: entries)
        var candidates: [Int] = []
        var kept: [(place: Int, reason: Protection)] = []
        for place in entries.indices {
            if let reason = rules.protection(of: entries[place]) {
                kept.append((place, reason))
            } else {
                candidates.append(place)
            }
        }
        let isKept = Set(kept.lazy.map(\.place))
        if !wholes.isEmpty {
            // A directory stays for as long as a part of it does.
            let holders = candidates.filter { place in
                wholes.parts(of: place).contains {
                    isKept.contains($0) || selection?.covers(entries[$0]) == false
                }
            }
            kept += holders.map { ($0, .holdsEntries) }
            candidates.removeAll(where: Set(holders).contains)
        }
        let isImage = { (place: Int) in entries[place].pool == .images }
        var others: [Int] = []
        let steps = BuildSteps(of: entries)
        if let selection {
            let asked = Set(candidates.filter { selection.covers(entries[$0]) })
            let along = steps.neededOnly(by: asked)
            others = candidates.filter { !asked.contains($0) && !along.contains($0) && isImage($0) }
            candidates = candidates.filter { asked.contains($0) || along.contains($0) }
            kept = kept.filter { selection.covers(entries[$0.place]) || isImage($0.place) }
        }
        candidates = Self.leastRecentlyUsedFirst(candidates, of: entries, wholes, order: order, steps)

        let images = candidates.filter(isImage) + kept.map(\.place).filter(isImage) + others
        let ledger = LayerReferenceCounts(
            images: images.map { entries[$0].found.image?.layers ?? [] }, layers: usage.layers)
        var poolBytes = Self.bytesByPool(of: entries)
        poolBytes[.images] = ledger.storedBytes

        // A size that was asked for is one in bytes.
        let inodeQuota = selection == nil && target == nil ? inodes : nil
        let usedInodes = inodeQuota == nil ? nil : usage.usedInodes
        var pass = EvictionPass(
            entries, images: images, ledger: ledger,
            volume: .init(
                used: usage.usedBytes, startingAbove: target ?? quota.high, stoppingAt: target ?? quota.low),
            pools: (selection == nil ? poolQuotas : [:]).reduce(into: [:]) { pools, pool in
                pools[pool.key] = .init(
                    used: poolBytes[pool.key] ?? .zero, startingAbove: pool.value.high,
                    stoppingAt: pool.value.low)
            },
            files: SharedFileCounts(usage.sharedFiles, entries: entries),
            takesAll: selection != nil, order: order, maxIdle: selection == nil ? maxIdle : [:], steps: steps,
            inodes: inodeQuota.flatMap { quota in
                usedInodes.map {
                    .init(
                        used: $0, startingAbove: quota.high, stoppingAt: quota.low,
                        perByte: usage.usedBytes > .zero ? Double($0) / Double(usage.usedBytes.bytes) : 0)
                }
            }, now: now)
        pass.run(over: candidates)
        kept += pass.sharedImages.map { ($0, .sharedLayers) }
        kept += pass.sharedEntries.map { ($0, .sharedFiles) }

        let poolsOver = poolQuotas.keys.sorted().compactMap { pool -> EvictionPlan.PoolOverQuota? in
            guard let gauge = pass.pools[pool], gauge.goal != nil, let quota = poolQuotas[pool] else {
                return nil
            }
            return .init(
                pool: pool, quota: quota, usedBytes: poolBytes[pool] ?? .zero, usedAfter: gauge.used)
        }
        var plan = EvictionPlan(
            volume: usage.volume, createdAt: now, usedBytes: usage.usedBytes, trashBytes: usage.trashBytes,
            unmanagedBytes: max(.zero, poolBytes.values.reduce(usage.usedBytes, -)), quota: quota,
            goal: target ?? quota.low, evict: pass.evictions,
            kept: Self.summary(
                of: kept.filter { selection?.covers(entries[$0.place]) ?? true }, entries: entries,
                images: images, ledger: ledger),
            poolsOverQuota: poolsOver, volumeIsOver: selection == nil && pass.volume.goal != nil,
            reachesGoal: selection != nil
                || !pass.volume.isAbove && pass.inodes?.isAbove != true
                    && !pass.pools.values.contains(where: \.isAbove),
            selection: selection,
            protections: Dictionary(
                kept.lazy.map { (entries[$0.place].id, $0.reason) }, uniquingKeysWith: { first, _ in first }))
        if let inodeQuota, let usedInodes, let gauge = pass.inodes {
            plan.inodes = .init(quota: inodeQuota, used: usedInodes, usedAfter: gauge.used)
        }
        plan.unmanaged = usage.unmanaged
        plan.warnings = usage.warnings
        if !usage.scan.complete {
            plan.warnings.append(
                ScanWarning(
                    code: "incomplete-scan",
                    text:
                        "the scan was incomplete: \(usage.scan.unreadable) paths could not be read, and nothing "
                        + "is pruned until they can be",
                    hint: "larder scan names them; run Larder as the user that owns them, or remove them"))
        }
        plan.areImages = entries.contains { $0.pool == .images }
        plan.unaccounted = usage.unaccounted
        let containers = usage.layers.reduce(ByteCount.zero) { sum, layer in
            layer.images == 0 && layer.containers > 0 ? sum + layer.storedBytes : sum
        }
        if containers > .zero {
            plan.unaccounted.append(UnaccountedSpace(kind: .containers, bytes: containers))
        }
        return plan
    }

    private func rules(now: Timestamp) -> ProtectionRules {
        ProtectionRules(
            idleFloor: idleFloor, keep: keep, poolKeep: poolKeep, installed: installed,
            replaceable: replaceable,
            evictsWithoutEvidence: evictsWithoutEvidence, now: now)
    }

    /// The strongest reason to keep an entry whatever the quota says; nil where there is none.
    ///
    /// It is the plan's own answer but for `sharedLayers` and `sharedFiles`, which depend on what else goes.
    package func protection(of entry: CacheEntry, now: Timestamp) -> Protection? {
        rules(now: now).protection(of: entry)
    }

    private static func bytesByPool(of entries: [CacheEntry]) -> [Pool: ByteCount] {
        entries.indices.reduce(into: [:]) { sums, place in
            sums[entries[place].pool, default: .zero] += max(.zero, entries[place].bytes)
        }
    }

    /// Kept entries counted by reason; a layer that several images need counts for the strongest one.
    private static func summary(
        of kept: [(place: Int, reason: Protection)], entries: [CacheEntry], images: [Int],
        ledger: LayerReferenceCounts
    ) -> [EvictionPlan.Kept] {
        let numbers = Dictionary(images.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
        let byReason = Dictionary(grouping: kept, by: \.reason)
        var counted: Set<Int> = []
        let lines = ProtectionRules.byStrength.compactMap { reason -> EvictionPlan.Kept? in
            guard let places = byReason[reason] else { return nil }
            let bytes = places.reduce(ByteCount.zero) { sum, kept in
                let own = numbers[kept.place].map { ledger.bytes($0, notIn: &counted) }
                return sum + (own ?? max(.zero, entries[kept.place].bytes))
            }
            return .init(reason: reason, entries: Int64(places.count), bytes: bytes)
        }
        return lines.enumerated().sorted { a, b in
            (b.element.bytes, a.offset) < (a.element.bytes, b.offset)
        }.map(\.element)
    }
}
