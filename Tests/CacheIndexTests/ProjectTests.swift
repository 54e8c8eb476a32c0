import Foundation
import TestSupport
import Testing

@testable import CacheIndex
@testable import CacheModel

/// Use by project: each access is one project's or nobody's, and what the projects did is what the index counted.
@Suite struct ProjectTests {
    private let bed: IndexFixture
    private let index: CacheIndex
    private let store = Volume(name: "images", kind: .imageStore, path: "/podman-data/storage")

    init() throws {
        bed = try IndexFixture()
        index = try bed.open()
    }

    private struct Use: Hashable {
        var image: String
        var at: Timestamp
        var project: String?
    }

    private func image(_ id: String, _ uses: [Use], fetched: Timestamp, bytes: Int64 = 500) throws
        -> ScannedEntry
    {
        ScannedEntry(
            pool: .images, key: "docker.io/library/\(id):1", path: try #require(VolumePath(id)),
            bytes: ByteCount(bytes), apparentBytes: ByteCount(bytes), files: 0,
            accessed: Timestamp(nanoseconds: 0), fetched: fetched,
            image: ScannedImage(
                id: id, names: ["docker.io/library/\(id):1"], layers: [], exclusiveBytes: .zero, containers: 0
            ),
            uses: uses.filter { $0.image == id }.sorted { $0.at < $1.at }.map {
                RecordedUse(at: $0.at, evidence: .podmanEvents, project: $0.project)
            })
    }

    private func shares(since: Timestamp = hour(-1), until: Timestamp = hour(10_000)) throws -> [String:
        HitRate]
    {
        let shares = try index.projectShares(of: "images", since: since, until: until)
        return Dictionary(uniqueKeysWithValues: shares.map { ($0.project, $0.rate) })
    }

    private func all() throws -> HitRate {
        try index.hitRates(of: "images", since: hour(-1), until: hour(10_000)).values.reduce(HitRate(), +)
    }

    @Test func nothingNamesAProject() throws {
        _ = try index.record(scan(at: 0, [image("aa", [], fetched: hour(-9))], of: "images"), of: store)
        let use = Use(image: "aa", at: hour(0) + .minutes(5))
        _ = try index.record(scan(at: 1, [image("aa", [use], fetched: hour(-9))], of: "images"), of: store)
        #expect(try all().hits == 1)
        #expect(try shares().isEmpty)
        #expect(try index.projects(of: 1, limit: 9).isEmpty)
        #expect(try bed.sql("SELECT count(*) FROM projects") == ["0"])
    }

    /// Random containers of three images over twelve scans, some known before the scan by following: what the index
    /// says of each project is what a plain count over the same containers says.
    @Test(arguments: 0..<10) func whatProjectsDidIsWhatAPlainCountSays(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        let ids = ["aa", "bb", "cc"]
        let names = ["42", "7", nil]
        func record(_ at: Int64, _ uses: [Use]) throws {
            let entries = try ids.enumerated().map { place, id in
                try image(id, uses, fetched: hour(-9), bytes: Int64(100 * (place + 1)))
            }
            _ = try index.record(scan(at: at, entries, of: "images", snapshot: [UInt8(at)]), of: store)
        }
        try record(0, [])
        var expected: [String?: HitRate] = [:]
        for round in Int64(1)...12 {
            var uses: Set<Use> = []
            for number in 0..<Int.random(in: 0...8, using: &dice) {
                let place = Int.random(in: 0...2, using: &dice)
                // Each at an instant of its own: two at one instant are one access.
                let at =
                    hour(round - 1) + .seconds(Int64(number * 400 + Int.random(in: 1...399, using: &dice)))
                let use = Use(image: ids[place], at: at, project: names[Int.random(in: 0...2, using: &dice)])
                uses.insert(use)
                expected[use.project, default: HitRate()].hits += 1
                expected[use.project, default: HitRate()].hitBytes += ByteCount(Int64(100 * (place + 1)))
                guard Bool.random(using: &dice) else { continue }
                let state = try #require(try index.followState(of: "images"))
                let entry = state.images.first { $0.image.id == use.image }?.entry
                let event = FollowedUse(
                    container: "c\(number)", image: use.image, at: at, entry: entry, project: use.project)
                _ = try index.recordFollowed(
                    [event], of: "images", after: state.cursors, to: state.cursors + [1], isWhole: true)
                let told = try index.followedUses(of: "images").uses
                #expect(told.first { $0.at == at }?.project == use.project)
            }
            try record(round, Array(uses))
        }
        var known = try shares()
        var named: [String: HitRate] = [:]
        for (project, rate) in expected { if let project { named[project] = rate } }
        #expect(known == named)
        let use = ProjectUse(
            shares: known.map { .init(project: $0.key, rate: $0.value) }, all: try all())
        #expect(use.unknown == expected[String?.none] ?? HitRate())

        // Folding keeps the sums of whole days, and takes the rows.
        _ = try index.foldAccesses(before: hour(24 * 60))
        #expect(try bed.sql("SELECT count(*) FROM access_projects") == ["0"])
        #expect(try shares(since: hour(-48)) == known)
        #expect(try all() == HitRate())
        known = try shares(since: hour(-48), until: hour(1))
        #expect(known.isEmpty, "a day that the window holds in part only is left out")
        // What is forgotten takes the projects along.
        _ = try index.forgetGhosts(goneBefore: hour(24 * 60))
        #expect(try bed.sql("SELECT count(*) FROM projects") == ["0"])
    }

    /// As the volume's own rate does, folded or not: else the projects would have more than the volume.
    @Test func anotherFileSystemCountsFromItsFirstScan() throws {
        _ = try index.record(scan(at: 0, [image("aa", [], fetched: hour(-9))], of: "images"), of: store)
        let use = Use(image: "aa", at: hour(0) + .minutes(5), project: "42")
        _ = try index.record(scan(at: 1, [image("aa", [use], fetched: hour(-9))], of: "images"), of: store)
        #expect(try shares() == ["42": HitRate(hits: 1, hitBytes: ByteCount(500))])
        _ = try index.foldAccesses(before: hour(48))
        #expect(try shares(since: hour(-48)) == ["42": HitRate(hits: 1, hitBytes: ByteCount(500))])
        let other = VolumeIdentity(marker: 8, rootInode: 3)
        _ = try index.record(
            scan(at: 60, [image("aa", [], fetched: hour(-9))], of: "images", identity: other), of: store)
        #expect(try shares(since: hour(-48)).isEmpty)
    }

    @Test func aPullIsTheProjectsThatMadeTheFirstContainer() throws {
        let pulled = hour(0) + .minutes(10)
        _ = try index.record(scan(at: 0, [], of: "images"), of: store)
        let uses = [
            Use(image: "aa", at: pulled + .minutes(1), project: "42"),
            Use(image: "aa", at: pulled + .minutes(2), project: "7"),
        ]
        _ = try index.record(scan(at: 1, [image("aa", uses, fetched: pulled)], of: "images"), of: store)
        let five = ByteCount(500)
        #expect(
            try shares() == [
                "42": HitRate(misses: 1, missBytes: five), "7": HitRate(hits: 1, hitBytes: five),
            ])
        #expect(
            try index.projects(of: 1, limit: 9) == [
                ProjectAccesses(project: "7", hits: 1, misses: 0, last: pulled + .minutes(2)),
                ProjectAccesses(project: "42", hits: 0, misses: 1, last: pulled),
            ])
        #expect(try index.accesses(of: 1, limit: 9).map(\.project) == ["7", "42"])
    }

    /// The scan came between the pull and its container.
    @Test func aPullIsItsContainersOnTheOtherSideOfAScanToo() throws {
        let pulled = hour(1) - .minutes(1)
        _ = try index.record(scan(at: 0, [], of: "images"), of: store)
        _ = try index.record(scan(at: 1, [image("aa", [], fetched: pulled)], of: "images"), of: store)
        #expect(try shares().isEmpty)
        let uses = [
            Use(image: "aa", at: hour(1) + .minutes(1), project: "42"),
            Use(image: "aa", at: hour(1) + .minutes(9), project: "7"),
        ]
        _ = try index.record(scan(at: 2, [image("aa", uses, fetched: pulled)], of: "images"), of: store)
        #expect(try shares()["42"] == HitRate(misses: 1, missBytes: ByteCount(500)))
        #expect(try shares()["7"] == HitRate(hits: 1, hitBytes: ByteCount(500)))
        #expect(try all() == HitRate(hits: 1, misses: 1, hitBytes: ByteCount(500), missBytes: ByteCount(500)))
    }

    /// The first container came hours after the pull: it found the image there, and nobody knows who pulled.
    @Test func whoComesLaterPulledNothing() throws {
        let pulled = hour(0) + .minutes(10)
        _ = try index.record(scan(at: 0, [], of: "images"), of: store)
        let use = Use(image: "aa", at: hour(3), project: "42")
        _ = try index.record(scan(at: 4, [image("aa", [use], fetched: pulled)], of: "images"), of: store)
        #expect(try shares() == ["42": HitRate(hits: 1, hitBytes: ByteCount(500))])
        #expect(try all().misses == 1)
    }

    @Test func moreProjectsThanAreToldApartAreNobodys() throws {
        let rows = try index.writing { db in
            for number in 1...CacheIndex.mostProjects { _ = try db.projectRow(named: "\(number)") }
            return [try db.projectRow(named: "one more"), try db.projectRow(named: "7")]
        }
        #expect(rows == [nil, 7])
        _ = try index.record(scan(at: 0, [image("aa", [], fetched: hour(-9))], of: "images"), of: store)
        let uses = [
            Use(image: "aa", at: hour(0) + .minutes(5), project: "999999"),
            Use(image: "aa", at: hour(0) + .minutes(6), project: "7"),
        ]
        _ = try index.record(scan(at: 1, [image("aa", uses, fetched: hour(-9))], of: "images"), of: store)
        #expect(try shares().mapValues(\.hits) == ["7": 1])
        #expect(try all().hits == 2)
    }

    @Test func aDownloadIsTheProjectsThatFetchedFirst() throws {
        func downloads(_ name: String, _ minutes: Int64, _ number: Int64) -> [JobDownload] {
            let at = hour(0) + .minutes(minutes)
            return ["jar", "pom"].enumerated().map { place, type in
                JobDownload(
                    id: number * 10 + Int64(place), pool: .maven,
                    directory: ["maven2", "org", "example", name, "1.0"], file: "\(name)-1.0.\(type)",
                    bytes: ByteCount(300), earliest: at, latest: at)
            }
        }
        func counts() throws -> [String: HitRate] {
            let shares = try index.projectShares(of: "build", since: hour(-1), until: hour(100))
            return Dictionary(uniqueKeysWithValues: shares.map { ($0.project, $0.rate) })
        }
        _ = try index.record(scan(at: 0, [artifact("b")]), of: bed.volume)
        // One that waits for the scan, one that the scan sees, one without a project.
        _ = try index.ingest(downloads("a", 10, 1), of: "build", job: "1", project: "42")
        #expect(try counts().isEmpty)
        let fetched = hour(0) + .minutes(10)
        let entries = try [
            artifact("a", accessed: fetched, fetched: fetched), artifact("b"),
            artifact("c", accessed: fetched, fetched: fetched),
            artifact("d", accessed: fetched, fetched: fetched),
        ]
        _ = try index.record(scan(at: 1, entries), of: bed.volume)
        #expect(try counts() == ["42": HitRate(misses: 1, missBytes: ByteCount(1000))])
        _ = try index.ingest(downloads("a", 20, 2), of: "build", job: "2", project: "group/shop")
        _ = try index.ingest(downloads("b", 30, 3), of: "build", job: "3", project: "group/shop")
        _ = try index.ingest(downloads("c", 10, 4), of: "build", job: "4")
        _ = try index.ingest(downloads("b", 30, 3), of: "build", job: "3", project: "group/shop")
        #expect(
            try counts() == [
                "42": HitRate(misses: 1, missBytes: ByteCount(1000)),
                // Counted from the log: no scan saw it.
                "group/shop": HitRate(misses: 1, missBytes: ByteCount(600)),
            ])
        let all = try index.hitRates(of: "build", since: hour(-1), until: hour(100))[.maven]
        #expect(all?.misses == 4 && all?.missBytes == ByteCount(3600))
        let id = try #require(try index.entries(matching: "org.example:b:1.0").first?.entry.id)
        #expect(
            try index.accesses(of: id, limit: 9).map { $0.jobs + [$0.project ?? "–"] } == [
                ["3", "group/shop"]
            ])
    }
}
