import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// What one driver's store has that another's has not.
@Suite struct StoreDriverTests {
    private func layers(_ fixture: StoreFixture) throws {
        try fixture.write(
            .layers,
            [
                .layer(hex("a"), size: 100), .layer(hex("b"), parent: hex("a"), size: 20),
                .layer(hex("c"), parent: hex("a"), size: 3),
            ])
        try fixture.write(
            .images,
            [
                .image(hex("1"), layer: hex("b"), names: ["r.io/b:1"]),
                .image(hex("2"), layer: hex("c"), names: ["r.io/c:1"]),
            ])
    }

    @Test func overlayStoresEachLayerOnceAndVfsWithAllBelow() throws {
        for (driver, bytes, image, own) in [
            (VfsDriver() as any StoreDriver, 323, 220, 120), (OverlayDriver(), 123, 120, 20),
        ] {
            let fixture = try StoreFixture(driver)
            try layers(fixture)
            let store = try fixture.reader.read()
            #expect(store.driver.name == driver.name)
            #expect(store.bytes == ByteCount(Int64(bytes)))
            let entry = try #require(store.entries().first)
            #expect(entry.bytes == ByteCount(Int64(image)))
            #expect(entry.image?.exclusiveBytes == ByteCount(Int64(own)))
        }
    }

    @Test func overlayForecastsALayersOwnSize() throws {
        let fixture = try StoreFixture(OverlayDriver())
        try layers(fixture)
        let bytes = try fixture.reader.read().forecast([
            AnnouncedLayer(digest: "sha256:1", bytes: ByteCount(10), isCompressed: false),
            AnnouncedLayer(digest: "sha256:2", bytes: ByteCount(5), isCompressed: false),
        ])
        #expect(bytes == ByteCount(15))
    }

    @Test(arguments: ["btrfs", "zfs"])
    func aStoreOfAnUnknownDriverIsRefusedByName(driver: String) throws {
        let fixture = try StoreFixture()
        mkdir("\(fixture.root)/\(driver)-images", 0o700)
        let error = #expect(throws: ImageStoreError.self) { try fixture.reader.read() }
        #expect(error == .driver(path: fixture.root, name: driver))
        #expect(throws: ImageStoreError.self) {
            try ImageStoreReader(root: fixture.root, driver: driver).read()
        }
        // Nor does another driver's name in the configuration make it an empty store.
        try fixture.folder.shell("rm -rf vfs-* overlay-*")
        for known in ["vfs", "overlay"] {
            let error = #expect(throws: ImageStoreError.self) {
                try ImageStoreReader(root: fixture.root, driver: known).read()
            }
            #expect(error == .driver(path: fixture.root, name: driver))
        }
    }

    /// The one that is named is in use, else the one that was written last; the other one is told of with its size.
    @Test func ofTwoStoresOneCounts() throws {
        let fixture = try StoreFixture()
        try layers(fixture)
        try fixture.folder.write("overlay-layers/layers.json", JSON.document([.layer(hex("d"), size: 5000)]))
        try fixture.folder.write("overlay-images/images.json", "[]")
        try fixture.folder.shell("touch -d '2 days ago' vfs-*/*")
        #expect(try fixture.reader.read().driver.name == "overlay")
        try fixture.folder.shell("touch -d '3 days ago' overlay-*/*")
        let store = try fixture.reader.read()
        #expect(store.driver.name == "vfs" && store.images.count == 2)
        let note = try #require(store.problems.first)
        #expect(note.contains("overlay driver, \(ByteCount(5000)) by its records"))
        #expect(try ImageStoreReader(root: fixture.root, driver: "overlay").read().bytes == ByteCount(5000))
    }

    @Test func whatLiesInAnAdditionalStoreIsWhole() throws {
        let (own, other) = (try StoreFixture(), try StoreFixture())
        try other.write(.layers, [.layer(hex("a"), size: 100)])
        try other.write(.images, [.image(hex("1"), layer: hex("a"), names: ["r.io/base:1"])])
        try own.write(
            .layers, [.layer(hex("b"), parent: hex("a"), size: 20), .layer(hex("c"), parent: hex("a"))])
        try own.write(.images, [.image(hex("2"), layer: hex("b"), names: ["r.io/app:1"])])
        try own.write(.containers, [.container(hex("9"), image: hex("1"), layer: hex("c"))])
        #expect(try own.reader.read().problems.count == 4)
        let store = try ImageStoreReader(root: own.root, additional: [other.root]).read()
        #expect(store.problems.isEmpty)
        let entry = try #require(store.entries().first)
        #expect(entry.protections == [] && entry.bytes == ByteCount(120))
    }

    @Test func overlaysOwnFoldersAreNoLayers() {
        let driver = OverlayDriver()
        #expect(driver.isLayerDirectory(hex("a").utf8.cString))
        for name in ["l", "staging", "compat3478", "idmapped", hex("a") + "0"] {
            #expect(!driver.isLayerDirectory(name.utf8.cString))
        }
    }
}

/// Where an image came from, and what part it plays.
@Suite struct ImageOriginTests {
    private let temporary = "docker.io/library/\(hex("5"))-tmp:latest"

    private func entries(_ images: [JSON], layers: [JSON]? = nil) throws -> [ScannedEntry] {
        let fixture = try StoreFixture()
        try fixture.write(.layers, layers ?? [Self.layer(sent: true)])
        try fixture.write(.images, images)
        return try fixture.reader.read().entries()
    }

    private static func layer(sent: Bool) -> JSON {
        var layer = JSON.layer(hex("a"), size: 100)
        layer.fields.append(("diff-digest", quoted("sha256:\(hex("d"))")))
        layer.fields.append(("compressed-diff-digest", quoted("sha256:\(hex(sent ? "e" : "d"))")))
        return layer
    }

    @Test(arguments: [
        (["r.io/a:1"], true, ScannedImage.Origin.registry), (["r.io/a:1"], false, .made),
        (["localhost/a:1"], false, .local), (["localhost/a:1"], true, .local),
        (["localhost/a:1", "r.io/a:1"], true, .registry), ([], false, .registry),
    ])
    func origin(names: [String], isSent: Bool, expected: ScannedImage.Origin) throws {
        let entries = try entries(
            [.image(hex("1"), layer: hex("a"), names: names)], layers: [Self.layer(sent: isSent)])
        #expect(entries.first?.image?.origin == expected)
    }

    /// An archive's manifest calls a layer gzipped that the store holds as it is.
    @Test func whatWasLoadedIsTold() throws {
        let fixture = try StoreFixture()
        try fixture.write(.layers, [Self.layer(sent: false)])
        try fixture.write(.images, [.image(hex("1"), layer: hex("a"), names: ["r.io/a:1"])])
        let type = "application/vnd.docker.image.rootfs.diff.tar"
        for (media, expected) in [("\(type).gzip", ScannedImage.Origin.loaded), (type, .made)] {
            try fixture.folder.write(
                "vfs-images/\(hex("1"))/manifest",
                #"{"layers":[{"mediaType":"\#(media)","digest":"sha256:\#(hex("d"))"}]}"#)
            #expect(try fixture.reader.read().entries().first?.image?.origin == expected)
        }
    }

    @Test func aStepOfABuildIsNoImageOfDockerHub() throws {
        let entries = try entries([
            .image(hex("1"), layer: hex("a"), history: [temporary], digest: "sha256:1"),
            .image(hex("2"), layer: hex("a"), history: [temporary, "r.io/a:1"], digest: "sha256:2"),
            .image(hex("3"), layer: hex("a"), digest: "sha256:3"),
        ])
        #expect(entries.map(\.key) == ["<none>@sha256:1", "r.io/a@sha256:2", "<none>@sha256:3"])
        #expect(entries.map { $0.image?.role } == [.step, .image, .image])
    }

    @Test func theImagesOfAListAreItsOwn() throws {
        let fixture = try StoreFixture()
        try fixture.write(.layers, [Self.layer(sent: false)])
        try fixture.write(
            .images,
            [
                .image(hex("1"), layer: "", names: ["r.io/list:1"], digest: "sha256:0"),
                .image(hex("2"), layer: hex("a"), history: [temporary], digest: "sha256:2"),
                .image(hex("3"), layer: hex("a"), history: [temporary], digest: "sha256:3"),
            ])
        func member(_ digest: String, _ machine: String) -> String {
            #"{"digest":"\#(digest)","platform":{"architecture":"\#(machine)","os":"linux"}}"#
        }
        try fixture.folder.write(
            "vfs-images/\(hex("1"))/manifest",
            #"{"manifests":[\#(member("sha256:2", "amd64")),\#(member("sha256:2", "arm64")),"#
                + #"\#(member("sha256:3", "s390x"))]}"#)
        var entries = try fixture.reader.read().entries()
        #expect(entries.map { $0.image?.role } == [.list, .instance, .instance])
        #expect(entries.map { $0.image?.listNames } == [[], ["r.io/list:1"], []])
        #expect(entries[1].key == "r.io/list@sha256:2")
        let event = PodmanEvent(container: "c", image: "r.io/list:1", at: Timestamp(seconds: 1_800_000_000))
        ImageUses(entries).add([event], to: &entries)
        #expect(entries.map(\.uses.count) == [1, 1, 0])
    }

    /// Podman tells of no container where one image is built on another.
    @Test func buildingOnAnImageIsAUse() throws {
        func entries(built: Bool) throws -> [ScannedEntry] {
            let fixture = try StoreFixture(OverlayDriver())
            var upper = JSON.layer(hex("b"), parent: hex("a"), size: 1, created: "2026-11-25T10:00:00Z")
            upper.fields.append(("diff-digest", quoted("sha256:1")))
            upper.fields.append(("compressed-diff-digest", quoted(built ? "sha256:1" : "sha256:2")))
            try fixture.write(.layers, [.layer(hex("a"), size: 1), upper])
            try fixture.write(
                .images,
                [
                    .image(hex("1"), layer: hex("a"), names: ["r.io/a:1"]),
                    .image(hex("2"), layer: hex("b"), names: ["r.io/b:1"]),
                ])
            return try fixture.reader.read().entries()
        }
        #expect(try entries(built: true)[0].accessed == Timestamp(rfc3339: "2026-11-25T10:00:00Z"))
        #expect(try entries(built: false)[0].accessed == Timestamp(nanoseconds: 0))
    }

    @Test func whatAContainerMountsIsInUse() throws {
        let fixture = try StoreFixture()
        try fixture.write(.layers, [.layer(hex("a"), size: 1), .layer(hex("b"), size: 1), .layer(hex("c"))])
        try fixture.write(
            .images,
            [
                .image(hex("1"), layer: hex("a"), names: ["r.io/a:1"]),
                .image(hex("2"), layer: hex("b"), names: ["r.io/b:1"]),
            ])
        try fixture.write(.containers, [.container(hex("9"), image: "", layer: hex("c"))])
        try fixture.folder.write(
            "vfs-containers/\(hex("9"))/userdata/config.json",
            #"{"mounts":[{"source":"\#(fixture.root)/vfs/dir/\#(hex("b"))","destination":"/t"}]}"#)
        let entries = try fixture.reader.read().entries()
        #expect(entries.map { $0.protections.contains(Protections(.inUse)) } == [false, true])
    }
}

/// What verification finds of the data that a store keeps of an image.
@Suite struct StorePartsTests {
    private let manifest = #"{"schemaVersion":2}"#

    private func fixture(_ size: Int? = nil, digest: String? = nil) throws -> StoreFixture {
        let fixture = try StoreFixture()
        var image = JSON.image(hex("1"), layer: hex("a"), names: ["r.io/a:1"])
        image.fields.append(("big-data-sizes", #"{"manifest":\#(size ?? manifest.utf8.count)}"#))
        if let digest { image.fields.append(("big-data-digests", #"{"manifest":"\#(digest)"}"#)) }
        try fixture.write(.images, [image])
        try fixture.folder.write("vfs-images/\(hex("1"))/manifest", manifest)
        return fixture
    }

    private func fault(_ fixture: StoreFixture) throws -> StoreParts.Fault? {
        let store = try fixture.reader.read()
        let parts = StoreParts(root: try .open(root: fixture.root), of: store)
        return parts.fault(of: try #require(store.images.first))
    }

    @Test func whatIsWholeIsWhole() throws {
        #expect(try fault(fixture()) == nil)
    }

    @Test func aManifestThatIsGoneIsNamed() throws {
        let fixture = try fixture()
        try fixture.folder.shell("rm vfs-images/*/manifest")
        #expect(try fault(fixture) == StoreParts.Fault(text: "its manifest is gone", isMissing: true))
        try fixture.folder.shell("rmdir vfs-images/\(hex("1"))")
        #expect(try fault(fixture)?.text == "its directory in the store is gone")
    }

    @Test func aManifestOfAnotherLengthOrDigestIsNamed() throws {
        #expect(try fault(fixture(7))?.text == "its manifest has 19 bytes, and its record says 7")
        let fault = try fault(fixture(digest: "sha256:\(hex("0"))"))
        #expect(fault == StoreParts.Fault(text: "its manifest is not what its digest says", isMissing: false))
    }
}
