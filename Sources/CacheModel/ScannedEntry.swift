/// An entry as one scan found it on disk.
public struct ScannedEntry: Sendable, Hashable {
    /// The pool it belongs to.
    public var pool: Pool
    /// Its name in the tool's own notation, safe to print: `group:artifact:version`, an image reference.
    public var key: String
    /// Its directory below the volume's root, which identifies it; for an image, its ID in one component.
    public var path: VolumePath
    /// The inode of its directory; zero for an image.
    public var inode: UInt64
    /// Disk blocks × 512 of its files and directories, each inode once.
    public var bytes: ByteCount
    /// The sum of its files' lengths.
    public var apparentBytes: ByteCount
    /// The number of its files.
    public var files: Int64
    /// The newest access time among its files.
    public var accessed: Timestamp
    /// The newest modification time among its directories: when something was last fetched into it.
    ///
    /// File times would not do, as Maven may set the server's. For an image, when its top layer was
    /// extracted.
    public var fetched: Timestamp
    /// What the scan saw that forbids its eviction.
    public var protections: Protections
    /// What only an image has.
    public var image: ScannedImage?
    /// The uses that a tool wrote down, in the order of their times.
    ///
    /// From Gradle's journal the last one, from Podman's event logs all since the scan before. The index keeps what follows from them, not the list.
    public var uses: [RecordedUse]

    /// Makes an entry from all it consists of.
    public init(
        pool: Pool, key: String, path: VolumePath, inode: UInt64 = 0, bytes: ByteCount,
        apparentBytes: ByteCount, files: Int64, accessed: Timestamp, fetched: Timestamp,
        protections: Protections = [], image: ScannedImage? = nil, uses: [RecordedUse] = []
    ) {
        self.pool = pool
        self.key = key
        self.path = path
        self.inode = inode
        self.bytes = bytes
        self.apparentBytes = apparentBytes
        self.files = files
        self.accessed = accessed
        self.fetched = fetched
        self.protections = protections
        self.image = image
        self.uses = uses
    }
}

/// A use that a tool wrote down.
public struct RecordedUse: Sendable, Hashable {
    /// When, by the clock of the job: it may lie in the future.
    public var at: Timestamp
    /// Where it was written down.
    public var evidence: Evidence

    /// Makes a record of one use.
    public init(at: Timestamp, evidence: Evidence) {
        self.at = at
        self.evidence = evidence
    }
}

/// What the store's records say of one image.
public struct ScannedImage: Sendable, Hashable {
    /// The image ID: 64 hexadecimal digits.
    public var id: String
    /// Its references (`registry/repo:tag`), in the store's order.
    public var names: [String]
    /// Its layers' IDs from the top one down to the base.
    public var layers: [String]
    /// What removing the image would free: the stored bytes of layers that nothing else needs.
    public var exclusiveBytes: ByteCount
    /// How many containers use it, external ones included.
    public var containers: Int

    /// Makes a record from all it consists of.
    public init(
        id: String, names: [String], layers: [String], exclusiveBytes: ByteCount, containers: Int
    ) {
        self.id = id
        self.names = names
        self.layers = layers
        self.exclusiveBytes = exclusiveBytes
        self.containers = containers
    }
}

/// A layer of a vfs store.
public struct ScannedLayer: Sendable, Hashable {
    /// The layer ID: 64 hexadecimal digits.
    public var id: String
    /// The layer below it; nil for a base layer.
    public var parent: String?
    /// What the layer itself adds, in bytes; zero for a container's layer.
    public var diffBytes: ByteCount
    /// What its directory occupies: vfs copies the parent's whole tree, so this is the sum of `diffBytes` of
    /// the layer and its ancestors.
    public var storedBytes: ByteCount
    /// When it was extracted: the time of the pull that brought it.
    public var created: Timestamp
    /// Whether the store marked it as not completely written.
    public var incomplete: Bool
    /// How many images need it, directly or as an ancestor.
    public var images: Int
    /// How many containers need it, directly or as an ancestor.
    public var containers: Int

    /// Makes a layer from all it consists of.
    public init(
        id: String, parent: String?, diffBytes: ByteCount, storedBytes: ByteCount, created: Timestamp,
        incomplete: Bool, images: Int, containers: Int
    ) {
        self.id = id
        self.parent = parent
        self.diffBytes = diffBytes
        self.storedBytes = storedBytes
        self.created = created
        self.incomplete = incomplete
        self.images = images
        self.containers = containers
    }
}
