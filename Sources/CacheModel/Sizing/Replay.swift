/// A history as one row of references, for curves and simulations.
///
/// - First come the contents of the beginning, by their last use (then by entry); they warm the cache and are
///   never counted. Then the accesses. Those from `firstCounted` on are in the window and count.
/// - Objects are numbered from 0, so that what is known of them lies in arrays.
/// - An object's size only grows: at each reference it is the largest it had until then. A cache that once made
///   room for an object does not bring others back when the object shrinks, and with sizes that never shrink
///   the contents of a smaller LRU cache are part of a larger one's, which the curve rests on.
struct Replay: Sendable {
    /// The object of each reference.
    private(set) var objects: [Int32] = []
    /// The size that the object has from each reference on.
    private(set) var sizes: [Int64] = []
    /// What each reference weighs in rates over bytes: the size that was recorded with it.
    private(set) var weights: [Int64] = []
    /// The first reference that counts.
    private(set) var firstCounted = 0
    /// How many objects there are.
    private(set) var objectCount = 0

    /// Lines up a history; accesses count after `since`.
    ///
    /// - Parameter isChosen: which entries take part.
    init(_ history: VolumeHistory, since: Timestamp, isChosen: ((Int64) -> Bool)? = nil) {
        let length = history.contents.count + history.accesses.count
        objects.reserveCapacity(length)
        sizes.reserveCapacity(length)
        weights.reserveCapacity(length)
        var numbers = ObjectNumbers(history)
        var largest: [Int64] = []
        func append(_ entry: Int64, _ bytes: ByteCount) {
            let object = numbers[entry]
            let size = max(0, bytes.bytes)
            if Int(object) == largest.count { largest.append(size) }
            largest[Int(object)] = max(largest[Int(object)], size)
            objects.append(object)
            sizes.append(largest[Int(object)])
            weights.append(size)
        }
        let contents = history.contents.sorted { ($0.lastUsed, $0.entry) < ($1.lastUsed, $1.entry) }
        for content in contents where isChosen?(content.entry) ?? true {
            append(content.entry, content.bytes)
        }
        firstCounted = objects.count
        for access in history.accesses where isChosen?(access.entry) ?? true {
            append(access.entry, access.bytes)
            if access.at <= since { firstCounted = objects.count }
        }
        objectCount = largest.count
    }

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
private struct ObjectNumbers {
    private var next: Int32 = 0
    /// By id, where ids are dense, as the index gives them.
    private var table: [Int32] = []
    private var others: [Int64: Int32] = [:]

    init(_ history: VolumeHistory) {
        var highest: Int64 = -1
        for content in history.contents { highest = max(highest, content.entry) }
        for access in history.accesses { highest = max(highest, access.entry) }
        let bound = 4 * (history.contents.count + history.accesses.count) + 65_536
        table = [Int32](repeating: -1, count: Int(min(highest, Int64(bound))) + 1)
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
