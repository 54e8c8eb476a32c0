/// What a prune did to one volume.
public struct EvictionOutcome: Sendable, Hashable {
    /// An entry that went, or that was refused.
    public struct Line: Sendable, Hashable {
        /// Its row in the index.
        public var entryID: Int64
        /// The pool it belongs to.
        public var pool: Pool
        /// Its name in the tool's own notation.
        public var key: String
        /// What it occupied; for an image, what its removal freed by the plan.
        public var bytes: ByteCount
        /// Why it went, or why it was refused; empty where a run of an older Larder did not say.
        public var reason: String

        /// Makes a line from all it consists of.
        public init(entryID: Int64, pool: Pool, key: String, bytes: ByteCount, reason: String = "") {
            self.entryID = entryID
            self.pool = pool
            self.key = key
            self.bytes = bytes
            self.reason = reason
        }
    }

    /// The volume's name.
    public var volume: String
    /// What went, in order.
    public var evicted: [Line]
    /// What was planned and not removed, and why.
    public var refused: [Line]
    /// What the file system got back, by statfs before and after.
    public var freedBytes: ByteCount
    /// What waits in the trash now, from this run.
    public var trashedBytes: ByteCount
    /// Live bytes before.
    public var usedBefore: ByteCount
    /// Live bytes after.
    public var usedAfter: ByteCount
    /// Whether the volume is still above the target of the plan.
    public var overQuota: Bool

    /// Makes an outcome from all it consists of.
    public init(
        volume: String, evicted: [Line] = [], refused: [Line] = [], freedBytes: ByteCount = .zero,
        trashedBytes: ByteCount = .zero, usedBefore: ByteCount, usedAfter: ByteCount, overQuota: Bool
    ) {
        self.volume = volume
        self.evicted = evicted
        self.refused = refused
        self.freedBytes = freedBytes
        self.trashedBytes = trashedBytes
        self.usedBefore = usedBefore
        self.usedAfter = usedAfter
        self.overQuota = overQuota
    }
}
