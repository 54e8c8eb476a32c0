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
enum MavenLocks {
    /// Why an entry stays.
    static let reason = "a Maven is resolving it"

    /// Whether the lock of an entry is held, below the volume's root; what cannot be asked counts as held.
    static func isHeld(on entry: ScannedEntry, below root: OpenDirectory) -> Bool {
        guard let file = file(of: entry) else { return false }
        do throws(SystemError) {
            return try root.open(file.parent).isLocked(file.name.cString, .any)
        } catch {
            // Nor could Maven make a file of too long a name.
            return ![ENOENT, ENAMETOOLONG].contains(error.code)
        }
    }

    /// The lock file of an entry; nil for an entry of another pool.
    private static func file(of entry: ScannedEntry) -> VolumePath? {
        let key = entry.key.split(separator: ":")
        guard entry.pool == .maven, key.count == 3 else { return nil }
        let name = ".locks/artifact~\(key[0])~\(key[1])~\(key[2]).lock"
        // The repository lies above the directories of the group, the artifact's and the version's.
        let components =
            entry.path.components.dropLast(MavenLayout.groupDepth(of: entry) + 2) + [Array(name.utf8)[...]]
        return VolumePath(bytes: Array(components.joined(separator: "/".utf8)))
    }
}
