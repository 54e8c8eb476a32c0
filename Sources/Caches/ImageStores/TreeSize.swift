import CLinux
import CacheModel
import FileAccess
import Glibc

/// What trees occupy: the blocks of their files, each inode once, as far as a number of files.
struct TreeSize {
    private var blocks: Int64 = 0
    private var left: Int
    private let limit: Int
    private var linked: Set<UInt64> = []
    /// Whether a part could not be looked at, because it is closed to us or beyond the limit.
    private(set) var isLowerBound = false
    /// When something in it was last written or made, by the times that no archive sets.
    private(set) var newest = Timestamp(nanoseconds: 0)

    /// Looks at so many files at most.
    init(limit: Int) {
        left = limit
        self.limit = limit
    }

    /// How many files were looked at.
    var seen: Int { limit - max(0, left) }

    /// What was added.
    var bytes: ByteCount { ByteCount(blocks.multipliedPinned(by: 512)) }

    /// Adds what another counted.
    mutating func add(_ other: TreeSize) {
        blocks.addPinned(other.blocks)
        left -= other.seen
        isLowerBound = isLowerBound || other.isLowerBound
        newest = max(newest, other.newest)
    }

    /// Adds one file.
    mutating func addFile(_ name: [CChar], in directory: OpenDirectory) {
        guard let stat = try? directory.stat(name) else {
            isLowerBound = true
            return
        }
        left -= 1
        count(stat)
    }

    /// Counts a file or a directory, each inode once.
    private mutating func count(_ stat: larder_stat) {
        newest = max(newest, Timestamp(nanoseconds: stat.ctime))
        let isDirectory = stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR)
        if isDirectory || stat.links == 1 || linked.insert(stat.inode).inserted {
            blocks.addPinned(stat.blocks)
        }
    }

    /// Adds a tree; other users' directories may be closed to us.
    mutating func add(_ directory: OpenDirectory) {
        if let stat = try? directory.stat() { count(stat) }
        // Names with the directory they are in, opened one by one: descriptors as few as the tree is deep.
        var stack: [(parent: OpenDirectory, name: [CChar])] = [(directory, [46, 0])]
        while let (parent, name) = stack.popLast() {
            guard let next = try? parent.open(name), let names = try? next.names() else {
                isLowerBound = true
                continue
            }
            for name in names {
                left -= 1
                guard left > 0 else {
                    isLowerBound = true
                    return
                }
                guard let stat = try? next.stat(name) else {
                    isLowerBound = true
                    continue
                }
                if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) { stack.append((next, name)) }
                count(stat)
            }
        }
    }
}
