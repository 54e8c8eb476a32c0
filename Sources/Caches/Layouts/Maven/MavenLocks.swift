import CacheModel
import FileAccess
import Glibc

/// Asks whether a Maven is resolving or fetching an artifact at this moment, without taking any lock.
///
/// Maven 3.9 with `aether.syncContext.named.factory=file-lock` and `nameMapper=file-gav` locks one byte of
/// `.locks/artifact~<group>~<artifact>~<version>.lock` in the local repository before it looks whether the artifact
/// is there, shared or exclusive, until it has looked or fetched (maven-resolver 1.9 `GAVNameMapper`; seen with
/// strace on Maven 3.9.9). The file must stay for others to see the lock, by
/// `aether.named.file-lock.deleteLockFiles=false`. Without these settings there is nothing to ask, and the idle floor
/// and the looks are what protects.
///
/// Where the repository begins, and where in its path the group, is not certain: poms tell of it, which any job may
/// write, and a split repository keeps its locks in its base. So every `.locks` above the artifact is asked, for
/// every group that the path allows.
enum MavenLocks {
    /// Why an entry stays.
    static let reason = "a Maven is resolving it"

    /// Whether a lock of an entry is held, below the volume's root; what cannot be asked counts as held.
    static func isHeld(on entry: ScannedEntry, below root: OpenDirectory) -> Bool {
        let path = entry.path.components
        guard entry.pool == .maven, path.count >= 3 else { return false }
        let group = path.dropLast(2)
        let name = path.suffix(2).map { "~" + String(decoding: $0, as: UTF8.self) }.joined() + ".lock"
        return (0..<group.count).contains { depth in
            let locks = group.prefix(depth) + [Array(".locks".utf8)[...]]
            guard let folder = VolumePath(bytes: Array(locks.joined(separator: [UInt8(ascii: "/")]))) else {
                return true
            }
            do throws(SystemError) {
                let folder = try root.open(folder)
                for start in depth..<group.count {
                    let group = group[start...].map { String(decoding: $0, as: UTF8.self) }.joined(
                        separator: ".")
                    if try isHeld(Array("artifact~\(group)\(name)".utf8), in: folder) { return true }
                }
                return false
            } catch { return error.code != ENOENT }
        }
    }

    private static func isHeld(_ file: [UInt8], in folder: OpenDirectory) throws(SystemError) -> Bool {
        do { return try folder.isLocked(file.cString, .any) } catch {
            // Nor could Maven make a file of too long a name.
            if [ENOENT, ENAMETOOLONG].contains(error.code) { return false }
            throw error
        }
    }
}
