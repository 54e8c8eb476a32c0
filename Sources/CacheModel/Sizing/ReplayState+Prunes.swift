/// What a prune of a replayed volume takes, by the rules that a real one keeps to.
extension ReplayState {
    /// Purges from the trash what is overdue, and above the critical level the oldest until the high one is reached.
    private mutating func purge(at now: Int64) {
        func isDue() -> Bool {
            trash[trashBegin].at.addingReportingOverflow(trashTime).partialValue <= now
        }
        while trashBegin < trash.count, isDue() { purgeOldest() }
        guard occupied > purgeAbove else { return }
        while trashBegin < trash.count, occupied > high { purgeOldest() }
    }

    private mutating func purgeOldest() {
        trashBytes -= trash[trashBegin].bytes
        trashBegin += 1
        guard trashBegin > 1000, trashBegin * 2 > trash.count else { return }
        trash.removeFirst(trashBegin)
        trashBegin = 0
    }

    mutating func prune(at now: Int64, to goal: Int64 = .max) {
        if removedAfter > 0 { removeUnused(at: now) }
        // A prune makes room first, and looks once more when it is done.
        purge(at: now)
        defer { purge(at: now) }
        let goal = min(low, goal)
        let isOver = used > high || goal < low && used > goal
        let over = poolLimits.filter { poolUsed[$0.pool] > $0.high }
        guard isOver || !over.isEmpty || !maxIdle.isEmpty else { return }
        var pass = PrunePass(
            goal: isOver ? goal : .max, pools: [Int64](repeating: .max, count: poolUsed.count),
            allowed: Int64(Double(used) * regime.bytesShare),
            entries: max(1, Int(Double(regime.entries) * trace.share)),
            // A goal of its own was reached, whatever was idle.
            idleSince: goal == low ? idleSince(now) : .max)
        for limit in over { pass.pools[limit.pool] = limit.low }
        if isOver, unused > 0 {
            let gone = min(unused, used - goal, pass.allowed)
            (unused, used, pass.freed) = (unused - gone, used - gone, gone)
        }
        if !maxIdle.isEmpty { pass.unusedSince = maxIdle.map { $0 > 0 ? now &- $0 : .min } }
        evict(&pass)
        guard isOver || !over.isEmpty || pass.evicted > 0 else { return }
        if trashTime > 0, pass.freed > 0 {
            trash.append((now, pass.freed))
            trashBytes &+= pass.freed
        }
        guard isWarm else { return }
        outcome.evictions += pass.evicted
        outcome.evictedBytes += ByteCount(pass.freed)
        guard isOver else { return }
        outcome.prunes += 1
        if used > goal { outcome.prunesOver += 1 }
    }

    /// What was used at or before that instant is idle.
    func idleSince(_ now: Int64) -> Int64 {
        floor > 0 ? now.subtractingReportingOverflow(floor).partialValue : .max
    }

    /// Takes away what others remove: that goes into no trash.
    private mutating func removeUnused(at now: Int64) {
        let since = now &- removedAfter
        let gone =
            Self.unused(since: since, in: &probationers, nodes, inOrder: !isSieve)
            + Self.unused(since: since, in: &others, nodes, inOrder: !isSieve)
        for object in gone { _ = take(object) }
    }

    static func unused(
        since: Int64, in queue: inout TurnQueue, _ nodes: UnsafeMutableBufferPointer<ReplayedObject>,
        inOrder: Bool
    ) -> [Int] {
        var unused: [Int] = []
        var next = queue.begin(nodes)
        while let object = queue.object(at: next) {
            next = queue.next(after: next, nodes)
            if nodes[object].lastUsed < since { unused.append(object) } else if inOrder { break }
        }
        return unused
    }

    private func isWanted(_ object: Int, _ pass: PrunePass) -> Bool {
        let pool = Int(nodes[object].pool)
        return used > pass.goal || poolUsed[pool] > pass.pools[pool] || isIdle(object, pass)
    }

    /// Whether an object was not used for longer than its pool allows.
    private func isIdle(_ object: Int, _ pass: PrunePass) -> Bool {
        !pass.unusedSince.isEmpty && nodes[object].lastUsed < pass.unusedSince[Int(nodes[object].pool)]
    }

    private func isAnyWanted(_ pass: PrunePass) -> Bool {
        if used > pass.goal { return true }
        return poolLimits.contains { poolUsed[$0.pool] > pass.pools[$0.pool] }
    }

    mutating func pruneByLastUse(_ pass: inout PrunePass) {
        var (first, second) = (probationers.begin(nodes), others.begin(nodes))
        // Where no level asks for more, what was used since goes from no pool.
        let unusedSince = min(pass.idleSince, (pass.unusedSince.max() ?? .min) &- 1)
        while !pass.isSpent {
            let isAnyWanted = isAnyWanted(pass)
            guard isAnyWanted || !pass.unusedSince.isEmpty else { return }
            let since = isAnyWanted ? pass.idleSince : unusedSince
            let one = probationers.object(at: first)
            let two = others.object(at: second)
            let isOne = one.map { nodes[$0].lastUsed <= since } ?? false
            let isTwo = two.map { nodes[$0].lastUsed <= since } ?? false
            let object: Int
            if isOne, let one,
                !isTwo || two.map({ nodes[one].lastUsed &- probation <= nodes[$0].lastUsed }) ?? true
            {
                object = one
                first = probationers.next(after: first, nodes)
            } else if isTwo, let two {
                object = two
                second = others.next(after: second, nodes)
            } else {
                return
            }
            consider(object, &pass)
        }
    }

    /// Evicts what was not used for longer than its pool allows.
    mutating func pruneUnused(_ pass: inout PrunePass) {
        guard !pass.unusedSince.isEmpty else { return }
        var next = others.begin(nodes)
        while !pass.isSpent, let object = others.object(at: next) {
            next = others.next(after: next, nodes)
            if nodes[object].lastUsed <= pass.idleSince, isIdle(object, pass) { consider(object, &pass) }
        }
    }

    mutating func pruneByPriority(_ pass: inout PrunePass) {
        var order: [(priority: Double, at: Int64, object: Int32)] = []
        var next = others.begin(nodes)
        while let object = others.object(at: next) {
            next = others.next(after: next, nodes)
            guard nodes[object].lastUsed <= pass.idleSince else { continue }
            let priority =
                switch rule {
                case .lfu: Double(uses[object])
                case .gdsf: credit[object]
                default: -Double(upcoming[object])
                }
            order.append((priority, nodes[object].lastUsed, Int32(object)))
        }
        order.sort { ($0.priority, $0.at) < ($1.priority, $1.at) }
        for each in order {
            guard !pass.isSpent, isAnyWanted(pass) else { return }
            if rule == .gdsf { inflation = max(inflation, each.priority) }
            consider(Int(each.object), &pass)
        }
    }

    /// From the oldest to the newest: what was used since its last turn is passed over once.
    mutating func pruneBySieve(_ pass: inout PrunePass) {
        for _ in 0..<2 {
            var next = others.begin(nodes)
            while !pass.isSpent, isAnyWanted(pass), let object = others.object(at: next) {
                next = others.next(after: next, nodes)
                guard nodes[object].lastUsed <= pass.idleSince else { continue }
                if nodes[object].isOnProbation {
                    nodes[object].isOnProbation = false
                } else {
                    consider(object, &pass)
                }
            }
        }
    }

    /// Evicts an object whose turn has come, if it is wanted.
    private mutating func consider(_ object: Int, _ pass: inout PrunePass) {
        guard isWanted(object, pass) else { return }
        guard hasLayers(object) else {
            evict(object, freeing: nodes[object].bytes, &pass)
            return
        }
        guard settle(object, &pass) else { return }
        // What went may have set free what waits, in the order of its turns.
        var again = true
        while again {
            again = false
            for waiting in pass.waiting where nodes[waiting].bytes >= 0 && !pass.isSpent {
                guard isWanted(waiting, pass) else { return }
                if settle(waiting, &pass) {
                    again = true
                    break
                }
            }
        }
    }

    /// Evicts an image with those of the very same layers that wait; false where that would free nothing.
    mutating func settle(_ image: Int, _ pass: inout PrunePass) -> Bool {
        var mates: [Int] = []
        for waiting in pass.waiting {
            if waiting == image { break }
            if nodes[waiting].bytes >= 0, trace.twins[waiting] == trace.twins[image] { mates.append(waiting) }
        }
        var freed: Int64 = 0
        for place in layers(of: image) {
            let layer = Int(trace.layers[place])
            if Int(needed[layer]) == mates.count + 1 { freed &+= trace.layerBytes[layer] }
        }
        guard freed > 0 else {
            if !pass.waiting.contains(image) { pass.waiting.append(image) }
            return false
        }
        for mate in mates where !pass.isSpent { evict(mate, freeing: 0, &pass) }
        evict(image, freeing: freed, &pass)
        return true
    }

    mutating func evict(_ object: Int, freeing freed: Int64, _ pass: inout PrunePass) {
        // A run ends before what would pass its limits.
        guard freed <= pass.allowed - pass.freed, pass.evicted < pass.entries else {
            pass.isSpent = true
            return
        }
        pass.freed += freed
        pass.evicted += 1
        _ = take(object)
    }
}

/// One prune on its way.
struct PrunePass {
    /// The used bytes to come down to.
    var goal: Int64
    /// The same for each pool.
    var pools: [Int64]
    /// What the run may free.
    var allowed: Int64
    /// How many entries it may evict.
    var entries: Int
    /// What was used later stays.
    var idleSince: Int64
    /// Of each pool, what was last used before goes whatever the levels are; empty where no pool has such a time.
    var unusedSince: [Int64] = []
    var freed: Int64 = 0
    var evicted: Int64 = 0
    var isSpent = false
    /// The images whose removal frees nothing yet, in the order of their turns.
    var waiting: [Int] = []
}
