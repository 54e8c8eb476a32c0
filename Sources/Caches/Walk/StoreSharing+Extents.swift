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
    /// Measures what lies below a directory; nil where it cannot be opened or the file system cannot share.
    package init?(measuring path: String) {
        guard let root = try? OpenDirectory.open(root: path),
            SharedBlocks.mayExist(on: root),
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
        let isWhole = SharedBlocks.forEachExtent(of: file) { extent in
            if SharedBlocks.isShared(extent) {
                shared.append((extent.physical, extent.physical &+ extent.length))
            } else {
                own += Int64(clamping: extent.length)
            }
        }
        if !isWhole { unreadable += 1 }
    }
}

/// What of the blocks of single files others hold as well, by reflinks: that does not come free when they go.
package enum SharedBlocks {
    /// The file systems that share extents (linux/magic.h): XFS, btrfs, bcachefs, OCFS2.
    private static let able: Set<Int> = [0x5846_5342, 0x9123_683e, 0xca45_1a4e, 0x7461_636f]

    /// Whether files on the file system of a directory can share blocks.
    package static func mayExist(on directory: OpenDirectory) -> Bool {
        able.contains(larder_fs_type(directory.descriptor))
    }

    /// How much of what a file occupies others hold as well; all of it where nobody can tell.
    package static func bytes(of name: [CChar], _ stat: larder_stat, in directory: OpenDirectory) -> ByteCount
    {
        let occupied = stat.blocks * 512
        guard stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG), occupied > 0 else { return .zero }
        let file = openat(directory.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return ByteCount(occupied) }
        defer { close(file) }
        var shared: Int64 = 0
        let isWhole = forEachExtent(of: file) { extent in
            if isShared(extent) { shared.addPinned(Int64(clamping: extent.length)) }
        }
        return ByteCount(isWhole ? min(shared, occupied) : occupied)
    }

    /// What comes free when all below a directory goes, each file by itself.
    package static func exclusiveBytes(below directory: OpenDirectory) -> ByteCount {
        var sum = ByteCount.zero
        // Names with the directory they are in, opened one by one: descriptors as few as the tree is deep.
        var stack = [(parent: directory, name: [CChar]([46, 0]))]
        while let (parent, name) = stack.popLast() {
            guard let inside = try? parent.open(name), let names = try? inside.names() else { continue }
            for name in names {
                guard let stat = try? inside.stat(name) else { continue }
                if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) { stack.append((inside, name)) }
                guard stat.links == 1 || stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) else { continue }
                sum = sum + ByteCount(stat.blocks * 512) - bytes(of: name, stat, in: inside)
            }
        }
        return sum
    }

    fileprivate static func isShared(_ extent: larder_extent) -> Bool {
        extent.flags & larder_extent_shared != 0 && extent.flags & larder_extent_unknown == 0
    }

    /// Whether all pieces of a file were seen.
    fileprivate static func forEachExtent(of file: Int32, _ body: (larder_extent) -> Void) -> Bool {
        var start: UInt64 = 0
        var extents = [larder_extent](repeating: larder_extent(), count: 64)
        while true {
            let count = larder_extents(file, start, &extents, UInt32(extents.count))
            guard count > 0 else { return count == 0 }
            extents.prefix(Int(count)).forEach(body)
            guard extents[Int(count) - 1].next > start else { return true }
            start = extents[Int(count) - 1].next
        }
    }
}
