/// What can be said of a volume without reading its entries one by one: what metrics and a dashboard show.
package struct VolumeFigures: Sendable, Hashable {
    /// One pool.
    ///
    /// What is counted over all time only grows: folding accesses into days changes none of it.
    package struct PoolFigures: Sendable, Hashable {
        /// Which one.
        package var pool: Pool
        /// How many entries it has.
        package var entries: Int64
        /// The sum of their sizes; a layer of several images counts once.
        package var bytes: ByteCount
        /// All recorded hits and misses.
        package var rates: HitRate
        /// How many misses were regret.
        package var regrets: Int64
        /// What those occupied.
        package var regretBytes: ByteCount
        /// How many entries runs evicted.
        package var evictions: Int64
        /// What those occupied.
        package var evictedBytes: ByteCount

        /// Begins with nothing.
        package init(pool: Pool) {
            self.pool = pool
            (entries, regrets, evictions) = (0, 0, 0)
            (bytes, regretBytes, evictedBytes) = (.zero, .zero, .zero)
            rates = HitRate()
        }
    }

    /// Its name.
    package var name: String
    /// What lies on it.
    package var kind: Volume.Kind
    /// Its absolute path at the last scan.
    package var path: String
    /// What all live files occupy.
    package var usedBytes: ByteCount
    /// What scan and records explain of it.
    package var accountedBytes: ByteCount
    /// What could be named of the rest.
    package var unaccounted: [UnaccountedSpace] = []
    /// The event logs that the last scan kept.
    package var eventLogs = EventLogs()
    /// What waits in the trash.
    package var trashBytes: ByteCount
    /// What statfs said at the last scan.
    package var capacity: Capacity
    /// How many inodes live files and directories take; nil where the file system is not the volume's own, or makes them
    /// as needed.
    package var usedInodes: Int64?
    /// The last scan.
    package var scan: ScanRecord
    /// How long it took.
    package var scanDuration: Span
    /// How many files it found.
    package var files: Int64
    /// The pools that have entries or a history, in the contract's order.
    package var pools: [PoolFigures]
    /// What the file system got back from all runs.
    package var freedBytes: ByteCount
    /// Whether the last prune ended above its goal.
    package var overQuota: Bool
    /// When the last run of each kind ended without a failure; `scan` is the last complete scan.
    package var lastSuccess: [String: Timestamp]
    /// How often images were warmed, by result.
    package var warmings: [String: Int64]
    /// After how many of those a job used the image before the next one.
    package var warmingsUsed: Int64

    /// Makes figures from all they consist of.
    package init(
        name: String, kind: Volume.Kind, path: String, usedBytes: ByteCount, trashBytes: ByteCount,
        capacity: Capacity, scan: ScanRecord, scanDuration: Span, files: Int64, pools: [PoolFigures] = [],
        freedBytes: ByteCount = .zero, overQuota: Bool = false, lastSuccess: [String: Timestamp] = [:],
        warmings: [String: Int64] = [:], warmingsUsed: Int64 = 0, accountedBytes: ByteCount? = nil
    ) {
        self.accountedBytes = accountedBytes ?? usedBytes
        self.name = name
        self.kind = kind
        self.path = path
        self.usedBytes = usedBytes
        self.trashBytes = trashBytes
        self.capacity = capacity
        self.scan = scan
        self.scanDuration = scanDuration
        self.files = files
        self.pools = pools
        self.freedBytes = freedBytes
        self.overQuota = overQuota
        self.lastSuccess = lastSuccess
        self.warmings = warmings
        self.warmingsUsed = warmingsUsed
    }

    /// What neither scan nor records explain.
    package var unaccountedBytes: ByteCount { max(.zero, usedBytes - accountedBytes) }

    /// The number of entries.
    package var entries: Int64 { pools.reduce(0) { $0 + $1.entries } }
}
