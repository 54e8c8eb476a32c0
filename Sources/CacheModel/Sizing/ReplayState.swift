/// A volume in the course of a replay.
struct ReplayState {
    let trace: ReplayTrace
    let regime: PruneRegime
    let rule: VolumeReplay.Rule
    // Asked at each step, where a comparison of rules would be a call.
    let isSieve: Bool
    private let isBelady: Bool
    let high: Int64
    let low: Int64
    let critical: Int64
    let probation: Int64
    let floor: Int64

    var used: Int64
    /// What of it nobody uses any more, and no event brought: it goes first.
    var unused: Int64 = 0
    var poolUsed: [Int64]
    var poolLimits: [(pool: Int, high: Int64, low: Int64)] = []
    /// For how long entries of each pool stay unused; 0 where that does not matter.
    var maxIdle: [Int64] = []
    /// After how long without a use others remove an entry; 0 where they do not.
    let removedAfter: Int64
    /// What is known of each object: together, as a replay touches all of it at each use.
    ///
    /// No array, which would be asked at each touch whether another one shares it; whoever makes a state gives it back.
    var nodes: UnsafeMutableBufferPointer<ReplayedObject>
    /// The objects in the order of last use: those on probation, and all others.
    var probationers = TurnQueue()
    var others = TurnQueue()
    /// The number of the last turn that was given.
    private var lastTurn: Int32 = 0
    /// What the other rules look at.
    var uses: [Int32] = []
    private var nextEvent: [Int32] = []
    var upcoming: [Int32] = []
    var inflation = 0.0
    var credit: [Double] = []
    /// How many images that are there need each layer.
    var needed: [Int32]
    /// What prunes evicted and the trash still has, the oldest from `trashBegin` on.
    var trash: [(at: Int64, bytes: Int64)] = []
    var trashBegin = 0
    var trashBytes: Int64 = 0
    let trashTime: Int64
    let purgeAbove: Int64
    var isWarm = false
    var outcome = ReplayOutcome()
    /// Before when no further prune for pressure comes; nil where there is none to wait for.
    private var calmUntil: Int64?
    private var pause = PruneRegime.firstPause
    /// The event that comes next, the prune, and the next change of what belongs to no pool.
    var (place, nextPrune, nextUnmanaged) = (0, 0, 0)
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
            var pass = PrunePass(
                goal: level, pools: [Int64](repeating: .max, count: poolUsed.count), allowed: .max,
                entries: .max, idleSince: idleSince(trace.steps[event].time))
            evict(&pass)
        } else {
            unused = level - used
            used = level
            notePeak()
        }
    }

    mutating func evict(_ pass: inout PrunePass) {
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
    mutating func begin() {
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
    var occupied: Int64 {
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

    mutating func count(_ step: ReplayTrace.Step, was: Int64, _ brought: Int64) {
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
    mutating func take(_ object: Int) -> Int64 {
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

    func hasLayers(_ object: Int) -> Bool {
        trace.hasLayers && trace.layerStarts[object] < trace.layerStarts[object + 1]
    }

    func layers(of object: Int) -> Range<Int> {
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
