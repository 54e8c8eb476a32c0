/// One pass over the entries that may go, least recently used first, until every goal is reached.
///
/// An image whose removal would free nothing when its turn comes waits: each eviction that lowers the number
/// of images on one of its layers has it looked at again, before anything used later goes. Images with the
/// very same layers free nothing one by one, so they go together when the turn comes to the last of them. Entries that
/// share their files by hard links wait in the same way, where most of what they occupy would stay.
struct EvictionPass {
    /// The size of a volume or pool, and the size to come down to; nil where it was not over its quota.
    struct Gauge {
        var used: ByteCount
        let goal: ByteCount?

        /// A prune that starts above one level and stops at or below another.
        init(used: ByteCount, startingAbove high: ByteCount, stoppingAt low: ByteCount) {
            self.used = used
            goal = used > high ? low : nil
        }

        var isAbove: Bool { goal.map { used > $0 } ?? false }
    }

    /// The same in inodes.
    struct InodeGauge {
        var used: Int64
        let goal: Int64?
        /// How many the files of an image take for each of its bytes: the store does not count them.
        let perByte: Double

        init(used: Int64, startingAbove high: Int64, stoppingAt low: Int64, perByte: Double) {
            self.used = used
            self.perByte = perByte
            goal = used > high ? low : nil
        }

        var isAbove: Bool { goal.map { used > $0 } ?? false }
    }

    private let entries: [CacheEntry]
    private let now: Timestamp
    /// The candidate images' places in `entries`; an image's number in the ledger is its place here.
    private let images: [Int]
    private(set) var ledger: LayerReferenceCounts
    private(set) var volume: Gauge
    private(set) var pools: [Pool: Gauge]
    private(set) var inodes: InodeGauge?
    private(set) var evictions: [Eviction] = []
    private var waiting: Set<Int> = []
    private var files: SharedFileCounts
    private var waitingFiles: Set<Int> = []
    private var isAnyAbove: Bool
    /// Whether every candidate goes, whatever the sizes.
    private let takesAll: Bool
    private let maxIdle: [Pool: Span]
    private let steps: BuildSteps
    private var gone: Set<Int> = []
    /// The image that was evicted last: its steps go with it.
    private var lastKey = ""
    private let order: EvictionOrder

    init(
        _ entries: [CacheEntry], images: [Int], ledger: LayerReferenceCounts, volume: Gauge,
        pools: [Pool: Gauge], files: SharedFileCounts = SharedFileCounts([], entries: []),
        takesAll: Bool = false, order: EvictionOrder = .lru, maxIdle: [Pool: Span] = [:],
        steps: BuildSteps = BuildSteps(of: []), inodes: InodeGauge? = nil, now: Timestamp
    ) {
        self.maxIdle = maxIdle
        self.inodes = inodes
        self.steps = steps
        self.takesAll = takesAll
        self.order = order
        self.entries = entries
        self.images = images
        self.ledger = ledger
        self.files = files
        self.volume = volume
        self.pools = pools
        self.now = now
        isAnyAbove =
            takesAll || volume.isAbove || inodes?.isAbove == true
            || pools.values.contains(where: \.isAbove)
    }

    /// Evicts from `order`, places in `entries` with the least recently used first, what the goals need.
    mutating func run(over order: [Int]) {
        // What is not filled takes no memory, and to grow an array of this size takes that of two.
        evictions.reserveCapacity(order.count)
        var nextImage = 0
        for place in order where isAnyAbove || !maxIdle.isEmpty {
            let pool = entries[place].pool
            if pool == .images { nextImage += 1 }
            guard isWanted(pool) || isIdle(place) else { continue }
            // A step may have gone with its image before its own turn.
            if gone.contains(place) { continue }
            if pool == .images {
                settle(nextImage - 1)
            } else if files.isHolder(place) {
                settleFiles(place)
            } else {
                evict(place, freeing: max(.zero, entries[place].bytes))
            }
        }
    }

    /// The entries that were looked at and whose going would leave most of what they occupy, by their places.
    var sharedEntries: [Int] { waitingFiles.sorted() }

    /// The images that were looked at and whose removal frees nothing, by their places in `entries`.
    var sharedImages: [Int] {
        waiting.sorted().filter { image in
            let mates = ledger.twins(of: image).filter(waiting.contains)
            return ledger.freedBytes(image, with: mates.count) == .zero
        }.map { images[$0] }
    }

    private func isWanted(_ pool: Pool) -> Bool {
        takesAll || volume.isAbove || inodes?.isAbove == true || pools[pool]?.isAbove ?? false
    }

    /// Whether the entry is a step of builds that was needed, and whose images all went.
    private func isStepOfWhatWent(_ place: Int) -> Bool {
        !steps.isUnneeded(place) && steps.isUnneeded(place, without: gone)
    }

    /// Whether the entry was not used for longer than its pool allows.
    private func isIdle(_ place: Int) -> Bool {
        guard let limit = maxIdle[entries[place].pool] else { return false }
        return max(entries[place].lastUsed, entries[place].found.fetched) < now - limit
    }

    /// Looks at an image whose turn has come, then at those its going may have set free.
    private mutating func settle(_ image: Int) {
        var due: Set<Int> = [image]
        while let next = due.min() {
            due.remove(next)
            let place = images[next]
            guard isWanted(.images) || isIdle(place) || isStepOfWhatWent(place) else {
                continue
            }
            let mates = ledger.twins(of: next).filter { $0 < next && waiting.contains($0) }
            let freed = ledger.freedBytes(next, with: mates.count)
            // A list has no layers, and goes where it is asked for.
            let isAskedFor = takesAll && entries[place].found.image?.role == .list
            if freed == .zero, !isAskedFor {
                waiting.insert(next)
                continue
            }
            for mate in mates {
                evict(images[mate], freeing: .zero, with: .twin(key: entries[images[next]].key))
            }
            evict(images[next], freeing: freed)
            for gone in mates + [next] {
                waiting.remove(gone)
                due.formUnion(ledger.remove(gone))
            }
            due.formIntersection(waiting)
        }
    }

    /// Looks at an entry with shared files whose turn has come, and at those that waited for it.
    private mutating func settleFiles(_ place: Int) {
        let mates = files.mates(of: place, waiting: waitingFiles)
        let all = mates + [place]
        let (occupied, freed) = files.bytes(of: all, sizes: all.map { entries[$0].bytes })
        guard takesAll || freed.bytes > occupied.bytes / 2 else {
            waitingFiles.insert(place)
            return
        }
        for next in all {
            let freed = files.bytes(of: [next], sizes: [entries[next].bytes]).freed
            files.remove(next)
            waitingFiles.remove(next)
            evict(next, freeing: freed, with: next == place ? nil : .mate(key: entries[place].key))
        }
    }

    private mutating func evict(_ place: Int, freeing freed: ByteCount, with other: Eviction.Cause? = nil) {
        let entry = entries[place]
        let isStep = isStepOfWhatWent(place)
        let isPoolAbove = pools[entry.pool]?.isAbove ?? false
        let cause: Eviction.Cause =
            if let other {
                other
            } else if isStep {
                .step(of: lastKey)
            } else if takesAll {
                .selected
            } else if volume.isAbove {
                .volume
            } else if inodes?.isAbove == true {
                .inodes
            } else if !isPoolAbove, let limit = maxIdle[entry.pool] {
                .idle(limit)
            } else {
                .pool(entry.pool)
            }
        gone.insert(place)
        if !steps.isStep(place) { lastKey = entry.key }
        volume.used -= freed
        if let gauge = inodes {
            inodes?.used -=
                entry.pool == .images ? Int64(Double(freed.bytes) * gauge.perByte) : entry.found.inodes
        }
        pools[entry.pool]?.used -= freed
        isAnyAbove =
            takesAll || volume.isAbove || inodes?.isAbove == true
            || pools.values.contains(where: \.isAbove)
        evictions.append(
            Eviction(
                entry: entry, freedBytes: freed, cause: cause, decidedAt: now,
                probation: entry.isUnused ? order.probation : .zero))
    }
}
