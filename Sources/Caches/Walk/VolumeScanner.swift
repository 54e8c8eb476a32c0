import CLinux
import CacheModel
import FileAccess
import Glibc

/// Scans a build-cache volume: Maven and Gradle artifacts, wherever they lie below its root.
package struct VolumeScanner: Sendable {
    private let threads: Int
    private let progress: (@Sendable (Int) -> Void)?

    /// A full walk comes at least this often, so that what changed without its directory changing (a checksum
    /// file rewritten in place) is not overlooked for ever.
    private static let fullWalkInterval = Span.days(7)

    /// Makes a scanner.
    ///
    /// `progress` is called now and then, from any thread, with the number of directories done.
    package init(threads: Int = 2, progress: (@Sendable (Int) -> Void)? = nil) {
        self.threads = max(1, threads)
        self.progress = progress
    }

    /// Walks the volume and says what is there.
    ///
    /// - Parameters:
    ///   - volume: The volume; its path may lead through links.
    ///   - snapshots: Where the tree is kept from one scan to the next, so that what did not change is not
    ///     listed again; nil for a full walk that leaves nothing.
    ///   - others: The inodes of directories that are no pool's of the user's own, nor is what lies in them.
    ///   - clock: The time, asked at the start and at the end.
    /// - Throws: `ScanError` where the root itself cannot be read. Whatever else cannot be read is named in the
    ///   result.
    package func scan(
        _ volume: Volume, snapshots: SnapshotFile? = nil, others: Set<UInt64> = [],
        atimeTrust: EvidenceQuality = EvidenceQuality(.medium),
        clock: () -> Timestamp
    ) throws -> VolumeScan {
        let startedAt = clock()
        let root = try openRoot(of: volume)
        let rules = FolderRules(volume.ownPools)
        var snapshots = snapshots
        snapshots?.rules = rules?.fingerprint ?? 0
        let (walk, isKept, fullWalkAt) = try walk(root, volume, snapshots, rules, startedAt)
        let tree = walk.tree
        let (collector, unsaved) = both {
            Self.collector(of: tree, rules, others, below: root)
        } and: { [snapshots] () -> SystemError? in
            guard let snapshots, !isKept else { return nil }
            do throws(SystemError) {
                try snapshots.save(tree, startedAt: startedAt, fullWalkAt: fullWalkAt)
                return nil
            } catch { return error }
        }
        let (found, unmanaged) = both {
            collector.entries()
        } and: {
            collector.unmanaged()
        }
        let unreadable = walk.unreadable.filter { !isLostAndFound($0.directory, in: tree) }
        let totals = tree.totals()
        var scan = VolumeScan(
            volume: volume.name, startedAt: startedAt, finishedAt: clock(), identity: walk.identity,
            complete: unreadable.isEmpty,
            directories: Int64(tree.records.count { !$0.facts.areOfFiles }) - found.trash.directories,
            files: totals.files - found.trash.files,
            bytes: ByteCount(totals.bytes.subtractingPinned(found.trash.bytes)),
            apparentBytes: ByteCount(totals.apparentBytes.subtractingPinned(found.trash.apparentBytes)),
            trashBytes: ByteCount(found.trash.bytes),
            unreadable: unreadable.prefix(100).map { path(of: $0, in: tree) },
            unreadableCount: Int64(unreadable.count), capacity: try capacity(of: root, volume),
            atimeTrust: atimeTrust, entries: found.entries, unarmed: tree.unarmed())
        scan.unmanaged = unmanaged
        scan.warnings += Self.passedOver(walk.mountPoints, in: tree).map { [$0] } ?? []
        scan.warnings += volume.ownPools.warnings(collector.own)
        scan.sharedFiles = found.sharedFiles
        scan.trashInodes = found.trash.files + found.trash.directories
        volume.installed.mark(&scan.entries)
        let hidden = unreadable.map { (directory: $0.directory, name: $0.name) } + walk.mountPoints
        scan.unseen = hidden.compactMap { place in
            VolumePath(bytes: tree.path(place.directory)).map {
                place.name.isEmpty ? $0 : $0.appending(place.name)
            }
        }
        if let unsaved, let snapshots {
            scan.notices.append(
                "\(snapshots.path) cannot be written (\(unsaved)): the next scan may take longer")
        }
        return scan
    }

    /// A warning where directories belong to another file system, or are subvolumes: nothing in them is looked at.
    private static func passedOver(
        _ mounts: [(directory: Int32, name: [UInt8])], in tree: DirectoryTree
    ) -> ScanWarning? {
        let paths = mounts.compactMap { mount in
            VolumePath(bytes: tree.path(mount.directory)).map { "\($0.appending(mount.name))" }
        }.sorted()
        guard let first = paths.first else { return nil }
        let others = paths.count > 1 ? " and \(paths.count - 1) more" : ""
        return ScanWarning(
            code: "other-file-system",
            text:
                "\(first)\(others) belong\(paths.count > 1 ? "" : "s") to another file system or subvolume: what is in "
                + "there is neither counted nor pruned",
            hint: "make it a volume of its own in the configuration, or leave it out of this one")
    }

    /// Walks the volume; the tree of the last scan is given up with the end of it.
    ///
    /// - Returns: the walk; whether the tree that is kept says it all already; when every directory was last listed.
    private func walk(
        _ root: OpenDirectory, _ volume: Volume, _ snapshots: SnapshotFile?, _ rules: FolderRules?,
        _ startedAt: Timestamp
    ) throws(ScanError) -> (DirectoryWalker.Walk, isKept: Bool, fullWalkAt: Timestamp) {
        let previous = usable(snapshots?.load(), now: startedAt)
        let walker = DirectoryWalker(
            threads: threads, startedAt: startedAt, previous: previous, rules: rules, progress: progress)
        let walk: DirectoryWalker.Walk
        do { walk = try walker.walk(root) } catch {
            throw ScanError.unreadableRoot(path: volume.path, reason: error.message)
        }
        let isKept = walk.isUnchanged && previous.map { $0.tree.isSettled(at: $0.startedAt) } == true
        return (walk, isKept, previous?.fullWalkAt ?? startedAt)
    }

    private static func collector(
        of tree: DirectoryTree, _ rules: FolderRules?, _ others: Set<UInt64>, below root: OpenDirectory
    ) -> EntryCollector {
        EntryCollector(tree: tree, rules: rules, others: others) { version in
            let artifact = tree.name(tree.records[Int(version)].parent)
            let pom = artifact + [UInt8(ascii: "-")] + tree.name(version) + Array(".pom".utf8)
            return PomFile.groupID(below: root, path: tree.path(version) + [UInt8(ascii: "/")] + pom)
        }
    }

    /// The snapshot where it is not so old that everything should be listed again.
    private func usable(_ snapshot: TreeSnapshot?, now: Timestamp) -> TreeSnapshot? {
        guard let snapshot, now >= snapshot.startedAt, now - snapshot.fullWalkAt < Self.fullWalkInterval
        else { return nil }
        return snapshot
    }

    private func openRoot(of volume: Volume) throws(ScanError) -> OpenDirectory {
        do { return try OpenDirectory.open(root: volume.path) } catch {
            throw error.code == ENOENT
                ? .notMounted(path: volume.path) : .unreadableRoot(path: volume.path, reason: error.message)
        }
    }

    /// ext4's `lost+found` at a volume's root belongs to root and holds nothing of ours.
    private func isLostAndFound(_ directory: Int32, in tree: DirectoryTree) -> Bool {
        directory > 0 && tree.records[Int(directory)].parent == 0
            && tree.name(directory).elementsEqual("lost+found".utf8)
    }

    private func path(
        of failure: (directory: Int32, name: [UInt8], error: SystemError), in tree: DirectoryTree
    ) -> UnreadablePath {
        let directory = VolumePath(bytes: tree.path(failure.directory)) ?? .root
        return UnreadablePath(
            path: failure.name.isEmpty ? directory : directory.appending(failure.name),
            reason: failure.error.message)
    }

    private func capacity(of root: OpenDirectory, _ volume: Volume) throws(ScanError) -> Capacity {
        guard let capacity = Capacity(descriptor: root.descriptor) else {
            throw .unreadableRoot(path: volume.path, reason: SystemError(code: errno).message)
        }
        return capacity
    }
}

extension Capacity {
    /// What fstatvfs says of the file system that an open file is on; nil with errno where it fails.
    package init?(descriptor: Int32) {
        var stat = statvfs()
        guard fstatvfs(descriptor, &stat) == 0 else { return nil }
        let block = Int64(clamping: stat.f_frsize)
        func bytes(_ blocks: UInt) -> ByteCount {
            ByteCount(Int64(clamping: blocks).multipliedPinned(by: block))
        }
        self.init(
            total: bytes(stat.f_blocks), available: bytes(stat.f_bavail), free: bytes(stat.f_bfree),
            inodes: Int64(clamping: stat.f_files), freeInodes: Int64(clamping: stat.f_ffree))
    }
}

/// Why a volume could not be scanned at all.
package enum ScanError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nothing is at the volume's path.
    case notMounted(path: String)
    /// The volume's root cannot be read.
    case unreadableRoot(path: String, reason: String)

    /// What is wrong, where, and what to do.
    package var description: String {
        switch self {
        case .notMounted(let path): "\(path) is not there: mount the volume, or correct its path"
        case .unreadableRoot(let path, let reason):
            "\(path) cannot be read (\(reason)): check the mount and that this user may read it"
        }
    }
}

extension DirectoryTree {
    fileprivate func totals() -> (files: Int64, bytes: Int64, apparentBytes: Int64) {
        var files: Int64 = 0
        var bytes: Int64 = 0
        var apparent: Int64 = 0
        for record in records {
            files += Int64(record.files)
            bytes.addPinned(record.ownBytes.addingPinned(record.fileBytes))
            apparent.addPinned(record.apparentBytes)
        }
        for link in hardLinksByFirstPath() {
            files += 1
            bytes.addPinned(link.bytes)
            apparent.addPinned(link.apparentBytes)
        }
        return (files, bytes, apparent)
    }

    fileprivate func unarmed() -> [VolumePath] {
        records.indices.filter { records[$0].facts.contains(.unarmed) }
            .compactMap { VolumePath(bytes: path(Int32($0))) }
    }
}
