import CLinux
import DirectoryAccess
import Glibc

/// Maven's `_remote.repositories`: which repository each artifact of a version directory came from.
///
/// A Java properties file of lines `file>repository=`; an empty repository stands for `mvn install`, and a
/// file without any line counts as installed as well (apache/maven-resolver 1.9,
/// `EnhancedLocalRepositoryManager.readRepos`). What cannot be fetched again is never evicted, so whatever
/// cannot be understood counts as installed too.
struct TrackingFile {
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
    func isFetched(_ file: UnsafeBufferPointer<UInt8>) -> Bool {
        // A version has a handful of files: going through their lines is faster than hashing names.
        let own = lines.filter { $0.file.count == file.count && $0.file.elementsEqual(file) }
        return !own.isEmpty && own.allSatisfy(\.isRemote)
    }

    /// Reads the tracking file of a directory without moving its access time, which is evidence of use.
    ///
    /// Fails with EPERM where that is forbidden because another user owns it, and with EFBIG beyond 1 MiB.
    static func read(in directory: OpenDirectory) -> Result<TrackingFile, SystemError> {
        let descriptor: Int32
        let stat: larder_stat
        do {
            (descriptor, stat) = try directory.openFile(
                FileNames.tracking.cString, O_RDONLY | larder_o_noatime)
        } catch { return .failure(error) }
        defer { close(descriptor) }
        guard stat.size <= 1 << 20 else { return .failure(SystemError(code: EFBIG)) }
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(stat.size)) { buffer, count in
            count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
        }
        return .success(TrackingFile(bytes))
    }
}
