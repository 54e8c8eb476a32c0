import CLinux
import CacheModel
import FileAccess
import Glibc

/// Directories that are as the last scan left them: their files are not listed again.
extension DirectoryLister {
    /// Whether nothing in a directory can have got or lost a name since the last scan.
    func isUnchanged(_ stat: larder_stat, _ old: DirectoryRecord, _ previous: TreeSnapshot) -> Bool {
        stat.inode == old.inode && stat.mtime == old.mtime && stat.ctime == old.ctime
            && maySkip(old, previous)
            // Another user may scan than did before.
            && isClosed(stat) == old.facts.contains(.closed)
    }

    private func maySkip(_ old: DirectoryRecord, _ previous: TreeSnapshot) -> Bool {
        old.ctime < previous.startedAt.nanoseconds - Self.coarsestTick
            && old.facts.isDisjoint(with: .listed)
    }

    /// Takes over what is known of an unchanged directory, and looks at its sentinels: reads of them are the
    /// evidence of use.
    ///
    /// Nil where one of them was rewritten in place, which leaves the directory as it was, or cannot be looked at.
    func revisit(
        _ directory: OpenDirectory, _ task: WalkTask, _ previous: TreeSnapshot,
        _ scratch: inout ListingScratch
    ) -> VisitedDirectory? {
        let index = task.previous
        let old = previous.tree.records[Int(index)]
        var record = old.withoutSentinels
        var areThere = true
        previous.tree.forEachSentinel(of: index) { name in
            var stat = larder_stat()
            areThere = areThere && larder_statx(directory.descriptor, name, &stat) == 0
            addSentinel(stat, to: &record)
        }
        guard areThere, record.sentinelTimes == old.sentinelTimes else { return nil }
        var visited = VisitedDirectory(record: record, sentinels: Array(previous.tree.sentinels(index)))
        visited.isUnchanged = record.isSame(as: old)
        for child in previous.children(of: index) {
            // Larder's own folder changes with every scan.
            let isOwn = index == 0 && previous.tree.name(child).elementsEqual(EntryCollector.ownFolder)
            if !isOwn, let leaf = leaf(child, in: directory, previous, &scratch) {
                if !leaf.isSame(as: previous.tree.records[Int(child)]) { visited.isUnchanged = false }
                visited.leaves.append(leaf)
            } else {
                let name = previous.tree.name(child).map(CChar.init(bitPattern:)) + [0]
                visited.children.append(
                    WalkTask(parent: directory, parentIndex: -1, previous: child, name: name))
            }
        }
        placeChildren(of: task, &visited)
        return visited
    }

    /// Takes over what is known of an unchanged directory that has no directories in it, without opening it;
    /// nil where it has some, or is not known to be unchanged.
    ///
    /// Opening and closing would cost more than all else. Its sentinels are looked at by `name/sentinel`, where
    /// a job could have put a link in the name's place. So the directory comes last: with the inode and ctime
    /// of the last scan it cannot have been moved since, as that sets the ctime (rename(2) on Linux's file
    /// systems), and what was seen was in it. Otherwise all that was seen is dropped.
    func leaf(
        _ index: Int32, in parent: OpenDirectory, _ previous: TreeSnapshot, _ scratch: inout ListingScratch
    ) -> DirectoryRecord? {
        let old = previous.tree.records[Int(index)]
        guard maySkip(old, previous), previous.children(of: index).isEmpty else { return nil }
        var record = old.withoutSentinels
        var areThere = true
        let length = scratch.beginPath(previous.tree.name(index))
        previous.tree.forEachSentinel(of: index) { name in
            var stat = larder_stat()
            scratch.extendPath(from: length, by: name)
            areThere = areThere && larder_statx(parent.descriptor, scratch.path, &stat) == 0
            addSentinel(stat, to: &record)
        }
        guard areThere, record.sentinelTimes == old.sentinelTimes else { return nil }
        _ = scratch.beginPath(previous.tree.name(index))
        var stat = larder_stat()
        guard larder_statx(parent.descriptor, scratch.path, &stat) == 0, stat.device == device,
            stat.mount == mount, isUnchanged(stat, old, previous)
        else { return nil }
        return record
    }

    private func addSentinel(_ stat: larder_stat, to record: inout DirectoryRecord) {
        record.sentinelTimes &+= stat.ctime
        add(stat, to: &record)
    }

    /// Takes down when a file was written; a time in the future tells nothing.
    func noteWriting(_ stat: larder_stat, in record: inout DirectoryRecord) {
        if stat.mtime <= (startedAt + .days(1)).nanoseconds {
            record.written = max(record.written, stat.mtime)
        }
    }

    /// Adds a file to the sums of its directory.
    func add(_ stat: larder_stat, to record: inout DirectoryRecord, isSentinel: Bool = true) {
        record.fileBytes.addPinned(stat.blocks * 512)
        record.apparentBytes.addPinned(stat.size)
        guard isSentinel else { return }
        record.accessed = max(record.accessed, stat.atime)
        noteWriting(stat, in: &record)
        // The rule of relatime turned round: this read shows, and the next one within a day will not.
        if stat.atime > stat.ctime, stat.atime > startedAt.nanoseconds - Self.relatimeAge {
            record.facts.insert(.unarmed)
            if stat.uid != user, user != 0 { record.facts.insert(.unarmable) }
        }
    }
}

extension DirectoryRecord {
    /// The record before its sentinels are added.
    fileprivate var withoutSentinels: DirectoryRecord {
        var record = self
        record.fileBytes = otherBytes
        record.apparentBytes = otherApparentBytes
        record.accessed = otherAccessed
        record.facts.subtract(.ofSentinels)
        record.sentinelTimes = 0
        return record
    }

    /// Whether its sentinels are as they were.
    fileprivate func isSame(as old: DirectoryRecord) -> Bool {
        fileBytes == old.fileBytes && apparentBytes == old.apparentBytes && accessed == old.accessed
            && facts == old.facts
    }
}

extension DirectoryTree {
    /// Gives the names of a directory's sentinels one after the other, each ended by a NUL.
    fileprivate func forEachSentinel(of index: Int32, _ body: (UnsafePointer<CChar>) -> Void) {
        let record = records[Int(index)]
        let start = Int(record.nameStart) + Int(record.nameLength)
        text.withUnsafeBytes { text in
            guard let base = text.baseAddress else { return }
            var at = start
            while at < start + Int(record.sentinelLength),
                let end = memchr(base + at, 0, start + Int(record.sentinelLength) - at)
            {
                body((base + at).assumingMemoryBound(to: CChar.self))
                at = UnsafeRawPointer(end) - base + 1
            }
        }
    }
}
