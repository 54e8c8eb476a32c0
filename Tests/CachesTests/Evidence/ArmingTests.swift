import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Arming by itself: which files' times are set anew, and which never are.
@Suite struct ArmingTests {
    private func arm(_ directory: TemporaryDirectory, _ paths: [String]) throws -> AtimeArming.Outcome {
        let root = try OpenDirectory.open(root: directory.path + "/volume")
        return AtimeArming(root: root).arm(try paths.map { try #require(VolumePath($0)) })
    }

    /// inode, atime and mtime of every file, by `find`.
    private func times(_ directory: TemporaryDirectory) throws -> String {
        try directory.shell("find volume outside ! -type d -printf '%p %i %A@ %T@\\n' | sort")
    }

    /// When each file's inode last changed: what an arming moves.
    private func changes(_ directory: TemporaryDirectory) throws -> Set<String> {
        let text = try directory.shell("find volume outside ! -type d -printf '%P %C@\\n'")
        return Set(text.split(separator: "\n").map(String.init))
    }

    private func changed(_ directory: TemporaryDirectory, since before: Set<String>) throws -> [String] {
        try changes(directory).subtracting(before).map { String($0.prefix { $0 != " " }) }.sorted()
    }

    /// Made in the past, then read an hour ahead: each shows a read since it was armed.
    private func bed(_ files: [String]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try directory.shell("mkdir -p volume outside")
        for file in files {
            try directory.write(file)
            try directory.shell("touch -m -d '3 days ago' '\(file)'; touch -a -d '1 hour' '\(file)'")
        }
        return directory
    }

    @Test func onlyWhatWasReadIsArmedAndNoTimeButCtimeMoves() throws {
        let names = (0..<300).map { "volume/d\($0 % 150)/f\($0)" }
        let directory = try bed(names)
        try directory.write("volume/d0/unread")
        let (before, marks) = (try times(directory), try changes(directory))
        let outcome = try arm(directory, (0..<150).map { "d\($0)" } + ["gone"])
        #expect(outcome == AtimeArming.Outcome(armed: 300, refused: 0))
        #expect(try times(directory) == before)
        #expect(try changed(directory, since: marks).count == 300)
    }

    @Test func noLinkFifoOrDirectoryIsFollowed() throws {
        let directory = try bed(["volume/d/real", "outside/file", "outside/d/file"])
        try directory.shell(
            """
            ln -s ../../outside/file volume/d/link; mkfifo volume/d/pipe; mkdir volume/d/inner
            touch -h -a -d '1 hour' volume/d/link volume/d/pipe volume/d/inner
            ln -s ../outside/d volume/away
            """)
        let before = try changes(directory)
        #expect(
            try arm(directory, ["d", "away", "../outside/d"].filter { VolumePath($0) != nil }).armed == 1)
        #expect(try changed(directory, since: before) == ["d/real"])
    }

    /// A file of the outside that is mounted over a name is not the volume's.
    @Test(.enabled(if: geteuid() == 0, "only root can mount: run the tests as root"))
    func aFileMountedOverANameStaysAsItIs() throws {
        let directory = try bed(["volume/d/real", "volume/d/over", "outside/file"])
        let before = try changes(directory)
        try directory.shell("mount --bind outside/file volume/d/over")
        defer { _ = try? directory.shell("umount volume/d/over") }
        #expect(try arm(directory, ["d"]).armed == 1)
        try directory.shell("umount volume/d/over")
        #expect(try changed(directory, since: before) == ["d/real"])
    }
}
