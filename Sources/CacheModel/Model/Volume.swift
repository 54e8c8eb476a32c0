/// A mounted file system (a PVC) that Larder keeps, with its quotas.
package struct Volume: Sendable, Hashable {
    /// What lies on a volume.
    package enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        /// Maven and Gradle artifacts, found wherever they lie below the path.
        case buildCache = "build-cache"
        /// The directory that Podman calls its root.
        case imageStore = "image-store"
    }

    /// Its name in output and in the index: `build`, `images`.
    package var name: String
    /// What lies on it.
    package var kind: Kind
    /// Its absolute path as Larder sees it.
    package var path: String
    /// Its absolute path as the jobs see it, where that differs.
    package var jobPath: String
    /// The size that its used bytes shall not pass; nil stands for the file system's capacity.
    package var limit: ByteCount?
    /// Pruning starts above this level.
    package var high: Watermark
    /// Pruning stops at or below this level.
    package var low: Watermark
    /// Above this level of the limit, the trash is emptied at once.
    package var critical: Watermark
    /// Quotas of single pools.
    package var poolQuotas: [Pool: Quota]
    /// Globs over keys that are never evicted: `*` and `?` as in a shell, `/` and `:` are ordinary characters.
    package var keep: [String]
    /// What becomes of entries whose use nothing shows.
    package var withoutEvidence: WithoutEvidence = .keep
    /// How long evicted entries can be brought back; zero empties the trash at once.
    package var trashRetention: Span
    /// By how much less than that it may be kept: a nightly run comes a few seconds earlier or later than the night before,
    /// which must not decide whether a night more is kept.
    package var trashSlack: Span { trashRetention >= .hours(1) ? .minutes(5) : .zero }
    /// The absolute path of the directory with the event logs of the jobs' Podmans, for an image store; nil
    /// stands for `events` beside the store.
    package var events: String?
    /// The storage driver of an image store; nil where the store tells.
    package var driver: String?
    /// Read-only image stores beside this one, by absolute path, whose images and layers its records may name.
    package var additionalStores: [String] = []
    /// How long entries of a pool may go unused before they are evicted even where there is room.
    package var maxIdle: [Pool: Span] = [:]
    /// Pools of the user's own, in the order of the configuration.
    package var ownPools: [OwnPool] = []
    /// Installed builds that may go all the same.
    package var installed: [InstalledExpiry] = []
    /// Images that no registry has, and that may go all the same.
    package var replaceable: ReplaceableImages?

    /// In which order entries go.
    package var order: EvictionOrder

    /// Whether Larder only looks at it: nothing is written to it and nothing evicted.
    ///
    /// So are the caches of a person's own that were found where nothing was configured.
    package var isReadOnly = false

    /// The paths of the other volumes, by their names, which must lie apart from this one.
    package var neighbours: [String: String] = [:]

    /// Makes a volume with the deployment's defaults: high 85 %, low 70 %, critical 95 %, a day of trash.
    package init(
        name: String, kind: Kind, path: String, jobPath: String? = nil, limit: ByteCount? = nil,
        high: Watermark = .share(basisPoints: 8500), low: Watermark = .share(basisPoints: 7000),
        critical: Watermark = .share(basisPoints: 9500), poolQuotas: [Pool: Quota] = [:],
        keep: [String] = [], trashRetention: Span = .hours(24), events: String? = nil,
        order: EvictionOrder = .lru
    ) {
        self.name = name
        self.kind = kind
        self.path = path
        self.jobPath = jobPath ?? path
        self.limit = limit
        self.high = high
        self.low = low
        self.critical = critical
        self.poolQuotas = poolQuotas
        self.keep = keep
        self.trashRetention = trashRetention
        self.events = events
        self.order = order
    }

    /// Where the event logs of the jobs' Podmans are looked for.
    package var eventsPath: String {
        events ?? path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/events"
    }

    /// The quota in bytes: of the limit, or of what the file system lets jobs fill where that is less.
    ///
    /// - Parameter capacity: of the volume's file system.
    package func quota(capacity: Capacity) -> Quota {
        let high = level(high, on: capacity)
        return Quota(limit: limit(on: capacity), high: high, low: min(level(low, on: capacity), high))
    }

    /// Above how many bytes a prune does not wait for its schedule.
    ///
    /// - Parameter capacity: of the volume's file system.
    package func criticalLevel(on capacity: Capacity) -> ByteCount { level(critical, on: capacity) }

    /// A sentence for each limit, the volume's and its pools', that is more than jobs can fill.
    ///
    /// - Parameter capacity: of the volume's file system.
    package func limitsBeyond(_ capacity: Capacity) -> [String] {
        let pools = poolQuotas.sorted { $0.key < $1.key }
            .map { ("the limit of pool \($0.key.rawValue) of \(name)", Optional($0.value.limit)) }
        return ([("the limit of \(name)", limit)] + pools).compactMap { what, limit in
            guard let limit, limit > capacity.usable else { return nil }
            return "\(what), \(limit), is more than jobs can fill on its file system, \(capacity.usable): "
                + "that is its quota"
        }
    }

    private func limit(on capacity: Capacity) -> ByteCount { min(limit ?? capacity.usable, capacity.usable) }

    /// A watermark that is a size beyond what the file system holds stands for the same part of it as of the limit.
    private func level(_ mark: Watermark, on capacity: Capacity) -> ByteCount {
        let usable = limit(on: capacity)
        guard case .size(let size) = mark, size > usable, let limit, limit > .zero else {
            return mark.of(usable)
        }
        return ByteCount(Int64(Double(size.bytes) / Double(limit.bytes) * Double(usable.bytes)))
    }
}

/// What becomes of entries on a volume where reads leave no trace.
package enum WithoutEvidence: String, Sendable, Hashable, CaseIterable, Codable {
    /// They stay: nobody knows that they are unused.
    case keep
    /// They go by the time of their fetch, the oldest first.
    case byFetchAge = "by-fetch-age"
}

/// What `statfs` says of a volume's file system.
package struct Capacity: Sendable, Hashable {
    /// The file system's size.
    package var total: ByteCount
    /// What an unprivileged process can still write.
    package var available: ByteCount
    /// What is free, reserved blocks included.
    package var free: ByteCount
    /// The number of inodes; zero where the file system makes them as needed.
    package var inodes: Int64
    /// The number of free inodes.
    package var freeInodes: Int64

    /// Makes a reading from its five figures.
    package init(total: ByteCount, available: ByteCount, free: ByteCount, inodes: Int64, freeInodes: Int64) {
        self.total = total
        self.available = available
        self.free = free
        self.inodes = inodes
        self.freeInodes = freeInodes
    }

    /// What all files on the file system occupy, other tenants' included.
    package var used: ByteCount { total - free }

    /// What jobs can fill, as df(1) counts its percentage.
    ///
    /// Blocks that are reserved for root are not theirs (ext4's 5 %): a disk is full for them before all of it is used.
    package var usable: ByteCount { max(.zero, used + available) }
}
