/// What a walk keeps of one directory: its own stat, sums over its files, and nothing per file but the names
/// of its sentinels.
///
/// A plain block of integers without references, so that a tree of them can be written to the index and read
/// back as it lies in memory.
struct DirectoryRecord {
    /// The index of its parent in the tree; -1 for the root.
    ///
    /// Always smaller than its own.
    var parent: Int32
    /// Where its name lies in the tree's text.
    var nameStart: UInt32
    var nameLength: UInt16
    /// What the names of its files and a look into its tracking file told.
    var facts: DirectoryFacts
    /// How many bytes the names of its sentinels occupy, right behind its own name, each ended by a NUL.
    var sentinelLength: UInt32
    /// The number of files with one link.
    ///
    /// Those with several are listed apart.
    var files: Int32
    var inode: UInt64
    /// The directory's own times, nanoseconds since 1970.
    var mtime: Int64
    var ctime: Int64
    /// Disk bytes of the directory itself.
    var ownBytes: Int64
    /// Disk bytes of all its files, and of those that are no sentinels.
    var fileBytes: Int64
    var otherBytes: Int64
    /// Lengths of all its files, and of those that are no sentinels.
    var apparentBytes: Int64
    var otherApparentBytes: Int64
    /// The newest access time among its files, nanoseconds since 1970; 0 without files.
    var accessed: Int64
    /// The same among the files that are no sentinels.
    var otherAccessed: Int64
    /// The newest modification time among its files, nanoseconds since 1970, unless it lies in the future; 0 without
    /// files.
    var written: Int64 = 0
    /// The sum of its sentinels' times of change, wrapping: another one where any of them was rewritten in place.
    var sentinelTimes: Int64 = 0
}

/// What is known of a directory from the names of its files.
struct DirectoryFacts: OptionSet {
    let rawValue: UInt16

    /// A Maven version directory: it holds `<parent>-<name>…` files or `_remote.repositories`.
    static let mavenVersion = DirectoryFacts(rawValue: 1 << 0)
    /// It holds an artifact that `_remote.repositories` gives to no remote repository.
    static let locallyInstalled = DirectoryFacts(rawValue: 1 << 1)
    /// It holds a fresh `.part`, `.tmp` or `.lock` file.
    static let inFlight = DirectoryFacts(rawValue: 1 << 2)
    /// It, a file in it, or what lies behind a directory in it, could not be looked at.
    static let unreadable = DirectoryFacts(rawValue: 1 << 3)
    /// Its files must be listed at the next scan: hard links, in-flight files, more files than can be sentinels, what
    /// had just changed, or a directory in it that went away.
    static let listAlways = DirectoryFacts(rawValue: 1 << 4)
    /// The next read of one of its files would leave no trace under relatime.
    static let unarmed = DirectoryFacts(rawValue: 1 << 5)
    /// Its tracking file belongs to another user.
    static let foreignOwner = DirectoryFacts(rawValue: 1 << 6)
    /// It holds `_remote.repositories`.
    static let tracked = DirectoryFacts(rawValue: 1 << 7)
    /// The record is no directory's but that of one regular file, which is an entry by itself.
    static let file = DirectoryFacts(rawValue: 1 << 8)
    /// The record is no directory's but that of several files in its parent, whose names begin with its name.
    static let files = DirectoryFacts(rawValue: 1 << 9)
    /// It holds a file by which a tool marks what it downloaded.
    static let marked = DirectoryFacts(rawValue: 1 << 10)
    /// A version directory that holds nothing but what remembers a failed download.
    static let failedDownload = DirectoryFacts(rawValue: 1 << 11)
    /// A version directory without `_remote.repositories`.
    static let untracked = DirectoryFacts(rawValue: 1 << 12)
    /// A file of another user in it was read within a day: its next read leaves no trace under relatime, and this
    /// process may not arm it.
    static let unarmable = DirectoryFacts(rawValue: 1 << 13)

    /// What lies in it cannot be moved by this process: it may not write there.
    static let closed = DirectoryFacts(rawValue: 1 << 14)
    /// A version directory that holds files which neither Maven nor the build that it is of calls so.
    static let foreignFiles = DirectoryFacts(rawValue: 1 << 15)

    // Made once: a scan asks for them for every directory.
    private static let ofFiles: DirectoryFacts = [.file, .files]
    /// What must be listed at the next scan.
    static let listed: DirectoryFacts = [.listAlways, .unreadable]
    /// What its sentinels alone tell.
    static let ofSentinels: DirectoryFacts = [.unarmed, .unarmable]

    /// The record is no directory's.
    var areOfFiles: Bool { !isDisjoint(with: Self.ofFiles) }
}

/// One name of a file with several links.
struct HardLink {
    var directory: Int32
    var inode: UInt64
    /// How many names the file has in all.
    var links: UInt64
    var bytes: Int64
    var apparentBytes: Int64
}

/// The directories of a volume after a walk, parents before their children.
struct DirectoryTree {
    var records: [DirectoryRecord] = []
    /// All names, raw, one after the other.
    var text: [UInt8] = []
    var hardLinks: [HardLink] = []

    /// The raw name of a directory; empty for the root.
    func name(_ index: Int32) -> ArraySlice<UInt8> {
        let record = records[Int(index)]
        return text[Int(record.nameStart)..<Int(record.nameStart) + Int(record.nameLength)]
    }

    /// The NUL-ended names of a directory's sentinels, one after the other.
    func sentinels(_ index: Int32) -> ArraySlice<UInt8> {
        let record = records[Int(index)]
        let start = Int(record.nameStart) + Int(record.nameLength)
        return text[start..<start + Int(record.sentinelLength)]
    }

    /// A directory's path below the volume's root.
    func path(_ index: Int32) -> [UInt8] {
        var path: [UInt8] = []
        append(index, below: 0, separator: UInt8(ascii: "/"), to: &path)
        return path
    }

    /// Appends the names from below a directory down to one in it.
    ///
    /// Written from the end, as a tree may be deeper than a stack or a list of its ancestors should be.
    func append(_ index: Int32, below top: Int32, separator: UInt8, to bytes: inout [UInt8]) {
        var length = -1
        var at = index
        while at > 0, at != top {
            length += 1 + Int(records[Int(at)].nameLength)
            at = records[Int(at)].parent
        }
        guard length > 0 else { return }
        var end = bytes.count + length
        bytes.append(contentsOf: repeatElement(separator, count: length))
        at = index
        while at > 0, at != top {
            let record = records[Int(at)]
            end -= Int(record.nameLength)
            for offset in 0..<Int(record.nameLength) {
                bytes[end + offset] = text[Int(record.nameStart) + offset]
            }
            end -= 1
            at = record.parent
        }
    }

    /// Appends a directory's raw name.
    func appendName(_ index: Int32, to bytes: inout [UInt8]) {
        let start = Int(records[Int(index)].nameStart)
        text.withUnsafeBufferPointer { text in
            bytes.append(
                contentsOf: UnsafeBufferPointer(
                    rebasing: text[start..<start + Int(records[Int(index)].nameLength)]))
        }
    }
}
