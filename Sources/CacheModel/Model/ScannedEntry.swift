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
    /// The number of its directories; zero for an image.
    package var directories: Int64 = 0
    /// The newest access time among its files.
    package var accessed: Timestamp
    /// The newest modification time among its directories: when something was last fetched into it.
    ///
    /// File times would not do, as Maven may set the server's. For an image, when its top layer was
    /// extracted.
    package var fetched: Timestamp
    /// The newest time of modification in it, where whoever brought it set all of them; else nil.
    ///
    /// Copying by `cp -a`, `rsync -a` or `tar` does so: then nothing in it was written for an hour or more before its
    /// directories last changed. The index does not keep it.
    package var broughtWithTimesOf: Timestamp? {
        get { broughtTime.value }
        set { broughtTime.value = newValue }
    }
    /// What the scan saw that forbids its eviction.
    package var protections: Protections
    /// What it consists of where that is no directory, and what else a scan noted of it.
    package var traits: EntryTraits
    /// By the volume's own clock, when the look that this is from was over: what changed later was not seen.
    ///
    /// The index does not keep it; nil where the volume's clock is not known.
    package var settledAt: Timestamp? {
        get { settledTime.value }
        set { settledTime.value = newValue }
    }
    /// What only an image has.
    package var image: ScannedImage? {
        get { imageBox?.image }
        set { imageBox = newValue.map(ImageBox.init) }
    }
    /// The uses that a tool wrote down, in the order of their times.
    ///
    /// From Gradle's journal the last one, from Podman's event logs all since the scan before. The index keeps what follows from them, not the list.
    package var uses: [RecordedUse]

    // A half million of artifacts would take 40 MB more with room for all of an image and with optional times.
    private var broughtTime = PackedTimestamp()
    private var settledTime = PackedTimestamp()
    private var imageBox: ImageBox?

    /// Makes an entry from all it consists of.
    package init(
        pool: Pool, key: String, path: VolumePath, inode: UInt64 = 0, bytes: ByteCount,
        apparentBytes: ByteCount, files: Int64, accessed: Timestamp, fetched: Timestamp,
        protections: Protections = [], traits: EntryTraits = [], image: ScannedImage? = nil,
        uses: [RecordedUse] = []
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
        self.traits = traits
        imageBox = image.map(ImageBox.init)
        self.uses = uses
    }
}

extension ScannedEntry {
    /// How many inodes it takes: one for each file and directory; zero for an image, whose files are not counted.
    package var inodes: Int64 { files + directories }

    /// Whether it was installed on the spot, as far as a repository tells that: one without tracking files does not.
    package var isInstalled: Bool {
        protections.contains(Protections(.locallyInstalled)) && !protections.contains(Protections(.untracked))
    }

    /// The names that patterns may call it by: its key, and those of what it is a part of.
    ///
    /// A pattern for a SNAPSHOT holds for each of its builds, one for a directory of Gradle's, or of a pool of the user's
    /// own, for all in it.
    package var names: [String] {
        var names = [key]
        if traits.contains(.files), let version = String(validating: path.parent.name, as: UTF8.self) {
            let parts = key.split(separator: ":", omittingEmptySubsequences: false)
            if parts.count == 3 { names.append("\(parts[0]):\(parts[1]):\(version)") }
        } else if pool == .gradle || pool == .gradleOther || pool.isOwn {
            names += key.indices.filter { key[$0] == "/" }.map { String(key[..<$0]) }
        }
        return names
    }
}

/// An image's record outside the entry.
private final class ImageBox: Sendable, Hashable {
    let image: ScannedImage

    init(_ image: ScannedImage) { self.image = image }

    static func == (a: ImageBox, b: ImageBox) -> Bool { a === b || a.image == b.image }

    func hash(into hasher: inout Hasher) { hasher.combine(image) }
}

/// What an entry consists of where that is no directory, and what else a scan noted of it, in one machine word as
/// the index keeps it.
package struct EntryTraits: OptionSet, Sendable, Hashable {
    /// One bit for each trait; the numbers are part of the index's format.
    package let rawValue: Int64

    /// Takes the bits.
    package init(rawValue: Int64) { self.rawValue = rawValue }

    /// It is the one regular file that its path names.
    package static let file = EntryTraits(rawValue: 1 << 0)
    /// It is all files in its path's directory whose names begin with its path's name and go on with a dot or a dash.
    package static let files = EntryTraits(rawValue: 1 << 1)
    /// It lies in the directory of another entry, which may only go after it.
    package static let part = EntryTraits(rawValue: 1 << 2)
    /// It holds nothing but what remembers a failed download: nothing was fetched.
    package static let failedDownload = EntryTraits(rawValue: 1 << 3)
    /// It was installed locally, newer builds were installed since, and the configuration lets such go by age.
    package static let superseded = EntryTraits(rawValue: 1 << 4)
    /// It holds files that no tool put there.
    package static let foreignFiles = EntryTraits(rawValue: 1 << 5)
}

/// A use that a tool wrote down.
package struct RecordedUse: Sendable, Hashable {
    /// When, by the clock of the job: it may lie in the future.
    package var at: Timestamp
    /// Where it was written down.
    package var evidence: Evidence
    /// The project of the job; nil where that is not known.
    package var project: String?

    /// Makes a record of one use.
    package init(at: Timestamp, evidence: Evidence, project: String? = nil) {
        self.at = at
        self.evidence = evidence
        self.project = project
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
