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
        /// It came, and no job fetched it.
        case arrival
    }

    /// One event: in one piece of memory, as a replay looks at all of it, and there are many replays.
    struct Step {
        /// When it happened, in nanoseconds since 1970.
        var time: Int64
        /// What the object occupies from then on.
        var size: Int64
        /// What was recorded as fetched or used; -1 where a later one took its place.
        var bytes: Int64
        /// The object that it happened to.
        var object: Int32
        /// How many recorded uses it stands for.
        var count: UInt16
        var event: Event
    }

    /// What happened, in the order of time.
    private(set) var steps: [Step] = []
    /// The first event that counts.
    private(set) var firstCounted = 0
    /// The first event that counts and that has at least half of the history before it.
    ///
    /// By then a volume of any size has what it would have.
    var settled: Int {
        var (low, high) = (firstCounted, steps.count)
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].time < halfTime { low = middle + 1 } else { high = middle }
        }
        return low
    }
    /// The middle of the history.
    private var halfTime: Int64 = 0
    /// What was there at the beginning, by its last use.
    private(set) var contents: [(object: Int32, size: Int64, lastUsed: Int64)] = []
    /// The rows in the index of the objects.
    private var entries: [Int64] = []
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
    /// How many bytes more than now belonged to no pool from some time on.
    private(set) var unmanagedMore: [(at: Int64, bytes: Int64)] = []
    /// How many recorded accesses count, and their bytes: of the whole history.
    private(set) var counted: Int64 = 0

    /// How many objects there are.
    var objectCount: Int { entries.count }

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
    ///   - known: what each access was, where that was found already.
    package init(
        _ history: VolumeHistory, since: Timestamp, prunes: [Timestamp]?, pinned: Set<Int64> = [],
        rank: [Int64: Int] = [:], share: Double = 1, events known: [Event]? = nil
    ) {
        let sample = SpatialSample(share: share)
        self.share = share
        unmanagedMore = history.unmanagedMore.map { ($0.at.nanoseconds, $0.bytes) }
        halfTime = history.beganAt.nanoseconds / 2 + history.lastScanAt.nanoseconds / 2
        let own = Set(history.accesses.lazy.map(\.pool).filter(\.isOwn))
            .union(history.arrivals.lazy.map(\.pool).filter(\.isOwn))
        order = Pool.allCases + own.sorted().prefix(200)
        let kinds = known ?? Self.events(of: history)
        var builder = TraceBuilder(
            history, since: since, prunes: prunes, rank: rank, order: order,
            capacity: Int(Double(history.accesses.count) * self.share * 1.1) + 64)
        // As a prune takes them: the least recently used, then the largest, then by key.
        let ordered = history.contents.filter { sample.contains($0.entry) }.sorted { a, b in
            if a.lastUsed != b.lastUsed { return a.lastUsed < b.lastUsed }
            if a.bytes != b.bytes { return a.bytes > b.bytes }
            return (rank[a.entry] ?? .max, a.entry) < (rank[b.entry] ?? .max, b.entry)
        }
        for content in ordered {
            guard let object = builder.contentNumber(content.entry) else { continue }
            contents.append((object, max(0, content.bytes.bytes), content.lastUsed.nanoseconds))
        }
        var changes = ReplayChanges(history)
        for (place, access) in history.accesses.enumerated() {
            if access.at > since { counted += Int64(max(1, access.count)) }
            guard sample.contains(access.entry) else { continue }
            if builder.begins(at: access.at) {
                while let change = changes.next(until: access.at) { builder.add(change, sample) }
            }
            builder.add(access, kinds[place])
        }
        builder.flush()
        while let change = changes.next(until: Timestamp(nanoseconds: .max)) { builder.add(change, sample) }
        (steps, firstCounted, pools) = (builder.steps, builder.firstCounted, builder.pools)
        if builder.replaced > 0 { dropReplaced() }
        entries = builder.entries
        isPinned = entries.map { pinned.contains($0) }
        for object in pools.indices where pools[object] == .max {
            pools[object] =
                history.layers.ofImage[entries[object]] == nil
                ? 0 : UInt8(order.firstIndex(of: .images) ?? 0)
        }
        takeLayers(history.layers)
    }

    /// The same of a part of its entries.
    ///
    /// - Parameters:
    ///   - sample: which of them.
    ///   - share: the part of all entries of the history that these are.
    func part(_ sample: SpatialSample, share: Double) -> ReplayTrace {
        var part = self
        part.share = share
        (part.entries, part.pools, part.isPinned) = ([], [], [])
        (part.layers, part.layerStarts, part.twins) = ([], [], [])
        var numbers = [Int32](repeating: -1, count: objectCount)
        for object in entries.indices where sample.contains(entries[object]) {
            numbers[object] = Int32(part.entries.count)
            part.entries.append(entries[object])
            part.pools.append(pools[object])
            part.isPinned.append(isPinned[object])
            guard hasLayers else { continue }
            part.layerStarts.append(Int32(part.layers.count))
            part.layers += layers[Int(layerStarts[object])..<Int(layerStarts[object + 1])]
            part.twins.append(twins[object])
        }
        if hasLayers { part.layerStarts.append(Int32(part.layers.count)) }
        part.contents = contents.compactMap { content in
            let number = numbers[Int(content.object)]
            return number < 0 ? nil : (number, content.size, content.lastUsed)
        }
        part.steps = []
        part.steps.reserveCapacity(Int(Double(steps.count) * share / self.share * 1.1) + 64)
        for place in steps.indices {
            if place == firstCounted { part.firstCounted = part.steps.count }
            var step = steps[place]
            step.object = numbers[Int(step.object)]
            if step.object >= 0 { part.steps.append(step) }
        }
        if firstCounted >= steps.count { part.firstCounted = part.steps.count }
        return part
    }

    /// What each access of a history was, by what had become of the entry before it.
    static func events(of history: VolumeHistory) -> [Event] {
        enum State: UInt8 { case never, there, evicted, removed, wiped }
        var numbers = ObjectNumbers(history)
        var states = [State](repeating: .never, count: numbers.tableCount)
        var events: [Event] = []
        events.reserveCapacity(history.accesses.count)
        func place(_ number: Int32, in states: inout [State]) -> Int {
            while states.count <= Int(number) { states.append(.never) }
            return Int(number)
        }
        // When each was used last, where that tells whether others would have removed it.
        var lastUsed: [Int64: Timestamp] = [:]
        let removedAfter = history.removedAfter
        for content in history.contents {
            states[place(numbers[content.entry], in: &states)] = .there
            if removedAfter != nil { lastUsed[content.entry] = content.lastUsed }
        }
        var changes = ReplayChanges(history)
        for access in history.accesses {
            while let change = changes.next(until: access.at) {
                switch change {
                case .arrival(let arrival):
                    states[place(numbers[arrival.entry], in: &states)] = .there
                case .departure(let departure):
                    states[place(numbers[departure.entry], in: &states)] =
                        departure.reason == .evicted ? .evicted : .removed
                case .wipe(let wipe):
                    let kept = wipe.kept.map { place(numbers[$0], in: &states) }.map { ($0, states[$0]) }
                    for place in states.indices where states[place] != .never { states[place] = .wiped }
                    for (place, state) in kept { states[place] = state }
                }
            }
            let object = place(numbers[access.entry], in: &states)
            let before = states[object]
            states[object] = .there
            var isRemoved = false
            if let removedAfter {
                isRemoved = lastUsed[access.entry].map { access.at - $0 > removedAfter } ?? false
                lastUsed[access.entry] = access.at
            }
            let event: Event =
                if access.isHit {
                    .hit
                } else if isRemoved {
                    .fetch
                } else if before == .evicted || access.isRegret && before != .wiped {
                    .refetch
                } else if before == .there, access.bytes < access.size, access.pool != .images {
                    .addition
                } else {
                    .fetch
                }
            events.append(event)
        }
        return events
    }

    /// Takes out the events whose place a later one took.
    private mutating func dropReplaced() {
        firstCounted -= steps[..<firstCounted].count { $0.bytes < 0 }
        steps.removeAll { $0.bytes < 0 }
    }

    private mutating func takeLayers(_ known: VolumeHistory.Layers) {
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
        var next = [Int32](repeating: .max, count: steps.count)
        var upcoming = [Int32](repeating: .max, count: objectCount)
        for place in steps.indices.reversed() {
            let object = Int(steps[place].object)
            next[place] = upcoming[object]
            upcoming[object] = steps[place].event == .removal ? .max : Int32(place)
        }
        return next
    }
}

/// What came without a fetch and what went, in the order of time; what came at one instant before what went.
struct ReplayChanges {
    enum Change {
        case arrival(VolumeHistory.Arrival)
        case departure(VolumeHistory.Departure)
        case wipe(VolumeHistory.Wipe)
    }

    private let arrivals: [VolumeHistory.Arrival]
    private let departures: [VolumeHistory.Departure]
    private let wipes: [VolumeHistory.Wipe]
    private var (arrived, departed, wiped) = (0, 0, 0)

    init(_ history: VolumeHistory) {
        (arrivals, departures, wipes) = (history.arrivals, history.departures, history.wipes)
    }

    /// The next one, if it happened by then.
    mutating func next(until time: Timestamp) -> Change? {
        let arrival = arrived < arrivals.count ? arrivals[arrived] : nil
        let departure = departed < departures.count ? departures[departed] : nil
        if wiped < wipes.count, wipes[wiped].at <= time,
            wipes[wiped].at <= min(arrival?.at ?? time, departure?.at ?? time)
        {
            wiped += 1
            return .wipe(wipes[wiped - 1])
        }
        if let arrival, arrival.at <= time, departure.map({ arrival.at <= $0.at }) ?? true {
            arrived += 1
            return .arrival(arrival)
        }
        guard let departure, departure.at <= time else { return nil }
        departed += 1
        return .departure(departure)
    }
}

/// Lines up the events of a trace, one access after the other.
private struct TraceBuilder {
    private let since: Timestamp
    private let rank: [Int64: Int]
    private let order: [Pool]
    /// Whether uses between two prunes become one.
    private let merges: Bool
    /// The prunes, and when counting begins.
    private let bounds: [Timestamp]
    private var numbers: ObjectNumbers
    private(set) var steps: [ReplayTrace.Step] = []
    private(set) var firstCounted = 0
    private(set) var entries: [Int64] = []
    private(set) var pools: [UInt8] = []
    /// How many events a later one took the place of.
    private(set) var replaced = 0
    private var interval: Int32 = 0
    private var nextBound = 0
    /// The last event of each object, and the interval between prunes that it is in.
    private var latest: [(place: Int32, interval: Int32)] = []
    /// What happened at one instant and is not lined up yet.
    private var group: [(access: VolumeHistory.Access, event: ReplayTrace.Event)] = []
    /// The pool that was asked for last, as there are long rows of one.
    private var lastPool: (pool: Pool, place: UInt8)

    init(
        _ history: VolumeHistory, since: Timestamp, prunes: [Timestamp]?, rank: [Int64: Int], order: [Pool],
        capacity: Int
    ) {
        self.since = since
        self.rank = rank
        self.order = order
        merges = prunes != nil
        bounds = ((prunes ?? []) + [since]).sorted()
        numbers = ObjectNumbers(history)
        lastPool = (order[0], 0)
        steps.reserveCapacity(capacity)
    }

    /// The number of a content of the beginning; nil where it has one.
    mutating func contentNumber(_ entry: Int64) -> Int32? {
        let known = entries.count
        let object = number(entry, .max)
        return object == known ? Int32(object) : nil
    }

    private mutating func number(_ entry: Int64, _ pool: UInt8) -> Int {
        let object = Int(numbers[entry])
        if object == entries.count {
            entries.append(entry)
            pools.append(pool)
            latest.append((-1, -1))
        }
        return object
    }

    /// Whether an access of that time is the first of its instant; what came before it is lined up then.
    mutating func begins(at time: Timestamp) -> Bool {
        if let last = group.last, last.access.at != time { flush() }
        return group.isEmpty
    }

    /// Adds an access of the instant that has begun.
    mutating func add(_ access: VolumeHistory.Access, _ event: ReplayTrace.Event) {
        group.append((access, event))
    }

    /// Lines up what happened at one instant.
    mutating func flush() {
        if group.count > 1 {
            let rank = rank
            group.sort { a, b in
                if a.access.size != b.access.size { return a.access.size > b.access.size }
                let (one, other) = (a.access.entry, b.access.entry)
                return (rank[one] ?? .max, one) < (rank[other] ?? .max, other)
            }
        }
        for place in group.indices {
            let (access, event) = group[place]
            if access.pool != lastPool.pool {
                lastPool = (access.pool, UInt8(order.firstIndex(of: access.pool) ?? 0))
            }
            let object = number(access.entry, lastPool.place)
            pools[object] = lastPool.place
            append(
                object, event, access.at, size: access.size.bytes, bytes: access.bytes.bytes,
                count: UInt16(max(1, access.count)))
        }
        group.removeAll(keepingCapacity: true)
    }

    /// Lines up what came without a fetch, and what somebody else removed.
    mutating func add(_ change: ReplayChanges.Change, _ sample: SpatialSample) {
        switch change {
        case .arrival(let arrival):
            guard sample.contains(arrival.entry) else { return }
            let object = number(arrival.entry, UInt8(order.firstIndex(of: arrival.pool) ?? 0))
            append(object, .arrival, arrival.at, size: arrival.bytes.bytes, bytes: 0, count: 0)
        case .departure(let departure):
            guard departure.reason == .removed, sample.contains(departure.entry) else { return }
            let object = Int(numbers.known(departure.entry))
            guard object >= 0, object < entries.count else { return }
            append(object, .removal, departure.at, size: 0, bytes: 0, count: 0)
        case .wipe(let wipe):
            for object in entries.indices where !wipe.kept.contains(entries[object]) {
                append(object, .removal, wipe.at, size: 0, bytes: 0, count: 0)
            }
        }
    }

    private mutating func append(
        _ object: Int, _ event: ReplayTrace.Event, _ time: Timestamp, size: Int64, bytes recorded: Int64,
        count: UInt16
    ) {
        while nextBound < bounds.count, bounds[nextBound] < time {
            nextBound += 1
            interval += 1
        }
        var (event, count, recorded) = (event, count, recorded)
        if event == .hit, merges, latest[object].interval == interval {
            let before = Int(latest[object].place)
            let step = steps[before]
            if step.event != .removal, step.event != .arrival, step.bytes >= 0 {
                event = step.event
                if event != .hit { recorded = step.bytes }
                count = UInt16(clamping: Int(count) + Int(step.count))
                steps[before].bytes = -1
                replaced += 1
            }
        }
        latest[object] = (Int32(steps.count), interval)
        steps.append(
            ReplayTrace.Step(
                time: time.nanoseconds, size: max(0, size), bytes: max(0, recorded), object: Int32(object),
                count: count, event: event))
        if time <= since { firstCounted = steps.count }
    }
}
