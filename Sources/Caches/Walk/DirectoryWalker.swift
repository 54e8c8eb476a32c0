import CLinux
import CacheModel
import FileAccess
import Glibc

/// Walks a volume in parallel, by directory descriptors.
///
/// It never follows a link, never leaves the volume's mount, opens no file but Maven's tracking files, and
/// takes what vanishes under it as not there. Tasks go on a stack, so that open descriptors stay as few as the
/// tree is deep. Memory grows with the number of directories, not of files.
struct DirectoryWalker: Sendable {
    /// The number of threads.
    let threads: Int
    /// When the scan began: what is younger may still be changing.
    let startedAt: Timestamp
    /// The tree of the last scan, to skip what did not change.
    let previous: TreeSnapshot?
    /// The patterns of the user's own pools; nil without any.
    var rules: FolderRules?
    /// Called now and then with the number of directories done.
    let progress: (@Sendable (Int) -> Void)?

    /// What a walk brings back.
    struct Walk {
        var tree: DirectoryTree
        var identity: VolumeIdentity
        var unreadable: [(directory: Int32, name: [UInt8], error: SystemError)]
        /// Directories on which another file system is mounted, by the one they are in: passed over.
        var mountPoints: [(directory: Int32, name: [UInt8])]
        /// Whether the tree of the last scan still says it all.
        var isUnchanged: Bool
    }

    /// Walks everything below `root`, an open directory.
    func walk(_ root: OpenDirectory) throws(SystemError) -> Walk {
        var stat = larder_stat()
        let result = larder_statx(root.descriptor, "", &stat)
        guard result == 0 else { throw SystemError(code: -result) }
        let queue = WalkQueue(
            first: WalkTask(
                parent: root, parentIndex: -1, previous: previous == nil ? -1 : 0, name: [46, 0],
                place: rules?.root ?? 0),
            previous: previous?.tree, progress: progress)
        let lister = DirectoryLister(
            mount: stat.mount, device: stat.device, startedAt: startedAt, previous: previous, rules: rules)
        onThreads(threads) { _ in
            var scratch = ListingScratch()
            var next = queue.next(after: nil)
            while let task = next { next = queue.next(after: (task, lister.list(task, &scratch))) }
        }
        let found = queue.found()
        if found.isStopped { throw SystemError(code: ECANCELED) }
        return Walk(
            tree: found.tree, identity: VolumeIdentity(marker: stat.device, rootInode: stat.inode),
            unreadable: found.unreadable, mountPoints: found.mountPoints,
            isUnchanged: previous != nil && found.isUnchanged)
    }
}
