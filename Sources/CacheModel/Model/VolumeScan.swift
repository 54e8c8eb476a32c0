/// What one scan of one volume found.
package struct VolumeScan: Sendable {
    /// The volume's name.
    package var volume: String
    /// When the scan began.
    package var startedAt: Timestamp
    /// When it ended.
    package var finishedAt: Timestamp
    /// Which file system it was.
    package var identity: VolumeIdentity
    /// As what the same file system was recorded until now, where that is another one.
    package var formerIdentity: VolumeIdentity?
    /// What the file system looks like; nil where that is not recorded.
    package var fileSystem: FileSystemFacts?
    /// Whether everything could be read.
    ///
    /// A prune refuses to work from an incomplete scan.
    package var complete: Bool
    /// The number of directories, the root included.
    package var directories: Int64
    /// The number of files that are no directories, hard links counted once.
    package var files: Int64
    /// Disk blocks × 512 of all that is live: the trash is not in it.
    package var bytes: ByteCount
    /// The sum of the files' lengths.
    package var apparentBytes: ByteCount
    /// What waits in the volume's trash.
    package var trashBytes: ByteCount
    /// What could not be read, by path and reason, the first hundred.
    package var unreadable: [UnreadablePath]
    /// How many paths could not be read.
    package var unreadableCount: Int64
    /// Everything that was not looked at: what could not be read, and what another file system is mounted on.
    ///
    /// What the index knows at or below these paths is not gone: it stays as it was, and is protected.
    package var unseen: [VolumePath] = []
    /// What statfs said.
    package var capacity: Capacity
    /// How far access times can be trusted here, and why.
    package var atimeTrust: EvidenceQuality
    /// The entries in the order of their paths.
    package var entries: [ScannedEntry]
    /// The layers of an image store.
    package var layers: [ScannedLayer]
    /// What killed pulls and dead pods left in an image store.
    package var orphans: [Orphan] = []
    /// What the volume's file system says is used; nil where it is not the volume's own, or does not count.
    package var fileSystemUsed: ByteCount?
    /// How many inodes live files and directories take of the volume's own file system; nil where it is not its own, or
    /// makes them as needed.
    package var usedInodes: Int64?
    /// How many the trash takes.
    package var trashInodes: Int64 = 0
    /// What lies in an image store beside what its records tell, as far as it can be named.
    package var unaccounted: [UnaccountedSpace] = []
    /// The event logs that are kept, and what they occupy.
    package var eventLogs = EventLogs()

    /// What the volume uses: what its own file system says, else what the scan counted.
    package var usedBytes: ByteCount { fileSystemUsed ?? bytes }
    /// Directories with files whose next read would leave no trace under relatime: to be armed once the scan
    /// is recorded.
    package var unarmed: [VolumePath]
    /// What the next scan must find exactly as this one is recorded, in the scanner's own format: how far event
    /// logs were read.
    package var snapshot: [UInt8]
    /// What a person should know of the scan itself, a sentence each.
    package var notices: [String] = []
    /// What makes the evidence less certain, or a prune less useful, until it is put right.
    package var warnings: [ScanWarning] = []
    /// What belongs to no pool, the largest directories first.
    package var unmanaged: [UnmanagedDirectory] = []
    /// The files that have names in several entries.
    package var sharedFiles: [SharedFiles] = []

    /// Makes a scan from all it consists of.
    package init(
        volume: String, startedAt: Timestamp, finishedAt: Timestamp, identity: VolumeIdentity,
        complete: Bool, directories: Int64, files: Int64, bytes: ByteCount, apparentBytes: ByteCount,
        trashBytes: ByteCount = .zero, unreadable: [UnreadablePath] = [], unreadableCount: Int64 = 0,
        capacity: Capacity, atimeTrust: EvidenceQuality, entries: [ScannedEntry],
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

/// What a scan noticed of a volume that somebody should put right.
package struct ScanWarning: Sendable, Hashable {
    /// Its name, the same from release to release: `gradle-journal-path`.
    package var code: String
    /// What is wrong.
    package var text: String
    /// What to do.
    package var hint: String

    /// Makes a warning from its three texts.
    package init(code: String, text: String, hint: String) {
        self.code = code
        self.text = text
        self.hint = hint
    }
}

/// A directory whose content belongs to no pool: it is counted, and never pruned.
package struct UnmanagedDirectory: Sendable, Hashable {
    /// Where.
    package var path: VolumePath
    /// Disk blocks × 512 of what in it belongs to no pool.
    package var bytes: ByteCount
    /// The number of those files.
    package var files: Int64
    /// The tool that it belongs to, in a few words; empty where that is not known.
    package var tool: String

    /// Makes a record from all it consists of.
    package init(path: VolumePath, bytes: ByteCount, files: Int64, tool: String) {
        self.path = path
        self.bytes = bytes
        self.files = files
        self.tool = tool
    }
}

/// Files with several names, of which not all lie in one entry: what they occupy comes free when the last goes.
package struct SharedFiles: Sendable, Hashable {
    /// The entries that have names of them, by their paths, in order.
    package var holders: [VolumePath]
    /// The one whose size they are counted in; nil where that is none.
    package var countedIn: VolumePath?
    /// Whether there are names outside of entries, so that no eviction frees anything.
    package var isHeldElsewhere: Bool
    /// What they occupy.
    package var bytes: ByteCount

    /// Makes a record from all it consists of.
    package init(holders: [VolumePath], countedIn: VolumePath?, isHeldElsewhere: Bool, bytes: ByteCount) {
        self.holders = holders
        self.countedIn = countedIn
        self.isHeldElsewhere = isHeldElsewhere
        self.bytes = bytes
    }
}

/// What tells one mounted volume from another under the same path.
package struct VolumeIdentity: Sendable, Hashable, Codable {
    /// The random number that Larder wrote on the volume to know it again: device numbers change with each
    /// attachment of a PVC.
    ///
    /// Where nothing can be written, the device number of the root directory.
    package var marker: UInt64
    /// The inode of the root directory.
    package var rootInode: UInt64

    /// Makes an identity from its two numbers.
    package init(marker: UInt64, rootInode: UInt64) {
        self.marker = marker
        self.rootInode = rootInode
    }
}

/// A path that a scan could not read.
package struct UnreadablePath: Sendable, Hashable {
    /// Where.
    package var path: VolumePath
    /// Why: the system's message.
    package var reason: String

    /// Makes a record of one path.
    package init(path: VolumePath, reason: String) {
        self.path = path
        self.reason = reason
    }
}

/// How far a kind of evidence can be trusted on a volume.
package struct EvidenceQuality: Sendable, Hashable, Codable {
    /// The grade.
    package var confidence: Confidence
    /// What lowered it, in a sentence; empty at `high`.
    package var reason: String

    /// Makes a judgement.
    package init(_ confidence: Confidence, reason: String = "") {
        self.confidence = confidence
        self.reason = reason
    }
}
