import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// What the access times of layers' directories say of use, and what a walk over the store says.
@Suite struct LayerReadTests {
    /// A vfs store of two images with one layer each, made at noon; its layers' folder was never read.
    private func store() throws -> StoreFixture {
        let fixture = try StoreFixture()
        let made = "2026-01-01T12:00:00Z"
        let ids = ["a", "b"].map(hex)
        try fixture.write(.layers, ids.map { .layer($0, size: 10, created: made) })
        try fixture.write(.images, ids.map { .image($0, layer: $0, names: ["r.io/\($0.prefix(1)):1"]) })
        for id in ids { try fixture.folder.shell("mkdir -p vfs/dir/\(id)") }
        try fixture.folder.shell("touch -m -d 2026-01-01T12:00:00Z vfs/dir/*")
        try fixture.folder.shell("touch -a -d 2026-01-01T12:00:00Z vfs/dir/*")
        try fixture.folder.shell("touch -a -d 2026-01-01T11:59:59Z vfs/dir")
        return fixture
    }

    /// The images, by their first letters, with the time of day at which they were used.
    private func uses(_ fixture: StoreFixture) throws -> [String: String] {
        let entries = try fixture.reader.read().entries().filter { $0.accessed.nanoseconds > 0 }
        return Dictionary(
            uniqueKeysWithValues: entries.map {
                (String($0.key.dropFirst(5).prefix(1)), String($0.accessed.description.dropFirst(11)))
            })
    }

    private func read(_ path: String, at time: String, in fixture: StoreFixture) throws {
        try fixture.folder.shell("touch -a -d 2026-01-01T\(time)Z vfs/dir/\(path)")
    }

    @Test func oneLayerThatWasReadIsAUse() throws {
        let fixture = try store()
        #expect(try uses(fixture).isEmpty)
        try read(hex("a"), at: "13:00:00", in: fixture)
        #expect(try uses(fixture) == ["a": "13:00:00Z"])
    }

    /// Two builds within a minute of the store's making, whose folder nobody read.
    @Test func usesSoonAfterTheFirstPullCount() throws {
        let fixture = try store()
        for (layer, time) in [("a", "12:00:30"), ("b", "12:00:40")] {
            try read(hex(layer), at: time, in: fixture)
        }
        #expect(try uses(fixture) == ["a": "12:00:30Z", "b": "12:00:40Z"])
    }

    /// As du(1) and a backup do: the folder first, then each directory in it.
    @Test func aWalkOverTheStoreIsNoUse() throws {
        let fixture = try store()
        for (path, time) in [("", "15:00:00"), (hex("b"), "15:00:01"), (hex("a"), "15:01:30")] {
            try read(path, at: time, in: fixture)
        }
        #expect(try uses(fixture).isEmpty)
        // A container an hour later is one.
        try read(hex("a"), at: "16:00:00", in: fixture)
        #expect(try uses(fixture) == ["a": "16:00:00Z"])
    }
}
