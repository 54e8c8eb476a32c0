import CacheModel
import Foundation
import Testing

@testable import CacheIndex

/// Downloads that logs name, beside what scans saw: an entry counts once between two scans.
@Suite struct IngestTests {
    private let bed: IndexFixture
    private let index: CacheIndex

    init() throws {
        bed = try IndexFixture()
        index = try bed.open()
    }

    private func record(_ hours: Int64, _ entries: [ScannedEntry]) throws {
        _ = try index.record(scan(at: hours, entries), of: bed.volume)
    }

    /// A jar of 600 bytes and a pom of 70 that a log of those hours names.
    private func downloads(
        _ name: String, from earliest: Timestamp, to latest: Timestamp, number: Int64 = 1,
        pool: Pool = .maven,
        repository: String = "maven2"
    ) -> [JobDownload] {
        [("jar", 600), ("pom", 70)].enumerated().map { place, file in
            JobDownload(
                id: number * 10 + Int64(place), pool: pool,
                directory: [repository, "org", "example", name, "1.0"], file: "\(name)-1.0.\(file.0)",
                bytes: ByteCount(file.1), earliest: earliest, latest: latest)
        }
    }

    @discardableResult
    private func ingest(_ downloads: [JobDownload], job: String? = "4711") throws -> [String] {
        try index.ingest(downloads, of: "build", job: job).map {
            "\($0.result.rawValue) \($0.key) \($0.files)"
        }
    }

    /// Hits and misses of all times.
    private func counts() throws -> [Int64] {
        let rate =
            try index.hitRates(of: "build", since: hour(-100), until: hour(10_000))[.maven] ?? HitRate()
        return [rate.hits, rate.misses, rate.hitBytes.bytes, rate.missBytes.bytes]
    }

    private func accesses(_ name: String) throws -> [String] {
        let key = "org.example:\(name):1.0"
        let entry = try index.entries(matching: key).first?.entry.id
        let id = try #require(try entry ?? index.ghosts(matching: key).first?.id)
        return try index.accesses(of: id, limit: 10).map {
            ([$0.kind.rawValue, $0.evidence.rawValue] + $0.jobs).joined(separator: " ")
        }
    }

    @Test func aCounterKeepsTheHitThatWasADownload() throws {
        func hits() throws -> [Int64] {
            let rates = try #require(try index.figures().first?.pools.first?.rates)
            return [rates.hits, rates.hitBytes.bytes]
        }
        try record(0, [artifact("a")])
        try record(2, [artifact("a", accessed: hour(1))])
        let counted = try hits()
        #expect(counted[0] == 1 && counted[1] > 0)
        // The hit turns out to be the job that fetched: the rate forgets it, the counter does not.
        try ingest(downloads("a", from: hour(0) + .minutes(50), to: hour(1) + .minutes(10)))
        #expect(try counts()[0] == 0)
        #expect(try hits() == counted)
        // One that the log told of before the scan was never counted.
        try ingest(downloads("a", from: hour(3), to: hour(3) + .minutes(10), number: 2))
        try record(4, [artifact("a", accessed: hour(3) + .minutes(5))])
        #expect(try hits() == counted)
    }

    @Test func whatTheScanSawAfterTheLogCountsOnce() throws {
        try record(0, [])
        let log = downloads("a", from: hour(0) + .minutes(10), to: hour(0) + .minutes(20))
        #expect(try ingest(log) == ["waiting maven2.org.example:a:1.0 2"])
        try record(1, [artifact("a", accessed: hour(0) + .minutes(20), fetched: hour(0) + .minutes(15))])
        #expect(try counts() == [0, 1, 0, 1000])
        #expect(try accesses("a") == ["miss first-seen 4711"])
        #expect(try ingest(log) == ["known org.example:a:1.0 2"])
        #expect(try counts() == [0, 1, 0, 1000])
    }

    @Test func whatTheScanSawBeforeTheLogCountsOnce() throws {
        try record(0, [])
        try record(1, [artifact("a", accessed: hour(0) + .minutes(20), fetched: hour(0) + .minutes(15))])
        try record(2, [artifact("a", accessed: hour(1) + .minutes(20), fetched: hour(0) + .minutes(15))])
        // The log's end lies in a later interval than the fetch.
        let log = downloads("a", from: hour(0) + .minutes(10), to: hour(1) + .minutes(10))
        #expect(try ingest(log) == ["seen org.example:a:1.0 2"])
        #expect(try accesses("a") == ["hit atime", "miss first-seen 4711"])
        // A second job that found the same missing: one fetch between two scans.
        #expect(
            try ingest(
                downloads("a", from: hour(0) + .minutes(10), to: hour(0) + .minutes(30), number: 2), job: "b")
                == ["seen org.example:a:1.0 2"])
        #expect(try accesses("a") == ["hit atime", "miss first-seen 4711 b"])
        #expect(try counts() == [1, 1, 1000, 1000])
        // Also where the scan is under way, or the job's clock is a little behind.
        for (number, time) in [(3, hour(1) + .seconds(2)), (4, hour(1) + .seconds(40))] {
            let late = downloads("a", from: time, to: time, number: Int64(number))
            #expect(try ingest(late) == ["seen org.example:a:1.0 2"])
        }
    }

    @Test func aFetchThatNoScanSawIsAMissAndItsReadNoHit() throws {
        try record(0, [artifact("a"), artifact("b")])
        // Its jar was gone and fetched again, to the same size: for the scan it was there and was read.
        try record(1, [artifact("a", accessed: hour(0) + .minutes(20)), artifact("b")])
        #expect(try accesses("a") == ["hit atime"])
        let log = downloads("a", from: hour(0) + .minutes(10), to: hour(0) + .minutes(30))
        #expect(try ingest(log) == ["recorded org.example:a:1.0 2"])
        #expect(try accesses("a") == ["miss job-log 4711"])
        #expect(try counts() == [0, 1, 0, 670])
        let entry = try #require(try index.entries(matching: "org.example:a:1.0").first?.entry)
        #expect((entry.uses, entry.lastUsed, entry.evidence) == (0, hour(0) + .minutes(30), .jobLog))
        // A line that the log got since, and another log of that time.
        let grown = log + [downloads("a", from: log[0].earliest, to: log[0].latest, number: 3)[0]]
        #expect(try ingest(grown) == ["seen org.example:a:1.0 1", "known org.example:a:1.0 2"])
        #expect(try counts() == [0, 1, 0, 670])
        // The reads of others in later intervals stay hits.
        try record(2, [artifact("a", accessed: hour(1) + .minutes(40)), artifact("b")])
        #expect(try accesses("a") == ["hit atime", "miss job-log 4711"])
        #expect(try accesses("b").isEmpty)
    }

    @Test func whatCameAndWentBetweenTwoScansIsRegretWhereARunEvictedIt() throws {
        try record(0, [artifact("a"), artifact("b")])
        let entry = try #require(try index.entries(matching: "org.example:a:1.0").first?.entry)
        _ = try index.record(
            EvictionOutcome(
                volume: "build", evicted: [entry.line], refused: [], freedBytes: .zero, trashedBytes: .zero,
                usedBefore: .zero, usedAfter: .zero, overQuota: false), run: prune("run-1", at: 1))
        try record(2, [artifact("b")])
        #expect(
            try ingest(downloads("a", from: hour(1) + .minutes(10), to: hour(1) + .minutes(20)))
                == ["recorded org.example:a:1.0 2"])
        #expect(try index.regret(of: "build", since: hour(0))[.maven]?.entries == 1)
        #expect(
            try ingest(downloads("a", from: hour(0) + .minutes(10), to: hour(0) + .minutes(20), number: 2))
                == ["seen org.example:a:1.0 2"])
    }

    @Test func nothingCountsThatMayBeOlderThanTheFirstScanOrIsTooOldOrNotHere() throws {
        try record(0, [artifact("a")])
        try record(1, [artifact("a"), artifact("b", fetched: hour(0) + .minutes(30))])
        #expect(
            try ingest(downloads("a", from: hour(-1), to: hour(0) + .minutes(30)))
                == ["before-first-scan org.example:a:1.0 2"])
        #expect(
            try ingest(downloads("b", from: hour(-1), to: hour(0) + .minutes(40), number: 2))
                == ["seen org.example:b:1.0 2"])
        #expect(
            try ingest(downloads("c", from: hour(0) + .minutes(5), to: hour(0) + .minutes(6), number: 3))
                == ["not-here maven2.org.example:c:1.0 2"])
        #expect(
            try ingest(
                downloads(
                    "a", from: hour(0) + .minutes(5), to: hour(0) + .minutes(6), number: 4, pool: .gradle))
                == ["not-here maven2.org.example:a:1.0 2"])
        try record(40 * 24, [artifact("a"), artifact("b", fetched: hour(0) + .minutes(30))])
        #expect(
            try ingest(downloads("a", from: hour(0) + .minutes(5), to: hour(0) + .minutes(6), number: 5))
                == ["too-old org.example:a:1.0 2"])
        #expect(try counts() == [0, 1, 0, 1000])
        #expect(throws: IndexError.self) {
            try index.ingest(downloads("a", from: hour(1), to: hour(2), number: 6), of: "images", job: nil)
        }
    }

    @Test func theLongestGroupThatIsThereWins() throws {
        let short = try artifact("a")
        var long = try artifact("b")
        long.key = "maven2.org.example:a:1.0"
        try record(0, [short, long])
        try record(1, [short, long])
        let log = downloads("a", from: hour(0) + .minutes(10), to: hour(0) + .minutes(20))
        #expect(try ingest(log) == ["recorded maven2.org.example:a:1.0 2"])
        #expect(JobDownload.keys(directory: ["a", "b"]).isEmpty)
        let deep = JobDownload.keys(directory: Array(repeating: "x", count: 10_000))
        #expect(deep.count == 24)
    }

    @Test func linesOfLogsAreForgottenWithTheGhosts() throws {
        try record(0, [artifact("a")])
        try record(1, [artifact("a")])
        try ingest(downloads("a", from: hour(0) + .minutes(10), to: hour(0) + .minutes(20)))
        #expect(try bed.sql("SELECT count(*) FROM job_downloads") == ["2"])
        _ = try index.forgetGhosts(goneBefore: hour(0))
        #expect(try bed.sql("SELECT count(*) FROM job_downloads") == ["2"])
        _ = try index.forgetGhosts(goneBefore: hour(1))
        #expect(try bed.sql("SELECT count(*) FROM job_downloads") == ["0"])
    }
}
