/// A rule that decides what goes when the cache is full.
package enum CachePolicy: String, Sendable, Hashable, CaseIterable {
    /// The least recently used goes: what Larder does.
    case lru
    /// The same, but what was never used again since its fetch counts as older: what Larder does where it is told.
    case probation
    /// The least often used since it came goes; among equals the least recently used.
    case lfu
    /// GreedyDual-Size-Frequency: small and often used stays (L. Cherkasova, HP Labs TR-98-69, 1998).
    case gdsf
    /// SIEVE: a hand passes over what was used since its last visit (Y. Zhang et al., NSDI'24).
    case sieve
    /// What is needed again last goes: nobody can know that, so no rule for entries of one size does better (L. A.
    /// Belady, 1966). With sizes that differ it is close to the best, not a bound.
    case belady
    /// More than any rule can reach: each use again costs its bytes for its time, and the cheapest are kept
    /// (PFOO-U: D. S. Berger et al., "Practical Bounds on Optimal Caching with Variable Object Sizes", 2018).
    case bound
}

/// What a policy would have made of the recorded accesses at one size.
package struct PolicyResult: Sendable, Hashable {
    /// The policy.
    package var policy: CachePolicy
    /// Its hits and misses on a volume that is pruned as this one is; for the bound, more than any can reach.
    package var rate: HitRate
    /// The same of a cache that is always full and evicts one by one.
    package var ideal: HitRate
}

extension CachePolicy {
    /// Replays a history under every policy, in a cache of that many bytes that evicts one by one; accesses after
    /// `since` count.
    package static func compare(
        _ history: VolumeHistory, since: Timestamp, size: ByteCount
    ) -> [PolicyResult] {
        let replay = Replay(history, since: since)
        return allCases.filter { $0 != .probation }.map {
            let rate = $0.rate(replay, size: size.bytes)
            return PolicyResult(policy: $0, rate: rate, ideal: rate)
        }
    }

    /// Compares what each policy would give on a volume that is pruned as it is.
    ///
    /// - Parameters:
    ///   - size: the size of the volume.
    ///   - fixed: what of it is not for entries.
    ///   - probation: how much older an entry counts that was never used again.
    static func compare(
        _ history: VolumeHistory, since: Timestamp, _ curve: SizeCurve, size: ByteCount, fixed: ByteCount,
        probation: Span
    ) -> [PolicyResult] {
        let replay = Replay(history, since: since)
        var peak = max(.zero, size - fixed)
        var results: [PolicyResult] = []
        for policy in allCases where policy != .bound {
            let rule: VolumeReplay.Rule =
                switch policy {
                case .lru, .bound: .configured(.lru)
                case .probation: .configured(.probation(probation))
                case .lfu: .lfu
                case .gdsf: .gdsf
                case .sieve: .sieve
                case .belady: .belady
                }
            let outcome = curve.outcome(at: size, rule)
            peak = max(peak, outcome.peak - fixed)
            results.append(
                PolicyResult(
                    policy: policy, rate: outcome.rate,
                    ideal: (policy == .probation ? .lru : policy).rate(replay, size: (size - fixed).bytes)))
        }
        // Between two prunes a volume holds more than its size: none passes the bound for the most that any held.
        let room = ByteCount(max(0, (size - fixed).bytes))
        results.append(
            PolicyResult(
                policy: .bound, rate: Self.bound.rate(replay, size: peak.bytes),
                ideal: Self.bound.rate(replay, size: room.bytes)))
        return results
    }

    func rate(_ replay: Replay, size: Int64) -> HitRate {
        switch self {
        case .lru, .probation: return HitRateCurve(ReuseDistances(replay)).rate(at: ByteCount(size))
        case .sieve: return Self.sieve(replay, size: size)
        case .bound: return Self.bound(replay, size: size)
        case .lfu, .gdsf:
            var cache = PriorityCache(size: size, objects: replay.objectCount)
            var uses = [Double](repeating: 0, count: replay.objectCount)
            return Self.count(replay) { place, object, bytes in
                let isHit = cache.holds(object)
                uses[object] = isHit ? uses[object] + 1 : 1
                // The size may have grown: the object is taken out and put back.
                cache.remove(object)
                guard bytes <= size else { return isHit }
                cache.makeRoom(for: bytes)
                let priority =
                    self == .lfu ? uses[object] : cache.inflation + uses[object] / Double(max(1, bytes))
                cache.insert(object, bytes, priority: priority, place: place)
                return isHit
            }
        case .belady:
            let next = replay.nextUses()
            var cache = PriorityCache(size: size, objects: replay.objectCount)
            return Self.count(replay) { place, object, bytes in
                let isHit = cache.holds(object)
                cache.remove(object)
                cache.insert(object, bytes, priority: -Double(next[place]), place: place)
                cache.makeRoom(for: 0)
                return isHit
            }
        }
    }

    /// Counts what `isHit` says of each counted reference.
    static func count(
        _ replay: Replay, _ isHit: (_ place: Int, _ object: Int, _ bytes: Int64) -> Bool
    ) -> HitRate {
        var rate = HitRate()
        for place in replay.objects.indices {
            let hit = isHit(place, Int(replay.objects[place]), replay.sizes[place])
            guard replay.counts(place) else { continue }
            let weight = ByteCount(replay.weights[place])
            if hit, !replay.isMiss[place] {
                rate.hits += 1
                rate.hitBytes += weight
            } else {
                rate.misses += 1
                rate.missBytes += weight
            }
        }
        return rate
    }
}

/// A cache that evicts the object of the lowest priority; among equals the one used longest ago.
struct PriorityCache {
    private struct Slot {
        var priority: Double
        var place: Int
        var object: Int32

        static func < (a: Slot, b: Slot) -> Bool {
            a.priority == b.priority ? a.place < b.place : a.priority < b.priority
        }
    }

    private let size: Int64
    private var held: Int64 = 0
    /// The bytes of what is in the cache, by object; -1 where it is not.
    private var bytes: [Int64]
    /// The place at which each object got its slot: other slots of it are void.
    private var current: [Int]
    private var heap: [Slot] = []
    /// The highest priority that was evicted: GreedyDual's L.
    private(set) var inflation = 0.0

    init(size: Int64, objects: Int) {
        self.size = size
        bytes = [Int64](repeating: -1, count: objects)
        current = [Int](repeating: -1, count: objects)
    }

    func holds(_ object: Int) -> Bool { bytes[object] >= 0 }

    mutating func remove(_ object: Int) {
        guard bytes[object] >= 0 else { return }
        held -= bytes[object]
        bytes[object] = -1
    }

    mutating func insert(_ object: Int, _ size: Int64, priority: Double, place: Int) {
        bytes[object] = size
        current[object] = place
        held += size
        heap.append(Slot(priority: priority, place: place, object: Int32(object)))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Evicts until that many bytes more fit.
    mutating func makeRoom(for more: Int64) {
        while held + more > size, let slot = takeLowest() {
            let object = Int(slot.object)
            guard current[object] == slot.place, bytes[object] >= 0 else { continue }
            inflation = max(inflation, slot.priority)
            remove(object)
        }
    }

    private mutating func takeLowest() -> Slot? {
        guard let lowest = heap.first, let last = heap.popLast() else { return nil }
        guard !heap.isEmpty else { return lowest }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            if least == parent { return lowest }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
