/// An entry as one scan found it on disk.
package struct ScannedEntry: Sendable, Hashable {
    /// The pool it belongs to.
    package var pool: Pool
    /// Its name in the tool's own notation, safe to print: `group:artifact:version`, an image reference.
    package var key: String
    /// Its directory below the volume's root, which identifies it; for an image, its ID in one component.
    package var path: VolumePath
    /// The inode of its directory; zero for an image.
    package var inode: UInt64
    /// Disk blocks × 512 of its files and directories, each inode once.
    package var bytes: ByteCount
    /// The sum of its files' lengths.
    package var apparentBytes: ByteCount
    /// The number of its files.
    package var files: Int64
    /// The newest access time among its files.
    package var accessed: Timestamp
    /// The newest modification time among its directories: when something was last fetched into it.
    ///
    /// File times would not do, as Maven may set the server's. For an image, when its top layer was
    /// extracted.
    package var fetched: Timestamp
    /// What the scan saw that forbids its eviction.
    package var protections: Protections
    /// By the volume's own clock, when the look that this is from was over: what changed later was not seen.
    ///
    /// The index does not keep it; nil where the volume's clock is not known.
    package var settledAt: Timestamp?
    /// What only an image has.
    package var image: ScannedImage?
    /// The uses that a tool wrote down, in the order of their times.
    ///
    /// From Gradle's journal the last one, from Podman's event logs all since the scan before. The index keeps what follows from them, not the list.
    package var uses: [RecordedUse]

    /// Makes an entry from all it consists of.
    package init(
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
package struct RecordedUse: Sendable, Hashable {
    /// When, by the clock of the job: it may lie in the future.
    package var at: Timestamp
    /// Where it was written down.
    package var evidence: Evidence

    /// Makes a record of one use.
    package init(at: Timestamp, evidence: Evidence) {
        self.at = at
        self.evidence = evidence
    }
}

/// What the store's records say of one image.
package struct ScannedImage: Sendable, Hashable {
    /// The image ID: 64 hexadecimal digits.
    package var id: String
    /// Its references (`registry/repo:tag`), in the store's order.
    package var names: [String]
    /// Its layers' IDs from the top one down to the base.
    package var layers: [String]
    /// What removing the image would free: the stored bytes of layers that nothing else needs.
    package var exclusiveBytes: ByteCount
    /// How many containers use it, external ones included.
    package var containers: Int
    /// What part it plays.
    package var role: Role
    /// Whether a registry has it.
    package var origin: Origin
    /// The names of the manifest lists by which it is run, though it carries none itself.
    package var listNames: [String]

    /// What part an image plays in a store.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        /// An image of its own, with a name or, where its tag moved on, without one.
        case image
        /// A manifest list, which has no layers.
        case list
        /// An image of a manifest list, which has no name.
        case instance
        /// A step of a build, which never had a name.
        case step
    }

    /// Whether a registry has an image, as far as the store tells.
    package enum Origin: String, Sendable, Hashable, CaseIterable {
        /// It came from one, or nothing speaks against that.
        case registry
        /// It was made here and is named for one, which may have it.
        case made
        /// It was made here and is named for none.
        case local
        /// It came from an archive.
        case loaded

        /// Whether it could not be fetched again.
        package var isOnlyHere: Bool { self == .local || self == .loaded }
    }

    /// Makes a record from all it consists of.
    package init(
        id: String, names: [String], layers: [String], exclusiveBytes: ByteCount, containers: Int,
        role: Role = .image, origin: Origin = .registry, listNames: [String] = []
    ) {
        self.role = role
        self.origin = origin
        self.listNames = listNames
        self.id = id
        self.names = names
        self.layers = layers
        self.exclusiveBytes = exclusiveBytes
        self.containers = containers
    }
}

/// A layer of an image store.
package struct ScannedLayer: Sendable, Hashable {
    /// The layer ID: 64 hexadecimal digits.
    package var id: String
    /// The layer below it; nil for a base layer.
    package var parent: String?
    /// What the layer itself adds, in bytes; zero for a container's layer.
    package var diffBytes: ByteCount
    /// What its directory occupies.
    ///
    /// With the vfs driver, which copies the parent's whole tree, the sum of `diffBytes` of the layer and its
    /// ancestors; with others `diffBytes`. For a container's layer, what was found there.
    package var storedBytes: ByteCount
    /// When it was extracted: the time of the pull that brought it.
    package var created: Timestamp
    /// Whether the store marked it as not completely written.
    package var incomplete: Bool
    /// How many images need it, directly or as an ancestor.
    package var images: Int
    /// How many containers need it, directly or as an ancestor.
    package var containers: Int

    /// Makes a layer from all it consists of.
    package init(
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
