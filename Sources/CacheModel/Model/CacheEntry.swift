/// An entry as the index knows it: what is on disk, and what is known of its use.
package struct CacheEntry: Sendable, Hashable {
    /// Its row in the index.
    ///
    /// It stays the same when the entry is evicted and fetched again.
    package var id: Int64
    /// The entry as the last scan found it.
    package var found: ScannedEntry
    /// When a scan first saw it.
    package var firstSeen: Timestamp
    /// The last use there is evidence of; where there is none, when it was fetched.
    package var lastUsed: Timestamp
    /// Where `lastUsed` came from.
    package var evidence: Evidence
    /// How far `lastUsed` can be trusted.
    package var confidence: Confidence
    /// How many uses were recorded.
    package var uses: Int64
    /// Until when it is kept because it was warmed and not used yet; nil where it was not.
    package var warmedUntil: Timestamp? {
        get { warmTime.value }
        set { warmTime.value = newValue }
    }
    /// Whether it was never used again since it was fetched; false where that is not known.
    package var isUnused: Bool
    /// When it arrived by copy, with the times of another place; nil where it did not.
    package var arrived: Timestamp? {
        get { arrivalTime.value }
        set { arrivalTime.value = newValue }
    }

    private var warmTime = PackedTimestamp()
    private var arrivalTime = PackedTimestamp()

    /// Makes an entry from all it consists of.
    package init(
        id: Int64, found: ScannedEntry, firstSeen: Timestamp, lastUsed: Timestamp, evidence: Evidence,
        confidence: Confidence, uses: Int64, warmedUntil: Timestamp? = nil,
        isUnused: Bool = false
    ) {
        self.id = id
        self.found = found
        self.firstSeen = firstSeen
        self.lastUsed = lastUsed
        self.evidence = evidence
        self.confidence = confidence
        self.uses = uses
        self.isUnused = isUnused
        self.warmedUntil = warmedUntil
    }

    /// The pool it belongs to.
    package var pool: Pool { found.pool }
    /// Its name in the tool's own notation.
    package var key: String { found.key }
    /// Disk blocks × 512; for an image, what its layers occupy, parents' copies included.
    package var bytes: ByteCount { found.bytes }
}
