import CacheModel
import CacheServices
import Caches
import FileAccess

/// What lies at a volume's path at this moment.
struct VolumePresence: Sendable, Equatable {
    /// Its root.
    var root: RootPresence
    /// How full the file system is.
    var capacity: Capacity
    /// Whether the directory above lies on another file system.
    var isMountPoint: Bool

    /// Whether the volume has its file system for itself.
    var isOwn: Bool

    /// Looks at the path; nil where nothing can be opened there.
    init?(of volume: Volume) {
        guard let directory = try? OpenDirectory.open(root: volume.path),
            let root = try? RootPresence(of: directory),
            let capacity = Capacity(descriptor: directory.descriptor)
        else { return nil }
        (self.root, self.capacity) = (root, capacity)
        isOwn = OwnFileSystem.isOwn(volume, directory)
        let above = try? OpenDirectory.open(root: volume.path + "/..").stat()
        isMountPoint = above.map { $0.device != root.device } ?? false
    }
}
