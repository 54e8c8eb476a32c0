/// A history as one row of references, for curves and simulations.
///
/// - First come the contents of the beginning, by their last use (then by entry); they warm the cache and are
///   never counted. Then the accesses. Those from `firstCounted` on are in the window and count.
/// - Objects are numbered from 0, so that what is known of them lies in arrays.
/// - An object has the size that it had in reality at that time; where it shrank, what the curve says is more than
///   a cache would have reached that had made room for the larger one before.
/// - Images are lined up as their layers: the top one counts, and those below follow it, so that what images share
///   is there once.
struct Replay: Sendable {
    /// The object of each reference.
    private(set) var objects: [Int32] = []
    /// The size that the object has from each reference on.
    private(set) var sizes: [Int64] = []
    /// What each reference weighs in rates over bytes: the size of the entry; -1 where it is part of another.
    private(set) var weights: [Int64] = []
    /// Whether a reference is a miss at every size, as nothing was there that could have been kept.
    private(set) var isMiss: [Bool] = []
    /// The first reference that counts.
    private(set) var firstCounted = 0
    /// How many objects there are.
    private(set) var objectCount = 0

    /// Lines up a history; accesses count after `since`.
    ///
    /// - Parameters:
    ///   - history: every recorded access.
    ///   - since: when counting begins.
    ///   - share: which part of the entries `isChosen` chooses, in 0…1.
    ///   - known: what each access was, where that was found already.
    ///   - isChosen: which entries take part.
    init(
        _ history: VolumeHistory, since: Timestamp, share: Double = 1,
        events known: [ReplayTrace.Event]? = nil, isChosen: ((Int64) -> Bool)? = nil
    ) {
        let length = Int(Double(history.contents.count + history.accesses.count) * min(1, share * 1.1)) + 64
        objects.reserveCapacity(length)
        sizes.reserveCapacity(length)
        weights.reserveCapacity(length)
        var numbers = ObjectNumbers(history)
        var count: Int32 = 0
        let kinds = known ?? ReplayTrace.events(of: history)
        func append(_ entry: Int64, _ bytes: ByteCount, weighing weight: Int64, isMiss miss: Bool) {
            isMiss.append(miss)
            let object = numbers[entry]
            count = max(count, object + 1)
            objects.append(object)
            sizes.append(max(0, bytes.bytes))
            weights.append(weight)
        }
        func append(_ entry: Int64, _ bytes: ByteCount, isMiss miss: Bool = false) {
            guard let layers = history.layers.ofImage[entry], let top = layers.first else {
                append(entry, bytes, weighing: max(0, bytes.bytes), isMiss: miss)
                return
            }
            append(
                -1 - Int64(top), history.layers.bytes[Int(top)], weighing: max(0, bytes.bytes), isMiss: miss)
            for layer in layers.dropFirst() {
                append(-1 - Int64(layer), history.layers.bytes[Int(layer)], weighing: -1, isMiss: false)
            }
        }
        // It warms the cache, and no job made it.
        func arrive(_ arrival: VolumeHistory.Arrival) {
            let begin = weights.count
            append(arrival.entry, arrival.bytes)
            for place in begin..<weights.count { weights[place] = -1 }
        }
        let contents = history.contents.sorted { ($0.lastUsed, $0.entry) < ($1.lastUsed, $1.entry) }
        for content in contents where isChosen?(content.entry) ?? true {
            append(content.entry, content.bytes)
        }
        firstCounted = objects.count
        var next = 0
        for (place, access) in history.accesses.enumerated() where isChosen?(access.entry) ?? true {
            while next < history.arrivals.count, history.arrivals[next].at <= access.at {
                let arrival = history.arrivals[next]
                next += 1
                if isChosen?(arrival.entry) ?? true { arrive(arrival) }
            }
            append(
                access.entry, access.size, isMiss: kinds[place] == .fetch || kinds[place] == .addition)
            if access.at <= since { firstCounted = objects.count }
        }
        objectCount = Int(count)
    }

    /// Whether a reference is in the window and is one that a job made: those of an image's further layers are not.
    func counts(_ place: Int) -> Bool { place >= firstCounted && weights[place] >= 0 }

    /// For each reference the place of the object's next one; `Int.max` where there is none.
    func nextUses() -> [Int] {
        var next = [Int](repeating: .max, count: objects.count)
        var upcoming = [Int](repeating: .max, count: objectCount)
        for place in objects.indices.reversed() {
            next[place] = upcoming[Int(objects[place])]
            upcoming[Int(objects[place])] = place
        }
        return next
    }
}

/// Numbers entries from 0 in the order of their first mention.
package struct ObjectNumbers {
    private var next: Int32 = 0
    /// By id, where ids are dense, as the index gives them.
    private var table: [Int32] = []
    private var others: [Int64: Int32] = [:]

    init(_ history: VolumeHistory) {
        var highest: Int64 = -1
        for content in history.contents { highest = max(highest, content.entry) }
        for access in history.accesses { highest = max(highest, access.entry) }
        for arrival in history.arrivals { highest = max(highest, arrival.entry) }
        self.init(
            upTo: highest,
            of: history.contents.count + history.accesses.count + history.arrivals.count)
    }

    /// Numbers none yet.
    ///
    /// - Parameters:
    ///   - highest: the highest of the entries' rows in the index.
    ///   - count: how many mentions there are: rows far beyond that are kept in another way.
    package init(upTo highest: Int64, of count: Int) {
        table = [Int32](repeating: -1, count: Int(min(highest, Int64(4 * count + 65_536))) + 1)
    }

    /// Whether an entry is mentioned for the first time; it is numbered then.
    package mutating func isNew(_ entry: Int64) -> Bool {
        let before = next
        return self[entry] == before
    }

    /// How many entries have a place of their own in the table.
    var tableCount: Int { table.count }

    /// The number of an entry; -1 where it has none yet.
    func known(_ entry: Int64) -> Int32 {
        entry >= 0 && entry < table.count ? table[Int(entry)] : others[entry] ?? -1
    }

    subscript(entry: Int64) -> Int32 {
        mutating get {
            if entry >= 0, entry < table.count {
                let place = Int(entry)
                if table[place] < 0 {
                    table[place] = next
                    next += 1
                }
                return table[place]
            }
            if let known = others[entry] { return known }
            others[entry] = next
            next += 1
            return next - 1
        }
    }
}
