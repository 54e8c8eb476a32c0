/// An entry as the index knows it: what is on disk, and what is known of its use.
public struct CacheEntry: Sendable, Hashable {
    /// Its row in the index.
    ///
    /// It stays the same when the entry is evicted and fetched again.
    public var id: Int64
    /// The entry as the last scan found it.
    public var found: ScannedEntry
    /// When a scan first saw it.
    public var firstSeen: Timestamp
    /// The last use there is evidence of; where there is none, when it was fetched.
    public var lastUsed: Timestamp
    /// Where `lastUsed` came from.
    public var evidence: Evidence
    /// How far `lastUsed` can be trusted.
    public var confidence: Confidence
    /// How many uses were recorded.
    public var uses: Int64
    /// Until when it is kept because it was warmed and not used yet; nil where it was not.
    public var warmedUntil: Timestamp?

    /// Makes an entry from all it consists of.
    public init(
        id: Int64, found: ScannedEntry, firstSeen: Timestamp, lastUsed: Timestamp, evidence: Evidence,
        confidence: Confidence, uses: Int64, warmedUntil: Timestamp? = nil
    ) {
        self.id = id
        self.found = found
        self.firstSeen = firstSeen
        self.lastUsed = lastUsed
        self.evidence = evidence
        self.confidence = confidence
        self.uses = uses
        self.warmedUntil = warmedUntil
    }

    /// The pool it belongs to.
    public var pool: Pool { found.pool }
    /// Its name in the tool's own notation.
    public var key: String { found.key }
    /// Disk blocks × 512; for an image, what its layers occupy, parents' copies included.
    public var bytes: ByteCount { found.bytes }
}
