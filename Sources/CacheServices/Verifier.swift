import CacheIndex
import CacheModel
import Caches
import FileAccess
import Glibc

/// Holds what lies on a volume against checksums, structure and records.
///
/// It changes nothing on the volume and leaves no trace of use. What was found damaged before is looked at
/// first, then what was never verified or changed since, then what was verified longest ago; the index is told
/// as it goes on, so that a run whose time is over, or that is killed, is continued by the next one. An entry
/// that was begun is finished, and at least one that was not known to be damaged is looked at: however short
/// the time, all have their turn.
package struct Verifier: Sendable {
    private let index: CacheIndex
    private let pace: ReadingPace
    private let idleFloor: Span
    private let clock: @Sendable () -> Timestamp
    private let uptime: @Sendable () -> Span
    private let wait: @Sendable (Span) -> Void
    private let progress: (@Sendable (VerifiedVolume, Int) -> Void)?

    /// The index is told after so many entries, or after so many bytes.
    private static let batch = (entries: 1000, bytes: Int64(256 << 20))

    /// Makes a verifier.
    ///
    /// - Parameters:
    ///   - idleFloor: What was written within it may still be: it is not called damaged.
    ///   - progress: Gets what was found until now, and how many entries there are in all.
    package init(
        index: CacheIndex, pace: ReadingPace = ReadingPace(), idleFloor: Span,
        clock: @escaping @Sendable () -> Timestamp,
        progress: (@Sendable (VerifiedVolume, Int) -> Void)? = nil
    ) {
        self.init(
            index: index, pace: pace, idleFloor: idleFloor, clock: clock, uptime: Self.systemUptime,
            wait: Self.sleep, progress: progress)
    }

    init(
        index: CacheIndex, pace: ReadingPace, idleFloor: Span, clock: @escaping @Sendable () -> Timestamp,
        uptime: @escaping @Sendable () -> Span, wait: @escaping @Sendable (Span) -> Void,
        progress: (@Sendable (VerifiedVolume, Int) -> Void)? = nil
    ) {
        self.index = index
        self.pace = pace
        self.idleFloor = idleFloor
        self.clock = clock
        self.uptime = uptime
        self.wait = wait
        self.progress = progress
    }

    /// Verifies the entries of a volume that the index knows, of one pool or of all.
    ///
    /// - Throws: `MaintenanceError` where the volume cannot be opened or is not the one of the last scan,
    ///   `ImageStoreError`, `IndexError`.
    package func verify(
        _ volume: Volume, _ usage: VolumeUsage, pool: Pool? = nil
    ) throws -> VerifiedVolume {
        let entries = usage.entries.filter { pool == nil || $0.pool == pool }
        switch volume.kind {
        case .imageStore: return try ImageVerifier(volume: volume).verify(entries)
        case .buildCache:
            return try verify(volume, VerificationOrder.sorted(entries, known: try known(volume)))
        }
    }

    private func known(_ volume: Volume) throws -> [Int64: Verification] {
        try index.verifications(of: volume.name)
    }

    private func verify(_ volume: Volume, _ queue: [VerificationOrder.Place]) throws -> VerifiedVolume {
        let root: OpenDirectory
        do { root = try OpenDirectory.open(root: volume.path) } catch {
            throw MaintenanceError.folder(volume: volume.name, path: volume.path, error: error)
        }
        let reader = PacedReader(pace, uptime: uptime, wait: wait)
        let files = EntryVerifier(root: root, reader: reader, now: clock(), floor: idleFloor)
        var verified = VerifiedVolume(name: volume.name)
        var done: [Int64: Verification] = [:]
        var told: Int64 = 0
        var hasTurned = false
        for (number, place) in queue.enumerated() {
            if reader.isOver, hasTurned {
                verified.entriesLeft = Int64(queue.count - number)
                break
            }
            if !place.wasDamaged { hasTurned = true }
            if let isDamaged = verified.add(files.findings(of: place.entry.found), of: place.entry) {
                done[place.entry.id] = Verification(at: clock(), isDamaged: isDamaged)
            }
            verified.bytes = ByteCount(reader.bytes)
            progress?(verified, queue.count)
            if done.count >= Self.batch.entries || reader.bytes - told >= Self.batch.bytes {
                try index.record(done)
                (done, told) = ([:], reader.bytes)
            }
        }
        try index.record(done)
        return verified
    }

    private static let systemUptime: @Sendable () -> Span = {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Span(nanoseconds: Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec))
    }

    private static let sleep: @Sendable (Span) -> Void = { span in
        var rest = timespec(
            tv_sec: Int(span.nanoseconds / 1_000_000_000), tv_nsec: Int(span.nanoseconds % 1_000_000_000))
        var left = timespec()
        while nanosleep(&rest, &left) != 0, errno == EINTR { rest = left }
    }
}

extension VerifiedVolume {
    /// Adds what was found in an entry.
    ///
    /// - Returns: Whether anything in it is damaged; nil where that is not settled, so that it is looked at again.
    fileprivate mutating func add(_ findings: [EntryVerifier.Finding]?, of entry: CacheEntry) -> Bool? {
        guard let findings else { return nil }
        entries += 1
        var isDamaged = false
        var isSettled = true
        for finding in findings {
            let path = finding.path.description
            switch finding.result {
            case .verdict(.intact): checked += 1
            case .verdict(.unverifiable(let reason)): unverifiable[reason, default: 0] += 1
            case .verdict(.damaged(let kind, let detail)):
                checked += 1
                isDamaged = true
                damaged.append(
                    DamagedFile(
                        entryID: entry.id, pool: entry.pool, key: entry.key, path: path, kind: kind,
                        detail: detail))
            case .unsettled(let reason):
                isSettled = false
                unsettled.append(Undecided(path: path, reason: reason))
            case .unreadable(let reason):
                isSettled = false
                unreadable.append(Undecided(path: path, reason: reason))
            }
        }
        return isSettled || isDamaged ? isDamaged : nil
    }
}
