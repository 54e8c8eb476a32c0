import CLinux
import CacheModel
import Caches
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
    /// Until when the run promised to keep its entries, unless the volume is above its critical level; nil for a run of
    /// an older Larder.
    package var keepUntil: Timestamp?
    /// Its entries; the position is the name of the entry's directory in the run's folder.
    package var entries: [Line]

    enum CodingKeys: String, CodingKey {
        case schema, run, kind, entries
        case createdAt = "created_at"
        case keepUntil = "keep_until"
    }

    /// What an entry can occupy: a sum of a million of them does not overflow.
    private static let possible: ClosedRange<Int64> = 0...(1 << 42)
    /// The name of its file in the run's folder.
    static let name = Array("journal.json".utf8).cString
    private static let draft = Array("journal.tmp".utf8).cString
    private static let endMark = Array("ended".utf8).cString

    /// Notes in a run's folder that all of its moves are done: where that is missing, the run was interrupted.
    static func markEnd(in folder: OpenDirectory) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = openat(folder.descriptor, endMark, flags, 0o600)
        if file >= 0 { close(file) }
    }

    /// Whether a run whose folder that is has done all of its moves.
    static func hasEnded(in folder: OpenDirectory) -> Bool { (try? folder.stat(endMark)) != nil }

    /// Notes that an entry changed as it was moved, and could not go back: no purge takes it by itself.
    static func hold(_ number: Int, in folder: OpenDirectory) {
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC
        let file = openat(folder.descriptor, heldName(number), flags, 0o600)
        if file >= 0 { close(file) }
    }

    /// The numbers of the entries that are noted so.
    static func held(in folder: OpenDirectory) -> Set<Int> {
        let start = heldPrefix.utf8.map(CChar.init(bitPattern:))
        return Set(
            ((try? folder.names()) ?? []).compactMap { name in
                guard name.starts(with: start) else { return nil }
                let digits = name.dropFirst(start.count).dropLast().map(UInt8.init(bitPattern:))
                return Int(String(decoding: digits, as: UTF8.self))
            })
    }

    /// What is to be said of such an entry.
    static let heldText =
        "it changed as it was moved, and no prune purges it: see what it is, then bring it back or purge it"
    private static let heldPrefix = "held-"
    private static func heldName(_ number: Int) -> [CChar] { Array("\(heldPrefix)\(number)".utf8).cString }

    /// Writes the journal into a run's folder and syncs file and folder.
    func write(into folder: OpenDirectory) throws(SystemError) { try write(entries, into: folder) }

    /// The same with other entries than its own: one by one, as an encoder takes a kilobyte for each.
    func write(_ lines: some Sequence<Line>, into folder: OpenDirectory) throws(SystemError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = openat(folder.descriptor, Self.draft, flags, 0o600)
        guard file >= 0 else { throw SystemError(code: errno) }
        defer { close(file) }
        do throws(SystemError) { try write(lines, to: file) } catch {
            Self.removeDraft(from: folder)
            throw error
        }
        guard fsync(file) == 0, renameat(folder.descriptor, Self.draft, folder.descriptor, Self.name) == 0,
            fsync(folder.descriptor) == 0
        else { throw SystemError(code: errno) }
    }

    private func write(_ lines: some Sequence<Line>, to file: Int32) throws(SystemError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func encoded(_ value: some Encodable) throws(SystemError) -> Data {
            guard let text = try? encoder.encode(value) else { throw SystemError(code: EINVAL) }
            return text
        }
        var head = self
        head.entries = []
        var text = Array(try encoded(head))
        // `…"entries":[],…`: what follows the list waits for its end.
        let list = Array("\"entries\":[".utf8)
        guard let place = text.firstRange(of: list)?.upperBound else { throw SystemError(code: EINVAL) }
        let tail = Array(text[place...])
        text.removeSubrange(place...)
        for (number, line) in lines.enumerated() {
            if number > 0 { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: try encoded(line))
            guard text.count >= 1 << 16 else { continue }
            try text.withUnsafeBytes { writeFully(file, $0) }.get()
            text.removeAll(keepingCapacity: true)
        }
        text += tail
        try text.withUnsafeBytes { writeFully(file, $0) }.get()
    }

    /// Removes what an interrupted writing left, if anything.
    static func removeDraft(from folder: OpenDirectory) { _ = unlinkat(folder.descriptor, draft, 0) }

    /// More entries are neither written into one journal nor read from one.
    static let mostEntries = 100_000
    /// What a journal of so many entries has at most, with paths of a few hundred bytes.
    private static let largest: Int64 = 64 << 20

    /// Reads the journal of a run's folder.
    ///
    /// Entry by entry, so that one that a job wrote takes no more memory than its size, and two hundred bytes an entry.
    ///
    /// - Throws: `SystemError` where there is none; `EFBIG` for one larger than 64 MiB or of more than 100,000 entries,
    /// `EINVAL` for a file that is no journal, or that claims impossible sizes: any job can write one.
    static func read(from folder: OpenDirectory) throws(SystemError) -> TrashJournal {
        var lines: [Line] = []
        var journal = try read(from: folder) { lines.append($1) }
        journal.entries = lines
        return journal
    }

    /// The same without its entries, which `take` gets one by one with their numbers; where it throws, they count for
    /// nothing.
    static func read(
        from folder: OpenDirectory, _ take: (Int, Line) -> Void
    ) throws(SystemError) -> TrashJournal {
        let (file, stat) = try folder.openFile(name, onlyName: true)
        defer { close(file) }
        guard stat.size <= largest else { throw SystemError(code: EFBIG) }
        var result = Result<Int, SystemError>.success(0)
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(stat.size)) { buffer, filled in
            result = readFully(file, into: UnsafeMutableRawBufferPointer(buffer))
            filled = (try? result.get()) ?? 0
        }
        guard try result.get() == Int(stat.size) else { throw SystemError(code: EINVAL) }
        return try bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in try TrashJournal(parsing: bytes, take) }
        }.get()
    }

}

extension TrashJournal {
    fileprivate init(
        parsing bytes: UnsafeRawBufferPointer, _ take: (Int, Line) -> Void
    ) throws(SystemError) {
        var fields = FieldReader(bytes)
        guard fields.begin() else { throw SystemError(code: EINVAL) }
        var texts: [String: String] = [:]
        var lines: Range<Int>?
        while let field = fields.next() {
            if fields.equals(field.key, "entries") {
                lines = field.value
            } else if field.value.count <= 1000 {
                texts[fields.text(field.key)] = try Self.text(fields, field.value)
            }
        }
        guard fields.isAtEnd, texts["schema"] == "larder.trash/1", let run = texts["run"], let lines,
            let createdAt = texts["created_at"].flatMap({ Timestamp(rfc3339: $0) })
        else { throw SystemError(code: EINVAL) }
        self.init(
            run: run, kind: texts["kind"], createdAt: createdAt,
            keepUntil: texts["keep_until"].flatMap { Timestamp(rfc3339: $0) }, entries: [])
        try Self.read(UnsafeRawBufferPointer(rebasing: bytes[lines]), take)
    }

    private static func read(
        _ list: UnsafeRawBufferPointer, _ take: (Int, Line) -> Void
    ) throws(SystemError) {
        guard list.first == UInt8(ascii: "[") else { throw SystemError(code: EINVAL) }
        var (count, at) = (0, 1)
        while let begin = list[at...].firstIndex(where: { $0 > 32 }), list[begin] != UInt8(ascii: "]") {
            guard count < mostEntries else { throw SystemError(code: EFBIG) }
            at = begin
            if count > 0 {
                guard list[at] == UInt8(ascii: ",") else { throw SystemError(code: EINVAL) }
                at += 1
            }
            var fields = FieldReader(UnsafeRawBufferPointer(rebasing: list[at...]))
            take(count, try line(&fields))
            count += 1
            guard let length = fields.length else { throw SystemError(code: EINVAL) }
            at += length
        }
    }

    private static func line(_ fields: inout FieldReader) throws(SystemError) -> Line {
        guard fields.begin() else { throw SystemError(code: EINVAL) }
        var (id, inode, bytes): (Int64?, UInt64?, Int64?)
        var (key, path): (String?, String?)
        var (pool, lastUsed): (Pool?, Timestamp?)
        var isOfFiles: Bool?
        while let field = fields.next() {
            let text = try text(fields, field.value)
            if fields.equals(field.key, "id") { id = Int64(text) }
            if fields.equals(field.key, "pool") { pool = Pool(named: text) }
            if fields.equals(field.key, "key") { key = text }
            if fields.equals(field.key, "path") { path = text }
            if fields.equals(field.key, "inode") { inode = UInt64(text) }
            if fields.equals(field.key, "bytes") { bytes = Int64(text) }
            if fields.equals(field.key, "last_used") { lastUsed = Timestamp(rfc3339: text) }
            if fields.equals(field.key, "files") { isOfFiles = text == "true" ? true : nil }
        }
        guard let id, let pool, let key, let path, let inode, let bytes, possible.contains(bytes),
            let lastUsed
        else { throw SystemError(code: EINVAL) }
        return Line(
            id: id, pool: pool, key: key, path: path, inode: inode, bytes: ByteCount(bytes),
            lastUsed: lastUsed, isOfFiles: isOfFiles)
    }

    /// A text with its escapes resolved; a number as it stands.
    private static func text(_ fields: FieldReader, _ range: Range<Int>) throws(SystemError) -> String {
        guard fields.holdsEscape(range) else { return fields.text(range) }
        guard
            let whole = try? JSONDecoder().decode(
                [String].self, from: Data("[\"\(fields.text(range))\"]".utf8)),
            let first = whole.first, whole.count == 1
        else { throw SystemError(code: EINVAL) }
        return first
    }
}
