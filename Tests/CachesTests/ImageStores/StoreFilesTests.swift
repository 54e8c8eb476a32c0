import CacheModel
import Foundation
import Testing

@testable import Caches

/// What may lie in a record file's place on a volume that jobs can write to.
@Suite struct StoreFilesTests {
    let fixture: StoreFixture

    init() throws {
        fixture = try StoreFixture()
        try fixture.write(.images, "[]")
        try fixture.write(.layers, "[]")
        unlink(fixture.path(.layers))
    }

    private func refusal() -> String? {
        let error = #expect(throws: ImageStoreError.self) { try fixture.reader.read() }
        return error.map(String.init(describing:))
    }

    @Test(.timeLimit(.minutes(1))) func aPipeDoesNotBlock() {
        mkfifo(fixture.path(.layers), 0o600)
        #expect(refusal()?.contains("vfs-layers/layers.json: it is no regular file") == true)
    }

    @Test func aLinkIsNotFollowed() {
        symlink("\(fixture.path(.images))", fixture.path(.layers))
        #expect(refusal()?.contains("it is a symbolic link") == true)
        unlink(fixture.path(.layers))
        symlink("/nowhere", fixture.path(.layers))
        #expect(refusal()?.contains("it is a symbolic link") == true)
    }

    @Test func aLinkInPlaceOfTheFolderIsNotFollowed() {
        rmdir("\(fixture.root)/vfs-layers")
        symlink("vfs-images", "\(fixture.root)/vfs-layers")
        #expect(refusal()?.contains("vfs-layers is no directory") == true)
        unlink("\(fixture.root)/vfs-layers")
        #expect(FileManager.default.createFile(atPath: "\(fixture.root)/vfs-layers", contents: nil))
        #expect(refusal()?.contains("vfs-layers is no directory") == true)
    }

    @Test func aDirectoryIsRefused() {
        mkdir(fixture.path(.layers), 0o700)
        #expect(refusal()?.contains("it is no regular file") == true)
    }

    @Test func aSocketIsRefused() throws {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: Array(fixture.path(.layers).utf8))
        }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        #expect(refusal()?.contains("it is no regular file") == true)
    }

    /// A record may be one more name of a file elsewhere, whose times are nobody's to move.
    @Test func readingLeavesNoTrace() throws {
        try fixture.write(.layers, "[]")
        var times = [
            timespec(tv_sec: 1_000_000_000, tv_nsec: 0), timespec(tv_sec: 1_100_000_000, tv_nsec: 0),
        ]
        try #require(utimensat(AT_FDCWD, fixture.path(.layers), &times, 0) == 0)
        _ = try fixture.reader.read()
        var found = stat()
        #expect(stat(fixture.path(.layers), &found) == 0 && found.st_atim.tv_sec == 1_000_000_000)
    }

    @Test func aHugeFileIsRefusedUnread() {
        close(open(fixture.path(.layers), O_CREAT | O_WRONLY, 0o600))
        truncate(fixture.path(.layers), 256 << 20)
        #expect(refusal()?.contains("256 MiB is the limit") == true)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a file away: run the tests as root"))
    func aFileOfAnotherUserIsRefused() throws {
        try fixture.write(.layers, "[]")
        chown(fixture.path(.layers), 4711, 4711)
        #expect(refusal()?.contains("it belongs to uid 4711, the store to uid 0") == true)
        // A store of another user is an ordinary one: root runs the demo on a store of uid 1001.
        for place in ["", "/vfs-images", "/vfs-layers"] { chown(fixture.root + place, 4711, 4711) }
        #expect(throws: Never.self) { try fixture.reader.read() }
    }
}
