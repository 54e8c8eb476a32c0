import CacheModel

/// What the index kept of a volume's last scan, for the next one.
public struct PreviousScan: Sendable, Hashable {
    /// The scan's number, time, completeness and identity.
    public var record: ScanRecord
    /// The snapshot that the scanner gave, in its own format; empty where it gave none.
    public var snapshot: [UInt8]

    /// Makes a record from its two parts.
    public init(record: ScanRecord, snapshot: [UInt8]) {
        self.record = record
        self.snapshot = snapshot
    }
}

/// What recording a scan brought to light.
public struct RecordedScan: Sendable, Hashable {
    /// The scan's number in the index.
    public var number: Int64
    /// Whether it was the first of this file system: what it found is neither hit nor miss.
    public var baseline: Bool
    /// The changes by pool, in the contract's order; pools without entries before and now are left out.
    public var pools: [PoolChange]

    /// Makes a result from all it consists of.
    public init(number: Int64, baseline: Bool, pools: [PoolChange]) {
        self.number = number
        self.baseline = baseline
        self.pools = pools
    }
}

/// What one scan found in one pool, and how that differs from the scan before.
public struct PoolChange: Sendable, Hashable {
    /// The pool.
    public var pool: Pool
    /// How many entries were found.
    public var entries: Int64
    /// How many files they hold.
    public var files: Int64
    /// What they occupy.
    public var bytes: ByteCount
    /// How many are new to the index or were fetched anew; in a baseline, all.
    public var new: Int64
    /// How many that were there before were used: the hits.
    public var used: Int64
    /// How many were there before and are no more; zero for an incomplete scan, which cannot tell.
    public var gone: Int64

    /// Makes a change from all it consists of.
    public init(
        pool: Pool, entries: Int64 = 0, files: Int64 = 0, bytes: ByteCount = .zero, new: Int64 = 0,
        used: Int64 = 0, gone: Int64 = 0
    ) {
        self.pool = pool
        self.entries = entries
        self.files = files
        self.bytes = bytes
        self.new = new
        self.used = used
        self.gone = gone
    }
}

/// A volume that the index has a scan of.
public struct IndexedVolume: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// What lies on it.
    public var kind: Volume.Kind
    /// Its absolute path at the last scan.
    public var path: String

    /// Makes a record from all it consists of.
    public init(name: String, kind: Volume.Kind, path: String) {
        self.name = name
        self.kind = kind
        self.path = path
    }
}
