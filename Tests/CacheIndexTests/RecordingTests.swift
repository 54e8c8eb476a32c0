import CacheModel
import Foundation
import Testing

@testable import CacheIndex

@Suite struct RecordingTests {
    @Test func aBaselineThenAHitAMissAndALoss() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        #expect(try index.previousScan(of: "build") == nil)
        let first = try index.record(
            scan(at: 0, [artifact("a"), artifact("b"), artifact("c")], snapshot: [1, 2, 3]), of: bed.volume)
        let all = PoolChange(pool: .maven, entries: 3, files: 9, bytes: ByteCount(3000), new: 3)
        #expect(first == RecordedScan(number: 1, baseline: true, pools: [all]))
        #expect(try bed.sql("SELECT count(*) FROM accesses") == ["0"])

        let second = try index.record(
            scan(
                at: 2,
                [
                    artifact("a"), artifact("b", accessed: hour(1)),
                    artifact("d", bytes: 70, accessed: hour(2), fetched: hour(2)),
                ], snapshot: [4]), of: bed.volume)
        let change = PoolChange(
            pool: .maven, entries: 3, files: 9, bytes: ByteCount(2070), new: 1, used: 1, gone: 1)
        #expect(second == RecordedScan(number: 2, baseline: false, pools: [change]))
        let hours = "(at - 1800000000000000000) / 3600000000000"
        let accesses = try bed.sql("SELECT entry, \(hours), hit, regret, bytes FROM accesses")
        #expect(accesses == ["2|1|1|0|1000", "4|2|0|0|70"])
        #expect(
            try bed.sql("SELECT id, key, reason, run FROM ghosts") == ["3|org.example:c:1.0|vanished|"])

        let entries = try #require(try index.usage(of: "build")).entries
        #expect(entries.map(\.key) == ["a", "b", "d"].map { "org.example:\($0):1.0" })
        #expect(entries.map(\.id) == [1, 2, 4])
        #expect(entries.map(\.uses) == [0, 1, 0])
        #expect(entries.map(\.lastUsed) == [hour(-2), hour(1), hour(2)])
        #expect(entries.map(\.firstSeen) == [hour(0), hour(0), hour(2)])
        #expect(entries.map(\.confidence) == [.medium, .high, .high])
        let previous = try #require(try index.previousScan(of: "build"))
        #expect(previous.snapshot == [4])
        #expect(previous.record.number == 2)
        #expect(previous.record.identity == VolumeIdentity(marker: 7, rootInode: .max))
    }

    /// A directory that failed, or that another file system was mounted on: what lies there is known and kept.
    @Test(arguments: [true, false]) func whatCouldNotBeLookedAtIsNotGone(complete: Bool) throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a"), artifact("b"), artifact("c")]), of: bed.volume)
        var partly = try scan(at: 1, [artifact("b")], complete: complete)
        partly.unseen = [try #require(VolumePath("repository/a")), try #require(VolumePath("repo"))]
        let change = try #require(try index.record(partly, of: bed.volume).pools.first)
        #expect((change.entries, change.gone, change.new) == (2, 1, 0))
        #expect(change.bytes == ByteCount(2000))
        #expect(try bed.sql("SELECT key FROM ghosts") == ["org.example:c:1.0"])
        var entries = try #require(try index.usage(of: "build")).entries
        #expect(entries.map(\.found.protections.all) == [[.unreadable], []])

        let again = try index.record(scan(at: 2, [artifact("a"), artifact("b")]), of: bed.volume)
        #expect(again.pools.map { [$0.new, $0.used, $0.gone] } == [[0, 0, 0]])
        entries = try #require(try index.usage(of: "build")).entries
        #expect(entries.map(\.found.protections.all) == [[], []])
    }

    @Test func anUnchangedScanWritesNoEntry() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let entries = try (100..<200).map { try artifact("lib\($0)") }
        _ = try index.record(scan(at: 0, entries, snapshot: [1]), of: bed.volume)
        _ = try bed.sql(
            """
            CREATE TRIGGER a BEFORE UPDATE ON entries BEGIN SELECT raise(ABORT, 'written'); END;
            CREATE TRIGGER b BEFORE UPDATE ON walks BEGIN SELECT raise(ABORT, 'written'); END;
            """)
        let again = try index.record(scan(at: 1, entries.reversed(), snapshot: [1]), of: bed.volume)
        #expect(again.pools.first?.new == 0)
        #expect(throws: IndexError.failed(path: bed.database, reason: "written")) {
            _ = try index.record(
                scan(at: 2, [artifact("lib100", bytes: 5)] + entries.dropFirst()), of: bed.volume)
        }
        #expect(throws: IndexError.failed(path: bed.database, reason: "written")) {
            _ = try index.record(scan(at: 2, entries, snapshot: [2]), of: bed.volume)
        }
    }

    @Test func anIncompleteScanLosesNothing() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a"), artifact("b")]), of: bed.volume)
        let partly = try index.record(
            scan(at: 1, [artifact("b", accessed: hour(1))], complete: false), of: bed.volume)
        #expect(partly.pools.first?.gone == 0)
        #expect(partly.pools.first?.used == 1)
        let usage = try #require(try index.usage(of: "build"))
        #expect(usage.entries.map(\.id) == [1, 2])
        #expect(!usage.scan.complete)
        #expect(usage.scan.unreadable == 1)
        let whole = try index.record(scan(at: 2, [artifact("b", accessed: hour(1))]), of: bed.volume)
        #expect(whole.pools.first?.gone == 1)
    }

    @Test func anotherFileSystemIsANewBaseline() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a"), artifact("b")]), of: bed.volume)
        let moved = try index.record(
            scan(
                at: 1, [artifact("b", accessed: hour(1), fetched: hour(1)), artifact("c")],
                identity: VolumeIdentity(marker: 8, rootInode: .max)), of: bed.volume)
        #expect(moved.baseline)
        #expect(try bed.sql("SELECT count(*) FROM accesses") == ["0"])
        #expect(try bed.sql("SELECT id, reason FROM ghosts") == ["1|vanished"])
        #expect(try index.usage(of: "build")?.entries.map(\.id) == [2, 3])
        #expect(try bed.sql("SELECT baseline_scan, last_scan FROM volumes") == ["2|2"])
    }

    @Test func volumesAreKeptApart() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a")]), of: bed.volume)
        let other = Volume(name: "other", kind: .buildCache, path: "/other")
        #expect(try index.record(scan(at: 1, [artifact("a")], of: "other"), of: other).baseline)
        _ = try index.record(scan(at: 2, [], of: "other"), of: other)
        #expect(try index.usage(of: "build")?.entries.count == 1)
        #expect(
            try index.volumes() == [
                IndexedVolume(name: "build", kind: .buildCache, path: "/cache"),
                IndexedVolume(name: "other", kind: .buildCache, path: "/other"),
            ])
    }

    @Test func aPathMayBeListedInTwoPoolsButOnceInEach() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let found = try [artifact("a"), artifact("a", pool: .gradle), artifact("a", bytes: 9)]
        let recorded = try index.record(scan(at: 0, found), of: bed.volume)
        #expect(recorded.pools.map(\.pool) == [.maven, .gradle])
        #expect(try bed.sql("SELECT pool, bytes FROM entries ORDER BY pool") == ["1|1000", "2|1000"])
    }
}

@Suite struct InterruptionTests {
    private struct Killed: Error {}

    @Test func anErrorLeavesTheLastScanStanding() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a")], snapshot: [1]), of: bed.volume)
        let before = try bed.sql(".dump")
        #expect(throws: Killed.self) {
            _ = try index.record(
                scan(at: 1, [artifact("b")], snapshot: [2]), of: bed.volume, regretWindow: .zero
            ) { _ in throw Killed() }
        }
        #expect(try bed.sql(".dump") == before)
        #expect(try index.record(scan(at: 2, [artifact("a")]), of: bed.volume).number == 2)
    }

    /// A process that dies leaves the file half written beside its journal: that state is copied and opened.
    @Test(arguments: [false, true]) func deathLeavesTheLastScanStanding(_ readOnly: Bool) throws {
        let bed = try IndexFixture()
        let copy = try IndexFixture()
        let index = try bed.open()
        let entries = try (1000..<3000).map { try artifact("lib\($0)") }
        _ = try index.record(scan(at: 0, entries), of: bed.volume)
        let before = try bed.sql(".dump")
        let used = try (1000..<3000).map { try artifact("lib\($0)", accessed: hour(1)) }
        _ = try index.record(scan(at: 2, used), of: bed.volume, regretWindow: .zero) { db in
            // Too little memory for what changed, so SQLite writes pages before the end.
            try db.execute(sql: "PRAGMA cache_size = 1; UPDATE entries SET files = files + 1")
            for suffix in ["", "-journal"] {
                try FileManager.default.copyItem(
                    atPath: bed.database + suffix, toPath: copy.database + suffix)
            }
        }
        let torn = FileManager.default.contents(atPath: copy.database)
        let survivor = try copy.open(readOnly: readOnly)
        #expect(survivor.notices.isEmpty)
        #expect(try survivor.usage(of: "build")?.scan.number == 1)
        #expect(FileManager.default.contents(atPath: copy.database) != torn)
        #expect(try copy.sql(".dump") == before)
    }
}
