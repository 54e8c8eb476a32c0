import CLinux
import CacheModel
import FileAccess
import Foundation

/// What one prune run moved, or was about to move, into the trash.
///
/// Written and synced before the first rename, so that after a crash it is known where everything came from;
/// what really happened is seen from the trash itself, where the entry with number `n` is the directory `n`.
package struct TrashJournal: Codable, Sendable, Equatable {
    /// One entry of the run.
    package struct Line: Codable, Sendable, Equatable {
        /// Its row in the index.
        package var id: Int64
        /// The pool it belongs to.
        package var pool: Pool
        /// Its name in the tool's own notation.
        package var key: String
        /// Where it came from, below the volume's root, escaped as in all output.
        package var path: String
        /// The inode of its directory.
        package var inode: UInt64
        /// What it occupied.
        package var bytes: ByteCount
        /// Its last use.
        package var lastUsed: Timestamp
        /// Whether it is several files, which wait in a directory and go back to that of its path.
        package var isOfFiles: Bool?

        enum CodingKeys: String, CodingKey {
            case id, pool, key, path, inode, bytes
            case lastUsed = "last_used"
            case isOfFiles = "files"
        }
    }

    /// The schema's name and number.
    package var schema = "larder.trash/1"
    /// The run's ID, which is the name of its folder in the trash.
    package var run: String
    /// The kind of run where it is not `prune`.
    package var kind: String?
    /// When the run began.
    package var createdAt: Timestamp
    /// Its entries; the position is the name of the entry's directory in the run's folder.
    package var entries: [Line]

    enum CodingKeys: String, CodingKey {
        case schema, run, kind, entries
        case createdAt = "created_at"
    }

    /// What an entry can occupy: a sum of a million of them does not overflow.
    private static let possible: ClosedRange<Int64> = 0...(1 << 42)
    private static let name = Array("journal.json".utf8).cString
    private static let draft = Array("journal.tmp".utf8).cString

    /// Writes the journal into a run's folder and syncs file and folder.
    func write(into folder: OpenDirectory) throws(SystemError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let text = try? encoder.encode(self) else { throw SystemError(code: EINVAL) }
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = openat(folder.descriptor, Self.draft, flags, 0o600)
        guard file >= 0 else { throw SystemError(code: errno) }
        defer { close(file) }
        do throws(SystemError) {
            try text.withUnsafeBytes { writeFully(file, $0) }.get()
        } catch {
            unlinkat(folder.descriptor, Self.draft, 0)
            throw error
        }
        guard fsync(file) == 0, renameat(folder.descriptor, Self.draft, folder.descriptor, Self.name) == 0,
            fsync(folder.descriptor) == 0
        else { throw SystemError(code: errno) }
    }

    /// Reads the journal of a run's folder.
    ///
    /// - Throws: `SystemError` where there is none; `EINVAL` for a file that is no journal, or larger than 256 MiB,
    /// or that claims impossible sizes: any job can write one.
    static func read(from folder: OpenDirectory) throws(SystemError) -> TrashJournal {
        let (file, stat) = try folder.openFile(name, onlyName: true)
        defer { close(file) }
        guard stat.size <= 1 << 28 else { throw SystemError(code: EINVAL) }
        var bytes = [UInt8](repeating: 0, count: Int(stat.size))
        let count = try bytes.withUnsafeMutableBytes { readFully(file, into: $0) }.get()
        guard count == bytes.count else { throw SystemError(code: EINVAL) }
        guard let journal = try? JSONDecoder().decode(TrashJournal.self, from: Data(bytes)),
            journal.schema == "larder.trash/1",
            journal.entries.allSatisfy({ possible.contains($0.bytes.bytes) })
        else { throw SystemError(code: EINVAL) }
        return journal
    }
}
