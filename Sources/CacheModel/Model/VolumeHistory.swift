/// What is known of a volume's past, in the order of time: what sizing rests on.
package struct VolumeHistory: Sendable {
    /// An entry that was there at the beginning.
    package struct Content: Sendable, Hashable {
        /// Its row in the index, the same for as long as anything is known of it.
        package var entry: Int64
        /// What it occupied.
        package var bytes: ByteCount
        /// Its last use before the beginning.
        package var lastUsed: Timestamp

        /// Makes a content from all it consists of.
        package init(entry: Int64, bytes: ByteCount, lastUsed: Timestamp) {
            self.entry = entry
            self.bytes = bytes
            self.lastUsed = lastUsed
        }
    }

    /// One recorded use or fetch.
    ///
    /// A year has a million of them: it takes 32 bytes.
    package struct Access: Sendable, Hashable {
        /// When, as closely as the evidence tells.
        package var at: Timestamp
        /// The entry's row in the index; an entry that returns has the one it had.
        package var entry: Int64
        /// What it occupied then.
        package var bytes: ByteCount
        /// The pool it belongs to.
        package var pool: Pool
        /// Whether it was there; else it was fetched.
        package var isHit: Bool
        /// Whether a run had evicted it not long before.
        package var isRegret: Bool

        /// Makes an access from all it consists of.
        package init(
            at: Timestamp, entry: Int64, bytes: ByteCount, pool: Pool = .maven, isHit: Bool,
            isRegret: Bool = false
        ) {
            self.at = at
            self.entry = entry
            self.bytes = bytes
            self.pool = pool
            self.isHit = isHit
            self.isRegret = isRegret
        }
    }

    /// How full the volume was at a scan.
    package struct Sample: Sendable, Hashable {
        /// When the scan began.
        package var at: Timestamp
        /// What all live files occupied.
        package var used: ByteCount
        /// What waited in the trash.
        package var trash: ByteCount
        /// How many inodes the file system had in all; zero where it does not count them.
        package var inodes: Int64
        /// How many of them were in use.
        package var usedInodes: Int64

        /// Makes a sample from all it consists of.
        package init(
            at: Timestamp, used: ByteCount, trash: ByteCount = .zero, inodes: Int64 = 0, usedInodes: Int64 = 0
        ) {
            self.at = at
            self.used = used
            self.trash = trash
            self.inodes = inodes
            self.usedInodes = usedInodes
        }
    }

    /// What one run evicted.
    package struct Eviction: Sendable, Hashable {
        /// When the run ended.
        package var at: Timestamp
        /// How many entries it evicted.
        package var entries: Int64
        /// What they occupied.
        package var bytes: ByteCount

        /// Makes a record from all it consists of.
        package init(at: Timestamp, entries: Int64, bytes: ByteCount) {
            self.at = at
            self.entries = entries
            self.bytes = bytes
        }
    }

    /// When the first scan of this file system began.
    package var beganAt: Timestamp
    /// When the last scan began.
    package var lastScanAt: Timestamp
    /// What was there at the beginning.
    package var contents: [Content]
    /// The accesses since, the oldest first.
    package var accesses: [Access]
    /// The sizes at the scans, the oldest first.
    package var samples: [Sample]
    /// What runs evicted, the oldest first.
    package var evictions: [Eviction]

    /// Makes a history from all it consists of.
    package init(
        beganAt: Timestamp, lastScanAt: Timestamp, contents: [Content], accesses: [Access],
        samples: [Sample] = [], evictions: [Eviction] = []
    ) {
        self.beganAt = beganAt
        self.lastScanAt = lastScanAt
        self.contents = contents
        self.accesses = accesses
        self.samples = samples
        self.evictions = evictions
    }
}
