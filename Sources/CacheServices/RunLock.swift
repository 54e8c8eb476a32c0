import CLinux
import CacheModel
import FileAccess
import Glibc

/// Keeps two Larders off one volume.
///
/// The lock is the kernel's, so it dies with its owner, however it dies.
///
/// Two locks are taken: `flock` on the root directory, which needs nothing to be written and so works on a
/// full or read-only volume, and an open-file-description lock on `.larder/lock`, which other nodes of a
/// network file system see. The lock file names its holder.
package final class RunLock: Sendable {
    private let root: OpenDirectory
    private let file: Int32?
    /// Why another Larder might not see the lock; nil where it is held.
    package let weakness: String?

    /// Takes the lock of a volume.
    ///
    /// Where the file system has no locks, or has none left, `weakness` says so.
    ///
    /// - Throws: `MaintenanceError.held` where another process holds it.
    package init(volume: Volume, root: OpenDirectory, now: Timestamp) throws(MaintenanceError) {
        let fresh: OpenDirectory
        do { fresh = try root.open([46, 0]) } catch {
            throw .folder(volume: volume.name, path: volume.path, error: error)
        }
        self.root = fresh
        var weakness: String?
        var code: Int32 = 0
        repeat {
            code = flock(fresh.descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
        } while code == EINTR
        if code == EWOULDBLOCK { throw .held(volume: volume.name, holder: Self.holder(below: fresh)) }
        if code != 0 { weakness = "flock: \(SystemError(code: code))" }
        let opened = volume.isReadOnly ? nil : Self.openFile(below: fresh)
        if let opened {
            let result = larder_lock_exclusive(opened)
            if result == -EAGAIN || result == -EACCES {
                close(opened)
                throw .held(volume: volume.name, holder: Self.holder(below: fresh))
            }
            if result != 0 { weakness = "fcntl: \(SystemError(code: -result))" }
            let text = Array("process \(getpid()), since \(now)\n".utf8)
            // The name of the holder is a courtesy: a full volume must not keep a prune from running.
            if Self.isOwn(opened), ftruncate(opened, 0) == 0 { _ = pwrite(opened, text, text.count, 0) }
        }
        file = opened
        self.weakness = weakness
    }

    /// Unlocks in so many words: a process that another thread is just forking holds copies of the descriptors
    /// until its exec, and closing ours alone would leave the volume locked for that long.
    deinit {
        flock(root.descriptor, LOCK_UN)
        if let file {
            larder_unlock(file)
            close(file)
        }
    }

    private static func openFile(below root: OpenDirectory) -> Int32? {
        let folder = Array(".larder".utf8).cString
        try? root.makeDirectory(folder)
        guard let own = try? root.open(folder) else { return nil }
        // What a job put in its place, a link or a pipe or one more name of another file, is not opened.
        if let found = try? own.stat("lock".utf8.cString), !isPlain(found) {
            unlinkat(own.descriptor, "lock", 0)
        }
        let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = openat(own.descriptor, "lock", flags, 0o600)
        return file >= 0 ? file : nil
    }

    private static func isPlain(_ stat: larder_stat) -> Bool {
        stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG) && stat.links == 1
    }

    /// Whether an open file is nobody else's: nothing is written to one that was swapped in since the look.
    private static func isOwn(_ file: Int32) -> Bool {
        var stat = larder_stat()
        return larder_statx(file, "", &stat) == 0 && isPlain(stat)
    }

    private static func holder(below root: OpenDirectory) -> String {
        guard let own = try? root.open(Array(".larder".utf8).cString),
            let file = try? own.openFile(Array("lock".utf8).cString, onlyName: true).descriptor
        else { return "its process is not known" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = read(file, &bytes, bytes.count)
        let line = bytes.prefix(max(0, count)).prefix { $0 != 10 }
        return line.isEmpty ? "its process is not known" : escaped(line)
    }
}
