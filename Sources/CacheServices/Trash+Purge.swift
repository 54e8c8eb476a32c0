import CLinux
import CacheModel
import Caches
import FileAccess
import Glibc
import Synchronization

extension Trash {
    /// Purges runs for good, oldest first.
    ///
    /// - Parameters:
    ///   - before: Only runs that began before this time; nil for all. What an interrupted purge left goes
    ///     whatever its age, and so does a run that holds nothing.
    ///   - promisedBefore: The time where a run is not to be purged before what it promised is over; nil where that
    ///     does not count.
    ///   - enough: Asked before each entry with the bytes purged so far; true ends the purge.
    /// - Returns: The disk bytes of what was unlinked, what could not be, and of which runs entries were taken.
    package func purge(
        before: Timestamp? = nil, promisedBefore: Timestamp? = nil,
        until enough: (_ purged: ByteCount) -> Bool = { _ in false }
    ) throws(MaintenanceError) -> Purged {
        var runs = try runs()
        return purge(&runs, before: before, promisedBefore: promisedBefore, takesHeld: true, until: enough)
    }

    /// What a purge unlinked, what it could not, and of which runs it took entries.
    package typealias Purged = (bytes: ByteCount, failures: [String], runs: [String])

    /// The same of runs that were read already, which are what is left afterwards.
    ///
    /// - Parameters:
    ///   - takesHeld: Whether what changed as it was moved goes too.
    ///   - isUrgent: Whether room is wanted now: else jobs that read and write the disk come first.
    func purge(
        _ runs: inout [Run], before: Timestamp? = nil, promisedBefore: Timestamp? = nil,
        takesHeld: Bool = false, isUrgent: Bool = false,
        until enough: (_ purged: ByteCount) -> Bool = { _ in false }
    ) -> Purged {
        var bytes = ByteCount.zero
        var failures: [String] = []
        var touched: [String] = []
        for place in runs.indices where !enough(bytes) {
            let run = runs[place]
            guard let directory = try? folder.trash.open(Array(run.id.utf8).cString) else { continue }
            let isPromised =
                promisedBefore.map { now in run.keptUntil(.zero).map { $0 > now } ?? false } ?? false
            let isDue = !isPromised && (before.map { age(of: run, directory) < $0 } ?? true)
            // First, as what of this purge cannot go is no better off for a second attempt.
            bytes = bytes + purgeRemains(of: directory, all: run.createdAt == nil && isDue, &failures)
            let doomed = isDue ? run.entries.filter { takesHeld || !$0.isHeld } : []
            let gone = withoutActuallyEscaping(enough) { enough in
                let purge = PurgeOfEntries(doomed, in: directory, after: bytes, until: enough)
                purge.run(isUrgent: isUrgent)
                let (begun, left) = purge.finish(&bytes, &failures)
                if !begun.isEmpty { touched.append(run.id) }
                return begun.subtracting(left)
            }
            let left = gone.isEmpty ? run.entries : run.entries.filter { !gone.contains($0.number) }
            runs[place].entries = left
            runs[place].unpurged = unpurged(of: run, directory)
            if left.isEmpty { removeIfEmpty(run.id, directory) }
        }
        bytes = bytes + purgeRemains(of: folder.trash, all: false, &failures)
        return (bytes, failures, touched)
    }

    /// When a run began; without a readable journal, when its folder was last changed.
    private func age(of run: Run, _ directory: OpenDirectory) -> Timestamp {
        run.createdAt ?? Timestamp(nanoseconds: (try? directory.stat().mtime) ?? 0)
    }

    /// What an interrupted purge left, or all that a folder without a journal holds.
    private func purgeRemains(of directory: OpenDirectory, all: Bool, _ failures: inout [String]) -> ByteCount
    {
        var bytes = ByteCount.zero
        for name in (try? directory.names()) ?? [] where all || Self.isDoomed(name) {
            bytes = bytes + Self.remove(name, in: directory, &failures)
        }
        return bytes
    }

    /// What a purge left of the entries of a run that it was to remove.
    private func unpurged(of run: Run, _ directory: OpenDirectory) -> [UnpurgedEntry] {
        if run.createdAt == nil { return [Remains.ofRun(run.id, in: folder.trash)].compactMap(\.self) }
        // Mostly there is none: to ask for that is one look at the folder.
        guard let names = try? directory.names(), names.contains(where: Self.isDoomed) else { return [] }
        var unpurged: [UnpurgedEntry] = []
        _ = try? TrashJournal.read(from: directory) { number, line in
            if let rest = Remains.of(number, line, in: directory) { unpurged.append(rest) }
        }
        return unpurged
    }

    fileprivate static func remove(
        _ name: [CChar], in directory: OpenDirectory, _ failures: inout [String]
    ) -> ByteCount {
        do { return try TreeRemoval.remove(name, in: directory) } catch {
            failures.append("\(escaped(name.dropLast().map(UInt8.init(bitPattern:)))): \(error)")
            return .zero
        }
    }
}

/// Entries of one run on their way: each is one's own work, so that two threads take turns.
private final class PurgeOfEntries: Sendable {
    private struct Progress {
        /// The first entry that nobody took yet.
        var next = 0
        var bytes: ByteCount
        /// What the entries hold that a thread has taken and not done yet.
        var underWay = ByteCount.zero
        /// Whether enough was purged.
        var isOver = false
        var failures: [String] = []
        /// The numbers of those that could not go, and are whole.
        var left: Set<Int> = []
    }

    private let entries: [TrashedRun.Entry]
    private let directory: OpenDirectory
    private let progress: Mutex<Progress>
    // Asked by one thread at a time, and not after `run` has returned.
    private nonisolated(unsafe) let enough: (ByteCount) -> Bool

    /// From so many entries on a second thread is worth while.
    private static let manyEntries = 64

    init(
        _ entries: [TrashedRun.Entry], in directory: OpenDirectory, after bytes: ByteCount,
        until enough: @escaping (ByteCount) -> Bool
    ) {
        (self.entries, self.directory, self.enough) = (entries, directory, enough)
        progress = Mutex(Progress(bytes: bytes))
    }

    /// Purges until it is enough, or all is gone.
    func run(isUrgent: Bool) {
        // Of what is shared by reflinks, the last one's removal frees it: they are looked at one after the other.
        let isParallel = entries.count >= Self.manyEntries && !SharedBlocks.mayExist(on: directory)
        onThreads(isParallel ? 2 : 1) { _ in
            let before = isUrgent ? nil : larder_idle_io(-1)
            while let entry = take() { purge(entry) }
            if let before { larder_idle_io(before) }
        }
    }

    /// The next entry; nil where none is left, or enough was purged.
    private func take() -> TrashedRun.Entry? {
        progress.withLock { progress in
            guard progress.next < entries.count, !progress.isOver else { return nil }
            // What is under way counts: two threads must not take more than one would.
            progress.isOver = enough(progress.bytes + progress.underWay)
            guard !progress.isOver else { return nil }
            progress.next += 1
            progress.underWay = progress.underWay + entries[progress.next - 1].bytes
            return entries[progress.next - 1]
        }
    }

    /// An entry is renamed before it is unlinked, so that no restore ever brings back half of one.
    private func purge(_ entry: TrashedRun.Entry) {
        let (name, doomed) = (Trash.name(entry.number), Trash.doomed(entry.number))
        let result = larder_rename_noreplace(directory.descriptor, name, directory.descriptor, doomed)
        var freed = ByteCount.zero
        var failures: [String] = []
        if result == 0 {
            freed = Trash.remove(doomed, in: directory, &failures)
        } else {
            failures.append("entry \(entry.number): \(SystemError(code: -result))")
        }
        let isLeft = !failures.isEmpty && (try? directory.stat(name)) != nil
        progress.withLock { progress in
            progress.bytes = progress.bytes + freed
            progress.underWay = progress.underWay - entry.bytes
            progress.failures += failures
            if isLeft { progress.left.insert(entry.number) }
        }
    }

    /// What came of it: the numbers of the entries that were begun with, and of those that could not go.
    func finish(_ bytes: inout ByteCount, _ failures: inout [String]) -> (begun: Set<Int>, left: Set<Int>) {
        progress.withLock { progress in
            bytes = progress.bytes
            failures += progress.failures
            return (Set(entries.prefix(progress.next).map(\.number)), progress.left)
        }
    }
}
