import CLinux
import CacheModel
import FileAccess
import Glibc

/// One event log, opened: gives its lines from an offset on.
struct PodmanEventFile: ~Copyable {
    /// A longer line is no event.
    static let lineLimit = 1 << 20
    /// What is read of one file in one scan, the newest of it: a hundred thousand containers.
    static let readLimit: Int64 = 16 << 20

    let inode: UInt64
    let size: Int64
    private let descriptor: Int32

    /// Opens a name in a directory: through no link, and without waiting for a FIFO's writer.
    ///
    /// - Throws: `Refusal` with the reason, for a person.
    init(_ name: [CChar], in folder: OpenDirectory) throws(Refusal) {
        do throws(SystemError) {
            let (file, stat) = try folder.openQuietly(name)
            (descriptor, inode, size) = (file, stat.inode, stat.size)
        } catch {
            switch error.code {
            case ELOOP: throw Refusal(reason: "it is a symbolic link")
            case EINVAL: throw Refusal(reason: "it is no regular file")
            default: throw Refusal(reason: error.message, isGone: error.code == ENOENT)
            }
        }
    }

    deinit { close(descriptor) }

    /// Why a file is not read.
    struct Refusal: Error {
        var reason: String
        var isGone = false
    }

    /// Whether the file still holds the cursor's last line where it was.
    func holds(_ cursor: PodmanEventCursors.Cursor) -> Bool {
        guard cursor.inode == inode, (0...size).contains(cursor.offset) else { return false }
        guard cursor.lineLength > 0 else { return true }
        guard cursor.lineLength <= Self.lineLimit + 1, cursor.lineStart >= 0 else { return false }
        return hash(at: cursor.lineStart, length: Int(cursor.lineLength)) == cursor.lineHash
    }

    /// The hash of that part of the file; nil where it ends before.
    func hash(at start: Int64, length: Int) -> UInt64? {
        var line = [UInt8](repeating: 0, count: length)
        guard pread(descriptor, &line, length, off_t(start)) == length else { return nil }
        return line.withUnsafeBytes { FNV1a.hash($0) }
    }

    /// Gives every whole line from `offset` on, with its end, and where it begins; nil for one that is too long.
    ///
    /// - Returns: where the first line begins that was not given, for it has no end yet.
    func lines(from offset: Int64, _ body: (UnsafeRawBufferPointer?, Int64) -> Void) -> Int64 {
        var buffer = [UInt8](repeating: 0, count: Self.lineLimit + (1 << 18))
        var (start, filled, isTooLong) = (offset, 0, false)
        var position = offset
        while position - offset < Self.readLimit {
            let room = buffer.count - filled
            let count = buffer.withUnsafeMutableBytes { bytes in
                pread(descriptor, bytes.baseAddress.map { $0 + filled }, room, off_t(position))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return start }
            position += Int64(count)
            filled += count
            var used = 0
            buffer.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                while let end = memchr(base + used, 10, filled - used) {
                    let length = base.distance(to: UnsafeRawPointer(end)) + 1 - used
                    let line = UnsafeRawBufferPointer(start: base + used, count: length)
                    body(isTooLong || length > Self.lineLimit ? nil : line, start)
                    isTooLong = false
                    used += length
                    start = position - Int64(filled - used)
                }
                // The end of the line may be anywhere: what was read of it need not be kept.
                if used == 0, filled == bytes.count { (used, isTooLong) = (filled, true) }
            }
            buffer.withUnsafeMutableBytes { bytes in
                guard used > 0, let base = bytes.baseAddress else { return }
                memmove(base, base + used, filled - used)
            }
            filled -= used
        }
        return isTooLong ? position : start
    }
}
