import CLinux
import CacheModel
import FileAccess
import Glibc
import Synchronization

/// Arms files so that their next read shows.
///
/// Under relatime the kernel moves an access time only when it is not newer than mtime and ctime, or a day old
/// (Linux `relatime_need_update`). Setting a file's access time to the value it has moves its ctime past it:
/// no information is lost, and the next read shows. The modification time is never touched. Where another user
/// owns the file this is forbidden, and the file stays unarmed.
package struct AtimeArming: Sendable {
    /// What an arming did.
    package struct Outcome: Sendable, Equatable {
        /// Files armed.
        package var armed = 0
        /// Files that belong to another user, or lie on a read-only mount.
        package var refused = 0
    }

    /// So many directories a thread takes at once.
    private static let batch = 64

    private let root: OpenDirectory

    /// Arms below a volume's root.
    package init(root: OpenDirectory) { self.root = root }

    /// Arms every file that was read since it was last armed, in those directories.
    ///
    /// What vanished is passed over. The work is mostly the kernel's and waits for its journal, so two threads
    /// share it.
    package func arm(_ directories: [VolumePath]) -> Outcome {
        guard let volume = try? root.stat() else { return Outcome() }
        let progress = Mutex((next: 0, outcome: Outcome()))
        onThreads(directories.count > Self.batch ? 2 : 1) { _ in
            let hand = ArmingHand(volume: volume)
            while true {
                let first = progress.withLock { state in
                    defer { state.next += Self.batch }
                    return state.next
                }
                guard first < directories.count else { break }
                for path in directories[first..<min(first + Self.batch, directories.count)] {
                    if let directory = try? root.open(path) { hand.arm(directory) }
                }
            }
            progress.withLock { state in
                state.outcome.armed += hand.outcome.armed
                state.outcome.refused += hand.outcome.refused
            }
        }
        return progress.withLock { $0.outcome }
    }
}

/// One thread's part of an arming: it reads names straight from the kernel's records.
private final class ArmingHand {
    private(set) var outcome = AtimeArming.Outcome()
    private let volume: larder_stat
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32_768, alignment: 8)

    init(volume: larder_stat) { self.volume = volume }

    deinit { buffer.deallocate() }

    /// Arms the files of a directory that was just opened.
    func arm(_ directory: OpenDirectory) {
        guard let base = buffer.baseAddress else { return }
        while true {
            let count = larder_getdents(directory.descriptor, base, buffer.count)
            guard count > 0 else { return }
            var at = 0
            while at + Self.nameOffset < count {
                let type = base.load(fromByteOffset: at + 18, as: UInt8.self)
                if type == UInt8(DT_REG) || type == UInt8(DT_UNKNOWN) {
                    let name = (base + at + Self.nameOffset).assumingMemoryBound(to: CChar.self)
                    arm(name, in: directory)
                }
                at += Int(base.loadUnaligned(fromByteOffset: at + 16, as: UInt16.self))
            }
        }
    }

    /// Of `d_name` in `linux_dirent64` (getdents64(2)): after inode, offset, length and type.
    private static let nameOffset = 19

    // By a handle that opens nothing: under the name a job may put another file, which would get this one's
    // time. A file that is mounted over the name lies elsewhere and is none of the volume's.
    private func arm(_ name: UnsafePointer<CChar>, in directory: OpenDirectory) {
        let handle = openat(directory.descriptor, name, O_NOFOLLOW | O_CLOEXEC | larder_o_path)
        guard handle >= 0 else { return }
        defer { close(handle) }
        var stat = larder_stat()
        guard larder_statx(handle, "", &stat) == 0, stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG),
            stat.device == volume.device, stat.mount == volume.mount, stat.atime > stat.ctime
        else { return }
        if larder_set_atime(handle, stat.atime) == 0 {
            outcome.armed += 1
        } else {
            outcome.refused += 1
        }
    }
}
