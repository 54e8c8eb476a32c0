import CacheModel
import Foundation
import Testing

@testable import Caches

@Suite struct ImageStoreReaderTests {
    let fixture: StoreFixture

    init() throws { fixture = try StoreFixture() }

    @Test func aFreshVolumeIsAnEmptyStore() throws {
        let store = try fixture.reader.read()
        #expect(store.images.isEmpty && store.layers.isEmpty && store.containers.isEmpty)
        #expect(store.bytes == .zero && store.problems.isEmpty && store.entries().isEmpty)
    }

    @Test func aStoreWithoutContainersYetIsRead() throws {
        try fixture.write(.images, [.image(hex("a"), layer: hex("1"))])
        try fixture.write(.layers, [.layer(hex("1"), size: 512)])
        mkdir("\(fixture.root)/vfs-containers", 0o700)
        #expect(try fixture.reader.read().bytes == ByteCount(512))
    }

    @Test func aMissingRootAndAFileInItsPlaceAreErrors() throws {
        #expect(throws: ImageStoreError.root(path: "/no/such/place", reason: "No such file or directory")) {
            try ImageStoreReader(root: "/no/such/place").read()
        }
        let file = "\(fixture.root)/file"
        try Data().write(to: URL(fileURLWithPath: file))
        #expect(throws: ImageStoreError.root(path: file, reason: "Not a directory")) {
            try ImageStoreReader(root: file).read()
        }
        #expect(ImageStoreReader(root: file).generation() == nil)
    }

    @Test func unknownKeysAndNullsAreNoErrorAndVolatileRecordsCount() throws {
        try fixture.write(
            .images, #"[{"id":"\#(hex("a"))","layer":null,"names":null,"created":null,"new":{"x":[1.5]}}]"#)
        try fixture.write(.containers, "null")
        try fixture.write(.volatileContainers, [.container(hex("c"), image: hex("a"), layer: hex("2"))])
        try fixture.write(.layers, [.layer(hex("1"), size: 100)])
        try fixture.write(.volatileLayers, [.layer(hex("2"), parent: hex("1"))])
        let store = try fixture.reader.read()
        #expect(store.layers.map(\.id) == [hex("1"), hex("2")])
        #expect(store.layers.map(\.containers) == [1, 1])
        #expect(store.bytes == ByteCount(200))
        #expect(store.entries().first?.protections == [Protections(.inUse)])
    }

    @Test func anEmptyVolatileFileIsACrashesRemainsAndAnEmptyStableOneAnError() throws {
        try fixture.write(.volatileLayers, "")
        #expect(try fixture.reader.read().layers.isEmpty)
        try fixture.write(.layers, "")
        #expect(
            throws: ImageStoreError.notJSON(file: fixture.path(.layers), position: "the file is empty")
        ) { try fixture.reader.read() }
    }

    /// A cut-off file must give an error, never a smaller store: a prune would act on it.
    @Test(arguments: [StoreRecordFile.layers, .images, .containers])
    func truncatedAtAnyByteIsAnError(file: StoreRecordFile) throws {
        try fixture.write(.images, [.image(hex("a"), layer: hex("2"), names: ["r/ä:1", "r/b:\"2\""])])
        try fixture.write(
            .layers, [.layer(hex("1"), size: 7), .layer(hex("2"), parent: hex("1"), incomplete: true)])
        try fixture.write(
            .containers, [.container(hex("c"), image: hex("a"), layer: hex("2"), metadata: "{\"x\":1}")])
        let whole = try Data(contentsOf: URL(fileURLWithPath: fixture.path(file)))
        for length in 0..<whole.count {
            try fixture.write(file, whole.prefix(length))
            let error = #expect(throws: ImageStoreError.self) { try fixture.reader.read() }
            let text = error.map(String.init(describing:)) ?? ""
            let place = length == 0 ? "is empty" : "byte"
            #expect(text.contains(file.path()) && text.contains(place) && text.contains("restore it"))
        }
        try fixture.write(file, whole + Data("\n".utf8))
        #expect(try fixture.reader.read().images.count == 1)
    }

    /// Flips bytes everywhere: an error or a store, and never a crash.
    @Test func damagedBytesNeverCrash() throws {
        try fixture.write(.images, [.image(hex("a"), layer: hex("2"))])
        try fixture.write(.layers, [.layer(hex("1"), size: 7), .layer(hex("2"), parent: hex("1"), size: 9)])
        let whole = try Data(contentsOf: URL(fileURLWithPath: fixture.path(.layers)))
        for index in whole.indices {
            for byte: UInt8 in [0x22, 0x80, whole[index] ^ 1] {
                var damaged = whole
                damaged[index] = byte
                try fixture.write(.layers, damaged)
                if let store = try? fixture.reader.read() { _ = store.entries() }
            }
        }
    }

    @Test(arguments: [
        (#"{}"#, "the whole file: is not a list"),
        (#"[7]"#, "record 1: is not an object"),
        (#"[{"id":"ok"},{"id":5}]"#, "record 2 (without an ID): id is not a text"),
        (#"[{"id":"ok"},{}]"#, "record 2 (without an ID): id is absent"),
        (#"[{"id":"a/../b"}]"#, "record 1 (a/../b): id is no name of one component"),
        (#"[{"id":".."}]"#, "record 1 (..): id is no name of one component"),
        (#"[{"id":"ok","diff-size":"9"}]"#, "record 1 (ok): diff-size is not a whole number"),
        (#"[{"id":"ok","diff-size":1e40}]"#, "record 1 (ok): diff-size is not a whole number"),
        (#"[{"id":"ok","diff-size":1.5}]"#, "record 1 (ok): diff-size is not a whole number"),
        (#"[{"id":"ok","created":"yesterday"}]"#, "record 1 (ok): created is no time in RFC 3339"),
        (#"[{"id":"ok","flags":[]}]"#, "record 1 (ok): flags is not an object"),
        (#"[{"id":"ok\u001b[2J","parent":[]}]"#, #"record 1 (ok\x1b[2J): parent is not a text"#),
        (#"[{"id":"ok"}]]"#, "not valid JSON"),
    ])
    func aWrongRecordIsNamed(text: String, message: String) throws {
        try fixture.write(.layers, text)
        let error = #expect(throws: ImageStoreError.self) { try fixture.reader.read() }
        #expect(error.map(String.init(describing:))?.contains("vfs-layers/layers.json: \(message)") == true)
    }

    @Test func nestingWithoutEndIsAnError() throws {
        try fixture.write(.layers, String(repeating: "[", count: 200_000))
        #expect(throws: ImageStoreError.self) { try fixture.reader.read() }
        try fixture.write(.layers, #"[{"id":"a","x":"# + String(repeating: "{\"x\":", count: 200_000))
        #expect(throws: ImageStoreError.self) { try fixture.reader.read() }
    }

    @Test func theGenerationChangesWithEveryFileAndOnlyThen() throws {
        var seen: Set<[UInt8]> = [try #require(fixture.reader.generation())]
        for file in StoreRecordFile.allCases {
            try fixture.write(file, "[]")
            let generation = try #require(fixture.reader.generation())
            #expect(seen.insert(generation).inserted)
            #expect(try fixture.reader.read().generation == generation)
            try fixture.write(file, "[]")
            #expect(seen.insert(try #require(fixture.reader.generation())).inserted)
        }
    }

    @Test func anotherDriversStoreIsReported() throws {
        try fixture.write(.images, [])
        mkdir("\(fixture.root)/overlay-images", 0o700)
        #expect(try fixture.reader.read().problems.first?.contains("overlay driver") == true)
    }
}
