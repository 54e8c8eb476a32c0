/// How far each event log was read: the file's inode, an offset, and the last good line before it.
///
/// The line is what a file is known again by: Podman's rotation copies the newest half of a log to a new inode
/// (libpod/events/logfile.go, v4.3.1), other tools rename it, copy it, or cut it to nothing in its place.
struct PodmanEventCursors: Equatable {
    /// How far one file was read.
    struct Cursor: Equatable {
        var inode: UInt64
        /// All lines before this byte were read.
        var offset: Int64
        /// Where the last good line begins, how many bytes it has with its end, and its hash; no bytes where
        /// there was none.
        var lineStart: Int64 = 0
        var lineLength: Int64 = 0
        var lineHash: UInt64 = 0
    }

    var cursors: [Cursor] = []

    private static let magic = Array("LEV1".utf8)
    private static let size = 40

    init() {}

    /// Reads what `bytes` gave; anything else is as if no log had been read yet.
    init(bytes: [UInt8]) {
        guard bytes.starts(with: Self.magic), (bytes.count - 4) % Self.size == 0 else { return }
        bytes.withUnsafeBytes { buffer in
            func word(_ at: Int) -> UInt64 {
                UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            }
            for start in stride(from: 4, to: buffer.count, by: Self.size) {
                let words = (0..<5).map { word(start + 8 * $0) }
                cursors.append(
                    Cursor(
                        inode: words[0], offset: Int64(bitPattern: words[1]),
                        lineStart: Int64(bitPattern: words[2]),
                        lineLength: Int64(bitPattern: words[3]), lineHash: words[4]))
            }
        }
    }

    /// The cursors for the index; the same ones give the same bytes.
    var bytes: [UInt8] {
        var bytes = Self.magic
        for cursor in cursors.sorted(by: { $0.inode < $1.inode }) {
            let words = [
                cursor.inode, UInt64(bitPattern: cursor.offset), UInt64(bitPattern: cursor.lineStart),
                UInt64(bitPattern: cursor.lineLength), cursor.lineHash,
            ]
            for word in words { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
        }
        return bytes
    }
}
