import CacheModel
import Testing

@testable import CacheIndex

/// What an index keeps of pools of the user's own, and of inodes.
@Suite struct OwnPoolRecordTests {
    private func own(_ name: String) throws -> Pool { try #require(Pool(named: name)) }

    @Test func entriesRatesAndGhostsOfOwnPoolsAreToldApart() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let (one, two) = (try own("record-one"), try own("record-two"))
        let entries = [
            try artifact("a", pool: one), try artifact("b", pool: two, bytes: 3000), try artifact("c"),
        ]
        let first = try index.record(scan(at: 0, entries), of: bed.volume)
        #expect(first.pools.map(\.pool) == [.maven, one, two])
        #expect(first.pools.map(\.bytes.bytes) == [1000, 1000, 3000])
        let names = try bed.sql("SELECT name FROM pools WHERE code > 7 ORDER BY name")
        #expect(names == ["record-one", "record-two"])
        var used = entries
        used[1].accessed = hour(3)
        _ = try index.record(scan(at: 4, used), of: bed.volume)
        let rates = try index.hitRates(of: "build", since: hour(0), until: hour(9))
        #expect(rates == [two: HitRate(hits: 1, hitBytes: ByteCount(3000))])
        let third = try index.record(scan(at: 6, [used[0], used[2]]), of: bed.volume)
        #expect(third.pools.first { $0.pool == two }?.gone == 1)
        #expect(try index.usage(of: "build")?.entries.map(\.pool) == [one, .maven])
        #expect(try index.figures().first?.pools.map(\.pool) == [.maven, one, two])
        #expect(try index.ownPools() == [one, two])
        // Folded days keep the pool.
        _ = try index.foldAccesses(before: hour(5))
        #expect(try index.hitRates(of: "build", since: hour(-40), until: hour(40))[two]?.hits == 1)
        #expect(try index.entryPage(EntryQuestion(pool: one)).entries.map(\.entry.pool) == [one])
    }

    @Test func aDayOfUsesKeepsAnyPool() throws {
        let uses = [Pool.maven, try own("a-day"), .images, try own("npm")].enumerated().map { number, pool in
            UseDay.Use(
                entry: Int64(number * 300 + 1), pool: pool, hits: Int64(number) * 5, misses: 1,
                isRegret: number == 1,
                minute: 77, size: ByteCount(512 * 9), fetched: ByteCount(512))
        }
        #expect(try UseDay.unpacked(UseDay.packed(uses)) == uses)
    }

    @Test func inodesAreKeptAndSinkWithAPrune() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var entry = try artifact("a")
        entry.directories = 2
        var found = scan(at: 0, [entry, try artifact("b")])
        _ = try index.record(found, of: bed.volume)
        #expect(try index.usage(of: "build")?.usedInodes == nil)
        found = scan(at: 1, [entry, try artifact("b")])
        found.usedInodes = 90
        _ = try index.record(found, of: bed.volume)
        var usage = try #require(try index.usage(of: "build"))
        #expect(usage.usedInodes == 90)
        #expect(usage.entries.map(\.found.inodes) == [5, 3])
        #expect(try index.figures().first?.usedInodes == 90)
        var outcome = EvictionOutcome(
            volume: "build", evicted: [usage.entries[0].line], usedBefore: .zero, usedAfter: .zero,
            overQuota: false)
        outcome.evictedInodes = 5
        try index.record(outcome, run: prune("r", at: 2))
        usage = try #require(try index.usage(of: "build"))
        #expect(usage.usedInodes == 85)
        entry.directories = 3
        _ = try index.record(scan(at: 3, [entry, try artifact("b")]), of: bed.volume)
        #expect(try index.usage(of: "build")?.entries.first?.found.directories == 3)
    }
}
