import CacheModel
import Foundation
import Testing

@testable import Caches

@Suite struct StoreEntriesTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    @Test(arguments: [
        (["localhost:5000/ci/redis:7"], [], "d", "localhost:5000/ci/redis:7"),
        (["r.io/a@sha256:d", "r.io/a:1"], [], "d", "r.io/a:1"),
        (["r.io:5000/a@sha256:d"], [], "d", "r.io:5000/a@sha256:d"),
        (["notfull", "r.io/a"], [], "d", "<none>@sha256:d"),
        ([], ["r.io:5000/x/a:1", "r.io/b:2"], "d", "r.io:5000/x/a@sha256:d"),
        ([], ["r.io/a@sha256:e"], "d", "r.io/a@sha256:d"),
        ([], [], "d", "<none>@sha256:d"),
        ([], ["r.io/a:1"], "", "sha256:\(hex("a"))"),
        (["r.io/a:\u{1b}[2J"], [], "d", #"r.io/a:\x1b[2J"#),
    ])
    func theKey(names: [String], history: [String], digest: String, key: String) throws {
        let image = JSON.image(
            hex("a"), layer: "", names: names, history: history,
            digest: digest.isEmpty ? "" : "sha256:\(digest)")
        try fixture.write(.images, [image])
        let entry = try #require(try fixture.reader.read().entries().first)
        #expect(entry.key == key)
        #expect(entry.path == VolumePath(hex("a")))
        #expect(entry.image?.names == names)
    }

    @Test func sharedLayersAreFreedByNeitherOfTwoImages() throws {
        try fixture.write(
            .layers,
            [
                .layer(hex("1"), size: 100), .layer(hex("2"), parent: hex("1"), size: 10),
                .layer(hex("3"), parent: hex("1"), size: 1),
            ])
        try fixture.write(.images, [.image(hex("b"), layer: hex("3")), .image(hex("a"), layer: hex("2"))])
        let store = try fixture.reader.read()
        let entries = store.entries()
        #expect(entries.map { $0.path.description } == [hex("a"), hex("b")])
        #expect(entries.map(\.bytes.bytes) == [210, 201])
        #expect(entries.map { $0.image?.exclusiveBytes.bytes } == [110, 101])
        #expect(entries[0].image?.layers == [hex("2"), hex("1")])
        #expect(store.layers.map(\.images) == [2, 1, 1])
        #expect(store.bytes == ByteCount(100 + 110 + 101))
        #expect(store.problems.isEmpty)
    }

    @Test func whatALeftOverLayerStandsOnIsNotFreed() throws {
        try fixture.write(
            .layers,
            [
                .layer(hex("1"), size: 100), .layer(hex("2"), parent: hex("1"), size: 10),
                .layer(hex("9"), parent: hex("1"), size: 1),
                .layer(hex("8"), parent: hex("9"), incomplete: true),
            ])
        try fixture.write(.images, [.image(hex("a"), layer: hex("2"))])
        let store = try fixture.reader.read()
        #expect(store.entries().first?.image?.exclusiveBytes == ByteCount(110))
        #expect(store.problems.count == 2)
        #expect(
            store.problems.contains { $0.hasPrefix("1 layer is (101 B: 900000000000) needed by no image") })
        #expect(store.problems.contains { $0.hasPrefix("1 layer is (101 B: 800000000000) not completely") })
    }

    @Test func mappedLayersBelongToTheirImage() throws {
        try fixture.write(
            .layers,
            [
                .layer(hex("1"), size: 100), .layer(hex("2"), parent: hex("1"), size: 10),
                .layer(hex("3"), parent: hex("1"), size: 10),
            ])
        try fixture.write(.images, [.image(hex("a"), layer: hex("2"), mapped: [hex("3")])])
        let entry = try #require(try fixture.reader.read().entries().first)
        #expect(entry.bytes == ByteCount(320))
        #expect(entry.image?.exclusiveBytes == ByteCount(320))
        #expect(entry.image?.layers == [hex("2"), hex("1"), hex("3")])
    }

    @Test func aContainerKeepsItsImageAndIsItsLastUse() throws {
        try fixture.write(
            .layers,
            [
                .layer(hex("1"), size: 100), .layer(hex("c1"), parent: hex("1")),
                .layer(hex("c2"), parent: hex("1")),
            ])
        try fixture.write(.images, [.image(hex("a"), layer: hex("1"), names: ["r/a:1"])])
        try fixture.write(
            .containers,
            [
                .container(
                    hex("d1"), image: hex("a"), layer: hex("c1"), created: "2026-11-23T12:00:00.5+01:00",
                    metadata: #"{"image-name":"r/a:1","image-id":"x"}"#),
                .container(
                    hex("d2"), image: hex("a"), layer: hex("c2"), created: "2026-11-23T10:59:59Z",
                    metadata: "?"),
            ])
        let store = try fixture.reader.read()
        let entry = try #require(store.entries().first)
        #expect(entry.accessed == Timestamp(seconds: 1_795_431_600, nanoseconds: 500_000_000))
        #expect(entry.protections == [Protections(.inUse)])
        #expect(entry.image?.containers == 2)
        #expect(entry.image?.exclusiveBytes == .zero)
        #expect(store.bytes == ByteCount(300))
        #expect(store.containers.map(\.imageName) == ["r/a:1", ""])
    }

    @Test func fetchedIsTheExtractionAndNotTheBuild() throws {
        try fixture.write(
            .layers,
            [
                .layer(hex("1"), created: "2026-11-23T12:46:23.462391106Z"),
                .layer(hex("2"), created: "0001-01-01T00:00:00Z"),
            ])
        try fixture.write(
            .images,
            [
                .image(hex("a"), layer: hex("1"), created: "1999-01-01T00:00:00Z"),
                .image(hex("b"), layer: "", created: "2000-01-01T00:00:00Z"),
                .image(hex("c"), layer: hex("2"), created: "2001-01-01T00:00:00Z"),
            ])
        let entries = try fixture.reader.read().entries()
        #expect(entries[0].fetched == Timestamp(seconds: 1_795_437_983, nanoseconds: 462_391_106))
        #expect(entries[0].accessed == Timestamp(nanoseconds: 0))
        #expect(entries[1].fetched == Timestamp(rfc3339: "2000-01-01T00:00:00Z"))
        #expect(entries[1].protections == [])
        // Of a layer without a time, the image's own is the latest that is known.
        #expect(entries[2].fetched == Timestamp(rfc3339: "2001-01-01T00:00:00Z"))
    }

    @Test(
        arguments: [
            ([.layer(hex("2"), parent: hex("1"))], "its parent 100000000000 is gone"),
            (
                [.layer(hex("2"), parent: hex("1")), .layer(hex("1"), incomplete: true)],
                "not completely written"
            ),
            ([.layer(hex("2"), parent: hex("2"))], "own ancestor"),
            ([.layer(hex("2"), parent: hex("1")), .layer(hex("1"), parent: hex("2"))], "own ancestor"),
            ([.layer(hex("3"))], "its layer 200000000000 is gone"),
        ] as [([JSON], String)])
    func aDamagedImageIsKeptAndExplained(layers: [JSON], problem: String) throws {
        try fixture.write(.layers, layers)
        try fixture.write(.images, [.image(hex("a"), layer: hex("2"), names: ["r/a:1"])])
        let store = try fixture.reader.read()
        #expect(store.entries().first?.protections == [Protections(.damaged)])
        #expect(store.problems.contains { $0.contains(problem) })
        #expect(store.problems.contains { $0.contains("image r/a:1 (a00000000000)") })
    }

    @Test func cyclesCostNothingTwice() throws {
        // 1 → 2 → 3 → 1, and 4 stands on 1: cut at the cycle, whatever the order of the records.
        let records: [JSON] = [
            .layer(hex("4"), parent: hex("1"), size: 1000), .layer(hex("1"), parent: hex("2"), size: 100),
            .layer(hex("2"), parent: hex("3"), size: 10), .layer(hex("3"), parent: hex("1"), size: 1),
        ]
        for order in [records, records.reversed()] {
            try fixture.write(.layers, order)
            let store = try fixture.reader.read()
            let stored = Dictionary(uniqueKeysWithValues: store.layers.map { ($0.id, $0.storedBytes.bytes) })
            #expect(stored == [hex("1"): 100, hex("2"): 10, hex("3"): 1, hex("4"): 1100])
        }
    }

    @Test func containersOfMissingImagesAndLayersAreReported() throws {
        try fixture.write(.containers, [.container(hex("c"), image: hex("a"), layer: hex("1"))])
        let problems = try fixture.reader.read().problems
        #expect(problems.count == 2 && problems.allSatisfy { $0.hasPrefix("container c00000000000: its ") })
    }

    @Test func madeUpChainsAreRefusedInsteadOfFillingMemory() throws {
        let layers = (1...2100).map { JSON.layer("l\($0)", parent: $0 == 1 ? nil : "l\($0 - 1)", size: .max) }
        try fixture.write(.layers, layers)
        #expect(try fixture.reader.read().bytes == ByteCount(.max))
        try fixture.write(.images, (1...2100).map { JSON.image("i\($0)", layer: "l2100") })
        #expect(throws: ImageStoreError.self) { try fixture.reader.read() }
    }
}
