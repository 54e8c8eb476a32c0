import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc

/// The look at an entry just before and just after it is moved away: whether it is still what the plan saw, and
/// whether what protects an entry has come to it since.
///
/// Every fact is read from the files themselves, not from the index: where they came from, downloads under way, reads,
/// times of change, and whether anything lies there that no tool put there.
enum PreEvictionCheck {
    /// What an entry is found to be, or why it must stay.
    enum Finding: Equatable {
        case unchanged(Occupancy)
        case changed(Refusal)
    }

    /// What an entry's files and directories occupy.
    struct Occupancy: Equatable {
        /// Disk blocks × 512 of what has no other name, and that no other file shares.
        var bytes = ByteCount.zero
        /// How many files and directories, files with several names not counted.
        var inodes: Int64 = 0
        /// The files with several names, once for each name that was found.
        var linked: [LinkedFile] = []

        /// Whether files may share blocks with others by reflinks, which do not come free with them.
        let mayShareBlocks: Bool

        /// Begins with nothing, on the file system of that directory.
        init(on directory: OpenDirectory) { mayShareBlocks = SharedBlocks.mayExist(on: directory) }

        /// Adds a file of a directory.
        mutating func add(_ name: [CChar], _ stat: larder_stat, in directory: OpenDirectory) {
            let shared = mayShareBlocks ? SharedBlocks.bytes(of: name, stat, in: directory) : .zero
            let own = ByteCount(stat.blocks * 512) - shared
            if stat.links == 1 {
                bytes = bytes + own
                inodes += 1
            } else {
                linked.append(LinkedFile(inode: stat.inode, names: UInt64(stat.links), bytes: own))
            }
        }
    }

    /// A file with several names.
    struct LinkedFile: Equatable {
        var inode: UInt64
        var names: UInt64
        var bytes: ByteCount
    }

    /// Walks the entry's directory.
    ///
    /// Anything read, fetched, written, swapped or mounted since the plan keeps the entry, and so does what nothing
    /// could fetch again.
    ///
    /// - Parameters:
    ///   - quietSince: Since when no file may have been read that the scan did not see read: it looks at the
    ///     files that tell of a use, and this look at all.
    ///   - now: Downloads that moved within a day of it count as under way.
    ///   - isMoved: Whether the directory was just renamed, which sets its own time of change.
    ///   - ownChange: The directory's times where this run alone changed it since the scan.
    static func look(
        at entry: ScannedEntry, in directory: OpenDirectory, quietSince: Timestamp, now: Timestamp,
        isMoved: Bool = false, ownChange: OwnMoves.Times? = nil
    ) -> Finding {
        do {
            let head = try directory.stat()
            guard head.inode == entry.inode else {
                return .changed("its directory was replaced since the scan")
            }
            var look = EntryLook(
                entry: entry, tools: ToolFiles(entry: entry), head: head,
                usedAfter: max(entry.accessed, quietSince), now: now,
                isMoved: isMoved, ownChange: ownChange,
                occupancy: PreEvictionCheck.Occupancy(on: directory))
            // Names with the directory they are in, opened one by one: descriptors as few as the tree is deep.
            var stack = [EntryLook.Place(parent: directory, name: [46, 0], depth: 0, isTools: true)]
            while let place = stack.popLast() {
                let next = try place.parent.open(place.name)
                if let change = try look.lookInto(next, place, &stack) { return .changed(Refusal(change)) }
            }
            return .unchanged(look.occupancy)
        } catch let error {
            if error.code == EXDEV { return .changed("a file system is mounted in it") }
            return .changed("it could not be looked at (\(error))")
        }
    }
}

/// One look at one entry.
private struct EntryLook {
    /// A directory to look into.
    struct Place {
        let parent: OpenDirectory
        let name: [CChar]
        /// How many directories it lies below the entry's own.
        let depth: Int
        /// Whether the tool itself keeps files there.
        let isTools: Bool
    }

    let entry: ScannedEntry
    let tools: ToolFiles
    let head: larder_stat
    let usedAfter: Timestamp
    let now: Timestamp
    let isMoved: Bool
    let ownChange: OwnMoves.Times?
    var occupancy: PreEvictionCheck.Occupancy

    /// Looks at all in one directory; the reason to stay, where there is one.
    mutating func lookInto(
        _ directory: OpenDirectory, _ place: Place, _ stack: inout [Place]
    ) throws(SystemError) -> String? {
        let own = try directory.stat()
        guard own.device == head.device, own.mount == head.mount else {
            return "a file system is mounted in it"
        }
        if own.mtime > entry.fetched.nanoseconds { return "something was fetched into it since the scan" }
        let isOwnChange = ownChange == OwnMoves.Times(mtime: own.mtime, ctime: own.ctime)
        if place.depth > 0 || !isMoved && !isOwnChange, isLater(own.ctime) {
            return "it was changed since the scan"
        }
        occupancy.bytes = occupancy.bytes + ByteCount(own.blocks * 512)
        occupancy.inodes += 1
        // An installed build that may go by its age is no download.
        let isDownload = entry.pool == .maven && !entry.traits.contains(.superseded)
        let origin = isDownload && place.depth == 0 ? try Origin(directory, of: entry) : nil
        for name in try directory.names() {
            let stat: larder_stat
            do { stat = try directory.stat(name) } catch {
                if error.isVanished { return "it changed under the last look" }
                throw error
            }
            let raw = name.dropLast().map(UInt8.init(bitPattern:))
            if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) {
                stack.append(
                    Place(
                        parent: directory, name: name, depth: place.depth + 1,
                        isTools: place.isTools && tools.mayLie(in: raw, place.depth)))
                continue
            }
            occupancy.add(name, stat, in: directory)
            guard place.isTools, tools.mayLie(atDepth: place.depth) else { return ToolFiles.refusal }
            if let change = judge(raw, stat, origin) { return change }
        }
        return nil
    }

    private func isLater(_ time: Int64) -> Bool {
        entry.settledAt.map { time > $0.nanoseconds } ?? false
    }

    private func judge(_ name: [UInt8], _ stat: larder_stat, _ origin: Origin?) -> String? {
        name.withUnsafeBufferPointer { bytes in
            if FileNames.isUnderWay(bytes, stat, now: now) {
                return "a download into it is under way"
            }
            if isLater(stat.ctime) { return "it was changed since the scan" }
            if let origin, FileNames.isArtifact(bytes), !origin.isFetched(bytes) {
                return tools.isNamedByArtifact(bytes)
                    ? Protection.locallyInstalled.text : ToolFiles.refusal
            }
            if FileNames.isChecksum(bytes) { return nil }
            return stat.atime > usedAfter.nanoseconds ? "a job used it since the scan" : nil
        }
    }
}

/// Where the files of a Maven version came from, as its tracking file says at this moment.
private struct Origin {
    private let tracking: TrackingFile?
    private let download: UntrackedDownload?

    init(_ directory: OpenDirectory, of entry: ScannedEntry) throws(SystemError) {
        do {
            tracking = try TrackingFile.read(in: directory).get()
            download = nil
        } catch {
            // Without one, nothing vouches for any file, but for those of a tool that writes none.
            guard error.code == ENOENT else { throw error }
            tracking = nil
            download = UntrackedDownload(entry.path)
        }
    }

    func isFetched(_ file: UnsafeBufferPointer<UInt8>) -> Bool {
        tracking?.isFetched(file) ?? download?.isFetched(file) ?? false
    }
}
