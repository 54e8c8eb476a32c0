import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc
import Synchronization

/// Removes directory trees by descriptors: nothing is followed, no mount point is entered, and what a racing
/// process swaps in is unlinked as a name, never walked through.
enum TreeRemoval {
    /// Whoever fills a directory as fast as it is emptied is left with it.
    private static let mostRounds = 100

    /// Removes a name and all below it.
    ///
    /// Returns the disk bytes that came free: those whose last link went, and that no other file shares by reflinks.
    ///
    /// - Throws: The first failure; what was removed until then stays removed. `EXDEV` at a mount point.
    static func remove(_ name: [CChar], in parent: OpenDirectory) throws(SystemError) -> ByteCount {
        let stat: larder_stat
        do { stat = try parent.stat(name) } catch {
            if error.code == ENOENT { return .zero }
            throw error
        }
        guard stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) else { return try unlink(name, in: parent, stat) }
        return try removeDirectory(name, in: parent)
    }

    private static func unlink(
        _ name: [CChar], in parent: OpenDirectory, _ stat: larder_stat
    ) throws(SystemError) -> ByteCount {
        // Of a file with several links, another thread may take one at the same time: its bytes come free with the last.
        guard stat.links > 1 else { return try unlinkOne(name, in: parent, stat) }
        return try linked.withLock { _ throws(SystemError) in
            let stat: larder_stat
            do throws(SystemError) { stat = try parent.stat(name) } catch {
                if error.code == ENOENT { return .zero }
                throw error
            }
            return try unlinkOne(name, in: parent, stat)
        }
    }

    private static let linked = Mutex<Void>(())

    private static func unlinkOne(
        _ name: [CChar], in parent: OpenDirectory, _ stat: larder_stat
    ) throws(SystemError) -> ByteCount {
        // Told before it goes; of the last of several that share blocks, none is shared any more.
        let shared =
            stat.links == 1 && SharedBlocks.mayExist(on: parent)
            ? SharedBlocks.bytes(of: name, stat, in: parent) : .zero
        if unlinkat(parent.descriptor, name, 0) != 0 {
            guard errno == EACCES, fchmod(parent.descriptor, 0o700) == 0,
                unlinkat(parent.descriptor, name, 0) == 0
            else {
                if errno == ENOENT { return .zero }
                throw SystemError(code: errno)
            }
        }
        return ByteCount(stat.links == 1 ? stat.blocks * 512 : 0) - shared
    }

    /// Goes down with a stack of its own: a tree 2,000 directories deep must not end the process.
    private static func removeDirectory(
        _ name: [CChar], in parent: OpenDirectory
    ) throws(SystemError) -> ByteCount {
        // What the name itself says is what is mounted on it.
        let home = try parent.stat()
        struct Level {
            let parent: OpenDirectory
            let name: [CChar]
            let directory: OpenDirectory
            let ownBytes: Int64
            var rest: [[CChar]]
            /// How often it was begun anew.
            var rounds = 0
        }
        func level(_ name: [CChar], _ parent: OpenDirectory) throws(SystemError) -> Level {
            let directory = try openForRemoval(name, in: parent)
            let own = try directory.stat()
            guard own.device == home.device, own.mount == home.mount else { throw SystemError(code: EXDEV) }
            return Level(
                parent: parent, name: name, directory: directory, ownBytes: own.blocks * 512,
                rest: try directory.names())
        }
        var freed = ByteCount.zero
        var stack = [try level(name, parent)]
        while var top = stack.popLast() {
            guard let next = top.rest.popLast() else {
                if unlinkat(top.parent.descriptor, top.name, AT_REMOVEDIR) != 0 {
                    // Another process put something in meanwhile: once more from the beginning of this one.
                    if errno == ENOTEMPTY, top.rounds < mostRounds {
                        top.rounds += 1
                        top.rest = try top.directory.names()
                        stack.append(top)
                        continue
                    }
                    if errno != ENOENT { throw SystemError(code: errno) }
                }
                freed = freed + ByteCount(top.ownBytes)
                continue
            }
            let stat: larder_stat
            do { stat = try top.directory.stat(next) } catch {
                if error.code != ENOENT { throw error }
                stack.append(top)
                continue
            }
            if stat.mode & UInt32(S_IFMT) == UInt32(S_IFDIR) {
                let below = try level(next, top.directory)
                stack.append(top)
                stack.append(below)
            } else {
                freed = freed + (try unlink(next, in: top.directory, stat))
                stack.append(top)
            }
        }
        return freed
    }

    private static func openForRemoval(
        _ name: [CChar], in parent: OpenDirectory
    ) throws(SystemError) -> OpenDirectory {
        do { return try parent.open(name) } catch {
            // A directory without read permission: its owner may give it to himself.
            guard error.code == EACCES else { throw error }
            let handle = openat(
                parent.descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | larder_o_path)
            guard handle >= 0 else { throw SystemError(code: errno) }
            defer { close(handle) }
            var found = larder_stat()
            let above = try parent.stat()
            guard larder_statx(handle, "", &found) == 0, found.device == above.device,
                found.mount == above.mount
            else { throw SystemError(code: EXDEV) }
            guard chmod("/proc/self/fd/\(handle)", 0o700) == 0 else { throw error }
            return try parent.open(name)
        }
    }
}
