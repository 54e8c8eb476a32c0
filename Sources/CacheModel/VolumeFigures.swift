/// What can be said of a volume without reading its entries one by one: what metrics and a dashboard show.
public struct VolumeFigures: Sendable, Hashable {
    /// One pool.
    ///
    /// What is counted over all time only grows: folding accesses into days changes none of it.
    public struct PoolFigures: Sendable, Hashable {
        /// Which one.
        public var pool: Pool
        /// How many entries it has.
        public var entries: Int64
        /// The sum of their sizes; images that share layers count them each.
        public var bytes: ByteCount
        /// All recorded hits and misses.
        public var rates: HitRate
        /// How many misses were regret.
        public var regrets: Int64
        /// What those occupied.
        public var regretBytes: ByteCount
        /// How many entries runs evicted.
        public var evictions: Int64
        /// What those occupied.
        public var evictedBytes: ByteCount

        /// Begins with nothing.
        public init(pool: Pool) {
            self.pool = pool
            (entries, regrets, evictions) = (0, 0, 0)
            (bytes, regretBytes, evictedBytes) = (.zero, .zero, .zero)
            rates = HitRate()
        }
    }

    /// Its name.
    public var name: String
    /// What lies on it.
    public var kind: Volume.Kind
    /// Its absolute path at the last scan.
    public var path: String
    /// What all live files occupy.
    public var usedBytes: ByteCount
    /// What waits in the trash.
    public var trashBytes: ByteCount
    /// What statfs said at the last scan.
    public var capacity: Capacity
    /// The last scan.
    public var scan: ScanRecord
    /// How long it took.
    public var scanDuration: Span
    /// How many files it found.
    public var files: Int64
    /// The pools that have entries or a history, in the contract's order.
    public var pools: [PoolFigures]
    /// What the file system got back from all runs.
    public var freedBytes: ByteCount
    /// Whether the last prune ended above its goal.
    public var overQuota: Bool
    /// When the last run of each kind ended without a failure; `scan` is the last complete scan.
    public var lastSuccess: [String: Timestamp]
    /// How often images were warmed, by result.
    public var warmings: [String: Int64]
    /// After how many of those a job used the image before the next one.
    public var warmingsUsed: Int64

    /// Makes figures from all they consist of.
    public init(
        name: String, kind: Volume.Kind, path: String, usedBytes: ByteCount, trashBytes: ByteCount,
        capacity: Capacity, scan: ScanRecord, scanDuration: Span, files: Int64, pools: [PoolFigures] = [],
        freedBytes: ByteCount = .zero, overQuota: Bool = false, lastSuccess: [String: Timestamp] = [:],
        warmings: [String: Int64] = [:], warmingsUsed: Int64 = 0
    ) {
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

    /// The number of entries.
    public var entries: Int64 { pools.reduce(0) { $0 + $1.entries } }
}
