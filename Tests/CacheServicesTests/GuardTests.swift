import CLinux
import CacheIndex
import CacheModel
import Caches
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// Guards that only show when another is out of the way, or in the instant between two steps.
@Suite struct GuardTests {
    private static let runID = "20260101T000000Z-0000"

    /// Prunes with something done just before the second look, which asks the clock for the third time.
    private func prune(
        _ bench: BuildVolume, before: () throws -> Void = {}, meanwhile: @escaping @Sendable () -> Void
    ) throws -> EvictionOutcome {
        try bench.prune(run: Self.runID, after: before, atTime: 3, do: meanwhile)
    }

    /// The whole way through the index, with the times that the pruner itself takes.
    private func pruned(
        _ bench: BuildVolume, clock: @escaping @Sendable () -> Timestamp, idleFloor: Span = .hours(24),
        after change: () throws -> Void = {}
    ) async throws -> EvictionOutcome {
        let state = try TemporaryDirectory()
        let index = try CacheIndex.open(stateDirectory: state.path, now: BuildVolume.now())
        let locked = try bench.locked()
        _ = try ScanService(index: index, clock: BuildVolume.now).run(locked)
        let usage = try #require(try index.usage(of: "build"))
        try change()
        let pruner = Pruner(index: index, limits: nil, idleFloor: idleFloor, clock: clock)
        return try await pruner.prune(
            locked, bench.plan(usage), refused: [], scan: usage.scan, run: Self.runID, podman: nil,
            purge: false
        ).outcome
    }

    @Test(arguments: [Span.zero, .hours(1), .hours(24)]) func aReadAfterTheScanKeepsAnEntry(idleFloor: Span)
        async throws
    {
        let bench = try BuildVolume()
        try bench.add("used", daysAgo: 40)
        let outcome = try await pruned(bench, clock: BuildVolume.now, idleFloor: idleFloor) {
            try bench.directory.shell("cat \(bench.path("used"))/used-1.pom > /dev/null")
        }
        #expect(outcome.evicted.isEmpty)
        #expect(bench.exists("used"))
    }

    @Test(arguments: [Span.days(2), .days(-2)]) func aClockThatLeapsDuringARunEndsIt(by: Span) async throws {
        let bench = try BuildVolume()
        try bench.add("old", daysAgo: 40)
        await #expect(throws: MaintenanceError.self) {
            _ = try await pruned(bench, clock: { BuildVolume.now() + by })
        }
        #expect(bench.exists("old"))
    }

    @Test func aMarkerWithAnotherNameIsNotRead() throws {
        let bench = try BuildVolume()
        try bench.directory.write("elsewhere", "0123456789abcdef\n")
        try bench.directory.shell("mkdir .larder; ln elsewhere .larder/volume-id")
        #expect(try bench.locked().identity.marker != 0x0123_4567_89ab_cdef)
        #expect(try bench.directory.shell("cat elsewhere") == "0123456789abcdef\n")
    }

    @Test func aJournalWithAnotherNameIsNotRead() throws {
        let bench = try BuildVolume()
        try bench.add("old", daysAgo: 40)
        _ = try bench.prune()
        let trash = Trash(try bench.locked().folder.get())
        #expect(try trash.runs().first?.createdAt != nil)
        try bench.directory.shell("ln .larder/trash/\(Self.runID)/journal.json elsewhere")
        #expect(try trash.runs().map(\.createdAt) == [nil])
    }

    @Test func aPlantedLockLosesItsName() throws {
        let bench = try BuildVolume()
        try bench.directory.write("precious", "precious")
        try bench.directory.shell("mkdir .larder; ln precious .larder/lock")
        _ = try bench.locked()
        #expect(try bench.directory.shell("stat -c %h precious") == "1\n")
    }

    @Test func theProbeWritesNoFileOfAnotherName() throws {
        let bench = try BuildVolume()
        try bench.directory.write("precious", "precious")
        let folder = try bench.locked().folder.get()
        try bench.directory.shell("ln precious .larder/atime-probe; touch -d '9 days ago' precious")
        let before = try bench.directory.shell("stat -c '%x %y' precious")
        #expect(AtimeProbe(in: folder.own).run().confidence == .high)
        #expect(try bench.directory.shell("stat -c '%x %y' precious") == before)
        #expect(try bench.directory.shell("cat precious") == "precious")
    }

    /// The one that works on a full volume, and the one that other nodes see: each alone turns a second Larder away.
    @Test(arguments: ["root", "file"]) func eachLockAloneIsEnough(which: String) throws {
        let bench = try BuildVolume()
        try bench.directory.shell("mkdir .larder; touch .larder/lock")
        let name = which == "root" ? "" : "/.larder/lock"
        let holder = open(bench.directory.path + name, which == "root" ? O_RDONLY : O_RDWR)
        defer { close(holder) }
        #expect(which == "root" ? flock(holder, LOCK_EX) == 0 : larder_lock_exclusive(holder) == 0)
        #expect(throws: MaintenanceError.self) { _ = try bench.locked() }
    }
}
