import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc

/// Puts an entry's directory back where it came from.
///
/// Nothing is overwritten: where something lies in its place, the entry stays where it is. Only what failed downloads
/// leave, or an empty directory, gives way: that is what a build makes that asked for the entry while it was away.
enum EntryReturn {
    /// Moves a directory back; nil where it is in its place.
    static func move(
        _ name: [CChar], in trash: OpenDirectory, to own: [CChar], in parent: OpenDirectory
    ) -> SystemError? {
        let result = larder_rename_noreplace(trash.descriptor, name, parent.descriptor, own)
        guard result == -EEXIST else { return result == 0 ? nil : SystemError(code: -result) }
        let taken = SystemError(code: EEXIST)
        guard let there = try? parent.open(own), isForNothing(there) else { return taken }
        guard larder_rename_exchange(trash.descriptor, name, parent.descriptor, own) == 0 else {
            return taken
        }
        // Something may have come to it in between: then both go back.
        guard let gone = try? trash.open(name), isForNothing(gone) else {
            _ = larder_rename_exchange(trash.descriptor, name, parent.descriptor, own)
            return taken
        }
        _ = try? TreeRemoval.remove(name, in: trash)
        return nil
    }

    /// Whether a directory holds nothing, or nothing but what failed downloads leave.
    private static func isForNothing(_ directory: OpenDirectory) -> Bool {
        guard let names = try? directory.names() else { return false }
        return names.allSatisfy { name in
            guard let stat = try? directory.stat(name), stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG) else {
                return false
            }
            return name.dropLast().map(UInt8.init(bitPattern:)).withUnsafeBufferPointer {
                FileNames.tellsOnlyOfFailures($0)
            }
        }
    }
}
