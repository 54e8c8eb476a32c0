import CLinux
import CacheModel
import FileAccess
import Glibc

/// Measures what the copies in an image store share on disk.
///
/// containers/storage copies a parent layer by `FICLONE` where the file system can (drivers/copy/copy_linux.go):
/// on XFS with reflinks and on btrfs the copies share their blocks, and `du` tells too much. FIEMAP says of each
/// extent where on the disk it lies and whether others share it (Documentation/filesystems/fiemap.rst of Linux);
/// extents at the same place are one. On a compressed btrfs the lengths are those before compression.
///
/// This opens every file, so it takes as long as a walk of the whole store; only a run that asks for it does.
extension StoreSharing {
    /// The file systems that share extents (linux/magic.h): XFS, btrfs, bcachefs, OCFS2.
    private static let able: Set<Int> = [0x5846_5342, 0x9123_683e, 0xca45_1a4e, 0x7461_636f]

    /// Measures what lies below a directory; nil where it cannot be opened or the file system cannot share.
    package init?(measuring path: String) {
        guard let root = try? OpenDirectory.open(root: path),
            Self.able.contains(larder_fs_type(root.descriptor)),
            let device = try? root.stat().device
        else { return nil }
        var measurement = Measurement(device: device)
        measurement.visit(root, depth: 0)
        self = measurement.result
    }
}

private struct Measurement {
    let device: UInt64
    private var own: Int64 = 0
    private var shared: [(start: UInt64, end: UInt64)] = []
    private var linked: Set<UInt64> = []
    private var unreadable: Int64 = 0

    init(device: UInt64) { self.device = device }

    /// Extents at the same place counted once.
    var result: StoreSharing {
        var (once, all, reached) = (UInt64(0), UInt64(0), UInt64(0))
        for piece in shared.sorted(by: { $0.start < $1.start }) {
            all += piece.end - piece.start
            let from = max(piece.start, reached)
            if piece.end > from { once += piece.end - from }
            reached = max(reached, piece.end)
        }
        return StoreSharing(
            mapped: ByteCount(own + Int64(clamping: all)), occupied: ByteCount(own + Int64(clamping: once)),
            unreadable: unreadable)
    }

    mutating func visit(_ directory: OpenDirectory, depth: Int) {
        guard depth < 512, let names = try? directory.names() else {
            unreadable += 1
            return
        }
        for name in names {
            guard let stat = try? directory.stat(name) else { continue }
            switch stat.mode & UInt32(S_IFMT) {
            case UInt32(S_IFDIR):
                guard let child = try? directory.open(name) else {
                    unreadable += 1
                    continue
                }
                // Another file system, mounted in between, is none of the store.
                if (try? child.stat())?.device == device { visit(child, depth: depth + 1) }
            case UInt32(S_IFREG) where stat.blocks > 0:
                if stat.links > 1, !linked.insert(stat.inode).inserted { continue }
                measure(name, in: directory)
            default: break
            }
        }
    }

    private mutating func measure(_ name: [CChar], in directory: OpenDirectory) {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = openat(directory.descriptor, name, flags)
        guard file >= 0 else {
            unreadable += 1
            return
        }
        defer { close(file) }
        var start: UInt64 = 0
        var extents = [larder_extent](repeating: larder_extent(), count: 64)
        while true {
            let count = larder_extents(file, start, &extents, UInt32(extents.count))
            if count < 0 { unreadable += 1 }
            guard count > 0 else { return }
            for extent in extents.prefix(Int(count)) {
                let isShared = extent.flags & larder_extent_shared != 0
                if isShared, extent.flags & larder_extent_unknown == 0 {
                    shared.append((extent.physical, extent.physical &+ extent.length))
                } else {
                    own += Int64(clamping: extent.length)
                }
            }
            guard extents[Int(count) - 1].next > start else { return }
            start = extents[Int(count) - 1].next
        }
    }
}
