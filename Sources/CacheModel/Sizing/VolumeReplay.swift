/// Replays a history through what Larder does at a size: fetches and uses at the recorded times, and prunes at the
/// times of the schedule, by the watermarks, the idle floor, the protections and the limits of a run.
///
/// A miss is followed by a fetch: from then on the entry is there. Entries have the size that they had in
/// reality at that time. An image's layers are stored while an image that is there needs them. What jobs do does
/// not depend on the size, and neither does what belongs to no pool.
package struct VolumeReplay: Sendable {
    /// What decides which of the entries that may go goes first.
    package enum Rule: Sendable, Hashable {
        /// What Larder does: the last use, with or without probation.
        case configured(EvictionOrder)
        /// The least often used since it came.
        case lfu
        /// GreedyDual-Size-Frequency.
        case gdsf
        /// SIEVE.
        case sieve
        /// What is needed again last.
        case belady
    }

    /// The history, lined up.
    let trace: ReplayTrace
    /// How the volume is pruned.
    private(set) var regime: PruneRegime
    /// What is used of each size by what is no entry.
    let fixed: Int64
    /// For each prune the number of events before it, and what it is to leave where that is less than the low watermark.
    private let prunes: [ReplayedPrune]

    /// Makes a replay.
    ///
    /// - Parameters:
    ///   - trace: the history, lined up.
    ///   - regime: when the volume is pruned, and how.
    ///   - fixed: what belongs to no entry and is never pruned.
    package init(_ trace: ReplayTrace, _ regime: PruneRegime, fixed: ByteCount = .zero) {
        self.trace = trace
        self.regime = regime
        self.fixed = max(0, fixed.bytes)
        var place = 0
        prunes = regime.times.map { time in
            while place < trace.steps.count, trace.steps[place].time <= time.nanoseconds { place += 1 }
            return ReplayedPrune(
                before: place, at: time.nanoseconds,
                goal: regime.goals[time].map { Int64(Double($0.bytes) * trace.share) } ?? .max)
        }
    }

    /// The same replay with another quota of one pool.
    ///
    /// - Parameters:
    ///   - quota: the quota; nil for none.
    ///   - pool: whose it is.
    func with(_ quota: Quota?, for pool: Pool) -> VolumeReplay {
        var other = self
        other.regime.poolQuotas[pool] = quota
        return other
    }

    /// The same replay where entries of one pool go after another time.
    ///
    /// - Parameters:
    ///   - maxIdle: the time; nil where they do not go by that.
    ///   - pool: whose it is.
    func with(maxIdle: Span?, for pool: Pool) -> VolumeReplay {
        var other = self
        other.regime.maxIdle[pool] = maxIdle
        return other
    }

    /// Replays the history on a volume of that size.
    ///
    /// - Parameters:
    ///   - size: of the volume.
    ///   - rule: which entries go first; nil for the regime's own.
    package func run(size: ByteCount, rule: Rule? = nil) -> ReplayOutcome {
        var whole = state(size, rule)
        defer { whole.nodes.deallocate() }
        whole.play(prunes, until: .max)
        return whole.scaled()
    }

    /// With so many prunes in the window a volume goes through all phases itself, and often enough.
    private static let prunesOfAMean = 8
    /// How near to the next prune volumes are that are replayed where there were fewer: in 0…1, from the low watermark to
    /// the high one.
    private static let phases = (0..<8).map { (Double($0) + 0.5) / 8 }

    /// What is to be expected of a volume of that size in the long run.
    ///
    /// In the long run a volume is anywhere between one prune and the next, and a history is too short to fill a large
    /// one. So where few prunes of the window had something to do, this is the mean of several phases: once events count
    /// and half of the history has passed, the volume is so far full. What it has beyond that goes as in a prune, if
    /// any comes after that at that size; what it lacks is filled up with what nobody uses any more, which goes first.
    ///
    /// - Parameters:
    ///   - size: of the volume.
    ///   - rule: which entries go first; nil for the regime's own.
    package func expected(size: ByteCount, rule: Rule? = nil) -> ReplayOutcome {
        var half = state(size, rule)
        defer { half.nodes.deallocate() }
        let settled = trace.settled
        half.play(prunes, until: settled)
        var whole = half.copy()
        whole.everPruned = false
        defer { whole.nodes.deallocate() }
        whole.play(prunes, until: .max)
        let outcome = whole.scaled()
        guard outcome.prunes < Self.prunesOfAMean else { return outcome }
        return ReplayOutcome(
            meanOf: Self.phases.map { phase in
                var state = half.copy()
                defer { state.nodes.deallocate() }
                state.settle(in: phase, at: settled, evicts: whole.everPruned)
                state.play(prunes, until: .max)
                return state.scaled()
            })
    }

    private func state(_ size: ByteCount, _ rule: Rule?) -> ReplayState {
        ReplayState(
            trace, regime, size: Double(max(0, size.bytes)) * trace.share,
            fixed: Int64(Double(fixed) * trace.share), rule: rule ?? .configured(regime.order))
    }
}

/// A volume in the course of a replay.
private struct ReplayState {
    private let trace: ReplayTrace
    private let regime: PruneRegime
    private let rule: VolumeReplay.Rule
    // Asked at each step, where a comparison of rules would be a call.
    private let isSieve: Bool
    private let isBelady: Bool
    private let high: Int64
    private let low: Int64
    private let critical: Int64
    private let probation: Int64
    private let floor: Int64

    private var used: Int64
    /// What of it nobody uses any more, and no event brought: it goes first.
    private var unused: Int64 = 0
    private var poolUsed: [Int64]
    private var poolLimits: [(pool: Int, high: Int64, low: Int64)] = []
    /// For how long entries of each pool stay unused; 0 where that does not matter.
    private var maxIdle: [Int64] = []
    /// After how long without a use others remove an entry; 0 where they do not.
    private let removedAfter: Int64
    /// What is known of each object: together, as a replay touches all of it at each use.
    ///
    /// No array, which would be asked at each touch whether another one shares it; whoever makes a state gives it back.
    private(set) var nodes: UnsafeMutableBufferPointer<ReplayedObject>
    /// The objects in the order of last use: those on probation, and all others.
    private var probationers = TurnQueue()
    private var others = TurnQueue()
    /// The number of the last turn that was given.
    private var lastTurn: Int32 = 0
    /// What the other rules look at.
    private var uses: [Int32] = []
    private var nextEvent: [Int32] = []
    private var upcoming: [Int32] = []
    private var inflation = 0.0
    private var credit: [Double] = []
    /// How many images that are there need each layer.
    private var needed: [Int32]
    /// What prunes evicted and the trash still has, the oldest from `trashBegin` on.
    private var trash: [(at: Int64, bytes: Int64)] = []
    private var trashBegin = 0
    private var trashBytes: Int64 = 0
    private let trashTime: Int64
    private let purgeAbove: Int64
    private var isWarm = false
    /// Whether the levels of the volume ever made a prune evict.
    var everPruned = false
    private var outcome = ReplayOutcome()
    /// Before when no further prune for pressure comes; nil where there is none to wait for.
    private var calmUntil: Int64?
    private var pause = PruneRegime.firstPause
    /// The event that comes next, the prune, and the next change of what belongs to no pool.
    private var (place, nextPrune, nextUnmanaged) = (0, 0, 0)
    /// How much more of that there is than now.
    private var unmanagedMore: Int64 = 0

    init(
        _ trace: ReplayTrace, _ regime: PruneRegime, size: Double, fixed: Int64, rule: VolumeReplay.Rule
    ) {
        (self.trace, self.regime, self.rule) = (trace, regime, rule)
        (isSieve, isBelady) = (rule == .sieve, rule == .belady)
        func level(_ part: Double) -> Int64 { Int64(min(size * part, 9e18)) }
        (high, low) = (level(regime.high), level(regime.low))
        critical = regime.critical.map(level) ?? .max
        (trashTime, purgeAbove) = (regime.trash.nanoseconds, level(regime.purgeAbove))
        if case .configured(let order) = rule {
            probation = order.probation.nanoseconds
        } else {
            probation = 0
        }
        floor = regime.idleFloor.nanoseconds
        removedAfter = regime.removedAfter?.nanoseconds ?? 0
        used = fixed
        poolUsed = [Int64](repeating: 0, count: trace.order.count)
        let count = trace.objectCount
        nodes = .allocate(capacity: count)
        for object in 0..<count {
            nodes.initializeElement(
                at: object, to: ReplayedObject(pool: trace.pools[object], isPinned: trace.isPinned[object]))
        }
        needed = [Int32](repeating: 0, count: trace.layerBytes.count)
        for (place, pool) in trace.order.enumerated() {
            guard let quota = regime.poolQuotas[pool] else { continue }
            poolLimits.append(
                (
                    place, Int64(Double(quota.high.bytes) * trace.share),
                    Int64(Double(quota.low.bytes) * trace.share)
                ))
        }
        if !regime.maxIdle.isEmpty {
            maxIdle = trace.order.map { max(0, regime.maxIdle[$0]?.nanoseconds ?? 0) }
        }
        switch rule {
        case .configured, .sieve: break
        case .lfu, .gdsf:
            uses = [Int32](repeating: 0, count: count)
            credit = [Double](repeating: 0, count: count)
        case .belady:
            nextEvent = trace.nextEvents()
            upcoming = [Int32](repeating: .max, count: count)
        }
        for content in trace.contents {
            _ = put(Int(content.object), content.size, at: content.lastUsed, isFetch: false)
        }
        if isBelady {
            for place in trace.steps.indices.reversed() where trace.steps[place].event != .removal {
                upcoming[Int(trace.steps[place].object)] = Int32(place)
            }
        }
        outcome.peakEver = ByteCount(used)
    }

    /// The same state once more.
    func copy() -> ReplayState {
        var other = self
        other.nodes = .allocate(capacity: nodes.count)
        _ = other.nodes.initialize(from: nodes)
        return other
    }

    /// Goes on until that event, or to the end of the history.
    mutating func play(_ prunes: [ReplayedPrune], until end: Int) {
        let first = trace.firstCounted
        let end = min(end, trace.steps.count)
        while true {
            let next =
                nextPrune < prunes.count
                ? prunes[nextPrune] : ReplayedPrune(before: trace.steps.count, at: .max)
            while place < min(next.before, end) {
                if place == first { begin() }
                if nextUnmanaged < trace.unmanagedMore.count {
                    changeUnmanaged(until: trace.steps[place].time)
                }
                step(trace.steps[place], at: place)
                place += 1
            }
            guard place == next.before, next.at < .max else { return }
            changeUnmanaged(until: next.at)
            if place >= first, !isWarm { begin() }
            prune(at: next.at, to: next.goal)
            nextPrune += 1
        }
    }

    /// What belongs to no pool comes and goes as it did.
    private mutating func changeUnmanaged(until time: Int64) {
        while nextUnmanaged < trace.unmanagedMore.count, trace.unmanagedMore[nextUnmanaged].at <= time {
            let more = Int64(Double(trace.unmanagedMore[nextUnmanaged].bytes) * trace.share)
            used += more - unmanagedMore
            (unmanagedMore, nextUnmanaged) = (more, nextUnmanaged + 1)
            notePeak()
        }
    }

    /// Gives a volume what it has after years of use, so far between two prunes: what was used last, up to that level.
    ///
    /// - Parameters:
    ///   - phase: how far, in 0…1.
    ///   - event: the one that comes next.
    ///   - evicts: whether it may have more now than at that level; it is so far between what it has and the next prune
    ///     otherwise.
    mutating func settle(in phase: Double, at event: Int, evicts: Bool) {
        let least = evicts ? low : max(low, used)
        guard high > least, event < trace.steps.count else { return }
        let level = least + Int64(phase * Double(high - least))
        if used > level {
            let now = trace.steps[event].time
            var pass = PrunePass(
                goal: level, pools: [Int64](repeating: .max, count: poolUsed.count), allowed: .max,
                entries: .max,
                idleSince: floor > 0 ? now.subtractingReportingOverflow(floor).partialValue : .max)
            evict(&pass)
        } else {
            unused = level - used
            used = level
            notePeak()
        }
    }

    private mutating func evict(_ pass: inout PrunePass) {
        switch rule {
        case .configured: pruneByLastUse(&pass)
        case .sieve:
            pruneUnused(&pass)
            pruneBySieve(&pass)
        case .lfu, .gdsf, .belady:
            pruneUnused(&pass)
            pruneByPriority(&pass)
        }
    }

    /// From here on events count.
    private mutating func begin() {
        isWarm = true
        (outcome.peak, outcome.peakNeeded) = (.zero, .zero)
        notePeak()
    }

    /// Takes note of how much is used, where that is more than ever.
    private mutating func notePeak() {
        let all = ByteCount(occupied)
        if all > outcome.peakEver { outcome.peakEver = all }
        if isWarm, all > outcome.peak { (outcome.peak, outcome.peakTrash) = (all, ByteCount(trashBytes)) }
        let needed = ByteCount(used - unused)
        if isWarm, needed > outcome.peakNeeded { outcome.peakNeeded = needed }
    }

    /// What is used, with what waits in the trash.
    private var occupied: Int64 {
        let (sum, overflow) = used.addingReportingOverflow(trashBytes)
        return overflow ? .max : sum
    }

    private mutating func step(_ step: ReplayTrace.Step, at place: Int) {
        let object = Int(step.object)
        let was = nodes[object].bytes
        guard step.event != .removal else {
            if was >= 0 { _ = take(object) }
            return
        }
        if step.event == .arrival, was >= 0 {
            // Nobody used it.
            if !hasLayers(object) {
                add(step.size - was, of: object)
                nodes[object].bytes = step.size
                notePeak()
            }
            return
        }
        let isFetch = was < 0 || step.event == .fetch
        let brought = put(
            object, step.size, at: step.time, isFetch: isFetch, isUsedAgain: step.count > 1)
        if isBelady { upcoming[object] = nextEvent[place] }
        if isWarm, step.event != .arrival { count(step, was: was, brought) }
        notePeak()
        relievePressure(at: step.time)
    }

    /// What the daemon does above the critical level, with its pauses where a prune did not help.
    private mutating func relievePressure(at now: Int64) {
        if occupied > critical, calmUntil.map({ now >= $0 }) ?? true {
            prune(at: now)
            calmUntil = now.addingReportingOverflow(pause.nanoseconds).partialValue
            pause = PruneRegime.nextPause(after: pause)
        }
        if used <= high { (calmUntil, pause) = (nil, PruneRegime.firstPause) }
    }

    private mutating func count(_ step: ReplayTrace.Step, was: Int64, _ brought: Int64) {
        let (size, recorded) = (step.size, step.bytes)
        let wasThere = was >= 0
        // All but the first of several uses find it there.
        let others = Int64(step.count) - 1
        if others > 0 {
            outcome.rate.hits += others
            outcome.rate.hitBytes += ByteCount(size.multipliedReportingOverflow(by: others).partialValue)
        }
        switch step.event {
        case .hit, .refetch:
            if wasThere {
                outcome.rate.hits += 1
                outcome.rate.hitBytes += ByteCount(step.event == .hit ? recorded : size)
            } else {
                outcome.rate.misses += 1
                outcome.rate.missBytes += ByteCount(brought)
                outcome.avoidable += 1
                outcome.avoidableBytes += ByteCount(brought)
            }
        case .fetch:
            outcome.rate.misses += 1
            // Of an image, layers may be missing that were there in reality.
            let more = trace.hasLayers ? max(0, brought - recorded) : 0
            outcome.rate.missBytes += ByteCount(recorded + more)
            outcome.avoidableBytes += ByteCount(more)
        case .addition:
            outcome.rate.misses += 1
            outcome.rate.missBytes += ByteCount(wasThere ? recorded : size)
            if !wasThere {
                outcome.avoidable += 1
                outcome.avoidableBytes += ByteCount(max(0, size - recorded))
            }
        case .removal, .arrival: break
        }
    }

    // MARK: What is there

    /// Puts an object at the end of the order of last use; returns what came in for it.
    private mutating func put(
        _ object: Int, _ size: Int64, at time: Int64, isFetch: Bool, isUsedAgain: Bool = false
    ) -> Int64 {
        let before = nodes[object].bytes
        var brought: Int64 = 0
        if before >= 0 {
            if !isSieve || isFetch { unlink(object) }
            if !hasLayers(object) {
                add(size - before, of: object)
                nodes[object].bytes = size
            }
        } else {
            nodes[object].bytes = size
            if hasLayers(object) {
                var sum: Int64 = 0
                for place in layers(of: object) {
                    let layer = Int(trace.layers[place])
                    if needed[layer] == 0 { sum &+= trace.layerBytes[layer] }
                    needed[layer] += 1
                }
                add(sum, of: object)
                brought = sum
            } else {
                add(size, of: object)
                brought = size
            }
        }
        nodes[object].lastUsed = time
        switch rule {
        case .configured:
            nodes[object].isOnProbation = probation > 0 && isFetch && !isUsedAgain
            link(object)
        case .sieve:
            if before >= 0, !isFetch {
                nodes[object].isOnProbation = true
            } else {
                nodes[object].isOnProbation = false
                link(object)
            }
        case .lfu, .gdsf:
            uses[object] = isFetch || before < 0 ? 1 : uses[object] &+ 1
            credit[object] = inflation + Double(uses[object]) / Double(max(1, size))
            link(object)
        case .belady: link(object)
        }
        return brought
    }

    /// Takes an object away; returns what comes free.
    private mutating func take(_ object: Int) -> Int64 {
        unlink(object)
        var freed: Int64 = 0
        if hasLayers(object) {
            for place in layers(of: object) {
                let layer = Int(trace.layers[place])
                needed[layer] -= 1
                if needed[layer] == 0 { freed &+= trace.layerBytes[layer] }
            }
        } else {
            freed = nodes[object].bytes
        }
        nodes[object].bytes = -1
        add(-freed, of: object)
        return freed
    }

    private mutating func add(_ bytes: Int64, of object: Int) {
        let (sum, overflow) = used.addingReportingOverflow(bytes)
        used = overflow ? .max : sum
        poolUsed[Int(nodes[object].pool)] &+= bytes
    }

    private func hasLayers(_ object: Int) -> Bool {
        trace.hasLayers && trace.layerStarts[object] < trace.layerStarts[object + 1]
    }

    private func layers(of object: Int) -> Range<Int> {
        Int(trace.layerStarts[object])..<Int(trace.layerStarts[object + 1])
    }

    /// Puts an object at the end of the order; what never goes is in none.
    private mutating func link(_ object: Int) {
        guard !nodes[object].isPinned else { return }
        lastTurn &+= 1
        nodes[object].turn = lastTurn
        if nodes[object].isOnProbation, !isSieve {
            probationers.append(object, lastTurn, nodes)
        } else {
            others.append(object, lastTurn, nodes)
        }
    }

    private mutating func unlink(_ object: Int) {
        guard nodes[object].turn > 0 else { return }
        nodes[object].turn = 0
        if nodes[object].isOnProbation, !isSieve {
            probationers.count -= 1
        } else {
            others.count -= 1
        }
    }

    // MARK: Prunes

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

    private mutating func prune(at now: Int64, to goal: Int64 = .max) {
        if removedAfter > 0 { removeUnused(at: now) }
        // A prune makes room first, and looks once more when it is done.
        purge(at: now)
        defer { purge(at: now) }
        let goal = min(low, goal)
        let isOver = used > high || goal < low && used > goal
        let over = poolLimits.filter { poolUsed[$0.pool] > $0.high }
        everPruned = everPruned || isOver
        guard isOver || !over.isEmpty || !maxIdle.isEmpty else { return }
        var pass = PrunePass(
            goal: isOver ? goal : .max, pools: [Int64](repeating: .max, count: poolUsed.count),
            allowed: Int64(Double(used) * regime.bytesShare),
            entries: max(1, Int(Double(regime.entries) * trace.share)),
            // What was used at or before that instant is idle; a goal of its own was reached, whatever was idle.
            idleSince: floor > 0 && goal == low ? now.subtractingReportingOverflow(floor).partialValue : .max)
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

    /// Takes away what others remove: that goes into no trash.
    private mutating func removeUnused(at now: Int64) {
        let since = now &- removedAfter
        let gone =
            Self.unused(since: since, in: &probationers, nodes, inOrder: !isSieve)
            + Self.unused(since: since, in: &others, nodes, inOrder: !isSieve)
        for object in gone { _ = take(object) }
    }

    private static func unused(
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

    private mutating func pruneByLastUse(_ pass: inout PrunePass) {
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
    private mutating func pruneUnused(_ pass: inout PrunePass) {
        guard !pass.unusedSince.isEmpty else { return }
        var next = others.begin(nodes)
        while !pass.isSpent, let object = others.object(at: next) {
            next = others.next(after: next, nodes)
            if nodes[object].lastUsed <= pass.idleSince, isIdle(object, pass) { consider(object, &pass) }
        }
    }

    private mutating func pruneByPriority(_ pass: inout PrunePass) {
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
    private mutating func pruneBySieve(_ pass: inout PrunePass) {
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
    private mutating func settle(_ image: Int, _ pass: inout PrunePass) -> Bool {
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

    private mutating func evict(_ object: Int, freeing freed: Int64, _ pass: inout PrunePass) {
        // A run ends before what would pass its limits.
        guard freed <= pass.allowed - pass.freed, pass.evicted < pass.entries else {
            pass.isSpent = true
            return
        }
        pass.freed += freed
        pass.evicted += 1
        _ = take(object)
    }

    /// The outcome as one of the whole history.
    func scaled() -> ReplayOutcome {
        guard trace.share < 1 else {
            var whole = outcome
            whole.mostAvoidable = whole.avoidable
            return whole
        }
        var whole = outcome
        let sampled = Double(outcome.rate.hits + outcome.rate.misses)
        let factor = sampled > 0 ? Double(trace.counted) / sampled : 1 / trace.share
        func count(_ value: Int64) -> Int64 { Int64((Double(value) * factor).rounded()) }
        func size(_ value: ByteCount) -> ByteCount {
            ByteCount(Int64(min(Double(value.bytes) / trace.share, 9e18)))
        }
        whole.rate = HitRate(
            hits: count(outcome.rate.hits), misses: trace.counted - count(outcome.rate.hits),
            hitBytes: size(outcome.rate.hitBytes), missBytes: size(outcome.rate.missBytes))
        whole.avoidable = count(outcome.avoidable)
        whole.mostAvoidable = whole.avoidable
        whole.avoidableBytes = size(outcome.avoidableBytes)
        whole.peak = size(outcome.peak)
        whole.peakTrash = size(outcome.peakTrash)
        whole.peakNeeded = size(outcome.peakNeeded)
        whole.peakEver = size(outcome.peakEver)
        whole.evictions = count(outcome.evictions)
        whole.evictedBytes = size(outcome.evictedBytes)
        return whole
    }
}

/// A prune that comes at some time of a replay.
struct ReplayedPrune {
    /// How many events come before it.
    var before: Int
    var at: Int64
    /// What it is to leave on the volume; more than that where the low watermark decides.
    var goal = Int64.max
}

/// One prune on its way.
private struct PrunePass {
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
