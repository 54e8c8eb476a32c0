import CLinux
import CacheModel
import FileAccess
import Glibc

/// Finds out whether a read leaves a trace on a volume: it writes a file, arms it, reads it and looks.
///
/// The mount options alone do not tell: a server may keep its own policy, and a client's page cache may hide
/// reads from it.
package struct AtimeProbe {
    private let folder: OpenDirectory

    /// Probes in `folder`, Larder's own on the volume.
    package init(in folder: OpenDirectory) { self.folder = folder }

    /// Writes, arms, reads, compares.
    ///
    /// Leaves nothing behind.
    package func run() -> EvidenceQuality {
        var mount = statvfs()
        guard fstatvfs(folder.descriptor, &mount) == 0 else {
            return EvidenceQuality(.low, reason: "the mount's options cannot be read")
        }
        if UInt64(mount.f_flag) & larder_st_noatime != 0 {
            return EvidenceQuality(.none, reason: "mounted noatime: reads leave no trace; mount it relatime")
        }
        if UInt64(mount.f_flag) & larder_st_rdonly != 0 { return Self.readOnly }
        let name = Array("atime-probe".utf8).cString
        defer { unlinkat(folder.descriptor, name, 0) }
        switch moved(name) {
        case .success(false):
            return EvidenceQuality(
                .none, reason: "a read does not move the access time: reads leave no trace")
        case .success(true):
            guard let network = NetworkFileSystem.name(of: folder) else {
                return EvidenceQuality(.high)
            }
            return EvidenceQuality(.medium, reason: "\(network): other clients' caches may hide their reads")
        case .failure(let error) where error.code == EROFS: return Self.readOnly
        case .failure(let error):
            return EvidenceQuality(.low, reason: "access times could not be probed (\(error.message))")
        }
    }

    private func moved(_ name: [CChar]) -> Result<Bool, SystemError> {
        unlinkat(folder.descriptor, name, 0)
        let file = openat(folder.descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return .failure(SystemError(code: errno)) }
        defer { close(file) }
        var byte: UInt8 = 1
        guard write(file, &byte, 1) == 1 else { return .failure(SystemError(code: errno)) }
        var before = larder_stat()
        var after = larder_stat()
        guard larder_statx(file, "", &before) == 0 else { return .failure(SystemError(code: errno)) }
        // An hour back, so that one tick of a coarse clock cannot hide the move.
        let armed = larder_set_atime(file, before.mtime - 3_600_000_000_000)
        guard armed == 0 else { return .failure(SystemError(code: -armed)) }
        guard larder_statx(file, "", &before) == 0, pread(file, &byte, 1, 0) == 1,
            larder_statx(file, "", &after) == 0
        else { return .failure(SystemError(code: errno)) }
        return .success(after.atime > before.atime)
    }

    private static let readOnly = EvidenceQuality(
        .low, reason: "mounted read-only: access times cannot be armed")
}
