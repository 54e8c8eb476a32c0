import CacheModel
import Caches
import Foundation
import PodmanClient
import TestSupport
import Testing

@testable import CacheServices

/// A store that is read again only where it changed.
struct CurrentStoreTests {
    private let bench: StoreFixture
    private let store: CurrentStore

    init() throws {
        bench = try StoreFixture(images: ["a", "b"]) { _, _ in (404, "{}") }
        store = CurrentStore(root: bench.volume.path)
    }

    private func names() throws -> [String] { try store.look().store.images.flatMap(\.names).sorted() }

    @Test func everyChangeIsSeen() throws {
        #expect(try names() == ["registry.test/a:1", "registry.test/b:1"])
        try bench.write(images: ["a", "b", "c"])
        #expect(try names().count == 3)
        #expect(
            try store.look().entries.map(\.key)
                == ImageStoreReader(root: bench.volume.path).read().entries().map(\.key))
        try bench.write(images: ["a"])
        #expect(try names() == ["registry.test/a:1"])
        try bench.use("a")
        #expect(try store.look().store.containers.count == 1)
        try bench.directory.shell("rm storage/vfs-containers/containers.json")
        #expect(try store.look().store.containers.isEmpty)
    }

    @Test func whatLooksTheSameIsReadOnlyWhenAsked() throws {
        _ = try store.look()
        // The same length, time and inode, and no JSON any more.
        try bench.directory.shell(
            "f=storage/vfs-layers/layers.json; touch -r $f stamp; tr '{' '!' < $f > other; cat other > $f; touch -r stamp $f"
        )
        #expect(try names().count == 2)
        #expect(throws: ImageStoreError.self) { try store.look(anew: true) }
    }

    @Test func aStoreThatCannotBeReadIsAnErrorEachTime() throws {
        _ = try store.look()
        try bench.directory.write("storage/vfs-layers/layers.json", "no JSON")
        for _ in 0..<2 { #expect(throws: ImageStoreError.self) { try store.look() } }
        try bench.write(images: ["a"])
        #expect(try names() == ["registry.test/a:1"])
    }

    /// The pull changes the records, and neither their length nor their time.
    @Test func thatAPullIsDoneIsReadFromTheRecordsThemselves() async throws {
        let bench = try StoreFixture(images: ["a"]) { bench, line in
            guard line.contains("images/pull") else { return (404, "{}") }
            let script =
                "f=storage/vfs-images/images.json; touch -r $f stamp; sed s,test/a:,test/b:, $f > other; "
                + "cat other > $f; touch -r stamp $f"
            do { try bench.directory.shell(script) } catch { return (500, "{}") }
            return (200, #"{"images":["\#(StoreFixture.id("a"))"],"id":"\#(StoreFixture.id("a"))"}"# + "\n")
        }
        let all = ByteCount(1 << 40)
        let warmer = ImageWarmer(
            try LockedVolume(bench.volume, now: BuildVolume.now()),
            podman: try PodmanClient(socket: "unix://\(bench.directory.path)/s"), limits: .init(),
            quota: Quota(limit: all, high: all, low: all))
        let wanted = try ImageReference("registry.test/b:1")
        let images = try await warmer.warm([.init(reference: wanted, policy: .missing, why: "named")])
        #expect(images.map(\.result) == [.pulled], "\(images.first?.reason ?? "")")
        #expect(images.first?.attempts == 1)
    }
}
