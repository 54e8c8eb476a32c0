import CacheModel
import Caches
import FileAccess
import Foundation
import Synchronization
import TestSupport

@testable import CacheServices

/// A build volume of a test with Maven entries as old as one likes, and the way from scan to prune without an
/// index.
struct BuildVolume {
    let directory: TemporaryDirectory
    var volume: Volume

    init(_ directory: TemporaryDirectory? = nil) throws {
        self.directory = try directory ?? TemporaryDirectory()
        volume = Volume(name: "build", kind: .buildCache, path: self.directory.path)
    }

    static let now: @Sendable () -> Timestamp = {
        Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9))
    }

    /// Makes `g:<name>:1`, last used that many days ago.
    func add(_ name: String, daysAgo: Int, bytes: Int = 9000) throws {
        let path = path(name)
        try directory.write("\(path)/\(name)-1.jar", bytes: bytes)
        try directory.write("\(path)/\(name)-1.pom", "<project><groupId>g</groupId></project>")
        try directory.write(
            "\(path)/_remote.repositories", "\(name)-1.jar>central=\n\(name)-1.pom>central=\n")
        try directory.shell("touch -d '\(daysAgo) days ago' \(path)/* \(path)")
    }

    func path(_ name: String) -> String { ".m2/repository/g/\(name)/1" }

    func usage() throws -> VolumeUsage {
        let scan = try VolumeScanner().scan(volume, clock: Self.now)
        var usage = VolumeUsage(
            volume: "build", usedBytes: scan.bytes, trashBytes: scan.trashBytes, capacity: scan.capacity,
            scan: ScanRecord(
                number: 1, startedAt: scan.startedAt, complete: scan.complete, unreadable: 0,
                identity: scan.identity, atimeTrust: scan.atimeTrust),
            entries: scan.entries.enumerated().map { number, entry in
                CacheEntry(
                    id: Int64(number), found: entry, firstSeen: scan.startedAt,
                    lastUsed: max(entry.accessed, entry.fetched), evidence: .atime, confidence: .high, uses: 0
                )
            }, layers: [])
        usage.sharedFiles = scan.sharedFiles
        return usage
    }

    /// The plan that removes everything that may go.
    func plan(_ usage: VolumeUsage, idleFloor: Span = .hours(24)) -> EvictionPlan {
        EvictionPolicy(idleFloor: idleFloor, target: .zero)
            .plan(usage, under: volume.quota(capacity: usage.capacity), now: Self.now())
    }

    func locked() throws -> LockedVolume { try LockedVolume(volume, now: Self.now()) }

    /// Plans, lets something happen, and prunes.
    ///
    /// Something else may happen as the pruner asks for the time: first for its journal, then for each entry before
    /// the look that precedes its move, and before the one that follows it.
    func prune(
        idleFloor: Span = .hours(24), run: String = "20260101T000000Z-0000",
        after change: () throws -> Void = {}, atTime number: Int = 0,
        do meanwhile: @escaping @Sendable () -> Void = {}
    ) throws -> EvictionOutcome {
        let locked = try locked()
        var usage = try usage()
        usage.scan.identity = locked.identity
        let plan = plan(usage, idleFloor: idleFloor)
        try change()
        let calls = Atomic(0)
        return try BuildPruner(locked, quietSince: usage.scan.startedAt - .minutes(1)) {
            if calls.add(1, ordering: .relaxed).newValue == number { meanwhile() }
            return Self.now()
        }.apply(plan, run: run, scan: usage.scan)
    }

    func exists(_ name: String) -> Bool { directory.exists(path(name)) }
}
