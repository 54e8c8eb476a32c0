import Foundation
import Glibc

/// Room that is set aside in the state directory while there is some, and given back when there is none: a
/// prune of a full disk must still be able to record what it did.
struct StateReserve: Sendable {
    /// What is set aside, in bytes: several times what a prune of 10,000 entries writes.
    static let size: Int64 = 4 << 20

    let directory: String
    private var path: String { directory + "/reserve" }

    /// Sets the room aside where it is not yet.
    ///
    /// Returns whether it is there afterwards; a full disk is no error.
    @discardableResult
    func make() -> Bool {
        var found = stat()
        if lstat(path, &found) == 0, Int64(found.st_blocks) * 512 >= Self.size { return true }
        unlink(path)
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        // Another Larder that begins at this moment makes it.
        guard file >= 0 else { return errno == EEXIST }
        defer { close(file) }
        guard posix_fallocate(file, 0, off_t(Self.size)) == 0 else {
            unlink(path)
            return false
        }
        return true
    }

    /// Gives the room back.
    ///
    /// Returns whether there was any.
    func release() -> Bool { unlink(path) == 0 }

    /// Whether the file system of the state directory, or of the nearest directory above it that exists, has
    /// no byte or no inode left.
    var isFull: Bool {
        var at = directory
        var found = statvfs()
        while statvfs(at, &found) != 0 {
            guard at != "/", !at.isEmpty else { return false }
            at = (at as NSString).deletingLastPathComponent
        }
        return found.f_bavail * found.f_frsize < 64 << 10 || (found.f_files > 0 && found.f_favail == 0)
    }
}
