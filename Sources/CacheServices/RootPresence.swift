import CacheModel
import FileAccess

/// Which directory lies at a volume's path at this moment.
package struct RootPresence: Sendable, Equatable {
    /// The file system's number, which changes with each attachment of a claim.
    package let device: UInt64
    /// The root's inode.
    package let inode: UInt64
    /// The number in `.larder/volume-id`; nil where there is none.
    package let marker: UInt64?
    /// What the file system looks like.
    package let facts: FileSystemFacts

    /// Looks at an open root.
    ///
    /// - Throws: `SystemError` where it cannot be looked at.
    package init(of root: OpenDirectory) throws(SystemError) {
        facts = try FileSystemFacts(of: root)
        (device, inode) = (facts.device, facts.rootInode)
        marker = VolumeID(on: root).number
    }

    /// Whether this is the volume that was seen before, mounted anew or not.
    ///
    /// A mount point whose volume is gone is an empty directory of another file system: it must not be taken for a
    /// volume on which everything vanished.
    package func isSameVolume(as other: RootPresence) -> Bool {
        if device == other.device, inode == other.inode { return true }
        return marker != nil && marker == other.marker
    }
}
