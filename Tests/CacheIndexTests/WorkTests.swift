import CacheModel
import GRDB
import GRDBSQLite
import Testing

@testable import CacheIndex

/// How much SQLite has to do, by the steps of its virtual machine: what takes a time is seen on large volumes only.
@Suite struct WorkTests {
    private final class Steps { var thousands = 0 }

    /// Thousands of steps that one call takes.
    private func thousands(_ index: CacheIndex, of work: () throws -> Void) throws -> Int {
        let steps = Steps()
        try index.writing { db in
            sqlite3_progress_handler(
                db.sqliteConnection, 1000,
                { context in
                    context.map { Unmanaged<Steps>.fromOpaque($0).takeUnretainedValue().thousands += 1 }
                    return 0
                }, Unmanaged.passUnretained(steps).toOpaque())
        }
        try work()
        try index.writing { db in sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
        return steps.thousands
    }

    /// The steps that it takes to record a prune of all of so many entries.
    private func prune(_ count: Int) throws -> Int {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(
            scan(at: 0, (0..<count).map { try artifact("library-\($0)") }), of: bed.volume)
        let lines = try #require(try index.usage(of: "build")).entries.map(\.line)
        return try thousands(index) {
            try index.record(
                EvictionOutcome(
                    volume: "build", evicted: lines, usedBefore: .zero, usedAfter: .zero, overQuota: false),
                run: RunRecord(id: "r", kind: "prune", startedAt: hour(1), finishedAt: hour(1), exitCode: 0))
        }
    }

    @Test func aPruneOfEightTimesAsManyEntriesTakesEightTimesAsMuch() throws {
        let (few, many) = (try prune(500), try prune(4000))
        #expect(few > 0 && many < 12 * few, "\(few) and \(many) thousand steps")
    }
}
