import CLinux
import Glibc

extension OpenDirectory {
    /// Opens a regular file as `openFile` does, so that reading it leaves no trace where that is allowed.
    ///
    /// `O_NOATIME` is for a file's owner alone (open(2)): another user's file is opened without it.
    package func openQuietly(
        _ name: [CChar]
    ) throws(SystemError) -> (descriptor: Int32, stat: larder_stat) {
        do { return try openFile(name, O_RDONLY | larder_o_noatime) } catch {
            guard error.code == EPERM else { throw error }
            return try openFile(name)
        }
    }
}

/// Reads into a buffer from an offset of a file until it is full or the file ends.
///
/// Gives how many bytes: fewer than it holds at the end only.
package func readFully(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64 = 0
) -> Result<Int, SystemError> {
    var filled = 0
    while filled < buffer.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
        let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(filled))
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { return .failure(SystemError(code: errno)) }
        if count == 0 { break }
        filled += count
    }
    return .success(filled)
}

/// Writes all of a buffer where a file's descriptor stands.
package func writeFully(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> Result<Void, SystemError> {
    var rest = buffer[...]
    while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest)
        let count = write(descriptor, part.baseAddress, part.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return .failure(SystemError(code: count < 0 ? errno : EIO)) }
        rest = rest.dropFirst(count)
    }
    return .success(())
}
