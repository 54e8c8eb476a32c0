import CacheIndex
import CacheModel
import Foundation
import Testing

/// What the index remembers of verifications, and what becomes of what they took away.
@Suite struct VerificationRecordTests {
    private let verified = Verification(at: hour(1), isDamaged: false)

    @Test func aVerificationHoldsUntilTheEntryChanges() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a"), artifact("b")]), of: bed.volume)
        try index.record([1: verified, 2: Verification(at: hour(1), isDamaged: true), 99: verified])
        #expect(try index.verifications(of: "build").count == 2)
        #expect(try index.verifications(of: "build")[2]?.isDamaged == true)
        #expect(try index.verifications(of: "nowhere").isEmpty)
        // A use changes nothing.
        _ = try index.record(scan(at: 2, [artifact("a", accessed: hour(1)), artifact("b")]), of: bed.volume)
        #expect(try index.verifications(of: "build").count == 2)
        // A fetch, another length and another directory do.
        for changed in [
            try artifact("a", fetched: hour(3)), try artifact("a", bytes: 2000), try artifact("a", inode: 7),
        ] {
            try index.record([1: verified])
            _ = try index.record(scan(at: 4, [artifact("a"), artifact("b")]), of: bed.volume)
            try index.record([1: verified])
            _ = try index.record(scan(at: 5, [changed, artifact("b")]), of: bed.volume)
            #expect(try index.verifications(of: "build").keys.sorted() == [2])
        }
        // And it goes with the entry.
        _ = try index.record(scan(at: 6, [artifact("a")]), of: bed.volume)
        #expect(try bed.sql("SELECT entry FROM verifications") == ["1"])
    }

    @Test(arguments: [(RunRecord.prune, "1"), (RunRecord.verify, "0")])
    func onlyTheReturnOfTheEvictedIsRegret(kind: String, regret: String) throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a")]), of: bed.volume)
        let line = try #require(try index.usage(of: "build")).entries[0].line
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: [line], usedBefore: ByteCount(2), usedAfter: .zero, overQuota: false
            ),
            run: RunRecord(id: "r", kind: kind, startedAt: hour(1), finishedAt: hour(1), exitCode: 0))
        let ghost = try #require(try index.ghosts(matching: "org.example:a:1.0").first)
        #expect(ghost.reason == (kind == RunRecord.verify ? .quarantined(run: "r") : .evicted(run: "r")))
        _ = try index.record(
            scan(at: 3, [artifact("a", inode: 9, accessed: hour(2), fetched: hour(2))]), of: bed.volume)
        #expect(try bed.sql("SELECT hit, regret FROM accesses") == ["0|\(regret)"])
    }

    /// An index of the first schema keeps its ghosts.
    @Test func ghostsOutliveTheMigration() throws {
        let bed = try IndexFixture()
        let first = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("migrations/0001_index.sql")
        _ = try bed.sql(
            """

            \(String(contentsOf: first, encoding: .utf8))
            INSERT INTO ghosts VALUES (1, x'61', 1, 5, 'g:a:1', 7, 8, 9, 10, 11, 12, 'evicted', 'r'),
                (1, x'62', 1, 6, 'g:b:1', 7, 8, 9, 10, 11, 12, 'vanished', NULL);
            PRAGMA user_version = 1;
            """)
        _ = try bed.open()
        #expect(
            try bed.sql("SELECT id, key, gone_at, reason, run FROM ghosts ORDER BY id")
                == ["5|g:a:1|12|evicted|r", "6|g:b:1|12|vanished|"])
    }
}
