import CacheIndex
import CacheModel
import Foundation
import TestSupport
import Testing

/// Uses that are followed between scans are counted once, however scans and followings meet.
@Suite struct FollowingTests {
    private let store = Volume(name: "images", kind: .imageStore, path: "/podman-data/storage")

    private func image(_ id: String, uses: [Timestamp] = [], accessed: Int64 = -9) throws -> ScannedEntry {
        ScannedEntry(
            pool: .images, key: "docker.io/library/\(id):1", path: try #require(VolumePath(id)),
            bytes: ByteCount(500), apparentBytes: ByteCount(500), files: 0, accessed: hour(accessed),
            fetched: hour(-9),
            image: ScannedImage(
                id: id, names: ["docker.io/library/\(id):1"], layers: [], exclusiveBytes: ByteCount(20),
                containers: 0),
            uses: uses.map { RecordedUse(at: $0, evidence: .podmanEvents) })
    }

    private func use(_ number: Int, _ id: String, _ index: CacheIndex, at: Timestamp) throws -> FollowedUse {
        let known = try index.followState(of: "images")?.images.first { $0.image.id == id }?.entry
        return FollowedUse(container: "c\(number)", image: id, at: at, entry: known)
    }

    /// Random uses of three images over ten scans: one index is told by its scans alone, the other one follows.
    @Test(arguments: 0..<20) func followingChangesNoFigure(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        let (scanned, followed) = (try IndexFixture(), try IndexFixture())
        let (plain, quick) = (try scanned.open(), try followed.open())
        let ids = ["aa", "bb", "cc"]
        func record(_ at: Int64, _ uses: [(String, Timestamp)], cursor: UInt8) throws {
            let entries = try ids.map { id in
                try image(id, uses: uses.filter { $0.0 == id }.map(\.1).sorted())
            }
            for index in [plain, quick] {
                let scan = scan(at: at, entries, of: "images", snapshot: [cursor])
                _ = try index.record(scan, of: store)
            }
        }
        try record(0, [], cursor: 0)
        for round in 1...10 {
            let (start, end) = (Int64(round - 1), Int64(round))
            var uses: [(String, Timestamp)] = []
            for number in 0..<Int.random(in: 0...6, using: &dice) {
                let at = hour(start) + .seconds(Int64.random(in: 1...3599, using: &dice))
                uses.append((ids[Int.random(in: 0...2, using: &dice)], at))
                guard Bool.random(using: &dice) else { continue }
                // Followed, perhaps by two processes: the second one comes too late.
                let cursors = try #require(try quick.followState(of: "images")).cursors
                let event = try use(number, uses[number].0, quick, at: at)
                let next = cursors + [1]
                #expect(
                    try quick.recordFollowed(
                        [event], of: "images", after: cursors, to: next, isWhole: true))
                #expect(
                    try !quick.recordFollowed(
                        [event], of: "images", after: cursors, to: next, isWhole: true))
            }
            // The scan gets what was followed, with what it reads itself.
            let told = try quick.followedUses(of: "images").uses.map(\.at)
            #expect(Set(told).isSubset(of: Set(uses.map(\.1))))
            try record(end, uses, cursor: UInt8(round))
        }
        for query in [
            "SELECT scan, entry, at, hit, evidence, bytes FROM accesses ORDER BY 1, 2, 3",
            "SELECT id, uses, last_used, evidence, accessed FROM entries ORDER BY 1",
            "SELECT count(*) FROM followed_uses",
        ] {
            #expect(try followed.sql(query) == scanned.sql(query), "\(query)")
        }
    }

    @Test func aUseIsKnownAtOnce() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [try image("aa")], of: "images", snapshot: [1]), of: store)
        let event = try use(1, "aa", index, at: hour(1))
        let unknown = try use(2, "zz", index, at: hour(1))
        #expect(
            try index.recordFollowed(
                [event, unknown], of: "images", after: [1], to: [2], isWhole: false))
        let entry = try #require(try index.usage(of: "images")?.entries.first)
        #expect(entry.lastUsed == hour(1) && entry.uses == 1 && entry.evidence == .podmanEvents)
        let rates = try index.hitRates(of: "images", since: hour(0), until: hour(2))
        #expect(rates[.images]?.hits == 1 && rates[.images]?.hitBytes == ByteCount(500))
        let state = try index.followedUses(of: "images")
        #expect(state.uses.count == 2 && !state.isWhole)
        // What the index knew no image for waits for the scan, which may find it.
        #expect(state.uses.contains { $0.entry == nil && $0.image == "zz" })
    }

    @Test func theLastTimeOfAnActivityIsKept() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var record = ActivityRecord(
            activity: "scan", volume: "build", startedAt: hour(1), finishedAt: hour(2), succeededAt: nil,
            line: "é")
        try index.record(record)
        let report = ActivityRecord(
            activity: "report", volume: nil, startedAt: hour(1), finishedAt: hour(2), succeededAt: hour(2),
            line: "")
        try index.record(report)
        record.succeededAt = hour(2)
        try index.record(record)
        #expect(try index.activities() == [report, record])
    }
}
