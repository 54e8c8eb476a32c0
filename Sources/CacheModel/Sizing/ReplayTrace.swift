/// A history lined up for replays: objects numbered from 0, and what happened to them in the order of time.
///
/// Of a recorded miss it depends on what had become of the entry whether any size would have spared it: what
/// Larder had evicted would still be there on a larger volume; what was never there, what somebody else had
/// removed and what was fetched anew while it was there is a miss at every size.
package struct ReplayTrace: Sendable {
    /// What happened to an object.
    package enum Event: UInt8, Sendable {
        /// It was used, and was there.
        case hit
        /// It was fetched because Larder had evicted it.
        case refetch
        /// It was fetched, as it would have been from a volume of any size.
        case fetch
        /// A part of it was fetched, and the rest was used.
        case addition
        /// Somebody else removed it.
        case removal
    }

    /// The objects of the events.
    private(set) var objects: [Int32] = []
    private(set) var events: [Event] = []
    /// When they happened, in nanoseconds since 1970.
    private(set) var times: [Int64] = []
    /// What the object occupies from then on.
    private(set) var sizes: [Int64] = []
    /// What was recorded as fetched or used.
    private(set) var bytes: [Int64] = []
    /// How many recorded uses an event stands for.
    private(set) var counts: [UInt16] = []
    /// The first event that counts.
    private(set) var firstCounted = 0
    /// What was there at the beginning, by its last use.
    private(set) var contents: [(object: Int32, size: Int64, lastUsed: Int64)] = []
    /// How many objects there are.
    private(set) var objectCount = 0
    /// Their pools, by their places in `order`.
    private(set) var pools: [UInt8] = []
    /// The pools: those that are always there, then the user's own that the history knows.
    let order: [Pool]
    /// Whether they never go.
    private(set) var isPinned: [Bool] = []
    /// The layers of images: those of object `n` lie in `layers` between two places of `layerStarts`.
    private(set) var layers: [Int32] = []
    private(set) var layerStarts: [Int32] = []
    private(set) var layerBytes: [Int64] = []
    /// Images with the very same layers have the same number.
    private(set) var twins: [Int32] = []
    /// The part of the objects that is in it, in 0…1.
    private(set) var share = 1.0
    /// How many recorded accesses count, and their bytes: of the whole history.
    private(set) var counted: Int64 = 0

    /// Whether images share layers in it.
    var hasLayers: Bool { !layerBytes.isEmpty }

    /// Lines up a history; events after `since` count.
    ///
    /// - Parameters:
    ///   - history: every recorded access.
    ///   - since: when counting begins.
    ///   - prunes: when prunes come, the earliest first. Uses of an object between two of them become one, at the
    ///     time of the last: no prune can tell them apart. Nil where prunes may come at any time.
    ///   - pinned: the entries that no prune takes.
    ///   - rank: the order of entries that were used at the same instant and are of one size.
    ///   - share: the part of the entries that takes part.
    ///   - half: which half of that part; nil for both.
    ///   - known: what each access was, where that was found already.
    package init(
        _ history: VolumeHistory, since: Timestamp, prunes: [Timestamp]?, pinned: Set<Int64> = [],
        rank: [Int64: Int] = [:],
        share: Double = 1, half: UInt64? = nil, events known: [Event]? = nil
    ) {
        let threshold = UInt64((share * 16_777_216).rounded())
        func isChosen(_ entry: Int64) -> Bool {
            if share >= 1, half == nil { return true }
            let hash = SpatialSample.hash(entry)
            return hash % 16_777_216 < threshold && (half == nil || hash >> 63 == half)
        }
        self.share = half == nil ? share : share / 2
        let length = Int(Double(history.accesses.count) * self.share * 1.1) + 64
        objects.reserveCapacity(length)
        events.reserveCapacity(length)
        times.reserveCapacity(length)
        sizes.reserveCapacity(length)
        bytes.reserveCapacity(length)
        counts.reserveCapacity(length)
        var numbers = ObjectNumbers(history)
        var entries: [Int64] = []
        /// Whether it is a content of the beginning already.
        var isContent: [Bool] = []
        let own = Set(history.accesses.lazy.map(\.pool).filter(\.isOwn))
        order = Pool.allCases + own.sorted().prefix(200)
        let order = order
        func number(_ entry: Int64, _ pool: UInt8) -> Int {
            let object = Int(numbers[entry])
            if object == entries.count {
                entries.append(entry)
                isContent.append(false)
                pools.append(pool)
            }
            return object
        }
        let images = UInt8(order.firstIndex(of: .images) ?? 0)
        let kinds = known ?? Self.events(of: history)
        // As a prune takes them: the least recently used, then the largest, then by key.
        let ordered = history.contents.filter { isChosen($0.entry) }.sorted { a, b in
            if a.lastUsed != b.lastUsed { return a.lastUsed < b.lastUsed }
            if a.bytes != b.bytes { return a.bytes > b.bytes }
            return (rank[a.entry] ?? .max, a.entry) < (rank[b.entry] ?? .max, b.entry)
        }
        for content in ordered {
            let object = number(content.entry, .max)
            guard !isContent[object] else { continue }
            isContent[object] = true
            contents.append((Int32(object), max(0, content.bytes.bytes), content.lastUsed.nanoseconds))
        }
        let bounds = ((prunes ?? []) + [since]).sorted()
        var nextDeparture = 0
        func depart(until time: Timestamp) {
            while nextDeparture < history.departures.count, history.departures[nextDeparture].at <= time {
                let departure = history.departures[nextDeparture]
                nextDeparture += 1
                guard departure.reason == .removed, isChosen(departure.entry) else { continue }
                let object = Int(numbers.known(departure.entry))
                guard object >= 0, object < entries.count else { continue }
                append(object, .removal, departure.at, size: 0, bytes: 0, count: 0)
            }
        }
        var interval: Int32 = 0
        var nextPrune = 0
        /// The last event of each object, and the interval between prunes that it is in.
        var latest: [(place: Int32, interval: Int32)] = []
        var dead = 0
        func append(
            _ object: Int, _ event: Event, _ time: Timestamp, size: Int64, bytes recorded: Int64,
            count: UInt16
        ) {
            while nextPrune < bounds.count, bounds[nextPrune] < time {
                nextPrune += 1
                interval += 1
            }
            if latest.count <= object {
                latest += [(Int32, Int32)](repeating: (-1, -1), count: object + 1 - latest.count)
            }
            var (event, count, recorded) = (event, count, recorded)
            if event == .hit, prunes != nil, latest[object].interval == interval {
                let before = Int(latest[object].place)
                if events[before] != .removal, bytes[before] >= 0 {
                    event = events[before]
                    if event != .hit { recorded = bytes[before] }
                    count = UInt16(clamping: Int(count) + Int(counts[before]))
                    bytes[before] = -1
                    dead += 1
                }
            }
            latest[object] = (Int32(objects.count), interval)
            objects.append(Int32(object))
            events.append(event)
            times.append(time.nanoseconds)
            sizes.append(max(0, size))
            bytes.append(max(0, recorded))
            counts.append(count)
            if time <= since { firstCounted = objects.count }
        }
        var group: [(access: VolumeHistory.Access, event: Event)] = []
        func flush() {
            if group.count > 1 {
                group.sort { a, b in
                    if a.access.size != b.access.size { return a.access.size > b.access.size }
                    let (one, other) = (a.access.entry, b.access.entry)
                    return (rank[one] ?? .max, one) < (rank[other] ?? .max, other)
                }
            }
            for (access, event) in group {
                let pool = UInt8(order.firstIndex(of: access.pool) ?? 0)
                let object = number(access.entry, pool)
                pools[object] = pool
                append(
                    object, event, access.at, size: access.size.bytes, bytes: access.bytes.bytes,
                    count: UInt16(max(1, access.count)))
            }
            group.removeAll(keepingCapacity: true)
        }
        for (place, access) in history.accesses.enumerated() {
            if access.at > since { counted += Int64(max(1, access.count)) }
            guard isChosen(access.entry) else { continue }
            if let last = group.last, last.access.at != access.at { flush() }
            if group.isEmpty { depart(until: access.at) }
            group.append((access, kinds[place]))
        }
        flush()
        depart(until: Timestamp(nanoseconds: .max))
        if dead > 0 { dropDead() }
        objectCount = entries.count
        isPinned = entries.map { pinned.contains($0) }
        for object in pools.indices where pools[object] == .max {
            pools[object] = history.layers.ofImage[entries[object]] == nil ? 0 : images
        }
        takeLayers(of: entries, history.layers)
    }

    /// What each access of a history was, by what had become of the entry before it.
    static func events(of history: VolumeHistory) -> [Event] {
        enum State: UInt8 { case never, there, evicted, removed }
        var numbers = ObjectNumbers(history)
        var states: [State] = []
        func set(_ entry: Int64, _ state: State) -> State {
            let number = Int(numbers[entry])
            while states.count <= number { states.append(.never) }
            defer { states[number] = state }
            return states[number]
        }
        for content in history.contents { _ = set(content.entry, .there) }
        var next = 0
        return history.accesses.map { access in
            while next < history.departures.count, history.departures[next].at <= access.at {
                let departure = history.departures[next]
                next += 1
                _ = set(departure.entry, departure.reason == .evicted ? .evicted : .removed)
            }
            let before = set(access.entry, .there)
            if access.isHit { return .hit }
            switch before {
            case .evicted: return .refetch
            case _ where access.isRegret: return .refetch
            case .there where access.bytes < access.size && access.pool != .images: return .addition
            default: return .fetch
            }
        }
    }

    /// Takes out the events whose place a later one took.
    private mutating func dropDead() {
        var kept = 0
        var first = 0
        for place in objects.indices {
            if place == firstCounted { first = kept }
            guard bytes[place] >= 0 else { continue }
            if kept < place {
                objects[kept] = objects[place]
                events[kept] = events[place]
                times[kept] = times[place]
                sizes[kept] = sizes[place]
                bytes[kept] = bytes[place]
                counts[kept] = counts[place]
            }
            kept += 1
        }
        firstCounted = firstCounted >= objects.count ? kept : first
        let gone = objects.count - kept
        objects.removeLast(gone)
        events.removeLast(gone)
        times.removeLast(gone)
        sizes.removeLast(gone)
        bytes.removeLast(gone)
        counts.removeLast(gone)
    }

    private mutating func takeLayers(of entries: [Int64], _ known: VolumeHistory.Layers) {
        guard !known.ofImage.isEmpty else { return }
        layerBytes = known.bytes.map { max(0, $0.bytes) }
        layerStarts.reserveCapacity(entries.count + 1)
        var groups: [[Int32]: Int32] = [:]
        for entry in entries {
            layerStarts.append(Int32(layers.count))
            let chain = (known.ofImage[entry] ?? []).filter { layerBytes.indices.contains(Int($0)) }
            layers += chain
            guard !chain.isEmpty else {
                twins.append(-1)
                continue
            }
            let next = Int32(groups.count)
            let group = groups[chain.sorted(), default: next]
            groups[chain.sorted()] = group
            twins.append(group)
        }
        layerStarts.append(Int32(layers.count))
    }

    /// For each event the place of the object's next one; `Int32.max` where there is none.
    func nextEvents() -> [Int32] {
        var next = [Int32](repeating: .max, count: objects.count)
        var upcoming = [Int32](repeating: .max, count: objectCount)
        for place in objects.indices.reversed() {
            let object = Int(objects[place])
            next[place] = upcoming[object]
            upcoming[object] = events[place] == .removal ? .max : Int32(place)
        }
        return next
    }
}
