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
