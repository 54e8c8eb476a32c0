/// What one scan of one volume found.
public struct VolumeScan: Sendable {
    /// The volume's name.
    public var volume: String
    /// When the scan began.
    public var startedAt: Timestamp
    /// When it ended.
    public var finishedAt: Timestamp
    /// Which file system it was.
    public var identity: VolumeIdentity
    /// Whether everything could be read.
    ///
    /// A prune refuses to work from an incomplete scan.
    public var complete: Bool
    /// The number of directories, the root included.
    public var directories: Int64
    /// The number of files that are no directories, hard links counted once.
    public var files: Int64
    /// Disk blocks × 512 of all that is live: the trash is not in it.
    public var bytes: ByteCount
    /// The sum of the files' lengths.
    public var apparentBytes: ByteCount
    /// What waits in the volume's trash.
    public var trashBytes: ByteCount
    /// What could not be read, by path and reason, the first hundred.
    public var unreadable: [UnreadablePath]
    /// How many paths could not be read.
    public var unreadableCount: Int64
    /// What statfs said.
    public var capacity: Capacity
    /// How far access times can be trusted here, and why.
    public var atimeTrust: EvidenceTrust
    /// The entries in the order of their paths.
    public var entries: [ScannedEntry]
    /// The layers of an image store.
    public var layers: [ScannedLayer]
    /// What killed pulls and dead pods left in an image store.
    public var orphans: [Orphan] = []
    /// Directories with files whose next read would leave no trace under relatime: to be armed once the scan
    /// is recorded.
    public var unarmed: [VolumePath]
    /// What the next scan must find exactly as this one is recorded, in the scanner's own format: how far event
    /// logs were read.
    public var snapshot: [UInt8]
    /// What a person should know of the scan itself, a sentence each.
    public var notices: [String] = []

    /// Makes a scan from all it consists of.
    public init(
        volume: String, startedAt: Timestamp, finishedAt: Timestamp, identity: VolumeIdentity,
        complete: Bool, directories: Int64, files: Int64, bytes: ByteCount, apparentBytes: ByteCount,
        trashBytes: ByteCount = .zero, unreadable: [UnreadablePath] = [], unreadableCount: Int64 = 0,
        capacity: Capacity, atimeTrust: EvidenceTrust, entries: [ScannedEntry],
        layers: [ScannedLayer] = [], unarmed: [VolumePath] = [], snapshot: [UInt8] = []
    ) {
        self.volume = volume
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.identity = identity
        self.complete = complete
        self.directories = directories
        self.files = files
        self.bytes = bytes
        self.apparentBytes = apparentBytes
        self.trashBytes = trashBytes
        self.unreadable = unreadable
        self.unreadableCount = unreadableCount
        self.capacity = capacity
        self.atimeTrust = atimeTrust
        self.entries = entries
        self.layers = layers
        self.unarmed = unarmed
        self.snapshot = snapshot
    }
}

/// What tells one mounted volume from another under the same path.
public struct VolumeIdentity: Sendable, Hashable, Codable {
    /// The random number that Larder wrote on the volume to know it again: device numbers change with each
    /// attachment of a PVC.
    ///
    /// Where nothing can be written, the device number of the root directory.
    public var marker: UInt64
    /// The inode of the root directory.
    public var rootInode: UInt64

    /// Makes an identity from its two numbers.
    public init(marker: UInt64, rootInode: UInt64) {
        self.marker = marker
        self.rootInode = rootInode
    }
}

/// A path that a scan could not read.
public struct UnreadablePath: Sendable, Hashable {
    /// Where.
    public var path: VolumePath
    /// Why: the system's message.
    public var reason: String

    /// Makes a record of one path.
    public init(path: VolumePath, reason: String) {
        self.path = path
        self.reason = reason
    }
}

/// How far a kind of evidence can be trusted on a volume.
public struct EvidenceTrust: Sendable, Hashable, Codable {
    /// The grade.
    public var confidence: Confidence
    /// What lowered it, in a sentence; empty at `high`.
    public var reason: String

    /// Makes a judgement.
    public init(_ confidence: Confidence, reason: String = "") {
        self.confidence = confidence
        self.reason = reason
    }
}
