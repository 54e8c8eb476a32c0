extension CachePolicy {
    /// SIEVE with sizes: new objects enter at the head of a queue; when room is needed, the hand moves from the
    /// tail to the head, passes over what was used since (and forgets that), and evicts the first that was not.
    static func sieve(_ replay: Replay, size: Int64) -> HitRate {
        var queue = SieveQueue(objects: replay.objectCount)
        return count(replay) { _, object, bytes in
            let isHit = queue.bytes[object] >= 0
            if isHit {
                queue.visit(object, bytes)
                while queue.held > size, queue.evictOne() {}
            } else if bytes <= size {
                while queue.held + bytes > size, queue.evictOne() {}
                queue.insert(object, bytes)
            }
            return isHit
        }
    }

    /// PFOO-U: each use again occupies its bytes from the last use on; the cheapest are hits until the size times
    /// the length of the counted part is spent, and the first that no longer fits is one as well.
    static func bound(_ replay: Replay, size: Int64) -> HitRate {
        var last = [Int](repeating: -1, count: replay.objectCount)
        var costs: [(cost: Double, weight: Int64)] = []
        var all = HitRate()
        var length = 0
        for (place, object) in replay.objects.enumerated() {
            let before = last[Int(object)]
            last[Int(object)] = place
            if place >= replay.firstCounted { length += 1 }
            guard replay.counts(place) else { continue }
            all.misses += 1
            all.missBytes += ByteCount(replay.weights[place])
            // Where it shrank in between, nobody knows when.
            guard before >= 0, !replay.isMiss[place] else { continue }
            let bytes = min(replay.sizes[before], replay.sizes[place])
            guard bytes <= size else { continue }
            let length = place - max(before, replay.firstCounted - 1)
            costs.append((Double(bytes) * Double(length), replay.weights[place]))
        }
        func hits(_ order: [(cost: Double, weight: Int64)]) -> (count: Int64, bytes: Int64) {
            var left = Double(size) * Double(length)
            var (count, bytes): (Int64, Int64) = (0, 0)
            for each in order {
                guard left > 0 || each.cost == 0 else { break }
                left -= each.cost
                count += 1
                bytes += each.weight
            }
            return (count, bytes)
        }
        let byEntries = hits(costs.sorted { $0.cost < $1.cost })
        // Bytes have a bound of their own: what costs least for each byte hit.
        let byBytes = hits(
            costs.sorted { $0.cost * Double(max(1, $1.weight)) < $1.cost * Double(max(1, $0.weight)) })
        return HitRate(
            hits: byEntries.count, misses: all.misses - byEntries.count, hitBytes: ByteCount(byBytes.bytes),
            missBytes: all.missBytes - ByteCount(byBytes.bytes))
    }
}

/// A doubly linked queue of objects in arrays, with SIEVE's hand.
private struct SieveQueue {
    /// What each object occupies in the cache; -1 where it is not in it.
    private(set) var bytes: [Int64]
    private(set) var held: Int64 = 0
    private var newer: [Int]
    private var older: [Int]
    private var wasVisited: [Bool]
    private var head = -1
    private var tail = -1
    private var hand = -1

    init(objects: Int) {
        bytes = [Int64](repeating: -1, count: objects)
        newer = [Int](repeating: -1, count: objects)
        older = newer
        wasVisited = [Bool](repeating: false, count: objects)
    }

    mutating func visit(_ object: Int, _ size: Int64) {
        wasVisited[object] = true
        held += size - bytes[object]
        bytes[object] = size
    }

    mutating func insert(_ object: Int, _ size: Int64) {
        bytes[object] = size
        held += size
        wasVisited[object] = false
        older[object] = head
        newer[object] = -1
        if head >= 0 { newer[head] = object } else { tail = object }
        head = object
    }

    /// Evicts one object; false where there is none.
    mutating func evictOne() -> Bool {
        guard tail >= 0 else { return false }
        var object = hand >= 0 ? hand : tail
        while wasVisited[object] {
            wasVisited[object] = false
            object = newer[object] >= 0 ? newer[object] : tail
        }
        hand = newer[object]
        if newer[object] >= 0 { older[newer[object]] = older[object] } else { head = older[object] }
        if older[object] >= 0 { newer[older[object]] = newer[object] } else { tail = newer[object] }
        held -= bytes[object]
        bytes[object] = -1
        return true
    }
}
