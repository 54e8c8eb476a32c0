import CacheIndex
import CacheModel
import Foundation
import Testing

@Suite struct ImageTests {
    private let store = Volume(name: "images", kind: .imageStore, path: "/podman-data/storage")

    private func image(
        _ id: String, names: [String], layers: [String], accessed: Timestamp = Timestamp(nanoseconds: 0),
        containers: Int = 0
    ) throws -> ScannedEntry {
        ScannedEntry(
            pool: .images, key: names.first ?? "none@sha256:\(id)", path: try #require(VolumePath(id)),
            bytes: ByteCount(500), apparentBytes: ByteCount(500), files: 0, accessed: accessed,
            fetched: hour(-5),
            image: ScannedImage(
                id: id, names: names, layers: layers, exclusiveBytes: ByteCount(20), containers: containers))
    }

    private func layer(_ id: String, parent: String? = nil) -> ScannedLayer {
        ScannedLayer(
            id: id, parent: parent, diffBytes: ByteCount(20), storedBytes: ByteCount(40), created: hour(-5),
            incomplete: parent == nil, images: 1, containers: 2)
    }

    @Test func comeBackAsTheyWereFound() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let images = [
            try image("aa", names: ["docker.io/library/alpine:3", "also:1"], layers: ["l2", "l1"]),
            try image("bb", names: [], layers: []),
        ]
        let layers = [layer("l1"), layer("l2", parent: "l1")]
        _ = try index.record(scan(at: 0, images, of: "images", trust: .none, layers: layers), of: store)
        let usage = try #require(try index.usage(of: "images"))
        #expect(usage.entries.map(\.found) == images)
        #expect(usage.layers == layers)
        #expect(usage.entries.map(\.evidence) == [.mtime, .mtime])

        let used = [
            try image("aa", names: ["also:1"], layers: ["l2"], accessed: hour(1), containers: 1), images[1],
        ]
        let second = try index.record(
            scan(at: 2, used, of: "images", trust: .none, layers: [layers[1]]), of: store)
        #expect(second.pools.first?.used == 1)
        let after = try #require(try index.usage(of: "images"))
        #expect(after.entries.map(\.found) == used)
        #expect(after.layers == [layers[1]])
        #expect(after.entries.map(\.evidence) == [.podmanEvents, .mtime])
        #expect(try index.accesses(of: 1, limit: 5).map(\.evidence) == [.podmanEvents])
    }

    @Test func whatAnImageIsToOthersComesBack() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var images = [
            try image("aa", names: ["r.test/list:1"], layers: []), try image("bb", names: [], layers: ["l1"]),
            try image("cc", names: ["localhost/c:1"], layers: ["l1"]),
            try image("dd", names: [], layers: ["l1"]),
        ]
        images[0].image?.role = .list
        images[1].image?.role = .instance
        images[1].image?.listNames = ["r.test/list:1", "r.test/list:2"]
        images[2].image?.origin = .local
        images[3].image?.role = .step
        var found = scan(at: 0, images, of: "images", trust: .none, layers: [layer("l1")])
        found.fileSystemUsed = ByteCount(5000)
        found.unaccounted = [
            UnaccountedSpace(kind: .volumes, bytes: ByteCount(3000), isLowerBound: true),
            UnaccountedSpace(kind: .otherDriver, bytes: ByteCount(1000), detail: "overlay"),
        ]
        found.eventLogs = EventLogs(kept: 3, bytes: ByteCount(70))
        found.orphans = [
            Orphan(kind: .workingContainer, name: "c1", bytes: ByteCount(1), created: hour(-50), pins: "x")
        ]
        _ = try index.record(found, of: store)
        let usage = try #require(try index.usage(of: "images"))
        #expect(usage.entries.map(\.found) == images)
        #expect(usage.usedBytes == ByteCount(5000))
        #expect(usage.unaccounted == found.unaccounted)
        let figures = try #require(try index.figures().first)
        #expect(figures.accountedBytes == found.bytes && figures.usedBytes == ByteCount(5000))
        #expect(figures.unaccounted == found.unaccounted && figures.eventLogs == found.eventLogs)
        #expect(try index.orphans(of: "images") == found.orphans)
    }

    /// As `podman images` shows them, and as `podman rmi` takes them.
    @Test(arguments: [
        "0123456789ab", "sha256:0123456789abcdef", "redis:7", "docker.io/redis:7",
        "docker.io/library/redis:7",
    ])
    func isFoundByWhatPodmanShows(text: String) throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let images = try [
            image("0123456789abcdef", names: ["r.test/a:1", "docker.io/library/redis:7"], layers: ["l1"]),
            image("bb", names: ["r.test/redis:7"], layers: ["l1"]),
        ]
        _ = try index.record(
            scan(at: 0, images, of: "images", trust: .none, layers: [layer("l1")]), of: store)
        #expect(try index.entries(matching: text).map(\.entry.found.path.description) == ["0123456789abcdef"])
    }

    @Test func anIncompleteScanKeepsTheOthers() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let images = try [
            image("aa", names: ["a:1"], layers: ["l1"]), image("bb", names: ["b:1"], layers: ["l2"]),
        ]
        _ = try index.record(
            scan(at: 0, images, of: "images", layers: [layer("l1"), layer("l2")]), of: store)
        let renamed = try image("bb", names: ["c:1"], layers: ["l2"])
        _ = try index.record(
            scan(at: 1, [renamed], of: "images", complete: false, layers: [layer("l2")]), of: store)
        let usage = try #require(try index.usage(of: "images"))
        #expect(usage.entries.map(\.found) == [images[0], renamed])
        #expect(usage.layers.map(\.id) == ["l1", "l2"])
    }

    @Test func anEvictedImageTakesItsRowsAlong() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(
            scan(at: 0, [image("aa", names: ["a:1"], layers: ["l1"])], of: "images", layers: [layer("l1")]),
            of: store)
        let entry = try #require(try index.usage(of: "images")?.entries.first)
        try index.record(
            EvictionOutcome(
                volume: "images", evicted: [entry.line], usedBefore: .zero, usedAfter: .zero,
                overQuota: false), run: prune("r", at: 1))
        let rows = "SELECT (SELECT count(*) FROM images) + (SELECT count(*) FROM image_names)"
        #expect(try bed.sql(rows + " + (SELECT count(*) FROM image_layers)") == ["0"])
        #expect(try index.usage(of: "images")?.layers.count == 1)
    }
}
