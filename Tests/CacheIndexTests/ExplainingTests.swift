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
        ("/images/aa", "images 4"), ("aa", "images 4"),
    ])
    func findsAnEntryByKeyNameOrPath(key: String, expected: String) throws {
        let (_, index) = try filled()
        let found = try index.entries(matching: key)
        #expect(found.map { "\($0.volume) \($0.entry.id)" } == [expected])
        #expect((found.first?.entry.found.image != nil) == expected.hasPrefix("images"))
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
