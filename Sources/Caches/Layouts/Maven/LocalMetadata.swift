import CLinux
import CacheModel
import FileAccess
import Glibc

/// `maven-metadata-local.xml`, in which Maven and Gradle note the versions of an artifact that were installed here.
///
/// Gradle's `publishToMavenLocal` leaves the tracking file of a version that was fetched before as it was, so that where
/// the files' times are lost by a copy nothing else tells that it is no download any more.
package enum LocalMetadata {
    private static let name = Array("maven-metadata-local.xml".utf8).cString
    /// One with thousands of versions is smaller.
    private static let readLimit = 1 << 20

    /// Whether a version is noted in an artifact's directory; true as well where the file is there and cannot be read.
    package static func notes(_ version: some Collection<UInt8>, in artifact: OpenDirectory) -> Bool {
        let descriptor: Int32
        do throws(SystemError) {
            (descriptor, _) = try artifact.openFile(name, O_RDONLY | larder_o_noatime)
        } catch { return !error.isVanished }
        defer { close(descriptor) }
        var failed = false
        let text = [UInt8](unsafeUninitializedCapacity: readLimit) { buffer, count in
            switch readFully(descriptor, into: UnsafeMutableRawBufferPointer(buffer)) {
            case .success(let length): count = length
            case .failure: (count, failed) = (0, true)
            }
        }
        let tag = Array("<version>".utf8) + version + Array("</version>".utf8)
        return failed || text.count == readLimit || text.firstRange(of: tag) != nil
    }
}
