import CLinux
import CacheModel
import Glibc

/// A directory's descriptor, closed when the last user of it is gone.
///
/// All access to what other people write goes from a volume's root by descriptors: no path string is resolved
/// twice, no link is followed, no mount point crossed.
package final class OpenDirectory: Sendable {
    /// The descriptor: open for reading.
    package let descriptor: Int32
    /// The raw name that it was opened by; empty for a volume's root.
    package let name: [UInt8]

    /// Takes over an open descriptor.
    package init(descriptor: Int32, name: [UInt8] = []) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit { close(descriptor) }

    private static let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC

    /// Opens a directory by its absolute path, which comes from configuration and may lead through links.
    package static func open(root path: String) throws(SystemError) -> OpenDirectory {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError(code: errno) }
        return OpenDirectory(descriptor: descriptor)
    }

    /// Opens a directory by its absolute path, in which nobody may have put a link; mount points are crossed.
    ///
    /// For what is to be changed at a place where jobs can write.
    package static func open(withoutLinks path: String) throws(SystemError) -> OpenDirectory {
        var above = try open(root: "/")
        for name in path.split(separator: "/") {
            let next = openat(above.descriptor, String(name), flags)
            guard next >= 0 else { throw SystemError(code: errno) }
            above = OpenDirectory(descriptor: next)
        }
        return above
    }

    /// Whether two absolute paths are one directory, by their names or through links and bind mounts.
    package static func isSame(_ path: String, _ other: String) -> Bool {
        if path == other { return true }
        guard let one = try? open(root: path).stat(), let two = try? open(root: other).stat() else {
            return false
        }
        return one.device == two.device && one.inode == two.inode
    }

    /// Opens a directory in this one by its NUL-ended name: through no link and over no mount point.
    ///
    /// A FIFO or device in its place fails with ENOTDIR before it is opened, a mount point with EXDEV.
    package func open(_ name: [CChar]) throws(SystemError) -> OpenDirectory {
        let child = larder_open_beneath(descriptor, name, Self.flags)
        guard child >= 0 else { throw SystemError(code: -child) }
        return OpenDirectory(descriptor: child, name: name.dropLast().map(UInt8.init(bitPattern:)))
    }

    /// Opens a directory somewhere below this one: through no link and over no mount point.
    package func open(_ path: VolumePath) throws(SystemError) -> OpenDirectory {
        let child = larder_open_beneath(descriptor, path.bytes.isEmpty ? [46, 0] : path.cString, Self.flags)
        guard child >= 0 else { throw SystemError(code: -child) }
        return OpenDirectory(descriptor: child, name: Array(path.name))
    }

    /// The stat of a NUL-ended name in this directory, of a link itself; of the directory for an empty name.
    package func stat(_ name: [CChar] = [0]) throws(SystemError) -> larder_stat {
        var stat = larder_stat()
        let result = larder_statx(descriptor, name, &stat)
        guard result == 0 else { throw SystemError(code: -result) }
        return stat
    }

    /// Opens a regular file in this directory by its NUL-ended name, never through a link; the caller closes it.
    ///
    /// It is looked at first, for opening alone makes some devices act. `EINVAL` for what is no regular file,
    /// `EMLINK` where only a file without other names will do.
    package func openFile(
        _ name: [CChar], _ flags: Int32 = O_RDONLY, onlyName: Bool = false
    ) throws(SystemError) -> (descriptor: Int32, stat: larder_stat) {
        func check(_ stat: larder_stat) -> Int32? {
            let kind = stat.mode & UInt32(S_IFMT)
            if kind == UInt32(S_IFLNK) { return ELOOP }
            if kind != UInt32(S_IFREG) { return EINVAL }
            return onlyName && stat.links != 1 ? EMLINK : nil
        }
        if let code = check(try stat(name)) { throw SystemError(code: code) }
        let file = openat(descriptor, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw SystemError(code: errno) }
        var found = larder_stat()
        let result = larder_statx(file, "", &found)
        guard result == 0, check(found) == nil else {
            close(file)
            throw SystemError(code: result == 0 ? check(found) ?? EINVAL : -result)
        }
        return (file, found)
    }

    /// Makes a directory in this one, and is content where it is there already.
    package func makeDirectory(_ name: [CChar]) throws(SystemError) {
        if mkdirat(descriptor, name, 0o700) != 0, errno != EEXIST { throw SystemError(code: errno) }
    }

    /// The raw NUL-ended names in this directory, without `.` and `..`, read from its beginning.
    package func names() throws(SystemError) -> [[CChar]] {
        // Its access time stays, where it is ours: a store's shows who walked it.
        var fresh = openat(descriptor, ".", Self.flags | larder_o_noatime)
        if fresh < 0, errno == EPERM { fresh = openat(descriptor, ".", Self.flags) }
        guard fresh >= 0 else { throw SystemError(code: errno) }
        guard let stream = fdopendir(fresh) else {
            let code = errno
            close(fresh)
            throw SystemError(code: code)
        }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        while true {
            errno = 0
            guard let record = readdir(stream) else {
                if errno != 0 { throw SystemError(code: errno) }
                return names
            }
            let length = strlen(UnsafeRawPointer(record).advanced(by: 19).assumingMemoryBound(to: CChar.self))
            let start = UnsafeRawPointer(record).advanced(by: 19).assumingMemoryBound(to: CChar.self)
            let name = Array(UnsafeBufferPointer(start: start, count: length + 1))
            if name != [46, 0], name != [46, 46, 0] { names.append(name) }
        }
    }
}

extension VolumePath {
    /// The path ended by a NUL, for system calls.
    package var cString: [CChar] { bytes.map(CChar.init(bitPattern:)) + [0] }
}

extension Sequence<UInt8> {
    /// A name ended by a NUL, for system calls.
    package var cString: [CChar] { map(CChar.init(bitPattern:)) + [0] }
}

/// A failed system call: its errno.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The errno.
    package let code: Int32

    /// Takes an errno.
    package init(code: Int32) { self.code = code }

    /// The system's message for it, or, for what no person could guess from that, a plainer one.
    package var message: String {
        code == EXDEV ? "another file system is mounted there" : String(cString: strerror(code))
    }

    /// The same as `message`.
    package var description: String { message }

    /// Whether it says that a file went away, or became something else, under its user.
    ///
    /// `ESTALE` does not: a file server that was away says so of what is still there.
    package var isVanished: Bool { code == ENOENT || code == ENOTDIR || code == ELOOP }

    /// Whether it says that no byte or no inode is left.
    package var isFull: Bool { code == ENOSPC || code == EDQUOT }
}
