/// A volume as the index knows it: what a plan is made from.
public struct VolumeUsage: Sendable {
    /// The volume's name.
    public var volume: String
    /// What all live files occupy, unmanaged ones included, after what was evicted since the scan.
    public var usedBytes: ByteCount
    /// What waits in the trash.
    public var trashBytes: ByteCount
    /// What statfs said at the last scan.
    public var capacity: Capacity
    /// The last scan's number, time, completeness and identity.
    public var scan: ScanRecord
    /// Every entry.
    public var entries: [CacheEntry]
    /// The layers of an image store.
    public var layers: [ScannedLayer]

    /// Makes a state from all it consists of.
    public init(
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
public struct ScanRecord: Sendable, Hashable {
    /// The scan's number in the index.
    public var number: Int64
    /// When it began.
    public var startedAt: Timestamp
    /// Whether everything could be read.
    public var complete: Bool
    /// How many paths could not be read.
    public var unreadable: Int64
    /// Which file system it was.
    public var identity: VolumeIdentity
    /// How far access times can be trusted on the volume.
    public var atimeTrust: EvidenceTrust

    /// Makes a record from all it consists of.
    public init(
        number: Int64, startedAt: Timestamp, complete: Bool, unreadable: Int64, identity: VolumeIdentity,
        atimeTrust: EvidenceTrust
    ) {
        self.number = number
        self.startedAt = startedAt
        self.complete = complete
        self.unreadable = unreadable
        self.identity = identity
        self.atimeTrust = atimeTrust
    }
}
