/// What shows that a volume is the file system that was scanned before, where the number that Larder wrote on it cannot.
package struct FileSystemFacts: Sendable, Hashable {
    /// The file system's own ID (statfs f_fsid); 0 where it has none.
    package var fileSystem: UInt64
    /// The device number of the root directory, which changes with each attachment of a claim.
    package var device: UInt64
    /// The inode of the root directory.
    package var rootInode: UInt64
    /// When the root directory was made, in nanoseconds since 1970; 0 where the file system does not keep it.
    package var rootMadeAt: Int64

    /// Makes the facts from all they consist of.
    package init(fileSystem: UInt64, device: UInt64, rootInode: UInt64, rootMadeAt: Int64) {
        self.fileSystem = fileSystem
        self.device = device
        self.rootInode = rootInode
        self.rootMadeAt = rootMadeAt
    }

    /// Whether they leave no doubt that both are one file system.
    package func isSame(as other: FileSystemFacts) -> Bool {
        guard !isPlainlyOther(than: other) else { return false }
        return fileSystem != 0 && other.fileSystem != 0
            ? fileSystem == other.fileSystem : device == other.device
    }

    /// Whether they leave no doubt that these are two.
    ///
    /// The ID alone is no proof where the directory's time is known: XFS makes it of the device's number.
    package func isPlainlyOther(than other: FileSystemFacts) -> Bool {
        if rootInode != other.rootInode { return true }
        if rootMadeAt != 0, other.rootMadeAt != 0 { return rootMadeAt != other.rootMadeAt }
        return fileSystem != 0 && other.fileSystem != 0 && fileSystem != other.fileSystem
    }
}

/// What the index knows of the file system of a volume.
package struct KnownFileSystem: Sendable, Hashable {
    /// As what its scans are recorded.
    package var identity: VolumeIdentity
    /// What it looked like at the last scan; nil where an older Larder made that.
    package var facts: FileSystemFacts?

    /// Makes a record from all it consists of.
    package init(identity: VolumeIdentity, facts: FileSystemFacts?) {
        self.identity = identity
        self.facts = facts
    }
}
