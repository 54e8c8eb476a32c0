import CLinux
import DirectoryAccess
import Glibc

/// Maven's `_remote.repositories`: which repository each artifact of a version directory came from.
///
/// A Java properties file of lines `file>repository=`; an empty repository stands for `mvn install`, and a
/// file without any line counts as installed as well (apache/maven-resolver 1.9,
/// `EnhancedLocalRepositoryManager.readRepos`). What cannot be fetched again is never evicted, so whatever
/// cannot be understood counts as installed too.
public struct TrackingFile {
    private var lines: [(file: [UInt8], isRemote: Bool)] = []

    init(_ bytes: [UInt8]) {
        for line in bytes.split(whereSeparator: { $0 == 10 || $0 == 13 }) {
            guard line.first != UInt8(ascii: "#"), line.first != UInt8(ascii: "!"),
                let equals = line.firstIndex(of: UInt8(ascii: "=")),
                let arrow = line[..<equals].lastIndex(of: UInt8(ascii: ">"))
            else { continue }
            let file = line[..<arrow].filter { $0 != UInt8(ascii: "\\") }
            lines.append((file, line.index(after: arrow) != equals))
        }
    }

    /// Whether the file came from a remote repository and was not installed over.
    public func isFetched(_ file: UnsafeBufferPointer<UInt8>) -> Bool {
        // A version has a handful of files: going through their lines is faster than hashing names.
        let own = lines.filter { $0.file.count == file.count && $0.file.elementsEqual(file) }
        return !own.isEmpty && own.allSatisfy(\.isRemote)
    }

    /// Looks at the tracking file of a directory and reads it, as below.
    public static func read(in directory: OpenDirectory) -> Result<TrackingFile, SystemError> {
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
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(max(0, stat.size))) { buffer, count in
            count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
        }
        return .success(TrackingFile(bytes))
    }
}
