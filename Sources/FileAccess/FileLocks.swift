import CLinux
import Glibc

/// Which locks of others are looked for.
package enum FileLockKind: Sendable {
    /// Those for writing alone.
    case exclusive
    /// All, also those that readers share.
    case any
}

extension OpenDirectory {
    /// Whether another holds such a lock on a regular file in this directory; keeps none itself.
    ///
    /// Both kinds count: those on some byte of it, as Java and Podman take them, and those by flock(2), as flock(1), Go,
    /// Cargo and Python's libraries do. A file that does not say counts as locked. Throws where it cannot be opened, as `openFile` does.
    package func isLocked(_ name: [CChar], _ kind: FileLockKind) throws(SystemError) -> Bool {
        let file = try openFile(name).descriptor
        defer { close(file) }
        return switch kind {
        case .exclusive: larder_is_write_locked(file) != 0
        case .any: larder_is_locked(file) != 0
        }
    }
}
