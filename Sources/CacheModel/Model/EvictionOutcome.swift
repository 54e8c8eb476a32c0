/// What a prune did to one volume.
package struct EvictionOutcome: Sendable, Hashable {
    /// An entry that went, or that was refused.
    package struct Line: Sendable, Hashable {
        /// Its row in the index.
        package var entryID: Int64
        /// The pool it belongs to.
        package var pool: Pool
        /// Its name in the tool's own notation.
        package var key: String
        /// What it occupied; for an image, what its removal freed by the plan.
        package var bytes: ByteCount
        /// Why it went, or why it was refused; empty where a run of an older Larder did not say.
        package var reason: String
        /// Whether it was refused because it is there no more, by somebody else's doing.
        package var isGone = false
        /// Whether it was refused because this process may not move it.
        package var isDenied = false

        /// Makes a line from all it consists of.
        package init(entryID: Int64, pool: Pool, key: String, bytes: ByteCount, reason: String = "") {
            self.entryID = entryID
            self.pool = pool
            self.key = key
            self.bytes = bytes
            self.reason = reason
        }
    }

    /// The volume's name.
    package var volume: String
    /// What went, in order.
    package var evicted: [Line]
    /// What was planned and not removed, and why.
    package var refused: [Line]
    /// What the file system got back, by statfs before and after.
    package var freedBytes: ByteCount
    /// What waits in the trash now, from this run.
    package var trashedBytes: ByteCount
    /// Live bytes before.
    package var usedBefore: ByteCount
    /// Live bytes after.
    package var usedAfter: ByteCount
    /// How many inodes what went took; nil where they are no quota.
    package var evictedInodes: Int64?
    /// Whether the volume is still above the target of the plan.
    package var overQuota: Bool
    /// What the directories occupied that went along because nothing was left in them; part of what was freed.
    package var emptiedBytes = ByteCount.zero
    /// What went otherwise than it should, besides single entries, a sentence each.
    package var failures: [String] = []

    /// Makes an outcome from all it consists of.
    package init(
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
