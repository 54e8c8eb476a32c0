import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// How directories lie to each other, whatever links and mounts lead to them.
@Suite struct DirectoryPlaceTests {
    private func place(_ name: String, in directory: TemporaryDirectory) throws -> DirectoryPlace {
        try #require(DirectoryPlace(of: "\(directory.path)/\(name)"))
    }

    private func relation(_ one: String, _ other: String, in directory: TemporaryDirectory) throws
        -> DirectoryPlace.Relation?
    {
        let forth = try place(one, in: directory).relation(to: place(other, in: directory))
        let back = try place(other, in: directory).relation(to: place(one, in: directory))
        let opposite: [DirectoryPlace.Relation?: DirectoryPlace.Relation] = [
            .same: .same, .within: .contains, .contains: .within,
        ]
        #expect(back == opposite[forth])
        return forth
    }

    @Test func namesAndLinks() throws {
        let directory = try TemporaryDirectory()
        try directory.shell("mkdir -p a/b/c ab; ln -s a/b link; ln -s /nowhere broken")
        #expect(try relation("a", "a", in: directory) == .same)
        #expect(try relation("link", "a/b", in: directory) == .same)
        #expect(try relation("link/c", "a", in: directory) == .within)
        #expect(try relation("a", "link", in: directory) == .contains)
        #expect(try relation("a", "ab", in: directory) == nil)
        #expect(DirectoryPlace(of: "\(directory.path)/broken") == nil)
        #expect(
            DirectoryPlace.of(["\(directory.path)/a", "/nowhere"]).keys.sorted() == ["\(directory.path)/a"])
    }

    /// What is mounted a second time has other directories above it, and is the same.
    @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
    func bindMounts() throws {
        let directory = try TemporaryDirectory()
        try directory.shell(
            "mkdir -p 'a b'/in/deep bind inner; mount --bind 'a b' bind; mount --bind 'a b/in' inner")
        defer { _ = try? directory.shell("umount bind; umount inner") }
        #expect(try relation("bind", "a b", in: directory) == .same)
        #expect(try relation("inner", "a b", in: directory) == .within)
        #expect(try relation("inner/deep", "bind", in: directory) == .within)
        #expect(try relation("inner", "bind/in/deep", in: directory) == .contains)
        #expect(try relation("inner", "bind/in", in: directory) == .same)
    }

    @Test func aVolumeInAnotherIsNamed() throws {
        let directory = try TemporaryDirectory()
        try directory.shell("mkdir -p cache/storage apart; ln -s cache/storage link")
        var volume = Volume(name: "build", kind: .buildCache, path: directory.path + "/cache")
        volume.neighbours = ["images": directory.path + "/apart"]
        #expect(volume.conflict == nil)
        volume.neighbours["images"] = directory.path + "/link"
        #expect(volume.conflict == "\(directory.path)/cache contains \(directory.path)/link of volume images")
        let device = try OpenDirectory.open(root: directory.path).stat().device
        #expect(volume.others(stateDirectory: directory.path + "/apart", device: device).count == 2)
        #expect(volume.others(stateDirectory: directory.path + "/apart", device: device + 1).isEmpty)
    }
}
