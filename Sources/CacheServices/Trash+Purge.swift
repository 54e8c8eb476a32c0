import CLinux
import CacheModel
import FileAccess
import Glibc

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
    /// - Parameter takesHeld: Whether what changed as it was moved goes too.
    func purge(
        _ runs: inout [Run], before: Timestamp? = nil, promisedBefore: Timestamp? = nil,
        takesHeld: Bool = false, until enough: (_ purged: ByteCount) -> Bool = { _ in false }
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
            var left: [TrashedRun.Entry] = []
            for entry in run.entries {
                guard isDue, takesHeld || !entry.isHeld, !enough(bytes) else {
                    left.append(entry)
                    continue
                }
                if touched.last != run.id { touched.append(run.id) }
                let known = failures.count
                bytes = bytes + purge(entry.number, in: directory, &failures)
                if failures.count > known, (try? directory.stat(Self.name(entry.number))) != nil {
                    left.append(entry)
                }
            }
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

    /// An entry is renamed before it is unlinked, so that no restore ever brings back half of one.
    private func purge(_ number: Int, in directory: OpenDirectory, _ failures: inout [String]) -> ByteCount {
        let doomed = Self.doomed(number)
        let result = larder_rename_noreplace(
            directory.descriptor, Self.name(number), directory.descriptor, doomed)
        guard result == 0 else {
            failures.append("entry \(number): \(SystemError(code: -result))")
            return .zero
        }
        return remove(doomed, in: directory, &failures)
    }

    /// What an interrupted purge left, or all that a folder without a journal holds.
    private func purgeRemains(of directory: OpenDirectory, all: Bool, _ failures: inout [String]) -> ByteCount
    {
        var bytes = ByteCount.zero
        for name in (try? directory.names()) ?? [] where all || Self.isDoomed(name) {
            bytes = bytes + remove(name, in: directory, &failures)
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

    private func remove(_ name: [CChar], in directory: OpenDirectory, _ failures: inout [String]) -> ByteCount
    {
        do { return try TreeRemoval.remove(name, in: directory) } catch {
            failures.append("\(escaped(name.dropLast().map(UInt8.init(bitPattern:)))): \(error)")
            return .zero
        }
    }
}
