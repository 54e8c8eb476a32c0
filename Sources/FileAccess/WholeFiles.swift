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

/// Puts a text into a file, which has either its old content or all of the new one at any time.
///
/// It is written beside its place and renamed. What is no regular file, such as a pipe, is written to as it is.
///
/// - Parameter mode: the file's mode; nil for that of the file that is replaced, or what the umask leaves of 0666.
/// - Throws: `SystemError`.
package func replaceFile(at path: String, with text: String, mode: mode_t? = nil) throws(SystemError) {
    var status = stat()
    let isThere = stat(path, &status) == 0
    if isThere, status.st_mode & S_IFMT == S_IFDIR { throw SystemError(code: EISDIR) }
    let isSpecial = isThere && status.st_mode & S_IFMT != S_IFREG
    var place = path
    // A link stays one: what it leads to is replaced.
    if isThere, !isSpecial, let real = realpath(path, nil) {
        place = String(cString: real)
        free(real)
    }
    let draft = isSpecial ? path : "\(place).\(getpid())"
    let flags = isSpecial ? O_WRONLY | O_CLOEXEC : O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
    let descriptor = open(draft, flags, mode ?? 0o666)
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    var code: Int32 = 0
    if case .failure(let error) = Array(text.utf8).withUnsafeBytes({ writeFully(descriptor, $0) }) {
        code = error.code
    }
    if !isSpecial, code == 0, let mode = mode ?? (isThere ? status.st_mode & 0o7777 : nil),
        fchmod(descriptor, mode) != 0
    {
        code = errno
    }
    if close(descriptor) != 0, code == 0 { code = errno }
    if !isSpecial, code == 0, rename(draft, place) != 0 { code = errno }
    guard code != 0 else { return }
    if !isSpecial { unlink(draft) }
    throw SystemError(code: code)
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
