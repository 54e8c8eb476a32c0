import CacheIndex
import CacheModel
import DirectoryAccess
import UsageEvidence
import VolumeScanning

/// Brings the index up to date with a volume: probe, scan, record, arm.
///
/// Arming comes last: only after what was read is recorded may the trace of it be overwritten.
public struct VolumeSurvey: Sendable {
    private let index: CacheIndex
    private let regretWindow: Span
    private let clock: @Sendable () -> Timestamp
    private let progress: (@Sendable (Int) -> Void)?

    /// What a survey found and did.
    public struct Result: Sendable {
        /// What is on the volume.
        public var scan: VolumeScan
        /// What the index made of it.
        public var recorded: RecordedScan
        /// Files whose next read will show.
        public var armed: Int
        /// What a person should know, a sentence each.
        public var notices: [String]
    }

    /// Makes a survey that records into `index`.
    ///
    /// `progress` is called from any thread with directories done.
    public init(
        index: CacheIndex, regretWindow: Span = .days(14), clock: @escaping @Sendable () -> Timestamp,
        progress: (@Sendable (Int) -> Void)? = nil
    ) {
        self.index = index
        self.regretWindow = regretWindow
        self.clock = clock
        self.progress = progress
    }

    /// Scans and records the volume of a session.
    ///
    /// - Throws: `ScanError`, `VfsStoreError` or `IndexError`; the last scan in the index then still stands.
    public func run(_ session: VolumeSession) throws -> Result {
        var notices: [String] = []
        let volume = session.volume
        if case .failure(let error) = session.folder { notices.append("\(error): \(error.hint)") }
        let scan =
            switch volume.kind {
            case .buildCache: try scanBuildCache(session)
            case .imageStore: try scanImageStore(session, &notices)
            }
        try TrashRecovery(index: index, clock: clock).run(session, &notices)
        let recorded = try index.record(scan, of: volume, regretWindow: regretWindow)
        let arming = AtimeArming(root: session.root).arm(scan.unarmed)
        if arming.refused > 0 {
            notices.append(
                "volume \(volume.name): \(arming.refused) files belong to another user: their uses may be missed"
            )
        }
        return Result(scan: scan, recorded: recorded, armed: arming.armed, notices: notices)
    }

    private func scanBuildCache(_ session: VolumeSession) throws -> VolumeScan {
        let trust =
            switch session.folder {
            case .success(let folder): AtimeProbe(in: folder.own).run()
            case .failure(let error): EvidenceTrust(.low, reason: error.description)
            }
        let identity = session.identity
        // Asked for by the scanner and let go when it is read: the snapshot of a large volume is large.
        func snapshot() throws -> [UInt8] {
            guard let previous = try index.previousScan(of: session.volume.name) else { return [] }
            return previous.record.identity == identity ? previous.snapshot : []
        }
        var scan = try VolumeScanner(progress: progress).scan(
            session.volume, previous: try snapshot(), atimeTrust: trust, clock: clock)
        scan.identity = identity
        return scan
    }

    private func scanImageStore(_ session: VolumeSession, _ notices: inout [String]) throws -> VolumeScan {
        let startedAt = clock()
        let store = try VfsStoreReader(root: session.volume.path).read()
        notices += store.problems.map { "volume \(session.volume.name): \($0)" }
        guard let capacity = Capacity(descriptor: session.root.descriptor) else {
            throw ScanError.unreadableRoot(path: session.volume.path, reason: "statfs failed")
        }
        return VolumeScan(
            volume: session.volume.name, startedAt: startedAt, finishedAt: clock(),
            identity: session.identity, complete: true,
            directories: Int64(store.layers.count), files: 0, bytes: store.bytes, apparentBytes: store.bytes,
            capacity: capacity,
            atimeTrust: EvidenceTrust(
                .low, reason: "only containers in the store and pulls show use; no event log is read"),
            entries: store.entries().sorted { $0.path < $1.path }, layers: store.layers)
    }
}
