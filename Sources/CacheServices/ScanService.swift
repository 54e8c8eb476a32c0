import CacheIndex
import CacheModel
import Caches
import FileAccess
import Glibc

/// Brings the index up to date with a volume: probe, scan, read what tools wrote down, record, arm.
///
/// Arming comes last: only after what was read is recorded may the trace of it be overwritten.
package struct ScanService: Sendable {
    let index: CacheIndex
    private let regretWindow: Span
    private let history: Span
    let clock: @Sendable () -> Timestamp
    private let progress: (@Sendable (Int) -> Void)?

    /// What went longer ago counts as never seen when it returns: far beyond any regret window.
    private static let ghostMemory = Span.days(366)

    /// What a survey found and did.
    package struct Result: Sendable {
        /// What is on the volume.
        package var scan: VolumeScan
        /// What the index made of it.
        package var recorded: RecordedScan
        /// Files whose next read will show.
        package var armed: Int
        /// What a person should know, a sentence each.
        package var notices: [String]
    }

    /// Makes a survey that records into `index`.
    ///
    /// Single accesses are kept for `history`, at least 30 days. `progress` is called from any thread with directories done.
    package init(
        index: CacheIndex, regretWindow: Span = .days(14), history: Span = CacheIndex.keptSingly,
        clock: @escaping @Sendable () -> Timestamp,
        progress: (@Sendable (Int) -> Void)? = nil
    ) {
        self.index = index
        self.regretWindow = regretWindow
        self.history = history
        self.clock = clock
        self.progress = progress
    }

    /// Scans and records the locked volume.
    ///
    /// - Parameter warm: the run of `warm` whose end this is.
    /// - Throws: `ScanError`, `ImageStoreError` or `IndexError`; the last scan in the index then still stands.
    package func run(_ locked: LockedVolume, warm: WarmRun? = nil) throws -> Result {
        var notices: [String] = []
        let volume = locked.volume
        if case .failure(let error) = locked.folder, !volume.isReadOnly {
            notices.append("\(error): \(error.hint)")
        }
        if let weakness = locked.lockWeakness {
            notices.append(
                "volume \(volume.name): it cannot be locked against other Larders (\(weakness)); a prune of it needs "
                    + "--unlocked")
        }
        let recovery = TrashRecovery(index: index, clock: clock)
        if volume.kind == .buildCache { try recovery.makeUpLook(locked, &notices) }
        let recognized = try RecognizedVolume(locked, known: try index.fileSystem(of: volume.name))
        var scan: VolumeScan
        var events: PodmanEventLogs.Reading?
        switch volume.kind {
        case .buildCache: scan = try scanBuildCache(locked, recognized.identity, &notices)
        case .imageStore:
            let found = try scanImageStore(locked, recognized, &notices)
            scan = found.scan
            events = found.events
        }
        try Task.checkCancellation()
        scan.formerIdentity = recognized.former
        scan.fileSystem = recognized.facts
        if let path = recognized.unreadable {
            scan.unreadable.append(path)
            scan.unreadableCount += 1
            scan.complete = false
        }
        scan.usedInodes = OwnFileSystem.usedInodes(volume, locked.root, scan.capacity).map {
            max(0, $0 - scan.trashInodes)
        }
        let trashed = try recovery.run(locked, &notices)
        let detector = ClockJumpDetector(stateDirectory: index.stateDirectory)
        if let expected = detector.expected(now: clock()) {
            notices.append(
                "the clock was set since the last scan: it shows \(clock()), and by the time since boot it "
                    + "is \(expected); times of use before that are off")
        }
        let isKnown = try index.lastScan(of: volume.name) != nil
        let recorded = try index.record(scan, of: volume, regretWindow: regretWindow, warm: warm)
        if isKnown, recorded.baseline {
            notices.append(
                "volume \(volume.name) is another file system than at the last scan: its history begins anew, and what "
                    + "was known of its use counts no more")
        }
        if let trashed { try index.recordTrash(of: volume.name, holding: trashed.map(\.stock)) }
        if !index.isInMemory { detector.record(now: clock()) }
        // Every line of them is in the index now.
        if let events, !index.isInMemory, !volume.isReadOnly {
            let left = events.oldLogs - PodmanEventLogs(directory: volume.eventsPath).removeOld(events)
            if left > 0 {
                notices.append(
                    "volume \(volume.name): \(left) old event log\(left == 1 ? "" : "s") in \(volume.eventsPath) could not "
                        + "be removed: let Larder write there, by a path without links, or remove what is older than "
                        + "a month by hand")
            }
        }
        if let settled = try index.settledTime(of: volume.name, now: scan.startedAt) {
            _ = try index.foldAccesses(before: settled - max(history, CacheIndex.keptOneByOne))
            // To count is work: a scan each quarter of an hour does it twice a day.
            if recorded.number % 48 == 0 {
                _ = try index.foldAccesses(beyond: CacheIndex.mostKeptSingly, now: settled)
            }
            _ = try index.forgetGhosts(goneBefore: settled - Self.ghostMemory)
        }
        // What is only looked at keeps its access times as well.
        let arming = AtimeArming(root: locked.root).arm(volume.isReadOnly ? [] : scan.unarmed)
        if arming.refused > 0 {
            notices.append(
                "volume \(volume.name): \(arming.refused) files belong to another user: their uses may be missed"
            )
        }
        return Result(scan: scan, recorded: recorded, armed: arming.armed, notices: notices)
    }

    /// A warning where nearly everything was read at once since the scan before, as no build reads: then something
    /// copied the volume, and the order of last uses is gone.
    private static func sweep(_ entries: [ScannedEntry], since before: Timestamp) -> ScanWarning? {
        let times = entries.filter { $0.pool == .maven || $0.pool == .gradle }.map(\.accessed).sorted()
        let read = times.filter { $0 > before }
        guard read.count >= 30, read.count * 10 >= times.count * 9 else { return nil }
        let (early, late) = (read[read.count / 20], read[read.count - 1 - read.count / 20])
        guard late - early <= .minutes(2) else { return nil }
        return ScanWarning(
            code: "read-at-once",
            text:
                "\(read.count) of \(times.count) artifacts were read at once, at \(late): something copied the "
                + "whole cache or backed it up, so that all of it looks used",
            hint:
                "have jobs use the cache in place; leave it out of backups, or read it there from a snapshot")
    }

    /// The code of the warning that entries cannot be moved.
    static let immovableCode = "not-movable"

    /// A warning where entries lie in directories that this process may not write: no prune can move them.
    private func immovable(_ entries: [ScannedEntry], below root: OpenDirectory) -> ScanWarning? {
        let mark = Protections(.notMovable)
        guard let first = entries.first(where: { $0.protections.contains(mark) }) else { return nil }
        let count = entries.count { $0.protections.contains(mark) }
        let owner = (try? root.open(first.path.parent).stat())?.uid
        let whose = owner.map { ", as \(first.path.parent), which belongs to uid \($0)" } ?? ""
        return ScanWarning(
            code: Self.immovableCode,
            text:
                "\(count) of \(entries.count) entries cannot be moved: uid \(geteuid()) may not write in their "
                + "directories\(whose)",
            hint: "run Larder as the user that owns the files, or let jobs write for its group (umask 002)")
    }

    /// A warning where the files occupy more than the file system has in use: copies share their blocks.
    private func sharedBlocks(_ scan: VolumeScan, below root: OpenDirectory) -> ScanWarning? {
        guard let used = scan.fileSystemUsed, SharedBlocks.mayExist(on: root) else { return nil }
        let twice = scan.bytes - used
        guard twice > ByteCount(1 << 20) else { return nil }
        return ScanWarning(
            code: "shared-blocks",
            text:
                "at least \(twice) are counted several times, as copies share their blocks (reflinks): evicting one "
                + "of several copies frees nothing",
            hint: "prune tells what it really frees; let jobs use one cache in place of copies")
    }

    private func scanBuildCache(
        _ locked: LockedVolume, _ identity: VolumeIdentity, _ notices: inout [String]
    ) throws -> VolumeScan {
        let trust =
            switch locked.folder {
            case .success(let folder): AtimeProbe(in: folder.own).run()
            case .failure where locked.volume.isReadOnly:
                EvidenceQuality(
                    .low, reason: "access times were not tried, as Larder only looks at this volume")
            case .failure(let error): EvidenceQuality(.low, reason: error.description)
            }
        let snapshots = index.treePath(of: locked.volume.name).map {
            SnapshotFile(path: $0, identity: identity)
        }
        let others =
            locked.volume.ownPools.isEmpty
            ? []
            : locked.volume.others(
                stateDirectory: index.stateDirectory, device: (try? locked.root.stat().device) ?? 0)
        var scan = try VolumeScanner(progress: progress).scan(
            locked.volume, snapshots: snapshots, others: others, atimeTrust: trust, clock: clock)
        notices += scan.notices
        // The walk opens the path anew: what is mounted there now may not be what was locked.
        if let root = try? locked.root.stat(),
            scan.identity != VolumeIdentity(marker: root.device, rootInode: root.inode)
        {
            throw MaintenanceError.otherVolume(volume: locked.volume.name, path: locked.volume.path)
        }
        scan.identity = identity
        notices += GradleUses(root: locked.root, of: locked.volume).add(to: &scan.entries, &scan.warnings)
        if let before = try index.lastScan(of: locked.volume.name) {
            scan.warnings += Self.sweep(scan.entries, since: before).map { [$0] } ?? []
        }
        if let own = OwnFileSystem(locked, trash: scan.trashBytes) {
            scan.fileSystemUsed = own.used
            scan.warnings += sharedBlocks(scan, below: locked.root).map { [$0] } ?? []
        }
        scan.warnings += immovable(scan.entries, below: locked.root).map { [$0] } ?? []
        notices += scan.warnings.map { "volume \(locked.volume.name): \($0.text); \($0.hint)" }
        return scan
    }
}
