import CLinux
import CacheModel
import DirectoryAccess
import Dispatch
import Foundation
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
    /// Called now and then with the number of directories done.
    let progress: (@Sendable (Int) -> Void)?

    /// What a walk brings back.
    struct Walk {
        var tree: DirectoryTree
        var identity: VolumeIdentity
        var unreadable: [(directory: Int32, name: [UInt8], error: SystemError)]
        /// Directories on which another file system is mounted: passed over.
        var mountPoints: Int
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
                parent: root, parentIndex: -1, previous: previous == nil ? -1 : 0, name: [46, 0]),
            progress: progress)
        let lister = DirectoryLister(
            mount: stat.mount, device: stat.device, startedAt: startedAt, previous: previous)
        DispatchQueue.concurrentPerform(iterations: threads) { _ in
            let scratch = ListingScratch()
            while let task = queue.next() { queue.finish(task, lister.list(task, scratch)) }
        }
        if queue.isStopped { throw SystemError(code: ECANCELED) }
        return Walk(
            tree: queue.tree, identity: VolumeIdentity(marker: stat.device, rootInode: stat.inode),
            unreadable: queue.unreadable, mountPoints: queue.mountPoints,
            isUnchanged: previous != nil && queue.isUnchanged)
    }
}

/// A directory to visit.
struct WalkTask {
    let parent: OpenDirectory
    let parentIndex: Int32
    /// Its index in the previous tree; -1 where it is new.
    let previous: Int32
    /// Its name in the parent, ended by a NUL.
    let name: [CChar]
}

/// What became of a task.
enum WalkResult {
    /// The directory was read, or skipped as unchanged.
    case visited(VisitedDirectory)
    /// It could not be read.
    case unreadable(DirectoryRecord?, SystemError)
    /// Another file system is mounted on it.
    case mountPoint
    /// It went away.
    case vanished
}

/// A directory that was read, or skipped as unchanged, with the directories in it.
struct VisitedDirectory {
    var record: DirectoryRecord
    var witnesses: [UInt8] = []
    var directory: OpenDirectory
    var children: [(name: [CChar], previous: Int32)] = []
    var hardLinks: [(inode: UInt64, bytes: Int64, apparentBytes: Int64)] = []
    var unreadableFiles: [(name: [UInt8], error: SystemError)] = []
    /// Whether all that is kept of it is as the last scan left it.
    var isUnchanged = false
}

/// The stack of directories to visit and the tree so far, under one lock.
final class WalkQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private var stack: [WalkTask]
    private var running = 0
    private var waiting = 0
    private let progress: (@Sendable (Int) -> Void)?
    private(set) var tree = DirectoryTree()
    private(set) var unreadable: [(directory: Int32, name: [UInt8], error: SystemError)] = []
    private(set) var mountPoints = 0
    private(set) var isUnchanged = true
    /// Whether the task was cancelled before all was walked.
    private(set) var isStopped = false

    init(first: WalkTask, progress: (@Sendable (Int) -> Void)?) {
        stack = [first]
        self.progress = progress
    }

    /// The next directory to visit; nil when all is done.
    ///
    /// Waits while others may still find some.
    func next() -> WalkTask? {
        condition.lock()
        defer { condition.unlock() }
        while stack.isEmpty, running > 0 {
            waiting += 1
            condition.wait()
            waiting -= 1
        }
        // The task is known on the thread that called the walk, which is one of those that work.
        if Task.isCancelled { isStopped = true }
        if isStopped { stack = [] }
        guard let task = stack.popLast() else { return nil }
        running += 1
        return task
    }

    /// Puts a result into the tree and its directories on the stack.
    func finish(_ task: WalkTask, _ result: WalkResult) {
        condition.lock()
        defer { condition.unlock() }
        running -= 1
        let name = task.parentIndex < 0 ? [] : task.name.dropLast().map(UInt8.init(bitPattern:))
        // Larder's own folder changes with every scan and holds nothing that is skipped.
        let isOwn = task.parentIndex == 0 && name.elementsEqual(EntryCollector.ownFolder)
        switch result {
        case .visited(var visited):
            if !visited.isUnchanged, !isOwn { isUnchanged = false }
            visited.record.parent = task.parentIndex
            let index = tree.append(visited.record, name: name, witnesses: visited.witnesses)
            for link in visited.hardLinks {
                tree.hardLinks.append(
                    HardLink(
                        directory: index, inode: link.inode, bytes: link.bytes,
                        apparentBytes: link.apparentBytes))
            }
            unreadable += visited.unreadableFiles.map { (index, $0.name, $0.error) }
            for child in visited.children {
                stack.append(
                    WalkTask(
                        parent: visited.directory, parentIndex: index, previous: child.previous,
                        name: child.name))
            }
        case .unreadable(let record, let error):
            isUnchanged = false
            if var record {
                record.parent = task.parentIndex
                unreadable.append((tree.append(record, name: name, witnesses: []), [], error))
            } else {
                unreadable.append((task.parentIndex, name, error))
            }
        case .mountPoint: mountPoints += 1
        case .vanished: isUnchanged = false
        }
        if tree.records.count % 4096 == 0 { progress?(tree.records.count) }
        if waiting > 0, !stack.isEmpty || running == 0 { condition.broadcast() }
    }
}
