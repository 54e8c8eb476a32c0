/// A volume as the index knows it: what a plan is made from.
package struct VolumeUsage: Sendable {
    /// The volume's name.
    package var volume: String
    /// What all live files occupy, unmanaged ones included, after what was evicted since the scan.
    package var usedBytes: ByteCount
    /// What waits in the trash.
    package var trashBytes: ByteCount
    /// What statfs said at the last scan.
    package var capacity: Capacity
    /// How many inodes live files and directories take, after what was evicted since the scan; nil where the file system
    /// is not the volume's own, or makes them as needed.
    package var usedInodes: Int64?
    /// The last scan's number, time, completeness and identity.
    package var scan: ScanRecord
    /// Every entry.
    package var entries: [CacheEntry]
    /// The layers of an image store.
    package var layers: [ScannedLayer]
    /// What belongs to no pool, the largest directories first.
    package var unmanaged: [UnmanagedDirectory] = []
    /// What the last scan noticed that somebody should put right.
    package var warnings: [ScanWarning] = []
    /// What could be named of what no record explains.
    package var unaccounted: [UnaccountedSpace] = []
    /// The files that have names in several entries.
    package var sharedFiles: [SharedFiles] = []

    /// Makes a state from all it consists of.
    package init(
        volume: String, usedBytes: ByteCount, trashBytes: ByteCount, capacity: Capacity, scan: ScanRecord,
        entries: [CacheEntry], layers: [ScannedLayer]
    ) {
        self.volume = volume
        self.usedBytes = usedBytes
        self.trashBytes = trashBytes
        self.capacity = capacity
        self.scan = scan
        self.entries = entries
        self.layers = layers
    }
}

/// One recorded scan of one volume.
package struct ScanRecord: Sendable, Hashable {
    /// The scan's number in the index.
    package var number: Int64
    /// When it began.
    package var startedAt: Timestamp
    /// Whether everything could be read.
    package var complete: Bool
    /// How many paths could not be read.
    package var unreadable: Int64
    /// Which file system it was.
    package var identity: VolumeIdentity
    /// How far access times can be trusted on the volume.
    package var atimeTrust: EvidenceQuality

    /// Makes a record from all it consists of.
    package init(
        number: Int64, startedAt: Timestamp, complete: Bool, unreadable: Int64, identity: VolumeIdentity,
        atimeTrust: EvidenceQuality
    ) {
        self.number = number
        self.startedAt = startedAt
        self.complete = complete
        self.unreadable = unreadable
        self.identity = identity
        self.atimeTrust = atimeTrust
    }
}
