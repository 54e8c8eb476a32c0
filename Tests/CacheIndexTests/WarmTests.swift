import CacheIndex
import CacheModel
import Foundation
import Testing

/// What the index makes of warming: protection, use, history, and what it must not take for a use.
@Suite struct WarmTests {
    let bed: IndexFixture
    let index: CacheIndex
    let store = Volume(name: "build", kind: .imageStore, path: "/store")

    init() throws {
        bed = try IndexFixture()
        index = try bed.open()
    }

    private func image(
        _ name: String, accessed: Timestamp = hour(-9), fetched: Timestamp = hour(-10)
    ) throws -> ScannedEntry {
        ScannedEntry(
            pool: .images, key: "r.test/\(name):1", path: try #require(VolumePath("id-\(name)")),
            bytes: ByteCount(1000), apparentBytes: ByteCount(1000), files: 0, accessed: accessed,
            fetched: fetched,
            image: ScannedImage(
                id: "id-\(name)", names: ["r.test/\(name):1"], layers: [], exclusiveBytes: ByteCount(1000),
                containers: 0))
    }

    private func scanned(_ at: Int64, _ images: ScannedEntry...) throws -> Int64 {
        try index.record(scan(at: at, images), of: store).number
    }

    private func warmRun(_ name: String, _ result: WarmedImage.Result, at: Int64, attempts: Int) -> WarmRun {
        WarmRun(
            images: [
                WarmedImage(
                    reference: "r.test/\(name):1", result: result, attempts: attempts, bytes: ByteCount(1000),
                    image: result == .failed ? nil : "id-\(name)")
            ],
            run: RunRecord(
                id: "warm-\(name)-\(at)", kind: "warm", startedAt: hour(at) - .minutes(10),
                finishedAt: hour(at) + .minutes(1), exitCode: 0),
            protectedUntil: hour(at + 24), usedBefore: ByteCount(1000), high: ByteCount(1999))
    }

    /// A run of `warm` with the scan that ends it.
    private func warmed(
        _ name: String, _ result: WarmedImage.Result, at: Int64, attempts: Int = 1, _ images: ScannedEntry...
    ) throws {
        _ = try index.record(
            scan(at: at, images), of: store, warm: warmRun(name, result, at: at, attempts: attempts))
    }

    private func entry(_ name: String) throws -> CacheEntry {
        try #require(try index.usage(of: "build")?.entries.first { $0.key == "r.test/\(name):1" })
    }

    @Test func aPullByWarmingIsNoMissAndProtectsUntilTheFirstUse() throws {
        _ = try scanned(0)
        let pulled = hour(1) - .minutes(5)
        try warmed("a", .pulled, at: 1, image("a", accessed: pulled, fetched: pulled))
        #expect(try index.hitRates(of: "build", since: hour(-1), until: hour(2)).isEmpty)
        #expect(try entry("a").warmedUntil == hour(25))
        _ = try scanned(2, image("a", accessed: pulled, fetched: pulled))
        #expect(try entry("a").warmedUntil == hour(25))
        _ = try scanned(4, image("a", accessed: hour(3), fetched: pulled))
        #expect(try entry("a").warmedUntil == nil)
        #expect(try entry("a").uses == 1)
    }

    @Test func aPullThatFindsEverythingThereIsNoUse() throws {
        _ = try scanned(0, image("a"))
        _ = try scanned(3, image("a", accessed: hour(2)))
        try warmed("a", .present, at: 6, image("a", accessed: hour(6) - .minutes(5)))
        #expect(try entry("a").lastUsed == hour(2))
        #expect(try entry("a").uses == 1)
        #expect(try entry("a").warmedUntil == hour(30))
    }

    @Test func whatAJobDidBeforeTheRunStays() throws {
        _ = try scanned(0, image("a"))
        try warmed("a", .present, at: 6, image("a", accessed: hour(5)))
        #expect(try entry("a").lastUsed == hour(5))
        #expect(try entry("a").uses == 1)
    }

    @Test func historyTellsWhatWasNeverUsed() throws {
        _ = try scanned(0, image("a"), image("b"))
        for day in 1...3 {
            let use = day == 1 ? hour(-9) : hour(Int64(day) * 24 - 12)
            try warmed("a", .pulled, at: Int64(day) * 24, image("a", accessed: use), image("b"))
            try warmed(
                "b", .present, at: Int64(day) * 24, attempts: 0, image("a", accessed: use), image("b"))
        }
        let history = try index.warmHistory(of: "build")
        #expect(
            history["r.test/a:1"]
                == WarmHistory(
                    reference: "r.test/a:1", warmed: 3, pulled: 3, used: 2,
                    lastWarmed: hour(72) + .minutes(1)))
        #expect(
            history["r.test/b:1"]
                == WarmHistory(
                    reference: "r.test/b:1", warmed: 3, pulled: 0, used: 0,
                    lastWarmed: hour(72) + .minutes(1)))
        // A use after the last run counts before the next run has seen it.
        _ = try scanned(90, image("a", accessed: hour(80)), image("b"))
        #expect(try index.warmHistory(of: "build")["r.test/a:1"]?.used == 3)
    }

    @Test func theLastSizeIsThatOfTheLastStay() throws {
        _ = try scanned(0, image("a"))
        #expect(try index.lastSize(of: "r.test/a:1", on: "build") == nil)
        _ = try scanned(1)
        #expect(try index.lastSize(of: "r.test/a:1", on: "build") == ByteCount(1000))
        #expect(try index.lastSize(of: "r.test/b:1", on: "build") == nil)
        try warmed("b", .failed, at: 2)
        #expect(try index.lastSize(of: "r.test/b:1", on: "build") == nil)
    }

    @Test func missesOfTheLastDayComeFirstThenTheComingHours() throws {
        let week: Int64 = 168
        // `now` is hour 3 * 168: `soon` was used an hour later in each week before, `often` at other hours.
        _ = try scanned(-1, image("soon"), image("often"), image("rare"), image("unused"))
        for round in 0..<3 {
            let start = Int64(round) * week
            _ = try scanned(
                start + 2, image("soon", accessed: hour(start + 1)),
                image("often", accessed: hour(start - 9)),
                image("rare"), image("unused"))
            _ = try scanned(
                start + 80, image("soon", accessed: hour(start + 1)),
                image("often", accessed: hour(start + 70)),
                image("rare", accessed: hour(round == 2 ? 400 : -9)), image("unused"))
        }
        let now = 3 * week
        _ = try scanned(
            now - 1, image("soon", accessed: hour(2 * week + 1)),
            image("often", accessed: hour(2 * week + 70)),
            image("rare", accessed: hour(400)), image("unused"),
            image("missed", accessed: hour(now - 5), fetched: hour(now - 5)))
        let top = try index.topImages(of: "build", since: hour(-100), until: hour(now), limit: 10)
        #expect(top.map(\.key) == ["missed", "soon", "often", "rare"].map { "r.test/\($0):1" })
        #expect(top.first?.reason == "1 use, 1 missed lately")
        #expect(top.dropFirst().first?.reason == "3 uses, 3 at these hours")
        #expect(try index.topImages(of: "build", since: hour(-100), until: hour(now), limit: 1).count == 1)
        #expect(try index.topImages(of: "other", since: hour(-100), until: hour(now), limit: 1).isEmpty)
    }

    @Test func aRunIsRecordedWithItsVolume() throws {
        try warmed("a", .pulled, at: 0, image("a"))
        #expect(try index.lastRun(kind: "warm", volume: "build") == hour(0) + .minutes(1))
        let run = try #require(try index.recentRuns(limit: 1).first)
        #expect(
            run.outcomes == [
                EvictionOutcome(
                    volume: "build", evicted: [], refused: [], freedBytes: .zero, trashedBytes: .zero,
                    usedBefore: ByteCount(1000), usedAfter: ByteCount(6000), overQuota: true)
            ])
    }

    @Test func whatIsWarmedInVainIsNamedAsLongAsItIsWarmed() throws {
        for at in 0..<14 {
            #expect(try index.idleWarmings(of: "build", since: hour(-1)).isEmpty == (at < 5))
            try warmed("a", .pulled, at: Int64(at), image("a"))
        }
        let idle = try index.idleWarmings(of: "build", since: hour(13))
        #expect(idle.map(\.sentence) == ["warmed 14 times, pulled 14, used 0"])
        #expect(try index.idleWarmings(of: "build", since: hour(14)).isEmpty)
        _ = try scanned(20, image("a", accessed: hour(15)))
        #expect(try index.idleWarmings(of: "build", since: hour(-1)).isEmpty)
    }

    @Test func noCounterEverGoesBack() throws {
        func hits() throws -> Int64? { try index.figures().first?.pools.first?.rates.hits }
        _ = try scanned(0, image("a"))
        try warmed("a", .present, at: 6, image("a", accessed: hour(6) - .minutes(5)))
        #expect(try hits() == 0)
        // What nobody can have read yet is forgotten; what was counted stays.
        _ = try scanned(8, image("a", accessed: hour(7)))
        #expect(try hits() == 1)
        try warmed("a", .present, at: 9, image("a", accessed: hour(9) - .minutes(5)))
        #expect(try hits() == 1)
    }
}
