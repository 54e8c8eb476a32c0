import CLinux
import CacheModel
import FileAccess
import Glibc

/// Larder's own folder on a volume, `.larder`: the lock, the trash with its journals, and the probe.
///
/// It is made by the first scan, so that a prune of a full volume finds it there.
package struct LarderDirectory: Sendable {
    /// The volume's root.
    package let root: OpenDirectory
    /// The folder `.larder`.
    package let own: OpenDirectory
    /// The folder `.larder/trash`.
    package let trash: OpenDirectory

    /// Opens the folder, and makes it where it is missing.
    ///
    /// - Throws: `MaintenanceError.readOnly` on a read-only mount, `.folder` where it cannot be made.
    package init(root: OpenDirectory, volume: Volume) throws(MaintenanceError) {
        if volume.isReadOnly { throw .onlyLookedAt(volume: volume.name, path: volume.path) }
        self.root = root
        do {
            let name = Array(".larder".utf8).cString
            try root.makeDirectory(name)
            own = try root.open(name)
            let trashName = Array("trash".utf8).cString
            try own.makeDirectory(trashName)
            trash = try own.open(trashName)
        } catch {
            throw error.code == EROFS
                ? .readOnly(volume: volume.name, path: volume.path)
                : .folder(volume: volume.name, path: "\(volume.path)/.larder", error: error)
        }
    }
}

extension LarderDirectory {
    /// What the volume's own clock shows: the time of change that its file system gives to a file that is touched now.
    ///
    /// On a local disk it is this machine's clock, to the kernel's tick; on a network volume the server's. Nil where
    /// no file can be touched.
    package func volumeTime() -> Timestamp? {
        let name = Array("clock".utf8).cString
        if let found = try? own.stat(name),
            found.mode & UInt32(S_IFMT) != UInt32(S_IFREG) || found.links != 1
        {
            unlinkat(own.descriptor, name, 0)
        }
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = openat(own.descriptor, name, flags, 0o600)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var stat = larder_stat()
        guard larder_statx(file, "", &stat) == 0, stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG),
            stat.links == 1,
            Self.touch(file), larder_statx(file, "", &stat) == 0
        else { return nil }
        // Nobody can choose that one.
        return Timestamp(nanoseconds: stat.ctime)
    }

    /// Has the file system date a file now: by a write, which no clock of this process can date, else by asking for it.
    private static func touch(_ file: Int32) -> Bool {
        var byte = UInt8(ascii: "\n")
        return pwrite(file, &byte, 1, 0) == 1 || futimens(file, nil) == 0
    }
}

/// What stops the maintenance of a volume.
package enum MaintenanceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The volume is mounted read-only.
    case readOnly(volume: String, path: String)
    /// The volume was found and not configured: Larder only looks at it.
    case onlyLookedAt(volume: String, path: String)
    /// Larder's folder on the volume cannot be made or opened.
    case folder(volume: String, path: String, error: SystemError)
    /// Another Larder holds the volume.
    case held(volume: String, holder: String)
    /// The volume is not the one that was scanned.
    case otherVolume(volume: String, path: String)
    /// The volume is not the one that was there a moment ago.
    case wentAway(volume: String, path: String)
    /// The last scan could not read everything.
    case incompleteScan(volume: String, first: String, count: Int64)
    /// The volume's path leads to the root of the whole system.
    case systemRoot(volume: String, path: String)
    /// The clock shows a time more than a day before the last scan.
    case clockWentBack(volume: String, lastScan: Timestamp, now: Timestamp)
    /// The clock was set by more than a day since the last scan.
    case clockWasSet(volume: String, expected: Timestamp, now: Timestamp)
    /// The clock is ahead of the volume's own.
    case clockIsAhead(volume: String, volumeTime: Timestamp, now: Timestamp)
    /// The volume cannot be locked against other Larders.
    case unlocked(volume: String, reason: String)
    /// The plan does not fit the volume.
    case unusablePlan(reason: String)
    /// Something in the trash cannot be read or moved.
    case trash(reason: String, hint: String)

    /// What is wrong and where.
    package var description: String {
        switch self {
        case .readOnly(let volume, let path): "volume \(volume): \(path) is mounted read-only"
        case .onlyLookedAt(let volume, let path):
            "volume \(volume): \(path) was found and not configured, so Larder only looks at it"
        case .folder(let volume, let path, let error): "volume \(volume): \(path): \(error)"
        case .held(let volume, let holder): "volume \(volume) is held by another Larder (\(holder))"
        case .systemRoot(let volume, let path):
            "volume \(volume): \(path) is the root of the whole system, which is no cache volume"
        case .otherVolume(let volume, let path):
            "volume \(volume): what is mounted at \(path) is not what the last scan saw"
        case .wentAway(let volume, let path):
            "volume \(volume): it went away from \(path) a moment ago, or another one took its place"
        case .incompleteScan(let volume, let first, let count):
            "volume \(volume): \(count) path\(count == 1 ? "" : "s") could not be read, first \(first)"
        case .clockWentBack(let volume, let lastScan, let now):
            "volume \(volume): the clock shows \(now), and the last scan was at \(lastScan)"
        case .clockWasSet(let volume, let expected, let now):
            "volume \(volume): the clock shows \(now), and by the time since the last scan it is \(expected)"
        case .clockIsAhead(let volume, let volumeTime, let now):
            "volume \(volume): the clock shows \(now), and the volume's own clock \(volumeTime): by the one, what is "
                + "in use would look idle"
        case .unlocked(let volume, let reason):
            "volume \(volume) cannot be locked against other Larders (\(reason))"
        case .unusablePlan(let reason): "the plan cannot be used: \(reason)"
        case .trash(let reason, _): reason
        }
    }

    /// What to do.
    package var hint: String {
        switch self {
        case .readOnly: "mount it read-write to prune; scan, status and list work as it is"
        case .onlyLookedAt:
            "to let Larder change it, name it in a configuration file, or with --build-cache or --image-root"
        case .folder(_, let path, let error) where [ENOTDIR, ELOOP].contains(error.code):
            "what lies there is no directory that Larder made: look at it, and move it away (\(path))"
        case .folder: "make it writable for this user, or free an inode and a block on the volume"
        case .held: "wait for it to end, or see which process it is; the lock dies with its owner"
        case .systemRoot: "name the directory that the cache PVC is mounted at"
        case .otherVolume: "check the mount, then run 'larder scan'"
        case .wentAway: "mount it again"
        case .incompleteScan: "make it readable or remove it, then scan again: nothing is evicted on guesses"
        case .clockIsAhead: "set the clock of this node, or that of the volume's file server"
        case .unlocked:
            "mount it with locks; where no other Larder can be at work on it, --unlocked prunes it all the same"
        case .clockWentBack, .clockWasSet:
            "set the clock; if it is right now, run 'larder scan', then prune again"
        case .unusablePlan: "make a new one with 'larder plan'"
        case .trash(_, let hint): hint
        }
    }
}
