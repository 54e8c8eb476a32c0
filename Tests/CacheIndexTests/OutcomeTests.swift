import CacheIndex
import CacheModel
import Foundation
import Testing

@Suite struct OutcomeTests {
    @Test func anEvictionIsSubtractedRememberedAndRegretted() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a"), artifact("b", bytes: 70)]), of: bed.volume)
        let before = try #require(try index.usage(of: "build"))
        #expect(before.usedBytes == ByteCount(6070))
        #expect(before.trashBytes == ByteCount(300))
        var refused = before.entries[1].line
        refused.reason = "a container uses it"
        let outcome = EvictionOutcome(
            volume: "build", evicted: [before.entries[0].line], refused: [refused],
            freedBytes: ByteCount(1), trashedBytes: ByteCount(1000), usedBefore: ByteCount(6070),
            usedAfter: ByteCount(5070), overQuota: true)
        let run = prune("first", at: 1, exitCode: 3)
        try index.record(outcome, run: run)

        let after = try #require(try index.usage(of: "build"))
        #expect(after.usedBytes == ByteCount(5070))
        #expect(after.trashBytes == ByteCount(1300))
        #expect(after.entries.map(\.id) == [2])
        #expect(try index.recentRuns(limit: 5) == [RecordedRun(run: run, outcomes: [outcome])])
        #expect(try index.lastRun(kind: "prune", volume: "build") == hour(1))
        #expect(try index.lastRun(kind: "warm", volume: "build") == nil)
        let ghosts = try bed.sql("SELECT reason, run, gone_at = 1800003600000000000 FROM ghosts")
        #expect(ghosts == ["evicted|first|1"])

        let again = try artifact("a", inode: 9, bytes: 900, accessed: hour(2), fetched: hour(2))
        _ = try index.record(scan(at: 3, [again, artifact("b", bytes: 70)]), of: bed.volume)
        let usage = try #require(try index.usage(of: "build"))
        #expect(usage.entries.map(\.id) == [1, 2])
        #expect(usage.entries[0].firstSeen == hour(0))
        #expect(usage.usedBytes == ByteCount(5970))
        #expect(try bed.sql("SELECT count(*) FROM ghosts") == ["0"])
        let regret = try index.regret(of: "build", since: hour(0))
        #expect(regret.keys.map { $0 } == [.maven])
        #expect(regret[.maven]?.entries == 1)
        #expect(regret[.maven]?.bytes == ByteCount(900))
        #expect(try index.regret(of: "build", since: hour(2)).isEmpty)
    }

    @Test func aRunMayTouchSeveralVolumes() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let other = Volume(name: "other", kind: .buildCache, path: "/other")
        _ = try index.record(scan(at: 0, [artifact("a")]), of: bed.volume)
        _ = try index.record(scan(at: 0, [artifact("a")], of: "other"), of: other)
        let lines = try ["build", "other"].map { name in
            EvictionOutcome(
                volume: name, evicted: try #require(try index.usage(of: name)).entries.map(\.line),
                usedBefore: ByteCount(2), usedAfter: ByteCount(1), overQuota: false)
        }
        try index.record(lines[1], run: prune("r1", at: 1))
        try index.record(lines[0], run: prune("r1", at: 2, exitCode: 4))
        let runs = try index.recentRuns(limit: 1)
        #expect(runs.first?.outcomes == lines)
        #expect(runs.first?.run.exitCode == 4)
        #expect(runs.first?.run.finishedAt == hour(2))
        #expect(throws: IndexError.self) { try index.record(lines[0], run: prune("r1", at: 3)) }
        try index.record(
            EvictionOutcome(volume: "build", usedBefore: .zero, usedAfter: .zero, overQuota: false),
            run: prune("r2", at: 4))
        #expect(try index.recentRuns(limit: 9).map(\.run.id) == ["r2", "r1"])
    }

    @Test func aVolumeThatWasNeverScannedIsRefused() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let outcome = EvictionOutcome(
            volume: "nowhere", usedBefore: .zero, usedAfter: .zero, overQuota: false)
        let error = IndexError.unknownVolume(name: "nowhere", path: bed.database)
        #expect(throws: error) { try index.record(outcome, run: prune("r", at: 1)) }
        #expect(try index.recentRuns(limit: 1).isEmpty)
        #expect(try index.usage(of: "nowhere") == nil)
        #expect(try index.hitRates(of: "nowhere", since: hour(0), until: hour(1)).isEmpty)
    }

    @Test func aRunTellsWhyAndWhatItLookedAt() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a")]), of: bed.volume)
        var line = try #require(try index.usage(of: "build")?.entries.first).line
        line.reason = "checksum-mismatch: its SHA-1 is another"
        let checks = RunChecks(checked: 9, damaged: 2, unverifiable: 3)
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: [line], usedBefore: .zero, usedAfter: .zero, overQuota: false),
            run: RunRecord(
                id: "v", kind: RunRecord.verify, startedAt: hour(1), finishedAt: hour(1), exitCode: 0),
            checks: checks)
        let run = try #require(try index.runPage(limit: 1).runs.first)
        #expect(run.volumes.first?.checks == checks)
        #expect(run.volumes.first?.firstEvicted == [line])
        try index.record(
            EvictionOutcome(volume: "build", usedBefore: .zero, usedAfter: .zero, overQuota: false),
            run: prune("p", at: 2))
        #expect(try index.runPage(limit: 1).runs.first?.volumes.first?.checks == nil)
    }

    @Test func whatTheIndexDoesNotHoldIsNoted() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a")]), of: bed.volume)
        let line = EvictionOutcome.Line(entryID: 99, pool: .maven, key: "gone", bytes: ByteCount(9999))
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: [line], usedBefore: .zero, usedAfter: .zero, overQuota: false),
            run: prune("r", at: 1))
        #expect(try index.usage(of: "build")?.usedBytes == .zero)
        #expect(try index.usage(of: "build")?.entries.count == 1)
        #expect(try bed.sql("SELECT entry, evicted FROM run_entries") == ["99|1"])
    }
}
