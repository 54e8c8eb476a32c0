import CLinux
import CacheModel
import Glibc

/// A regular file that is read without a trace: its access time stays, and what jobs have in the page cache
/// stays there.
///
/// No link is followed, and no FIFO, socket or device is opened. Where the owner alone may leave an access time
/// (`O_NOATIME`, open(2)), the file is opened only if its time can be put back afterwards.
package final class NoAtimeFile: Sendable {
    /// What the file was as it was opened.
    package let opened: larder_stat

    private let descriptor: Int32
    private let directory: OpenDirectory
    private let name: [CChar]
    private let putsBack: Bool
    /// Whether nothing of it was in memory: then what is read here need not stay there either.
    private let wasCold: Bool

    /// Opens a NUL-ended name in a directory; nil for what is no regular file.
    ///
    /// - Throws: `SystemError`; EPERM where reading it would leave a false trace of use.
    package static func open(
        _ name: [CChar], in directory: OpenDirectory
    ) throws(SystemError) -> NoAtimeFile? {
        try open(name, in: directory, flag: larder_o_noatime)
    }

    /// As above; without `O_NOATIME` for a `flag` of zero, as where the system knows none.
    static func open(
        _ name: [CChar], in directory: OpenDirectory, flag: Int32
    ) throws(SystemError) -> NoAtimeFile? {
        let seen = try directory.stat(name)
        guard seen.mode & UInt32(S_IFMT) == UInt32(S_IFREG) else { return nil }
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        var putsBack = flag == 0
        var descriptor = openat(directory.descriptor, name, flags | flag)
        if descriptor < 0, errno == EPERM {
            // Setting the time it has shows whether it could be put back.
            guard canSetTime(of: name, in: directory, seen) else { throw SystemError(code: EPERM) }
            putsBack = true
            descriptor = openat(directory.descriptor, name, flags)
        }
        guard descriptor >= 0 else { throw SystemError(code: errno) }
        var opened = larder_stat()
        guard larder_statx(descriptor, "", &opened) == 0, opened.mode & UInt32(S_IFMT) == UInt32(S_IFREG)
        else {
            close(descriptor)
            return nil
        }
        return NoAtimeFile(descriptor, opened, name, in: directory, putsBack: putsBack)
    }

    private static func canSetTime(
        of name: [CChar], in directory: OpenDirectory, _ seen: larder_stat
    ) -> Bool {
        let handle = openat(directory.descriptor, name, larder_o_path | O_NOFOLLOW | O_CLOEXEC)
        guard handle >= 0 else { return false }
        defer { close(handle) }
        var found = larder_stat()
        guard larder_statx(handle, "", &found) == 0, found.inode == seen.inode else { return false }
        return larder_set_atime(handle, found.atime) == 0
    }

    private init(
        _ descriptor: Int32, _ opened: larder_stat, _ name: [CChar], in directory: OpenDirectory,
        putsBack: Bool
    ) {
        self.descriptor = descriptor
        self.opened = opened
        self.name = name
        self.directory = directory
        self.putsBack = putsBack
        wasCold = larder_is_cached(descriptor, opened.size) == 0
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    deinit {
        if wasCold { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
        if putsBack { _ = larder_set_atime(descriptor, opened.atime) }
        close(descriptor)
    }

    /// Reads into the buffer from `offset`, and says how many bytes: fewer than it holds at the end only.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(SystemError) -> Int {
        try readFully(descriptor, into: buffer, at: offset).get()
    }

    /// Lets go of what was read from the file up to `offset`, where it was not in memory before.
    package func release(upTo offset: Int64) {
        if wasCold { posix_fadvise(descriptor, 0, off_t(offset), POSIX_FADV_DONTNEED) }
    }

    /// Whether the name still stands for the same file, of the same length and last written at the same time.
    package var isUnchanged: Bool {
        guard let now = try? directory.stat(name) else { return false }
        return now.inode == opened.inode && now.device == opened.device && now.size == opened.size
            && now.mtime == opened.mtime
    }
}
