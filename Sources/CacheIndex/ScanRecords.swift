import CacheModel

/// What the index kept of a volume's last scan, for the next one.
package struct PreviousScan: Sendable, Hashable {
    /// The scan's number, time, completeness and identity.
    package var record: ScanRecord
    /// The snapshot that the scanner gave, in its own format; empty where it gave none.
    package var snapshot: [UInt8]

    /// Makes a record from its two parts.
    package init(record: ScanRecord, snapshot: [UInt8]) {
        self.record = record
        self.snapshot = snapshot
    }
}

/// What recording a scan brought to light.
package struct RecordedScan: Sendable, Hashable {
    /// The scan's number in the index.
    package var number: Int64
    /// Whether it was the first of this file system: what it found is neither hit nor miss.
    package var baseline: Bool
    /// The changes by pool, in the contract's order; pools without entries before and now are left out.
    package var pools: [PoolChange]
    /// What arrived by copy, so that no job fetched it.
    package var copied = Copied()

    /// How many entries arrived by copy, and what they occupy.
    package struct Copied: Sendable, Hashable {
        package var entries: Int64 = 0
        package var bytes = ByteCount.zero
    }

    /// Makes a result from all it consists of.
    package init(number: Int64, baseline: Bool, pools: [PoolChange]) {
        self.number = number
        self.baseline = baseline
        self.pools = pools
    }
}

/// What one scan found in one pool, and how that differs from the scan before.
package struct PoolChange: Sendable, Hashable {
    /// The pool.
    package var pool: Pool
    /// How many entries were found.
    package var entries: Int64
    /// How many files they hold.
    package var files: Int64
    /// What they occupy.
    package var bytes: ByteCount
    /// How many are new to the index or were fetched anew; in a baseline, all.
    package var new: Int64
    /// How many that were there before were used: the hits.
    package var used: Int64
    /// How many were there before and are no more; zero for an incomplete scan, which cannot tell.
    package var gone: Int64

    /// Makes a change from all it consists of.
    package init(
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
package struct IndexedVolume: Sendable, Hashable {
    /// Its name.
    package var name: String
    /// What lies on it.
    package var kind: Volume.Kind
    /// Its absolute path at the last scan.
    package var path: String

    /// Makes a record from all it consists of.
    package init(name: String, kind: Volume.Kind, path: String) {
        self.name = name
        self.kind = kind
        self.path = path
    }
}
