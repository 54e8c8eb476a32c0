import CacheIndex
import CacheModel
import Foundation
import Testing

@Suite struct ExplainingTests {
    private func filled() throws -> (IndexFixture, CacheIndex) {
        let bed = try IndexFixture()
        let index = try bed.open()
        var odd = try artifact("odd")
        odd.path = VolumePath.root.appending([0xff]).appending(Array("x".utf8))
        _ = try index.record(
            scan(at: 0, [artifact("a"), artifact("b"), odd]), of: bed.volume)
        let image = ScannedEntry(
            pool: .images, key: "reg/app:1", path: try #require(VolumePath("aa")), bytes: ByteCount(1),
            apparentBytes: ByteCount(1), files: 0, accessed: hour(0), fetched: hour(0),
            image: ScannedImage(
                id: "aa", names: ["reg/app:1", "reg/app:latest"], layers: ["l"], exclusiveBytes: ByteCount(1),
                containers: 0))
        _ = try index.record(
            scan(at: 0, [image], of: "images"),
            of: Volume(name: "images", kind: .imageStore, path: "/images"))
        return (bed, index)
    }

    @Test(arguments: [
        ("org.example:a:1.0", "build 1"), ("reg/app:1", "images 4"), ("reg/app:latest", "images 4"),
        ("repository/b/1.0", "build 2"), ("/cache/repository/b/1.0/", "build 2"), (#"\xff/x"#, "build 3"),
        ("/images/aa", "images 4"), ("aa", "images 4"), ("app:1", "images 4"), ("app", "images 4"),
        ("/cache/repository/b/1.0/b-1.0.jar", "build 2"), ("repository/b/1.0/deep/er", "build 2"),
    ])
    func findsAnEntryByKeyNameOrPath(key: String, expected: String) throws {
        let (_, index) = try filled()
        let found = try index.entries(matching: key)
        #expect(found.map { "\($0.volume) \($0.entry.id)" } == [expected])
        #expect((found.first?.entry.found.image != nil) == expected.hasPrefix("images"))
    }

    @Test func aFileOfSeveralBelongsToTheEntryThatItsNameBeginsWith() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var (files, one) = (try artifact("x"), try artifact("y"))
        (files.path, files.traits) = (try #require(VolumePath("jars/lib")), .files)
        (one.path, one.traits) = (try #require(VolumePath("jars/one")), .file)
        _ = try index.record(scan(at: 0, [files, one]), of: bed.volume)
        #expect(try index.entries(matching: "jars/lib-1.jar").map(\.entry.key) == [files.key])
        #expect(try index.entries(matching: "/cache/jars/lib.pom").map(\.entry.key) == [files.key])
        #expect(try index.entries(matching: "jars/one").map(\.entry.key) == [one.key])
        for path in ["jars/library.jar", "jars/one.jar", "jars/one/two", "jars/li"] {
            #expect(try index.entries(matching: path).isEmpty, "\(path)")
        }
    }

    @Test func whatBelongsToNoPoolIsFoundByItsPath() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var found = scan(at: 0, [try artifact("a")])
        found.unmanaged = [
            UnmanagedDirectory(
                path: try #require(VolumePath("dump")), bytes: ByteCount(9), files: 2, tool: ""),
            UnmanagedDirectory(
                path: try #require(VolumePath("dump/npm")), bytes: ByteCount(5), files: 1, tool: "npm"),
        ]
        _ = try index.record(found, of: bed.volume)
        for path in ["dump", "dump/", "/cache/dump/big.bin", "dump/a/b"] {
            #expect(
                try index.unmanaged(holding: path).map { "\($0.volume) \($0.directory.path)" } == [
                    "build dump"
                ])
        }
        #expect(try index.unmanaged(holding: "dump/npm/x").map(\.directory.tool) == ["npm"])
        for path in ["dumps", "/elsewhere/dump", "repository/a/1.0"] {
            #expect(try index.unmanaged(holding: path).isEmpty, "\(path)")
        }
    }

    @Test func aDirectoryIsKnownByWhatLiesBelowIt() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var found = scan(at: 0, [try artifact("a"), try artifact("ab", bytes: 5000), try artifact("b")])
        found.unmanaged = [
            UnmanagedDirectory(
                path: try #require(VolumePath("dump/npm")), bytes: ByteCount(5), files: 1, tool: "npm")
        ]
        _ = try index.record(found, of: bed.volume)
        for (path, keys, unmanaged) in [
            ("repository/a", ["a"], []), ("/cache/repository/a/", ["a"], []),
            ("repository", ["ab", "a"], []), ("dump", [], ["dump/npm"]),
            ("/cache", ["ab", "a"], ["dump/npm"]),
        ] {
            let below = try #require(try index.below(path, limit: 2).first, "\(path)")
            #expect(below.largest.map(\.key) == keys.map { "org.example:\($0):1.0" }, "\(path)")
            #expect(below.unmanaged.map(\.path.description) == unmanaged, "\(path)")
        }
        #expect(try index.below("/cache", limit: 2).map(\.entries) == [3])
        #expect(try index.below("/cache", limit: 2).map(\.bytes) == [ByteCount(7000)])
        for path in ["repository/a/1.0", "repo", "", "/", "dump/npm", "org.example:a:1.0"] {
            #expect(try index.below(path, limit: 2).isEmpty, "\(path)")
        }
    }

    @Test(arguments: [
        ("org.exmaple:*", "org.example:*"), ("org.example:a:2.?", "org.example:a:1.?"),
        ("org.exampl*:b:1.0", nil),
        ("org.exmap*", "org.examp*"), ("org.example:odd:1.1*", "org.example:odd:1.0*"), ("com.acme:*", nil),
        ("rge/app:*", "reg/app:*"), ("*", nil), ("*:zzzzzzz", nil),
    ])
    func aMistypedPatternIsLikeAnother(text: String, meant: String?) throws {
        let (_, index) = try filled()
        #expect(try index.pattern(near: text) == meant)
    }

    @Test func imagesKnowWhichOthersShareTheirLayers() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        func image(_ id: String, _ layers: [String]) throws -> ScannedEntry {
            ScannedEntry(
                pool: .images, key: "reg.test/\(id):1", path: try #require(VolumePath(id)),
                bytes: ByteCount(50),
                apparentBytes: ByteCount(50), files: 0, accessed: hour(0), fetched: hour(0),
                image: ScannedImage(
                    id: String(repeating: id, count: 32), names: ["reg.test/\(id):1"], layers: layers,
                    exclusiveBytes: ByteCount(1), containers: 0))
        }
        func layer(_ id: String, images: Int) -> ScannedLayer {
            ScannedLayer(
                id: id, parent: nil, diffBytes: ByteCount(20), storedBytes: ByteCount(40), created: hour(-5),
                incomplete: false, images: images, containers: 0)
        }
        let recorded = try index.record(
            scan(
                at: 0, [image("aa", ["l2", "l1"]), image("bb", ["l1"]), image("cc", ["l2", "l1"])],
                of: "images",
                layers: [layer("l1", images: 3), layer("l2", images: 2), layer("l3", images: 0)]),
            of: Volume(name: "images", kind: .imageStore, path: "/images"))
        let entry = try #require(try index.entries(matching: "reg.test/aa:1").first).entry
        #expect(
            try index.images(sharingLayersWith: entry.id) == [
                SharedLayers(key: "reg.test/cc:1", layers: 2, bytes: ByteCount(80)),
                SharedLayers(key: "reg.test/bb:1", layers: 1, bytes: ByteCount(40)),
            ])
        // The pool occupies each layer once, and what no image needs is none of it.
        #expect(recorded.pools.map(\.bytes) == [ByteCount(80)])
        #expect(try index.figures().first?.pools.map(\.bytes) == [ByteCount(80)])
        // A search takes an ID as Podman shows it.
        let id = String(String(repeating: "bb", count: 32).prefix(12))
        #expect(try index.entryPage(EntryQuestion(text: id)).entries.map(\.entry.key) == ["reg.test/bb:1"])
    }

    @Test(arguments: ["", "/", "org.example:a", "/cach/repository/b/1.0", #"\x"#, "%", "nothing"])
    func findsNothingElse(key: String) throws {
        let (_, index) = try filled()
        #expect(try index.entries(matching: key).isEmpty)
        #expect(try index.ghosts(matching: key).isEmpty)
    }

    @Test func listsAccessesAndGhostsTheNewestFirst() throws {
        let (bed, index) = try filled()
        for time in Int64(1)...3 {
            _ = try index.record(scan(at: time, [artifact("a", accessed: hour(time))]), of: bed.volume)
        }
        let accesses = try index.accesses(of: 1, limit: 2)
        #expect(accesses.map(\.at) == [hour(3), hour(2)])
        #expect(
            accesses.first
                == AccessRecord(
                    at: hour(3), kind: .hit, evidence: .atime, bytes: ByteCount(1000), regret: false, scan: 5)
        )
        let ghosts = try index.ghosts(matching: "repository/b/1.0")
        #expect(
            ghosts == [
                GhostRecord(
                    id: 2, volume: "build", pool: .maven, key: "org.example:b:1.0",
                    path: try #require(VolumePath("repository/b/1.0")), bytes: ByteCount(1000),
                    lastUsed: hour(-2), goneAt: hour(1), reason: .vanished)
            ])
        #expect(try index.ghosts(matching: "org.example:b:1.0") == ghosts)
        #expect(try index.forgetGhosts(goneBefore: hour(1)) == 0)
        #expect(try index.forgetGhosts(goneBefore: hour(2)) == 2)
        #expect(try index.ghosts(matching: "org.example:b:1.0").isEmpty)
    }
}
