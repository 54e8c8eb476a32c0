import CLinux
import FileAccess
import Glibc

/// Maven's `_remote.repositories`: which repository each artifact of a version directory came from.
///
/// A Java properties file of lines `file>repository=`; an empty repository stands for `mvn install`, and a
/// file without any line counts as installed as well (apache/maven-resolver 1.9,
/// `EnhancedLocalRepositoryManager.readRepos`). What cannot be fetched again is never evicted, so whatever
/// cannot be understood counts as installed too.
package struct TrackingFile {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether the file came from a remote repository and was not installed over.
    package func isFetched(_ file: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.withUnsafeBytes { text in
            var isFetched = false
            var rest = text[...]
            while !rest.isEmpty {
                let feed = Self.place(of: 10, in: rest) ?? rest.endIndex
                let end = Self.place(of: 13, in: rest[..<feed]) ?? feed
                if let isRemote = Self.isRemote(file, by: rest[..<end]) {
                    guard isRemote else { return false }
                    isFetched = true
                }
                rest = rest[min(end + 1, rest.endIndex)...]
            }
            return isFetched
        }
    }

    /// What a line says of the file; nil where it is a comment or about another one.
    private static func isRemote(
        _ file: UnsafeBufferPointer<UInt8>, by line: Slice<UnsafeRawBufferPointer>
    ) -> Bool? {
        guard line.first != UInt8(ascii: "#"), line.first != UInt8(ascii: "!"),
            let equals = place(of: UInt8(ascii: "="), in: line),
            let arrow = line[..<equals].lastIndex(of: UInt8(ascii: ">")),
            isName(line[..<arrow], of: file)
        else { return nil }
        return line.index(after: arrow) != equals
    }

    private static func isName(
        _ name: Slice<UnsafeRawBufferPointer>, of file: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        let escape = UInt8(ascii: "\\")
        guard place(of: escape, in: name) == nil else {
            return name.lazy.filter { $0 != escape }.elementsEqual(file)
        }
        guard name.count == file.count, let start = UnsafeRawBufferPointer(rebasing: name).baseAddress,
            let other = file.baseAddress
        else { return false }
        return memcmp(start, other, file.count) == 0
    }

    private static func place(of byte: UInt8, in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let start = UnsafeRawBufferPointer(rebasing: bytes).baseAddress,
            let found = memchr(start, Int32(byte), bytes.count)
        else { return nil }
        return bytes.startIndex + (UnsafeRawPointer(found) - start)
    }

    /// Looks at the tracking file of a directory and reads it, as below.
    package static func read(in directory: OpenDirectory) -> Result<TrackingFile, SystemError> {
        do { return read(in: directory, try directory.stat(FileNames.tracking.cString)) } catch {
            return .failure(error)
        }
    }

    /// Reads the tracking file of a directory without moving its access time, which is evidence of use.
    ///
    /// `stat` is what the listing told of it; what came to it since counts at the next scan. A FIFO that took its
    /// place since gives no line and blocks nobody. Fails with EPERM where reading so is forbidden because
    /// another user owns it, with EINVAL where it is no regular file and with EFBIG beyond 1 MiB.
    static func read(in directory: OpenDirectory, _ stat: larder_stat) -> Result<TrackingFile, SystemError> {
        guard stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG) else {
            return .failure(SystemError(code: EINVAL))
        }
        guard stat.size <= 1 << 20 else { return .failure(SystemError(code: EFBIG)) }
        let descriptor = openat(
            directory.descriptor, "_remote.repositories",
            O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | larder_o_noatime)
        guard descriptor >= 0 else { return .failure(SystemError(code: errno)) }
        defer { close(descriptor) }
        var result = Result<Int, SystemError>.success(0)
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(max(0, stat.size))) { buffer, count in
            result = readFully(descriptor, into: UnsafeMutableRawBufferPointer(buffer))
            count = (try? result.get()) ?? 0
        }
        return result.map { _ in TrackingFile(bytes) }
    }
}
