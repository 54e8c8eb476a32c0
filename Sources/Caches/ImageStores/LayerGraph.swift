import CacheModel

/// The layers of a store as a forest: each stands on its parent.
struct LayerGraph: Sendable {
    /// How a layer's ancestry can be wrong.
    enum Fault: Sendable, Hashable {
        case parentGone(String)
        case cycle
    }

    let records: [LayerRecord]
    /// The place of each ID in `records`.
    let places: [String: Int]
    /// The place of each layer's parent; nil for a base layer and where the ancestry is cut by a fault.
    let parents: [Int?]
    /// What each layer occupies.
    let stored: [ByteCount]
    /// How many layers there are from each one down to its base, itself included.
    let depths: [Int]
    /// Whether a layer and all its ancestors are there and complete.
    let whole: [Bool]
    let faults: [Int: Fault]

    /// Of records with the same ID the last one counts, as in Podman.
    ///
    /// - Parameter shared: what the layers of additional stores occupy there, by their IDs.
    init(
        records given: [LayerRecord], driver: any StoreDriver = VfsDriver(), shared: [String: ByteCount] = [:]
    ) {
        var records: [LayerRecord] = []
        var places: [String: Int] = [:]
        records.reserveCapacity(given.count)
        places.reserveCapacity(given.count)
        for record in given {
            if let place = places[record.id] {
                records[place] = record
            } else {
                places[record.id] = records.count
                records.append(record)
            }
        }
        var parents: [Int?] = records.map { $0.parent.isEmpty ? nil : places[$0.parent] }
        var faults: [Int: Fault] = [:]
        for (place, record) in records.enumerated() where !record.parent.isEmpty && parents[place] == nil {
            if shared[record.parent] != nil { continue }
            faults[place] = .parentGone(record.parent)
        }
        for place in Self.cycles(parents) {
            faults[place] = .cycle
            parents[place] = nil
        }

        var stored = records.map { ByteCount($0.diffSize) }
        var depths = [Int](repeating: 0, count: records.count)
        var whole = records.indices.map { !records[$0].incomplete && faults[$0] == nil }
        var path: [Int] = []
        for place in records.indices where depths[place] == 0 {
            var next: Int? = place
            while let here = next, depths[here] == 0 {
                path.append(here)
                next = parents[here]
            }
            while let here = path.popLast() {
                depths[here] = 1
                guard let parent = parents[here] else {
                    if let below = shared[records[here].parent] {
                        stored[here] = driver.storedBytes(own: stored[here], below: below)
                    }
                    continue
                }
                depths[here] += depths[parent]
                stored[here] = driver.storedBytes(own: stored[here], below: stored[parent])
                whole[here] = whole[here] && whole[parent]
            }
        }
        self.records = records
        self.places = places
        self.parents = parents
        self.stored = stored
        self.depths = depths
        self.whole = whole
        self.faults = faults
    }

    /// The layers from `tops` down to their bases, each once: the first one's whole chain, then what the
    /// others add to it.
    func chain(from tops: [Int]) -> [Int] {
        var chain: [Int] = []
        var seen: Set<Int> = []
        for top in tops {
            var next: Int? = top
            while let here = next, tops.count == 1 || seen.insert(here).inserted {
                chain.append(here)
                next = parents[here]
            }
        }
        return chain
    }

    /// The layers that are their own ancestors.
    private static func cycles(_ parents: [Int?]) -> [Int] {
        var round = [Int](repeating: 0, count: parents.count)
        var found: [Int] = []
        for start in parents.indices where round[start] == 0 {
            var next: Int? = start
            while let here = next, round[here] == 0 {
                round[here] = start + 1
                next = parents[here]
            }
            guard let entrance = next, round[entrance] == start + 1 else { continue }
            var here = entrance
            repeat {
                found.append(here)
                here = parents[here] ?? entrance
            } while here != entrance
        }
        return found
    }
}
