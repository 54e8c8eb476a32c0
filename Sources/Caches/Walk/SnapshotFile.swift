import CacheModel
import FileAccess
import Foundation
import Glibc

/// The file in the state directory that keeps a volume's tree from one scan to the next.
///
/// It only saves work: a directory in it is skipped where its inode and times are still the same. It is
/// therefore neither part of the index's transaction nor synced, and one that was cut off, is of another build
/// or of another file system costs a full walk. Layout: a header of 64-bit words in the machine's order, then
/// the tree as it lies in memory, records first.
package struct SnapshotFile: Sendable {
    let path: String
    let identity: VolumeIdentity

    /// Names the file, and the volume that it must be of.
    package init(path: String, identity: VolumeIdentity) {
        self.path = path
        self.identity = identity
    }

    private enum Word: Int, CaseIterable {
        case magic, stride, marker, rootInode, startedAt, fullWalkAt, records, text, checksum
    }

    private static let magic: UInt64 = 0x4c61_7264_6572_0004
    private static let headerLength = Word.allCases.count * 8

    /// The tree in the file; nil where there is none that can be used.
    func load() -> TreeSnapshot? {
        let file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var header = [UInt64](repeating: 0, count: Word.allCases.count)
        guard header.withUnsafeMutableBytes({ fills($0, from: file, at: 0) }),
            header[Word.magic.rawValue] == Self.magic,
            header[Word.stride.rawValue] == UInt64(MemoryLayout<DirectoryRecord>.stride),
            header[Word.marker.rawValue] == identity.marker,
            header[Word.rootInode.rawValue] == identity.rootInode
        else { return nil }
        let count = header[Word.records.rawValue]
        let length = header[Word.text.rawValue]
        var status = stat()
        guard count > 0, count < UInt64(Int32.max), length < UInt64(UInt32.max), fstat(file, &status) == 0,
            UInt64(status.st_size) == UInt64(Self.headerLength)
                + count * UInt64(MemoryLayout<DirectoryRecord>.stride) + length
        else { return nil }
        var whole = true
        let records = [DirectoryRecord](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            whole = fills(UnsafeMutableRawBufferPointer(buffer), from: file, at: Self.headerLength)
            filled = whole ? Int(count) : 0
        }
        let text = [UInt8](unsafeUninitializedCapacity: Int(length)) { buffer, filled in
            let start = Self.headerLength + Int(count) * MemoryLayout<DirectoryRecord>.stride
            whole = whole && fills(UnsafeMutableRawBufferPointer(buffer), from: file, at: start)
            filled = whole ? Int(length) : 0
        }
        let tree = DirectoryTree(records: records, text: text)
        guard whole, checksum(header, tree) == header[Word.checksum.rawValue], tree.isSound else {
            return nil
        }
        return TreeSnapshot(
            tree: tree, startedAt: Timestamp(nanoseconds: Int64(bitPattern: header[Word.startedAt.rawValue])),
            fullWalkAt: Timestamp(nanoseconds: Int64(bitPattern: header[Word.fullWalkAt.rawValue])))
    }

    /// Writes the tree beside the file and puts it in its place.
    ///
    /// On an error the file of the last scan stays, which is as good to skip by.
    func save(_ tree: DirectoryTree, startedAt: Timestamp, fullWalkAt: Timestamp) throws(SystemError) {
        var header = [UInt64](repeating: 0, count: Word.allCases.count)
        func set(_ word: Word, _ value: UInt64) { header[word.rawValue] = value }
        set(.magic, Self.magic)
        set(.stride, UInt64(MemoryLayout<DirectoryRecord>.stride))
        set(.marker, identity.marker)
        set(.rootInode, identity.rootInode)
        set(.startedAt, UInt64(bitPattern: startedAt.nanoseconds))
        set(.fullWalkAt, UInt64(bitPattern: fullWalkAt.nanoseconds))
        set(.records, UInt64(tree.records.count))
        set(.text, UInt64(tree.text.count))
        set(.checksum, checksum(header, tree))
        let draft = path + ".new"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw SystemError(code: errno) }
        do throws(SystemError) {
            let written = Result<Void, SystemError> { () throws(SystemError) in
                try header.withUnsafeBytes { writeFully(file, $0) }.get()
                try tree.records.withUnsafeBytes { writeFully(file, $0) }.get()
                try tree.text.withUnsafeBytes { writeFully(file, $0) }.get()
            }
            // Some file systems say only here that there was no room.
            let isClosed = close(file) == 0
            try written.get()
            guard isClosed, rename(draft, path) == 0 else { throw SystemError(code: errno) }
        } catch {
            unlink(draft)
            throw error
        }
    }

    private func fills(_ buffer: UnsafeMutableRawBufferPointer, from file: Int32, at offset: Int) -> Bool {
        (try? readFully(file, into: buffer, at: Int64(offset)).get()) == buffer.count
    }

    private func checksum(_ header: [UInt64], _ tree: DirectoryTree) -> UInt64 {
        let words = header.dropLast().withUnsafeBytes { mix($0, into: 0) }
        let records = tree.records.withUnsafeBytes { mix($0, into: words) }
        return tree.text.withUnsafeBytes { mix($0, into: records) }
    }

    /// Tells a file that was not wholly written: by 64-bit words, a multiplication and a shift each.
    private func mix(_ bytes: UnsafeRawBufferPointer, into start: UInt64) -> UInt64 {
        var hash = start ^ UInt64(bytes.count)
        var at = 0
        while at + 8 <= bytes.count {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
            at += 8
        }
        while at < bytes.count {
            hash = (hash ^ UInt64(bytes[at])) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
            at += 1
        }
        return hash
    }
}

extension DirectoryTree {
    /// Whether every name lies in the text and every parent before its children.
    fileprivate var isSound: Bool {
        guard let root = records.first, root.parent == -1 else { return false }
        return records.withUnsafeBufferPointer { records in
            records.indices.allSatisfy { index in
                let record = records[index]
                let end = Int(record.nameStart) + Int(record.nameLength) + Int(record.sentinelLength)
                return end <= text.count && (index == 0 || record.parent >= 0 && Int(record.parent) < index)
            }
        }
    }
}
