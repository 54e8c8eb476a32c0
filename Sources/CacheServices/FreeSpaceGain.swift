import CacheModel
import Caches
import FileAccess

/// What a file system got back since a moment, by its own account: a sum of entries would not know of links,
/// reflinks or of what jobs wrote meanwhile.
struct FreeSpaceGain {
    private let root: OpenDirectory
    private let before: Capacity?

    /// Begins to count on the file system of a volume's root.
    init(on root: OpenDirectory) {
        self.root = root
        before = Capacity(descriptor: root.descriptor)
    }

    /// What is free now beyond what was free then; nothing where jobs wrote more than was freed, or where
    /// statfs failed.
    var bytes: ByteCount {
        guard let before, let now = Capacity(descriptor: root.descriptor) else { return .zero }
        return max(.zero, now.free - before.free)
    }
}
