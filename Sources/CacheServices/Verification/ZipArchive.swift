import CacheModel

/// Whether a zip archive (jar, war, aar …) is whole, told from its tail and its central directory, then from the
/// checksums of what is in it.
///
/// Format: PKWARE APPNOTE 6.3.10, sections 4.3.12 to 4.3.16 and 4.5.3. What Java opens counts as whole: like
/// `java.util.zip.ZipFile.Source` (JDK 17) this takes the last end record in the last 65,557 bytes, lets a
/// stub stand before the archive, and follows the zip64 records where the plain ones are full.
struct ZipArchive {
    private let size: Int64
    private let read: (_ offset: Int64, _ count: Int) throws -> [UInt8]
    private let isTimeOver: () -> Bool

    /// Directories beyond this are not read: one of 300,000 entries has as much.
    private static let largestDirectory: Int64 = 1 << 25

    /// Where the central directory lies, as the end record says.
    private struct End {
        var position: Int64
        var entries: Int64
        var directorySize: Int64
        var directoryOffset: Int64
        var isZip64 = false

        var directoryStart: Int64 { position.subtractingPinned(directorySize) }
        /// The length of a stub before the archive.
        var stub: Int64 { directoryStart.subtractingPinned(directoryOffset) }
    }

    private struct Fault: Error { var verdict: FileVerdict }

    /// Takes an archive of `size` bytes; `read` gives that many bytes from an offset, fewer at the end only.
    init(
        size: Int64, isTimeOver: @escaping () -> Bool = { false },
        read: @escaping (_ offset: Int64, _ count: Int) throws -> [UInt8]
    ) {
        self.size = size
        self.isTimeOver = isTimeOver
        self.read = read
    }

    /// Whether a file's name says that it is an archive of this format.
    static func isArchive(_ name: [UInt8]) -> Bool {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let known = ["jar", "war", "ear", "aar", "zip", "klib", "hpi", "jpi", "nbm"]
        return known.contains(String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased())
    }

    /// Looks at the archive.
    ///
    /// Throws what `read` throws.
    func verdict() throws -> FileVerdict {
        do {
            guard size > 0 else { return .damaged(.truncated, "it is empty") }
            guard let end = try plainEnd() else {
                return try startsLikeArchive
                    ? .damaged(.truncated, "its end is missing: no central directory")
                    : .damaged(.malformed, "it is no zip archive")
            }
            let entries = try checkDirectory(of: end.isZip64 ? try zip64End(before: end) : end)
            if let pair = Self.overlap(entries) {
                return .unverifiable(
                    "entries \(pair.0) and \(pair.1) of its central directory share the same bytes, as no tool packs "
                        + "them")
            }
            let allowance = ContentCheck.Allowance(fileSize: size)
            do {
                for (number, entry) in entries.enumerated() {
                    try checkContent(of: entry, number: number + 1, allowance)
                }
            } catch is ContentCheck.BeyondAllowance {
                return .unverifiable(
                    "it unpacks to more than \(allowance.all), and is looked into no further")
            }
            return .intact
        } catch let fault as Fault {
            return fault.verdict
        } catch is ContentCheck.Unfinished {
            return .unverifiable("reading it takes longer than a verification may")
        }
    }

    /// What the central directory says of an entry.
    private struct Entry {
        /// 0 stored, 8 deflated; others are not looked into.
        var method: Int64
        var isEncrypted: Bool
        var checksum: UInt32
        var header: Int64
        var packed: Int64
        var length: Int64
        /// Where its data end, at the least.
        var end: Int64
    }

    /// Two entries whose data overlap, by their numbers.
    ///
    /// So a small file can claim to hold anything many times over (David Fifield, "A better zip bomb", WOOT 2019).
    private static func overlap(_ entries: [Entry]) -> (Int, Int)? {
        let order = entries.indices.sorted { entries[$0].header < entries[$1].header }
        for (one, next) in zip(order, order.dropFirst()) where entries[one].end > entries[next].header {
            return (min(one, next) + 1, max(one, next) + 1)
        }
        return nil
    }

    private func checkContent(of entry: Entry, number: Int, _ allowance: ContentCheck.Allowance) throws {
        guard !entry.isEncrypted, entry.method == 0 || entry.method == 8 else { return }
        let header = try bytes(entry.header, 30)
        guard header.count == 30, header.starts(with: [0x50, 0x4b, 3, 4]) else {
            throw Self.malformed("entry \(number) is not where its central directory says")
        }
        let start = entry.header + 30 + header.number(2, 26) + header.number(2, 28)
        let end = start.addingPinned(entry.packed)
        guard end <= size else {
            throw Self.malformed("the data of entry \(number) lie beyond the file's bounds")
        }
        let check = ContentCheck(allowance) { offset, count in
            isTimeOver() ? nil : try bytes(offset, count)
        }
        let fault = try check.fault(
            in: start..<end, entry.method == 0 ? .stored : .deflated,
            expected: .init(checksum: entry.checksum, length: entry.length))
        if let fault { throw Self.malformed("the content of entry \(number) is damaged: \(fault)") }
    }

    private var startsLikeArchive: Bool {
        get throws {
            let head = try bytes(0, 4)
            return head.starts(with: [0x50, 0x4b]) || head.allSatisfy { $0 == 0 }
        }
    }

    /// The last end record whose comment ends with the file.
    private func plainEnd() throws -> End? {
        let length = min(size, 65_557)
        let tail = try bytes(size - length, Int(length))
        guard tail.count >= 22 else { return nil }
        for at in stride(from: tail.count - 22, through: 0, by: -1)
        where tail[at] == 0x50 && tail[at + 1] == 0x4b && tail[at + 2] == 5 && tail[at + 3] == 6 {
            guard at + 22 + Int(tail.number(2, at + 20)) == tail.count else { continue }
            let end = End(
                position: size - length + Int64(at), entries: tail.number(2, at + 10),
                directorySize: tail.number(4, at + 12), directoryOffset: tail.number(4, at + 16))
            let isFull =
                end.entries == 0xffff || end.directorySize == 0xffff_ffff
                || end.directoryOffset == 0xffff_ffff
            var result = end
            result.isZip64 = try hasZip64(end, isFull: isFull)
            return result
        }
        return nil
    }

    /// Whether zip64 records stand before the end record.
    ///
    /// Where the plain fields are not full the records may be there all the same, and must be what they seem.
    private func hasZip64(_ end: End, isFull: Bool) throws -> Bool {
        let locator = try bytes(end.position - 20, 20)
        guard locator.starts(with: [0x50, 0x4b, 6, 7]) else { return false }
        return try isFull || bytes(locator.number(8, 8), 4).elementsEqual([0x50, 0x4b, 6, 6])
    }

    private func zip64End(before end: End) throws -> End {
        let locator = try bytes(end.position - 20, 20)
        let position = locator.number(8, 8)
        let record = try bytes(position, 56)
        guard record.count == 56, record.starts(with: [0x50, 0x4b, 6, 6]) else {
            throw Fault(verdict: .damaged(.truncated, "its zip64 end record is not where it should be"))
        }
        return End(
            position: position, entries: record.number(8, 32), directorySize: record.number(8, 40),
            directoryOffset: record.number(8, 48), isZip64: true)
    }

    /// Goes through the central directory: as many entries as announced, each within the file.
    private func checkDirectory(of end: End) throws -> [Entry] {
        guard end.directorySize >= 0, end.directoryStart >= 0, end.stub >= 0 else {
            throw Fault(
                verdict: .damaged(
                    .truncated, "its central directory begins before the file: parts are missing")
            )
        }
        // A stub is a program. What begins like an archive is one, and the end that was found belongs to an
        // archive stored in it, where the file was cut off.
        if end.stub > 0, try bytes(0, 4).elementsEqual([0x50, 0x4b, 3, 4]) {
            throw Fault(
                verdict: .damaged(.truncated, "its end is missing: the last record is of an archive in it"))
        }
        guard end.directorySize <= Self.largestDirectory else {
            throw Fault(
                verdict: .unverifiable("its central directory is larger than 32 MiB"))
        }
        let directory = try bytes(end.directoryStart, Int(end.directorySize))
        var at = 0
        var count: Int64 = 0
        var entries: [Entry] = []
        while at < directory.count {
            guard at + 46 <= directory.count, directory[at...].starts(with: [0x50, 0x4b, 1, 2]) else {
                throw Self.malformed("entry \(count + 1) of its central directory is none")
            }
            let extra = at + 46 + Int(directory.number(2, at + 28))
            let next = extra + Int(directory.number(2, at + 30)) + Int(directory.number(2, at + 32))
            guard next <= directory.count else {
                throw Self.malformed("entry \(count + 1) of its central directory is cut off")
            }
            entries.append(try entry(directory, at, extra, end, number: count + 1))
            at = next
            count += 1
        }
        // Before zip64 the count of a large archive was kept modulo 65,536, and Java reads those.
        guard count == end.entries || !end.isZip64 && count & 0xffff == end.entries else {
            throw Self.malformed(
                "its central directory has \(count) entries, and \(end.entries) are announced")
        }
        return entries
    }

    /// An entry whose data lie between the beginning and the central directory.
    private func entry(
        _ directory: [UInt8], _ at: Int, _ extra: Int, _ end: End, number: Int64
    ) throws -> Entry {
        var packed = directory.number(4, at + 20)
        var length = directory.number(4, at + 24)
        var offset = directory.number(4, at + 42)
        var wide: [Int64] = []
        if packed == 0xffff_ffff || offset == 0xffff_ffff || length == 0xffff_ffff {
            wide = zip64Values(directory, from: extra, length: Int(directory.number(2, at + 30)))
            // The record holds only those of length, packed length and offset that are full, in this order.
            if length == 0xffff_ffff, !wide.isEmpty { length = wide.removeFirst() }
            if packed == 0xffff_ffff, !wide.isEmpty { packed = wide.removeFirst() }
            if offset == 0xffff_ffff, !wide.isEmpty { offset = wide.removeFirst() }
        }
        let header = 30 + directory.number(2, at + 28)
        let dataEnd = end.stub.addingPinned(offset).addingPinned(header).addingPinned(packed)
        guard offset >= 0, packed >= 0, offset <= size, dataEnd <= end.directoryStart else {
            throw Self.malformed("the data of entry \(number) lie beyond the file's bounds")
        }
        return Entry(
            method: directory.number(2, at + 10), isEncrypted: directory.number(2, at + 8) & 1 == 1,
            checksum: UInt32(truncatingIfNeeded: directory.number(4, at + 16)), header: end.stub + offset,
            packed: packed, length: length, end: dataEnd)
    }

    private func zip64Values(_ directory: [UInt8], from start: Int, length: Int) -> [Int64] {
        var at = start
        while at + 4 <= start + length {
            let next = at + 4 + Int(directory.number(2, at + 2))
            if directory.number(2, at) == 1, next <= start + length {
                return stride(from: at + 4, through: next - 8, by: 8).map { directory.number(8, $0) }
            }
            at = next
        }
        return []
    }

    private static func malformed(_ text: String) -> Fault { Fault(verdict: .damaged(.malformed, text)) }

    private func bytes(_ offset: Int64, _ count: Int) throws -> [UInt8] {
        guard offset >= 0, offset <= size else { return [] }
        return try read(offset, min(count, Int(size - offset)))
    }
}

extension [UInt8] {
    /// A little-endian number of that many bytes: zero beyond the end, the largest for what is beyond 63 bits.
    fileprivate func number(_ width: Int, _ at: Int) -> Int64 {
        guard at >= 0, at + width <= count else { return 0 }
        let value = self[at..<at + width].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int64(clamping: value)
    }
}
