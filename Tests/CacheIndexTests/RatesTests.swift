import CacheIndex
import CacheModel
import Foundation
import Testing

@Suite struct RatesTests {
    /// Twenty entries, of which scan after scan a few are read and one is fetched anew.
    private func lived(_ bed: IndexFixture, _ index: CacheIndex, hours: ClosedRange<Int64>) throws {
        var entries = try (100..<120).map { try artifact("lib\($0)", bytes: Int64($0)) }
        for now in hours {
            for place in entries.indices where Int64(place) % 5 == now % 5 {
                entries[place].accessed = hour(now)
            }
            let renewed = Int(now) % entries.count
            entries[renewed].inode += 1
            (entries[renewed].accessed, entries[renewed].fetched) = (hour(now), hour(now))
            _ = try index.record(scan(at: now, entries), of: bed.volume)
        }
    }

    private func rate(_ index: CacheIndex, _ since: Int64, _ until: Int64) throws -> HitRate {
        try index.hitRates(of: "build", since: hour(since), until: hour(until))[.maven] ?? HitRate()
    }

    @Test func aWindowIsOpenAtItsStartAndClosedAtItsEnd() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a"), artifact("b")]), of: bed.volume)
        #expect(try index.hitRates(of: "build", since: hour(-9), until: hour(9)).isEmpty)
        _ = try index.record(scan(at: 4, [artifact("a", accessed: hour(4)), artifact("b")]), of: bed.volume)
        #expect(try rate(index, 3, 4) == HitRate(hits: 1, hitBytes: ByteCount(1000)))
        #expect(try rate(index, 4, 9).objects == nil)
        #expect(try rate(index, 0, 3).objects == nil)
    }

    /// What was seen of the claim before is no part of a report's history: both say the same.
    @Test func anotherFileSystemCountsFromItsFirstScan() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        try lived(bed, index, hours: 0...60)
        _ = try index.foldAccesses(before: hour(40))
        #expect(try rate(index, -8, 60).hits > 0)
        let other = VolumeIdentity(marker: 8, rootInode: 3)
        _ = try index.record(scan(at: 61, [artifact("a"), artifact("b")], identity: other), of: bed.volume)
        #expect(try rate(index, -100, 61) == HitRate())
        _ = try index.record(
            scan(at: 62, [artifact("a", accessed: hour(62)), artifact("b")], identity: other), of: bed.volume)
        #expect(try rate(index, -100, 62) == HitRate(hits: 1, hitBytes: ByteCount(1000)))
        #expect(try index.history(of: "build")?.accesses.count == 1)
    }

    /// A clock that was years ahead for two scans takes nothing with it.
    @Test func whatIsOldIsToldByAHundredScans() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        for number in 0..<99 {
            _ = try index.record(scan(at: Int64(number), [artifact("a")]), of: bed.volume)
        }
        #expect(try index.settledTime(of: "build", now: hour(99)) == nil)
        _ = try index.record(scan(at: 99, [artifact("a")]), of: bed.volume)
        #expect(try index.settledTime(of: "build", now: hour(99)) == hour(99))
        let ahead: Int64 = 5 * 365 * 24
        for more in Int64(0)..<2 {
            _ = try index.record(scan(at: ahead + more, [artifact("a")]), of: bed.volume)
        }
        #expect(try index.settledTime(of: "build", now: hour(ahead + 1)) == hour(2) + .days(60))
    }

    @Test func foldingKeepsTheSums() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        // The tests' time begins at 08:00, so days begin 16 hours after a multiple of 24.
        try lived(bed, index, hours: 0...120)
        let naive = try bed.sql(
            """
            SELECT at - at % 86400000000000 AS day, sum(hit), sum(hit = 0), sum(iif(hit, bytes, 0)),
                sum(iif(hit, 0, bytes)) FROM accesses WHERE at < \(hour(90).nanoseconds) GROUP BY day
            """)
        let whole = try rate(index, -8, 120)
        let late = try rate(index, 90, 120)
        let old = try bed.sql("SELECT count(*) FROM accesses WHERE at < \(hour(90).nanoseconds)")
        #expect(try index.foldAccesses(before: hour(30)) > 0)
        let folded = try index.foldAccesses(before: hour(90))
        #expect(try index.foldAccesses(before: hour(90)) == 0)
        #expect(try bed.sql("SELECT count(*) FROM accesses WHERE at < \(hour(90).nanoseconds)") == ["0"])
        #expect(folded > 0 && old.first.flatMap { Int($0) } ?? 0 > folded)
        let days = "SELECT day, hits, misses, hit_bytes, miss_bytes FROM access_days ORDER BY day"
        #expect(try bed.sql(days) == naive)
        #expect(try rate(index, -8, 120) == whole)
        #expect(try rate(index, 90, 120) == late)
        let day = try #require(naive.dropFirst().first).split(separator: "|")
        let middle = try rate(index, 16, 40)
        #expect("\(middle.hits)" == day[1])
        #expect("\(middle.missBytes.bytes)" == day[4])
        #expect(try rate(index, 17, 40) == HitRate())
    }

    @Test func regretOutlivesFolding() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a")]), of: bed.volume)
        let line = try #require(try index.usage(of: "build")?.entries.first?.line)
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: [line], usedBefore: .zero, usedAfter: .zero, overQuota: false),
            run: prune("r", at: 1))
        let again = try artifact("a", accessed: hour(20), fetched: hour(20))
        _ = try index.record(scan(at: 20, [again]), of: bed.volume)
        #expect(try index.foldAccesses(before: hour(21)) == 1)
        #expect(try index.regret(of: "build", since: hour(0))[.maven]?.entries == 1)
    }

    /// A year of 15-minute scans of 100,000 entries, of which each finds 1000 used, is 35,040 scans with 30
    /// days of accesses: what one of each occupies is measured at a hundredth of it.
    @Test func aYearStaysUnder200MB() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var entries = try (1000..<2000).map { try artifact("library-of-some-length-\($0)") }
        var now: Int64 = 0
        func size() throws -> Int64 {
            Int64(try #require(FileManager.default.contents(atPath: bed.database)).count)
        }
        func live(_ scans: Int, using count: Int) throws {
            for _ in 0..<scans {
                now += 1
                for place in 0..<count { entries[place].accessed = hour(now) }
                _ = try index.record(scan(at: now, entries), of: bed.volume)
            }
        }
        try live(1, using: 0)
        let perEntry = try size() / 1000
        try live(100, using: 0)
        let perScan = (try size() - perEntry * 1000) / 100
        let before = try size()
        try live(30, using: 1000)
        let perAccess = (try size() - before - 30 * perScan) / 30_000
        let month = Int64(30 * 96)
        let year = 100_000 * perEntry + 365 * 96 * perScan + month * 1000 * perAccess
        #expect(year < 200_000_000, "entry \(perEntry), scan \(perScan), access \(perAccess) bytes")

        let full = try size()
        for _ in 0..<3 {
            #expect(try index.foldAccesses(before: hour(now + 1)) > 0)
            try live(27, using: 1000)
        }
        #expect(try size() < full * 11 / 10)
    }
}
