import CacheModel
import Dispatch
import FileAccess
import Glibc
import Synchronization

/// A directory to visit.
struct WalkTask {
    let parent: OpenDirectory
    var parentIndex: Int32
    /// Its index in the previous tree; -1 where it is new.
    var previous: Int32
    /// Its name in the parent, ended by a NUL.
    let name: [CChar]
    /// Which patterns of the user's own pools its path may match.
    var place: FolderRules.Place = 0
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
    var name: [UInt8] = []
    var sentinels: [UInt8] = []
    var children: [WalkTask] = []
    /// Directories in it that were skipped as unchanged, with their names where they lie in the previous tree.
    var leaves: [DirectoryRecord] = []
    var hardLinks: [FoundLink] = []
    /// Files in it that are entries by themselves.
    var units: [FileUnit] = []
    var unreadableFiles: [(name: [UInt8], error: SystemError)] = []
    /// Whether all that is kept of it and its leaves is as the last scan left it.
    var isUnchanged = false
}

/// A file with several links, as it was found in a directory.
struct FoundLink {
    var inode: UInt64
    var links: UInt64
    var bytes: Int64
    var apparentBytes: Int64
    /// Its place among the directory's units; -1 where it is in none.
    var unit = -1
}

/// A file, or several, that are an entry by themselves: a record like a directory's.
struct FileUnit {
    var record: DirectoryRecord
    var name: [UInt8]
}

/// The stack of directories to visit and the tree so far, under one lock.
final class WalkQueue: Sendable {
    /// What the walk has found so far.
    struct Found {
        var tree = DirectoryTree()
        var unreadable: [(directory: Int32, name: [UInt8], error: SystemError)] = []
        /// Directories on which another file system is mounted, by the one they are in.
        var mountPoints: [(directory: Int32, name: [UInt8])] = []
        var isUnchanged = true
        /// Whether the task was cancelled before all was walked.
        var isStopped = false
        fileprivate var stack: [WalkTask]
        fileprivate var running = 0
        fileprivate var waiting = 0
    }

    private let state: Mutex<Found>
    private let wakeUp = DispatchSemaphore(value: 0)
    private let previous: DirectoryTree?
    private let progress: (@Sendable (Int) -> Void)?

    init(first: WalkTask, previous: DirectoryTree?, progress: (@Sendable (Int) -> Void)?) {
        var found = Found(stack: [first])
        if let previous {
            found.tree.records.reserveCapacity(previous.records.count + 64)
            found.tree.text.reserveCapacity(previous.text.count + 4096)
        }
        state = Mutex(found)
        self.previous = previous
        self.progress = progress
    }

    /// What was found, once there is no next task.
    func found() -> Found { state.withLock { $0 } }

    /// Takes in what became of a task and gives the next one; nil when all is done.
    ///
    /// Waits while others may still find some.
    func next(after done: (task: WalkTask, result: WalkResult)?) -> WalkTask? {
        var done = done
        // The task is known on the thread that called the walk, which is one of those that work.
        let isCancelled = Task.isCancelled
        while true {
            let (task, mustWait, sleepers) = state.withLock { found in
                if let done { found.finish(done.task, done.result, previous, progress) }
                return found.take(isCancelled: isCancelled)
            }
            done = nil
            for _ in 0..<sleepers { wakeUp.signal() }
            guard mustWait else { return task }
            wakeUp.wait()
        }
    }
}

extension WalkQueue.Found {
    /// The next task, whether to wait for one, and how many of those that wait must look again.
    fileprivate mutating func take(isCancelled: Bool) -> (task: WalkTask?, mustWait: Bool, sleepers: Int) {
        if isCancelled { isStopped = true }
        if isStopped { stack = [] }
        let task = stack.popLast()
        if task != nil { running += 1 }
        var sleepers = 0
        if !stack.isEmpty || running == 0 { swap(&sleepers, &waiting) }
        let mustWait = task == nil && running > 0
        if mustWait { waiting += 1 }
        return (task, mustWait, sleepers)
    }

    /// Puts a result into the tree and its directories on the stack.
    fileprivate mutating func finish(
        _ task: WalkTask, _ result: WalkResult, _ previous: DirectoryTree?, _ progress: ((Int) -> Void)?
    ) {
        running -= 1
        let before = tree.records.count
        switch result {
        case .visited(let visited): take(visited, of: task, previous)
        case .unreadable(let record, let error):
            isUnchanged = false
            if var record {
                record.parent = task.parentIndex
                unreadable.append((tree.append(record, name: task, sentinels: []), [], error))
            } else {
                unreadable.append((task.parentIndex, task.bytes, error))
                lookAgain(at: task.parentIndex, .unreadable)
            }
        case .mountPoint:
            isUnchanged = false
            mountPoints.append((task.parentIndex, task.bytes))
            lookAgain(at: task.parentIndex, .unreadable)
        case .vanished:
            isUnchanged = false
            lookAgain(at: task.parentIndex, .listAlways)
        }
        if before / 4096 != tree.records.count / 4096 { progress?(tree.records.count) }
    }

    /// What lies in a directory was not all seen: an unchanged directory would hide it from all later scans.
    private mutating func lookAgain(at directory: Int32, _ fact: DirectoryFacts) {
        if tree.records.indices.contains(Int(directory)) { tree.records[Int(directory)].facts.insert(fact) }
    }

    private mutating func take(_ visited: VisitedDirectory, of task: WalkTask, _ previous: DirectoryTree?) {
        guard tree.hasRoom(for: visited, previous) else {
            isUnchanged = false
            unreadable.append((max(0, task.parentIndex), task.bytes, SystemError(code: EOVERFLOW)))
            lookAgain(at: task.parentIndex, .unreadable)
            return
        }
        // Larder's own folder changes with every scan and holds nothing that is skipped.
        let isOwn = task.parentIndex == 0 && task.bytes == EntryCollector.ownFolder
        if !visited.isUnchanged, !isOwn { isUnchanged = false }
        var record = visited.record
        record.parent = task.parentIndex
        let index = tree.append(record, name: task, sentinels: visited.sentinels)
        if let previous { for leaf in visited.leaves { tree.append(leaf, below: index, from: previous) } }
        let firstUnit = Int32(truncatingIfNeeded: tree.records.count)
        for unit in visited.units { tree.append(unit, in: index) }
        for link in visited.hardLinks {
            tree.hardLinks.append(
                HardLink(
                    directory: link.unit < 0 ? index : firstUnit + Int32(truncatingIfNeeded: link.unit),
                    inode: link.inode, links: link.links, bytes: link.bytes,
                    apparentBytes: link.apparentBytes))
        }
        unreadable += visited.unreadableFiles.map { (index, $0.name, $0.error) }
        let first = stack.count
        stack += visited.children
        for at in first..<stack.count { stack[at].parentIndex = index }
    }
}

extension WalkTask {
    /// The raw name; empty for the root.
    var bytes: [UInt8] { parentIndex < 0 ? [] : name.dropLast().map(UInt8.init(bitPattern:)) }
}

extension DirectoryTree {
    /// Whether the names of a directory and of its leaves still have places that 32 bits can tell.
    fileprivate func hasRoom(for visited: VisitedDirectory, _ previous: DirectoryTree?) -> Bool {
        let leaves = visited.leaves.reduce(0) { $0 + Int($1.nameLength) + Int($1.sentinelLength) }
        return text.count + visited.sentinels.count + leaves + Int(UInt16.max) < Int(UInt32.max)
            && records.count + visited.leaves.count + 1 < Int(Int32.max)
    }

    /// Adds a directory with its name and the names of its sentinels, and says where it went.
    mutating func append(_ record: DirectoryRecord, name task: WalkTask, sentinels: [UInt8]) -> Int32 {
        let start = text.count
        if task.parentIndex >= 0 { task.name.withUnsafeBytes { text.append(contentsOf: $0.dropLast()) } }
        var record = record
        record.nameStart = UInt32(truncatingIfNeeded: start)
        record.nameLength = UInt16(truncatingIfNeeded: text.count - start)
        record.sentinelLength = UInt32(truncatingIfNeeded: sentinels.count)
        text.append(contentsOf: sentinels)
        records.append(record)
        return Int32(truncatingIfNeeded: records.count - 1)
    }

    /// Adds what is an entry by itself in a directory.
    mutating func append(_ unit: FileUnit, in directory: Int32) {
        var record = unit.record
        record.parent = directory
        record.nameStart = UInt32(truncatingIfNeeded: text.count)
        record.nameLength = UInt16(truncatingIfNeeded: unit.name.count)
        record.sentinelLength = 0
        text.append(contentsOf: unit.name)
        records.append(record)
    }

    /// Adds a directory whose name and sentinels lie in another tree's text.
    mutating func append(_ record: DirectoryRecord, below parent: Int32, from tree: DirectoryTree) {
        var record = record
        let (start, length) = (Int(record.nameStart), Int(record.nameLength) + Int(record.sentinelLength))
        record.parent = parent
        record.nameStart = UInt32(truncatingIfNeeded: text.count)
        tree.text.withUnsafeBytes { text.append(contentsOf: $0[start..<start + length]) }
        records.append(record)
    }
}
