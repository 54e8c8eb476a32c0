import CLinux
import CacheModel
import DirectoryAccess
import Glibc

/// Asks whether a Maven is resolving or fetching an artifact at this moment, without taking any lock.
///
/// Maven 3.9 with `aether.syncContext.named.factory=file-lock` and `nameMapper=file-gav` locks one byte of
/// `.locks/artifact~<group>~<artifact>~<version>.lock` in the local repository before it looks whether the artifact
/// is there, shared or exclusive, until it has looked or fetched (maven-resolver 1.9 `GAVNameMapper`; seen with
/// strace on Maven 3.9.9). The file must stay for others to see the lock, by
/// `aether.named.file-lock.deleteLockFiles=false`. Without these settings there is nothing to ask, and the idle floor
/// and the looks are what protects.
enum MavenLocks {
    /// Why an entry stays.
    static let reason = "a Maven is resolving it"

    /// The lock file of an entry, below the volume's root; nil for an entry of another pool.
    static func path(of entry: ScannedEntry) -> VolumePath? {
        guard entry.pool == .maven else { return nil }
        // The path of g.h:a:v is <repository>/g/h/a/v.
        let key = entry.key.split(separator: ":")
        guard key.count == 3 else { return nil }
        let levels = key[0].split(separator: ".").count + 2
        let name = ".locks/artifact~\(key[0])~\(key[1])~\(key[2]).lock"
        let components = entry.path.components.dropLast(levels) + [Array(name.utf8)[...]]
        return VolumePath(bytes: Array(components.joined(separator: "/".utf8)))
    }

    /// Whether the lock is held; what cannot be asked counts as held.
    static func isHeld(_ path: VolumePath, below root: OpenDirectory) -> Bool {
        do throws(SystemError) {
            let file = try root.open(path.parent).openFile(path.name.cString).descriptor
            defer { close(file) }
            return larder_is_locked(file) != 0
        } catch {
            // Nor could Maven make a file of too long a name.
            return ![ENOENT, ENAMETOOLONG].contains(error.code)
        }
    }
}
