import CacheModel

/// Gradle's own record of when it last used what lies in its caches: `caches/journal-1/file-access.bin`.
///
/// The file is a B-tree of hashes (gradle/gradle `BTreePersistentIndexedCache`, `FileBackedBlockStore`,
/// `DefaultFileAccessTimeJournal`; Gradle 4.10 and later). All numbers are big-endian. A block is a byte for its
/// type, an i32 for the size reserved for its payload, the payload, and an i32 that counts the bytes before it;
/// the next block begins after the reserved size and 9.
///
/// | at | type | payload |
/// |---|---|---|
/// | 0 | `0x44` free list | its size says where the header is |
/// | size + 9 | `0x55` header | i64 position of the root, i16 512 |
/// | anywhere | `0x77` index | i32 n, n × (i64 hash, i64 data, i64 child), i64 tail; -1 stands for none |
/// | anywhere | `0x33` data | i32 capacity, i32 length, value; the journal's is an i64, milliseconds since 1970 |
///
/// Paths are not in it, only their hashes: it answers for a path that one knows, and cannot list any.
package struct GradleJournal: Sendable {
    private var times: [Int64: Timestamp] = [:]

    /// How many paths it knows.
    package var count: Int { times.count }

    /// Reads the content of a journal.
    ///
    /// - Throws: `GradleJournalError.unknownFormat` where it is no such tree, `.damaged` where the tree is broken.
    package init(_ bytes: [UInt8]) throws(GradleJournalError) {
        var failure: GradleJournalError?
        times = bytes.withUnsafeBytes { bytes in
            var tree = JournalTree(bytes: bytes)
            do throws(GradleJournalError) {
                return try tree.read()
            } catch {
                failure = error
                return [:]
            }
        }
        if let failure { throw failure }
    }

    /// When Gradle last used a path; nil where it recorded no use.
    ///
    /// The path is absolute, as the job saw it.
    package func lastUse(of path: String) -> Timestamp? {
        Self.hashes(of: path).lazy.compactMap { times[$0] }.max()
    }
}

/// Why a journal cannot be used.
package enum GradleJournalError: Error, Sendable, Equatable, CustomStringConvertible {
    /// It is of a format that Larder does not know: another generation of Gradle's.
    case unknownFormat
    /// Something is wrong at that byte.
    case damaged(offset: Int)
    /// It is no regular file, or cannot be opened.
    case unreadable(reason: String)
    /// It is larger than Larder reads.
    case tooLarge(ByteCount)
    /// It changed during every attempt to read it.
    case restless

    /// What is wrong.
    package var description: String {
        switch self {
        case .unknownFormat: "its format is not known to this Larder"
        case .damaged(let offset): "it is damaged at byte \(offset)"
        case .unreadable(let reason): reason
        case .tooLarge(let size): "it has \(size), and \(GradleJournal.sizeLimit) is the limit"
        case .restless: "it changed while it was read, time and again"
        }
    }
}

/// Walks the blocks of one journal.
///
/// Every position is checked, and no block is read twice.
private struct JournalTree {
    let bytes: UnsafeRawBufferPointer
    private var times: [Int64: Timestamp] = [:]
    private var visited: Set<Int> = []

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func read() throws(GradleJournalError) -> [Int64: Timestamp] {
        guard bytes.count >= 5, bytes[0] == 0x44 else { throw .unknownFormat }
        let header = Int(try integer(1, as: Int32.self)) + 9
        let payload = try block(at: header, type: 0x55)
        guard try integer(payload + 8, as: Int16.self) == 512 else { throw .damaged(offset: payload + 8) }
        try check(header, length: 10)
        times.reserveCapacity(min(bytes.count / 45, 1 << 20))
        // A stack of its own: a made-up tree may be deeper than the thread's.
        var open = [Int(try integer(payload, as: Int64.self))]
        while let index = open.popLast() { try open.append(contentsOf: children(of: index)) }
        return times
    }

    private mutating func children(of index: Int) throws(GradleJournalError) -> [Int] {
        guard visited.insert(index).inserted else { throw .damaged(offset: index) }
        let payload = try block(at: index, type: 0x77)
        let count = Int(try integer(payload, as: Int32.self))
        guard (0...512).contains(count) else { throw .damaged(offset: payload) }
        try check(index, length: 12 + 24 * count)
        var children: [Int] = []
        for entry in 0..<count {
            let at = payload + 4 + 24 * entry
            times[try integer(at, as: Int64.self)] = try time(at: Int(try integer(at + 8, as: Int64.self)))
            let child = try integer(at + 16, as: Int64.self)
            if child != -1 { children.append(Int(child)) }
        }
        let tail = try integer(payload + 4 + 24 * count, as: Int64.self)
        if tail != -1 { children.append(Int(tail)) }
        return children
    }

    private func time(at position: Int) throws(GradleJournalError) -> Timestamp {
        let payload = try block(at: position, type: 0x33)
        let capacity = try integer(payload, as: Int32.self)
        guard try integer(payload + 4, as: Int32.self) == 8, capacity >= 8 else {
            throw .damaged(offset: payload)
        }
        try check(position, length: 16)
        let milliseconds = try integer(payload + 8, as: Int64.self)
        let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000)
        return Timestamp(seconds: seconds, nanoseconds: rest * 1_000_000)
    }

    /// Where the payload of the block at a position begins.
    private func block(at position: Int, type: UInt8) throws(GradleJournalError) -> Int {
        guard position >= 0, position < bytes.count, bytes[position] == type else {
            throw .damaged(offset: position)
        }
        return position + 5
    }

    /// Checks the count that follows a block's payload: a block half written has another one.
    private func check(_ position: Int, length: Int) throws(GradleJournalError) {
        guard try integer(position + 5 + length, as: Int32.self) == Int32(5 + length) else {
            throw .damaged(offset: position)
        }
    }

    private func integer<Number: FixedWidthInteger>(
        _ position: Int, as type: Number.Type
    ) throws(GradleJournalError) -> Number {
        guard position >= 0, position <= bytes.count - MemoryLayout<Number>.size else {
            throw .damaged(offset: position)
        }
        return Number(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: type))
    }
}
