import CacheIndex
import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// How long evicted entries wait in the trash, and what ends that before their time.
@Suite struct TrashRetentionTests {
    private static let runs = (1...4).map { "20260101T00000\($0)Z-0000" }

    /// Three runs of one entry each in the trash, and an entry that no prune takes.
    private func threeRuns(in directory: TemporaryDirectory? = nil, bytes: Int = 1_000_000) throws
        -> BuildVolume
    {
        let bench = try BuildVolume(directory)
        for (number, run) in Self.runs.prefix(3).enumerated() {
            try bench.add("old\(number)", daysAgo: 40, bytes: bytes)
            _ = try bench.prune(run: run)
        }
        try bench.add("young", daysAgo: 0, bytes: bytes)
        return bench
    }

    /// A whole prune, index and all, of what was not used for a day.
    ///
    /// - Parameter check: looks at the index afterwards.
    private func prune(
        _ bench: BuildVolume, purge: Bool = false, later: Span = .zero,
        check: (CacheIndex) throws -> Void = { _ in }
    ) async throws -> Pruner.Result {
        let state = try TemporaryDirectory()
        defer { withExtendedLifetime(state) {} }
        let index = try CacheIndex.open(stateDirectory: state.path, now: BuildVolume.now())
        let locked = try bench.locked()
        _ = try ScanService(index: index, clock: BuildVolume.now).run(locked)
        let usage = try #require(try index.usage(of: "build"))
        let result = try await Pruner(
            index: index, limits: nil, idleFloor: .hours(24), clock: { BuildVolume.now() + later }
        ).prune(
            locked, bench.plan(usage), refused: [], scan: usage.scan, run: Self.runs[3], podman: nil,
            purge: purge)
        try check(index)
        return result
    }

    private func waiting(_ bench: BuildVolume) throws -> [String] {
        try bench.directory.shell("ls .larder/trash").split(separator: "\n").map(String.init)
    }

    /// What the volume and its trash occupy, by du.
    private func fill(_ bench: BuildVolume) throws -> Int64 {
        try #require(Int64(try bench.directory.shell("du -s -B1 . | cut -f1").dropLast()))
    }

    /// The disk that a test's directory is on is far fuller than this limit: others' bytes do not count.
    @Test func aLimitedVolumeOnALargerDiskKeepsItsTrashForItsTime() async throws {
        var bench = try threeRuns()
        bench.volume.limit = ByteCount(try fill(bench) * 10 / 9)
        #expect(try await prune(bench).failures.isEmpty)
        #expect(try waiting(bench) == Array(Self.runs.prefix(3)))
    }

    /// Whether a nightly run comes some seconds earlier or later than the night before decides nothing.
    @Test(arguments: [
        (86_400 - 360, true), (86_400 - 240, false), (86_399, false),
    ])
    func theNextNightsRunTakesWhatIsADayOld(seconds: Int64, stays: Bool) async throws {
        let bench = try threeRuns()
        #expect(try await prune(bench, later: .seconds(seconds)).failures.isEmpty)
        #expect(try waiting(bench) == (stays ? Array(Self.runs.prefix(3)) : []))
    }

    @Test func aboveCriticalTheOldestRunsGoFirstDownToHigh() async throws {
        var bench = try threeRuns()
        // At 97 % of its limit: one run of the three brings it below 85 %.
        bench.volume.limit = ByteCount(try fill(bench) * 100 / 97)
        let result = try await prune(bench) { index in
            // Whoever is told of a run that can be undone is told by this.
            let purge = try index.purge(ofRun: Self.runs[0])
            #expect(purge?.cause == .critical && purge?.by == Self.runs[3])
            #expect(try index.purge(ofRun: Self.runs[1]) == nil)
            #expect(try index.trashedRuns(limit: 9) == Self.runs[1...2].reversed())
        }
        #expect(result.failures.isEmpty)
        #expect(try waiting(bench) == Array(Self.runs[1...2]))
        #expect(bench.exists("young"))
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
    func aboveCriticalOfTheDiskTheOldestRunsGoFirst() async throws {
        let scratch = try TemporaryDirectory()
        let disk = "\(scratch.path)/disk"
        try Testbed.filesystems("make", disk, "--type", "tmpfs", "--size", "16M")
        defer { _ = try? Testbed.filesystems("unmount", disk) }
        let bench = try threeRuns(in: try TemporaryDirectory(below: disk), bytes: 1 << 20)
        // From above 95 % it takes two runs to come below 85 %.
        try bench.directory.shell(
            """
            used=$(df -B1 --output=used '\(disk)' | tail -1)
            head -c $(((16 << 20) * 96 / 100 - used)) /dev/zero > ballast; touch -d '9 days ago' ballast
            """)
        #expect(try await prune(bench).failures.isEmpty)
        #expect(try waiting(bench) == [Self.runs[2]])
    }

    /// Above the critical level, before it evicts more, a prune purges what was evicted before.
    @Test func theTrashGoesBeforeAnythingMoreIsEvicted() async throws {
        var bench = try threeRuns()
        try bench.add("next", daysAgo: 40, bytes: 1_000_000)
        // Half of the fill is trash: with all of it, it is above what may be; without any of it, far below.
        bench.volume.limit = ByteCount(try fill(bench) * 60 / 100)
        let result = try await prune(bench)
        #expect(result.outcome.evicted.map(\.key) == ["g:next:1"])
        #expect(!(try waiting(bench).contains { Self.runs[0...1].contains($0) }))
        #expect(result.notices.contains { $0.contains("purged from the trash before their time") })
    }

    /// What an earlier output promised to keep stays for its time, while there is room.
    @Test func aPruneLeavesTheTrashOfAnotherForItsTime() async throws {
        var bench = try threeRuns()
        try bench.add("next", daysAgo: 40)
        bench.volume.limit = ByteCount(try fill(bench) * 10)
        let result = try await prune(bench)
        #expect(result.outcome.evicted.map(\.key) == ["g:next:1"])
        #expect(try waiting(bench) == Self.runs)
        #expect(result.notices.isEmpty)
    }

    @Test func whereNothingIsKeptTheRunItselfGoes() async throws {
        var bench = try BuildVolume()
        bench.volume.trashRetention = .zero
        try bench.add("old", daysAgo: 40)
        let result = try await prune(bench) { index in
            let (purge, left) = (try index.purge(ofRun: Self.runs[3]), try index.trashedRuns(limit: 9))
            #expect(purge?.cause == .noRetention && left.isEmpty)
        }
        #expect(result.outcome.evicted.map(\.key) == ["g:old:1"])
        #expect(result.outcome.trashedBytes == .zero)
        #expect(try waiting(bench).isEmpty)
    }

    /// Another Larder, or the same by another configuration, keeps nothing: what a run promised stays all the same.
    @Test func aPromiseHoldsWhateverTheNextRunKeeps() async throws {
        var bench = try threeRuns()
        bench.volume.trashRetention = .zero
        try bench.add("next", daysAgo: 40)
        let result = try await prune(bench)
        #expect(result.outcome.evicted.map(\.key) == ["g:next:1"])
        #expect(try waiting(bench) == Array(Self.runs[0...2]))
        // A promise of years is one that a job wrote.
        let journal = ".larder/trash/\(Self.runs[0])/journal.json"
        try bench.directory.shell(
            #"sed -i -E 's/("created_at":"|"keep_until":")20../\12020/g; s/("keep_until":")2020/\19020/' \#(journal)"#
        )
        #expect(try bench.directory.shell("grep -c 9020 \(journal)") == "1\n")
        _ = try await prune(bench)
        #expect(try waiting(bench) == Array(Self.runs[1...2]))
    }

    /// A run whose record is in another index is not called interrupted; one that did not come to its end is.
    @Test func onlyARunThatDidNotEndWasInterrupted() throws {
        let bench = try threeRuns()
        try bench.directory.shell("rm .larder/trash/\(Self.runs[1])/ended")
        let state = try TemporaryDirectory()
        let index = try CacheIndex.open(stateDirectory: state.path, now: BuildVolume.now())
        let scan = ScanService(index: index, clock: BuildVolume.now)
        // What a run moved is known of a volume that was scanned before.
        _ = try scan.run(bench.locked())
        let notices = try scan.run(bench.locked()).notices
        #expect(notices.filter { $0.contains("interrupted") }.map { $0.contains(Self.runs[1]) } == [true])
        #expect(notices.filter { $0.contains("another Larder made it") }.count == 2)
    }

    @Test func whatIsOlderThanItsTimeGoesAndNothingElse() async throws {
        let bench = try threeRuns()
        try bench.directory.shell(
            #"sed -i -E 's/("created_at":")20../\12020/' .larder/trash/\#(Self.runs[1])/journal.json"#)
        _ = try await prune(bench) { index in
            let purge = try index.purge(ofRun: Self.runs[1])
            #expect(purge?.cause == .overdue)
        }
        #expect(try waiting(bench) == [Self.runs[0], Self.runs[2]])
    }

    @Test func whatIsPurgedOnRequestIsSaidToBe() async throws {
        let bench = try threeRuns()
        _ = try await prune(bench, purge: true) { index in
            let purge = try index.purge(ofRun: Self.runs[0])
            #expect(purge?.cause == .asked)
        }
        #expect(try waiting(bench).isEmpty)
    }

    @Test func aRunWithoutAJournalIsAsOldAsItsFolder() throws {
        let bench = try threeRuns()
        let trash = Trash(try bench.locked().folder.get())
        try bench.directory.shell("rm .larder/trash/\(Self.runs[0])/journal.json")
        _ = try trash.purge(before: BuildVolume.now() - .hours(24))
        #expect(bench.directory.exists(".larder/trash/\(Self.runs[0])/0"))
        try bench.directory.shell("touch -d '2 days ago' .larder/trash/\(Self.runs[0])")
        _ = try trash.purge(before: BuildVolume.now() - .hours(24))
        #expect(try waiting(bench) == Array(Self.runs[1...2]))
    }

    /// What a prune leaves that was killed before it named its journal.
    @Test func aRunThatHasOnlyADraftGoesWhole() throws {
        let bench = try threeRuns()
        let trash = Trash(try bench.locked().folder.get())
        let run = "20260101T000000Z-0000"
        try bench.directory.shell(
            "mkdir .larder/trash/\(run); echo { >.larder/trash/\(run)/journal.tmp; touch -d '2 days ago' .larder/trash/\(run)"
        )
        _ = try trash.purge(before: BuildVolume.now() - .hours(24))
        #expect(try waiting(bench) == Array(Self.runs[0...2]))
    }
}
