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
    /// The patterns of the user's own pools; nil without any.
    var rules: FolderRules?
    /// Whom this process acts for: nobody but a file's owner and root may arm it.
    var user = geteuid()
    /// The groups of this process.
    var groups = Self.groups()

    /// A directory changed this shortly before it was recorded may have changed again within the same tick of
    /// the file system's clock: two seconds cover the coarsest ones.
    static let coarsestTick: Int64 = 2_000_000_000
    /// How many files of a directory are remembered by name.
    private static let mostSentinels = 8
    /// An artifact that was written so much later than the file that tells of its origin is not what that tells of.
    private static let laterThanItsOrigin: Int64 = 3_600_000_000_000
    /// relatime lets an access time that is later than the last change stand for a day.
    static let relatimeAge: Int64 = 86_400_000_000_000

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
            let visited = revisit(directory, task, previous, &scratch)
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
        var visited = VisitedDirectory(record: record(of: stat), name: directory.name)
        // The mode of an ACL's file may say less than the ACL.
        if isClosed(stat), faccessat(directory.descriptor, ".", W_OK, AT_EACCESS) != 0, errno == EACCES {
            visited.record.facts.insert(.closed)
        }
        scratch.beginDirectory()
        var state = ListingState.more
        while state == .more {
            state = scratch.readBatch(of: directory, into: &visited)
            if case .failed(let error) = state {
                return .unreadable(record(of: stat, facts: .unreadable), SystemError(code: error))
            }
            sum(&visited, of: directory, scratch)
            if state == .more {
                setApart(task.place, &visited, scratch)
                scratch.dropFiles()
            }
        }
        if !visited.unreadableFiles.isEmpty { visited.record.facts.insert(.unreadable) }
        if let previous, task.previous >= 0, previous.tree.records[Int(task.previous)].inode == stat.inode {
            previous.match(&visited.children, in: task.previous)
        }
        if scratch.dropped {
            visited.record.facts.insert(.listAlways)
            setApart(task.place, &visited, scratch)
        } else {
            recognise(&visited, directory, in: task.parent, scratch)
            // A directory of Maven's with replaced builds is no pool's of the user's own.
            if visited.units.isEmpty { setApart(task.place, &visited, scratch) }
            chooseSentinels(&visited, of: directory, scratch)
        }
        placeChildren(of: task, &visited)
        return .visited(visited)
    }

    /// Tells the directories in a directory which patterns they may match.
    func placeChildren(of task: WalkTask, _ visited: inout VisitedDirectory) {
        guard let rules, task.place != 0 else { return }
        for at in visited.children.indices {
            let name = visited.children[at].name
            visited.children[at].place = name.withUnsafeBytes { name in
                rules.step(
                    from: task.place,
                    to: UnsafeBufferPointer(rebasing: name.bindMemory(to: UInt8.self).dropLast()))
            }
        }
    }

    /// Sets the files apart that are entries of the user's own pools.
    ///
    /// Only regular files; locks stay where they are, as others may hold them.
    private func setApart(
        _ place: FolderRules.Place, _ visited: inout VisitedDirectory, _ scratch: borrowing ListingScratch
    ) {
        guard let rules, rules.mayHoldFiles(place) else { return }
        // The links of these files are the last ones that were found, in their order.
        var link = visited.hardLinks.count - scratch.files.count { $0.stat.links > 1 }
        for file in scratch.files {
            defer { if file.stat.links > 1 { link += 1 } }
            guard file.stat.mode & UInt32(S_IFMT) == UInt32(S_IFREG) else { continue }
            scratch.withName(of: file) { name in
                guard rules.ruleOfFile(rules.step(from: place, to: name)) != nil, !FileNames.isLock(name),
                    !(FileNames.isBuildCache(visited.name) && FileNames.isBuildCacheEntry(name))
                else { return }
                var unit = record(of: file.stat, facts: .file)
                unit.ownBytes = 0
                visited.units.append(FileUnit(record: unit, name: Array(name)))
                move(file.stat, name, to: visited.units.count - 1, of: &visited, link: link)
            }
        }
    }

    /// Whether this process may not write in a directory, by its mode: then nothing in it can be moved, and neither
    /// can it (rename(2)).
    func isClosed(_ stat: larder_stat) -> Bool {
        guard user != 0 else { return false }
        let bit: UInt32 = stat.uid == user ? 0o200 : groups.contains(stat.gid) ? 0o020 : 0o002
        return stat.mode & bit == 0
    }

    private static func groups() -> Set<UInt32> {
        var found = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
        let count = getgroups(Int32(found.count), &found)
        return Set(found.prefix(Int(max(0, count))) + [getegid()])
    }

    private func sum(
        _ visited: inout VisitedDirectory, of directory: OpenDirectory, _ scratch: borrowing ListingScratch
    ) {
        let isBuildCache = FileNames.isBuildCache(directory.name)
        for file in scratch.files {
            scratch.withName(of: file) { name in
                if isBuildCache, FileNames.isBuildCacheEntry(name) {
                    addUnit(file.stat, name, to: &visited)
                    return
                }
                if FileNames.isMark(name) { visited.record.facts.insert(.marked) }
                if file.stat.links > 1 {
                    visited.hardLinks.append(FoundLink(file.stat))
                    visited.record.accessed = max(visited.record.accessed, file.stat.atime)
                    noteWriting(file.stat, in: &visited.record)
                    visited.record.facts.insert(.listAlways)
                    return
                }
                visited.record.files += 1
                let isOpenedAnyway = isBuildCache && FileNames.isGradlesOwn(name)
                add(file.stat, to: &visited.record, isSentinel: !isOpenedAnyway)
                guard FileNames.isInFlight(name) else { return }
                visited.record.facts.insert(.listAlways)
                if isUnderWay(name, file.stat) { visited.record.facts.insert(.inFlight) }
            }
        }
    }

    private func isUnderWay(_ name: UnsafeBufferPointer<UInt8>, _ stat: larder_stat) -> Bool {
        FileNames.isUnderWay(name, stat, now: startedAt)
    }

    /// Sets a file apart as an entry by itself.
    private func addUnit(
        _ stat: larder_stat, _ name: UnsafeBufferPointer<UInt8>, to visited: inout VisitedDirectory
    ) {
        var unit = record(of: stat, facts: .file)
        unit.ownBytes = 0
        visited.record.facts.insert(.listAlways)
        count(stat, in: &unit, at: visited.units.count, of: &visited)
        if isUnderWay(name, stat) { unit.facts.insert(.inFlight) }
        visited.units.append(FileUnit(record: unit, name: Array(name)))
    }

    /// Counts a file in the record of a unit.
    private func count(
        _ stat: larder_stat, in unit: inout DirectoryRecord, at place: Int, of visited: inout VisitedDirectory
    ) {
        if stat.links > 1 {
            var link = FoundLink(stat)
            link.unit = place
            visited.hardLinks.append(link)
            unit.accessed = max(unit.accessed, stat.atime)
            return
        }
        unit.files += 1
        add(stat, to: &unit)
        // Directories are armed, not single files.
        if unit.facts.remove(.unarmed) != nil { visited.record.facts.insert(.unarmed) }
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
            visited.record.facts.formUnion([.mavenVersion, .untracked])
        }
        guard visited.record.facts.contains(.mavenVersion) else { return }
        // Where the tracking file is closed, that is the reason to keep it, and not what it would have said.
        guard !visited.record.facts.contains(.foreignOwner) else { return }
        let builds = SnapshotBuilds(in: directory) {
            scratch.files.map { file in scratch.withName(of: file) { Array($0) } }
        }
        var places: [SnapshotBuild.ID: Int] = [:]
        let stem = parent.name + [UInt8(ascii: "-")]
        var holdsArtifact = false
        var holdsFailure = false
        for file in scratch.files {
            scratch.withName(of: file) { name in
                let isInstalled =
                    FileNames.isArtifact(name)
                    && (tracked?.isFetched(name) != true || file.stat.mtime > trusted)
                if FileNames.isArtifact(name) { holdsArtifact = true }
                if FileNames.isFailedDownload(name) { holdsFailure = true }
                guard let build = builds.replaced(name) else {
                    if isInstalled {
                        visited.record.facts.insert(
                            name.starts(with: stem) ? .locallyInstalled : .foreignFiles)
                    }
                    return
                }
                let place = places[build.id] ?? visited.units.count
                if places[build.id] == nil {
                    places[build.id] = place
                    var unit = record(of: file.stat, facts: .files)
                    unit.ownBytes = 0
                    visited.units.append(FileUnit(record: unit, name: build.stem))
                }
                move(file.stat, name, to: place, of: &visited)
                if isInstalled { visited.units[place].record.facts.insert(.locallyInstalled) }
            }
        }
        if holdsFailure, !holdsArtifact { visited.record.facts.insert(.failedDownload) }
        if !holdsArtifact { visited.record.facts.remove(.untracked) }
    }

    /// Takes a file out of its directory's sums into those of a unit.
    private func move(
        _ stat: larder_stat, _ name: UnsafeBufferPointer<UInt8>, to place: Int,
        of visited: inout VisitedDirectory, link known: Int? = nil
    ) {
        visited.record.facts.insert(.listAlways)
        var unit = visited.units[place].record
        unit.mtime = max(unit.mtime, stat.mtime)
        unit.ctime = max(unit.ctime, stat.ctime)
        unit.inode = min(unit.inode, stat.inode)
        if stat.links > 1 {
            let link = known ?? visited.hardLinks.firstIndex { $0.inode == stat.inode && $0.unit < 0 }
            if let link { visited.hardLinks[link].unit = place }
            unit.accessed = max(unit.accessed, stat.atime)
            noteWriting(stat, in: &unit)
        } else {
            visited.record.files -= 1
            visited.record.fileBytes -= stat.blocks * 512
            visited.record.apparentBytes -= stat.size
            count(stat, in: &unit, at: place, of: &visited)
        }
        if isUnderWay(name, stat) { unit.facts.insert(.inFlight) }
        visited.units[place].record = unit
    }
}

extension FoundLink {
    /// What a stat tells of it.
    init(_ stat: larder_stat) {
        self.init(
            inode: stat.inode, links: UInt64(stat.links), bytes: stat.blocks * 512, apparentBytes: stat.size)
    }
}
