import CLinux
import CacheModel
import FileAccess
import Glibc

/// Reads one directory: skipped where it is unchanged, listed otherwise.
struct DirectoryLister {
    let mount: UInt64
    let device: UInt64
    let startedAt: Timestamp
    let previous: TreeSnapshot?
    /// Whom this process acts for: nobody but a file's owner and root may arm it.
    let user = geteuid()

    /// A directory changed this shortly before it was recorded may have changed again within the same tick of
    /// the file system's clock: two seconds cover the coarsest ones.
    static let coarsestTick: Int64 = 2_000_000_000
    /// How many files of a directory are remembered by name.
    private static let mostSentinels = 8
    /// An artifact that was written so much later than the file that tells of its origin is not what that tells of.
    private static let laterThanItsOrigin: Int64 = 3_600_000_000_000
    /// A download that has not moved for a day is none.
    static let inFlightAge: Int64 = 86_400_000_000_000

    func list(_ task: WalkTask, _ scratch: inout ListingScratch) -> WalkResult {
        let directory: OpenDirectory
        do { directory = try task.parent.open(task.name) } catch {
            if error.isVanished { return .vanished }
            if error.code == EXDEV { return .mountPoint }
            var stat = larder_stat()
            let found = larder_statx(task.parent.descriptor, task.name, &stat)
            return .unreadable(found == 0 ? record(of: stat, facts: .unreadable) : nil, error)
        }
        var stat = larder_stat()
        let found = larder_statx(directory.descriptor, "", &stat)
        guard found == 0 else { return .unreadable(nil, SystemError(code: -found)) }
        guard stat.device == device, stat.mount == mount else { return .mountPoint }
        if let previous, task.previous >= 0,
            isUnchanged(stat, previous.tree.records[Int(task.previous)], previous),
            let visited = revisit(directory, task.previous, previous, &scratch)
        {
            return .visited(visited)
        }
        return read(directory, stat, task, &scratch)
    }

    private func record(of stat: larder_stat, facts: DirectoryFacts = []) -> DirectoryRecord {
        DirectoryRecord(
            parent: -1, nameStart: 0, nameLength: 0, facts: facts, sentinelLength: 0, files: 0,
            inode: stat.inode,
            mtime: stat.mtime, ctime: stat.ctime, ownBytes: stat.blocks * 512, fileBytes: 0, otherBytes: 0,
            apparentBytes: 0, otherApparentBytes: 0, accessed: 0, otherAccessed: 0)
    }

    private func read(
        _ directory: OpenDirectory, _ stat: larder_stat, _ task: WalkTask,
        _ scratch: inout ListingScratch
    ) -> WalkResult {
        var visited = VisitedDirectory(record: record(of: stat))
        scratch.beginDirectory()
        var state = ListingState.more
        while state == .more {
            state = scratch.readBatch(of: directory, into: &visited)
            if case .failed(let error) = state {
                return .unreadable(record(of: stat, facts: .unreadable), SystemError(code: error))
            }
            sum(&visited, of: directory, scratch)
            if state == .more { scratch.dropFiles() }
        }
        if !visited.unreadableFiles.isEmpty { visited.record.facts.insert(.unreadable) }
        if let previous, task.previous >= 0, previous.tree.records[Int(task.previous)].inode == stat.inode {
            previous.match(&visited.children, in: task.previous)
        }
        if scratch.dropped {
            visited.record.facts.insert(.listAlways)
        } else {
            recognise(&visited, directory, in: task.parent, scratch)
            chooseSentinels(&visited, of: directory, scratch)
        }
        return .visited(visited)
    }

    private func sum(
        _ visited: inout VisitedDirectory, of directory: OpenDirectory, _ scratch: borrowing ListingScratch
    ) {
        let isBuildCache = FileNames.isBuildCache(directory.name)
        for file in scratch.files {
            if file.stat.links > 1 {
                visited.hardLinks.append((file.stat.inode, file.stat.blocks * 512, file.stat.size))
                visited.record.accessed = max(visited.record.accessed, file.stat.atime)
                visited.record.facts.insert(.listAlways)
                continue
            }
            visited.record.files += 1
            scratch.withName(of: file) { name in
                let isOpenedAnyway = isBuildCache && FileNames.isGradlesOwn(name)
                add(file.stat, to: &visited.record, isSentinel: !isOpenedAnyway)
                guard FileNames.isInFlight(name) else { return }
                visited.record.facts.insert(.listAlways)
                if max(file.stat.mtime, file.stat.ctime) > startedAt.nanoseconds - Self.inFlightAge {
                    visited.record.facts.insert(.inFlight)
                }
            }
        }
    }

    /// Remembers by name the files whose reads are the evidence of use, and sums up the others.
    ///
    /// Every file counts but checksums: Maven reads a version directory's tracking file and pom whenever it resolves
    /// the version, other tools the jar alone, and any of them may be rewritten in its place.
    private func chooseSentinels(
        _ visited: inout VisitedDirectory, of directory: OpenDirectory, _ scratch: borrowing ListingScratch
    ) {
        // Gradle stamps what it finds there with its own time: it is looked at as a whole.
        if FileNames.isBuildCache(directory.name) { visited.record.facts.insert(.listAlways) }
        guard !visited.record.facts.contains(.listAlways) else { return }
        var count = 0
        let settled = startedAt.nanoseconds - Self.coarsestTick
        for file in scratch.files {
            scratch.withName(of: file) { name in
                if !FileNames.isChecksum(name) {
                    count += 1
                    visited.record.sentinelTimes &+= file.stat.ctime
                    // What was written within the same tick again would look the same.
                    if file.stat.ctime >= settled { visited.record.facts.insert(.listAlways) }
                    visited.sentinels.append(contentsOf: name)
                    visited.sentinels.append(0)
                } else {
                    visited.record.otherBytes.addPinned(file.stat.blocks * 512)
                    visited.record.otherApparentBytes.addPinned(file.stat.size)
                    visited.record.otherAccessed = max(visited.record.otherAccessed, file.stat.atime)
                }
            }
        }
        if count > Self.mostSentinels {
            visited.record.facts.insert(.listAlways)
            visited.sentinels = []
        }
    }

    /// Tells a Maven version directory by its files, and asks its tracking file what was installed locally.
    ///
    /// Where the tracking file cannot be read now, that is doubt, and it is read again at the next scan.
    private func recognise(
        _ visited: inout VisitedDirectory, _ directory: OpenDirectory, in parent: OpenDirectory,
        _ scratch: borrowing ListingScratch
    ) {
        guard !scratch.files.isEmpty, !parent.name.isEmpty else { return }
        var tracked: TrackingFile?
        var trusted = Int64.max
        if let file = scratch.file(named: FileNames.tracking) {
            trusted = file.stat.mtime.addingPinned(Self.laterThanItsOrigin)
            visited.record.facts.formUnion([.mavenVersion, .tracked])
            switch TrackingFile.read(in: directory, file.stat) {
            case .success(let file): tracked = file
            case .failure(let error):
                switch error.code {
                case EPERM, EACCES: visited.record.facts.insert(.foreignOwner)
                case EINVAL, EFBIG, ELOOP: visited.record.facts.insert(.locallyInstalled)
                default: visited.record.facts.insert(.unreadable)
                }
            }
        } else if scratch.holdsName(after: parent.name + [UInt8(ascii: "-")] + directory.name) {
            visited.record.facts.insert(.mavenVersion)
        }
        // Where the tracking file is closed, that is the reason to keep it, and not what it would have said.
        guard visited.record.facts.contains(.mavenVersion), !visited.record.facts.contains(.foreignOwner)
        else { return }
        for file in scratch.files {
            scratch.withName(of: file) { name in
                guard FileNames.isArtifact(name) else { return }
                if tracked?.isFetched(name) != true || file.stat.mtime > trusted {
                    visited.record.facts.insert(.locallyInstalled)
                }
            }
        }
    }
}
