import CLinux
import CacheModel
import DirectoryAccess
import Glibc

/// Arms files so that their next read shows.
///
/// Under relatime the kernel moves an access time only when it is not newer than mtime and ctime, or a day old
/// (Linux `relatime_need_update`). Setting a file's access time to the value it has moves its ctime past it:
/// no information is lost, and the next read shows. The modification time is never touched. Where another user
/// owns the file this is forbidden, and the file stays unarmed.
public struct AtimeArming {
    /// What an arming did.
    public struct Outcome: Sendable, Equatable {
        /// Files armed.
        public var armed = 0
        /// Files that belong to another user, or lie on a read-only mount.
        public var refused = 0
    }

    private let root: OpenDirectory

    /// Arms below a volume's root.
    public init(root: OpenDirectory) { self.root = root }

    /// Arms every file that was read since it was last armed, in those directories.
    ///
    /// What vanished is passed over.
    public func arm(_ directories: [VolumePath]) -> Outcome {
        var outcome = Outcome()
        for path in directories {
            guard let directory = try? root.open(path), let names = try? directory.names() else { continue }
            for name in names { arm(name, in: directory, &outcome) }
        }
        return outcome
    }

    private func arm(_ name: [CChar], in directory: OpenDirectory, _ outcome: inout Outcome) {
        guard let stat = try? directory.stat(name), stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG),
            stat.atime > stat.ctime
        else { return }
        // By descriptor: under the name a job may put another file, which would get this one's time.
        let handle = openat(directory.descriptor, name, O_NOFOLLOW | O_CLOEXEC | larder_o_path)
        guard handle >= 0 else { return }
        defer { close(handle) }
        var found = larder_stat()
        guard larder_statx(handle, "", &found) == 0, found.inode == stat.inode, found.device == stat.device
        else { return }
        if larder_set_atime(handle, found.atime) == 0 {
            outcome.armed += 1
        } else {
            outcome.refused += 1
        }
    }
}
