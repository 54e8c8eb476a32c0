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

    /// One recorded use or fetch, or all uses of an entry on one day that is long past.
    ///
    /// A year has a million of them: it takes 32 bytes, so ids end at 2³² - 1.
    package struct Access: Sendable, Hashable {
        /// When, as closely as the evidence tells; the last of several uses.
        package var at: Timestamp
        /// What it brought: for a hit the whole entry, for a miss what was fetched.
        package var bytes: ByteCount
        /// What the whole entry occupied then.
        package var size: ByteCount
        private var id: UInt32
        private var place: PoolPlace
        private var flags: UInt8
        /// How many recorded uses it stands for, at most 255.
        package var count: UInt8

        /// The pool it belongs to.
        package var pool: Pool { place.pool }

        /// Whether it was there; else it was fetched.
        package var isHit: Bool {
            get { flags & 1 != 0 }
            set { flags = flags & 2 | (newValue ? 1 : 0) }
        }

        /// Whether a run had evicted it not long before.
        package var isRegret: Bool {
            get { flags & 2 != 0 }
            set { flags = flags & 1 | (newValue ? 2 : 0) }
        }

        /// The entry's row in the index; an entry that returns has the one it had.
        package var entry: Int64 { Int64(id) }

        /// Makes an access from all it consists of; without a size, `bytes` is the whole entry.
        package init(
            at: Timestamp, entry: Int64, bytes: ByteCount, size: ByteCount? = nil, pool: Pool = .maven,
            isHit: Bool, isRegret: Bool = false, count: Int64 = 1
        ) {
            self.at = at
            self.bytes = bytes
            self.size = size ?? bytes
            id = UInt32(clamping: entry)
            place = PoolPlace(pool)
            flags = (isHit ? 1 : 0) | (isRegret ? 2 : 0)
            self.count = UInt8(clamping: count)
        }
    }

    /// That an entry was there from then on and no job fetched it: it was installed locally, or came by copy.
    package struct Arrival: Sendable, Hashable {
        /// The entry's row in the index.
        package var entry: Int64
        /// When it was first seen.
        package var at: Timestamp
        /// What it occupies.
        package var bytes: ByteCount
        /// The pool it belongs to.
        package var pool: Pool
        /// Whether it had been there before: it had gone, or was installed once more.
        package var isReturn: Bool

        /// Makes an arrival from all it consists of.
        package init(
            entry: Int64, at: Timestamp, bytes: ByteCount, pool: Pool = .maven, isReturn: Bool = false
        ) {
            self.entry = entry
            self.at = at
            self.bytes = bytes
            self.pool = pool
            self.isReturn = isReturn
        }
    }

    /// That an entry went.
    package struct Departure: Sendable, Hashable {
        /// Why.
        package enum Reason: Sendable, Hashable {
            /// Larder evicted it: on a larger volume it would have stayed.
            case evicted
            /// Somebody else removed it, or it was damaged: it would have gone from a volume of any size.
            case removed
        }

        /// The entry's row in the index.
        package var entry: Int64
        /// When it was seen to be gone.
        package var at: Timestamp
        /// Why.
        package var reason: Reason

        /// Makes a departure from all it consists of.
        package init(entry: Int64, at: Timestamp, reason: Reason) {
            self.entry = entry
            self.at = at
            self.reason = reason
        }
    }

    /// That somebody else removed nearly all that was there.
    package struct Wipe: Sendable, Hashable {
        /// When: an instant between two scans.
        package var at: Timestamp
        /// The few entries that stayed, by their rows in the index.
        package var kept: Set<Int64>

        /// Makes a wipe from both.
        package init(at: Timestamp, kept: Set<Int64> = []) {
            self.at = at
            self.kept = kept
        }
    }

    /// The layers of images, which images share.
    package struct Layers: Sendable, Hashable {
        /// What each layer occupies.
        package var bytes: [ByteCount]
        /// The layers of each image, by the image's row in the index: the top one first, as places in `bytes`.
        package var ofImage: [Int64: [Int32]]

        /// Makes layers from both.
        package init(bytes: [ByteCount] = [], ofImage: [Int64: [Int32]] = [:]) {
            self.bytes = bytes
            self.ofImage = ofImage
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
        /// The volume's limit then; nil where an older Larder made the scan.
        package var limit: ByteCount?
        /// What belonged to no pool; nil where an older Larder made the scan.
        package var unmanaged: ByteCount?

        /// Makes a sample from all it consists of.
        package init(
            at: Timestamp, used: ByteCount, trash: ByteCount = .zero, inodes: Int64 = 0,
            usedInodes: Int64 = 0,
            limit: ByteCount? = nil, unmanaged: ByteCount? = nil
        ) {
            self.limit = limit
            self.unmanaged = unmanaged
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
        /// What was used afterwards; nil where that is not known.
        package var left: ByteCount?

        /// Makes a record from all it consists of.
        package init(at: Timestamp, entries: Int64, bytes: ByteCount, left: ByteCount? = nil) {
            self.at = at
            self.entries = entries
            self.bytes = bytes
            self.left = left
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
    /// What runs evicted, the oldest first; runs that evicted nothing are among them.
    package var evictions: [Eviction]
    /// From when on each entry's uses are known: what was before was added up by an older Larder.
    ///
    /// Nothing is known of entries before it, which does not mean that nothing was used.
    package var knownSince: Timestamp
    /// What came without a fetch, the oldest first: of each entry the first one is not in `contents`, all others are returns.
    package var arrivals: [Arrival]
    /// What went, the oldest first.
    package var departures: [Departure]
    /// When somebody else removed nearly all that was there, the oldest first: an instant between two scans.
    package var wipes: [Wipe] = []
    /// What images consist of.
    package var layers: Layers

    /// After how long without a use others remove an entry, whatever the size is; nil where they do not.
    package var removedAfter: Span?
    /// How many bytes more than now belonged to no pool from some time on, in the order of time; empty where it was always
    /// as much.
    package var unmanagedMore: [(at: Timestamp, bytes: Int64)] = []

    /// Makes a history from all it consists of.
    package init(
        beganAt: Timestamp, lastScanAt: Timestamp, contents: [Content], accesses: [Access],
        samples: [Sample] = [], evictions: [Eviction] = [], knownSince: Timestamp? = nil,
        arrivals: [Arrival] = [], departures: [Departure] = [], layers: Layers = Layers()
    ) {
        self.arrivals = arrivals
        self.knownSince = max(knownSince ?? beganAt, beganAt)
        self.departures = departures
        self.layers = layers
        self.beganAt = beganAt
        self.lastScanAt = lastScanAt
        self.contents = contents
        self.accesses = accesses
        self.samples = samples
        self.evictions = evictions
    }
}
