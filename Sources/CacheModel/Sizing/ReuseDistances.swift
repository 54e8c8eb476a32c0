/// How large an LRU cache must be for each reference to be a hit: exact reuse distances in bytes.
///
/// Mattson's stack algorithm (R. L. Mattson et al., "Evaluation techniques for storage hierarchies", IBM Systems
/// Journal 9(2), 1970) over bytes: a reference is a hit in a cache of S bytes exactly if the object and all
/// distinct objects used since its last use fit into S together. The sums are kept in a Fenwick tree (P. M.
/// Fenwick, "A new data structure for cumulative frequency tables", 1994) over the places of last uses, so the
/// whole takes O(n log n).
///
/// The cache meant: a referenced object comes to the front, then the least recently used go until all fit. An
/// object larger than the cache empties it and does not stay.
struct ReuseDistances {
    /// The counted references that had been there before: the size each needs, and what it weighs.
    private(set) var needed: [(size: Int64, weight: Int64)] = []
    /// How many references counted.
    private(set) var count: Int64 = 0
    /// What they weigh together.
    private(set) var weight: Int64 = 0

    /// Measures a replay.
    ///
    /// - Parameter scale: what the bytes between two uses are multiplied by: more than 1 for a sample.
    init(_ replay: Replay, scale: Double = 1) {
        var tree = FenwickTree(count: replay.objects.count)
        var last = [Int](repeating: -1, count: replay.objectCount)
        var held: Int64 = 0
        needed.reserveCapacity(replay.objects.count - replay.firstCounted)
        for place in replay.objects.indices {
            let object = Int(replay.objects[place])
            let isCounted = replay.counts(place)
            if isCounted {
                count += 1
                weight += replay.weights[place]
            }
            if last[object] >= 0 {
                let before = replay.sizes[last[object]]
                if isCounted, !replay.isMiss[place] {
                    let between = held - tree.sum(through: last[object])
                    let scaled = scale == 1 ? between : Int64((Double(between) * scale).rounded())
                    // What shrank needs no more than what is left of it.
                    needed.append((scaled + min(before, replay.sizes[place]), replay.weights[place]))
                }
                tree.add(-before, at: last[object])
                held -= before
            }
            tree.add(replay.sizes[place], at: place)
            held += replay.sizes[place]
            last[object] = place
        }
    }
}

/// Sums over the beginnings of a row of numbers, in logarithmic time.
struct FenwickTree {
    private var nodes: [Int64]

    /// A row of that many zeros.
    init(count: Int) { nodes = [Int64](repeating: 0, count: count + 1) }

    /// Adds to the number at a place.
    mutating func add(_ value: Int64, at place: Int) {
        nodes.withUnsafeMutableBufferPointer { nodes in
            var node = place + 1
            while node < nodes.count {
                nodes[node] += value
                node += node & -node
            }
        }
    }

    /// The sum of the numbers up to and including that place.
    func sum(through place: Int) -> Int64 {
        nodes.withUnsafeBufferPointer { nodes in
            var (sum, node): (Int64, Int) = (0, place + 1)
            while node > 0 {
                sum += nodes[node]
                node -= node & -node
            }
            return sum
        }
    }
}
