import CacheModel
import DirectoryAccess
import Maintenance
import VolumeScanning

/// What lies at a volume's path at this moment.
struct VolumePresence: Sendable, Equatable {
    /// The file system and the inode of the root.
    var device: UInt64
    var inode: UInt64
    /// The number in `.larder/volume-id`; nil where there is none.
    var marker: UInt64?
    /// How full the file system is.
    var capacity: Capacity
    /// Whether the directory above lies on another file system.
    var isMountPoint: Bool

    /// Looks at the path; nil where nothing can be opened there.
    init?(of volume: Volume) {
        guard let root = try? OpenDirectory.open(root: volume.path), let stat = try? root.stat(),
            let capacity = Capacity(descriptor: root.descriptor)
        else { return nil }
        (device, inode, self.capacity) = (stat.device, stat.inode, capacity)
        marker = Self.marker(below: root)
        let above = try? OpenDirectory.open(root: volume.path + "/..").stat()
        isMountPoint = above.map { $0.device != stat.device } ?? false
    }

    /// Whether this is the volume that was seen before, mounted anew or not.
    ///
    /// A mount point whose volume is gone is an empty directory of another file system: it must not be taken for a
    /// volume on which everything vanished.
    func isSameVolume(as other: VolumePresence) -> Bool {
        if device == other.device, inode == other.inode { return true }
        return marker != nil && marker == other.marker
    }

    /// Whether the same volume is at its path still, a moment after it was seen there.
    ///
    /// The watch looks every few seconds, and a volume may be unmounted between two looks: a scan of the empty
    /// mount point would take it for a new volume, and the volume that comes back for another one.
    func isStillThere(of volume: Volume?) -> Bool {
        guard let volume else { return true }
        return VolumePresence(of: volume)?.isSameVolume(as: self) ?? false
    }

    private static func marker(below root: OpenDirectory) -> UInt64? {
        guard let own = try? root.open(Array(".larder".utf8).cString) else { return nil }
        return VolumeFolder.marker(in: own)
    }
}
