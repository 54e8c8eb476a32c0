import CacheModel
import FileAccess
import TestSupport
import Testing

@testable import Caches

/// Directories that a second scan does not even open.
@Suite struct LeafTests {
    /// Looks at `g/a/1` as the walker does at a directory that it need not open.
    private func look(in directory: TemporaryDirectory, _ previous: TreeSnapshot) throws -> DirectoryRecord? {
        let tree = previous.tree
        let leaf = try #require(
            tree.records.indices.map(Int32.init).first { tree.path($0).elementsEqual("g/a/1".utf8) })
        let root = try OpenDirectory.open(root: directory.path)
        let stat = try root.stat()
        let lister = DirectoryLister(
            mount: stat.mount, device: stat.device, startedAt: WalkerTests.now() + .seconds(20),
            previous: previous)
        var scratch = ListingScratch()
        return lister.leaf(leaf, in: try root.open(try #require(VolumePath("g/a"))), previous, &scratch)
    }

    private func scanned(_ directory: TemporaryDirectory) throws -> TreeSnapshot {
        let state = try TemporaryDirectory()
        try directory.write("g/a/1/a-1.jar")
        try directory.write("elsewhere/a-1.jar")
        _ = try WalkerTests.scan(directory, WalkerTests.snapshots(in: state), ahead: .seconds(10))
        return try #require(WalkerTests.snapshots(in: state).load())
    }

    @Test func itsFilesShowTheirUse() throws {
        let directory = try TemporaryDirectory()
        let previous = try scanned(directory)
        // Never read since it was written: under relatime this read shows.
        try directory.shell("cat g/a/1/a-1.jar > /dev/null")
        let record = try #require(try look(in: directory, previous))
        let file = try OpenDirectory.open(root: directory.path).open(try #require(VolumePath("g/a/1")))
            .stat("a-1.jar".utf8.cString)
        #expect(record.accessed == file.atime)
        #expect(record.fileBytes == file.blocks * 512)
        #expect(record.apparentBytes == file.size)
    }

    /// What is behind a link in its place, or in another directory there, is not taken for its own.
    @Test(arguments: ["ln -s ../../elsewhere g/a/1", "mv elsewhere g/a/1", ":"])
    func whatTookItsPlaceIsNotTakenForIt(replacing command: String) throws {
        let directory = try TemporaryDirectory()
        let previous = try scanned(directory)
        try directory.shell("mv g/a/1 away && \(command)")
        #expect(try look(in: directory, previous) == nil)
    }

    /// A look by its path may have gone to what was there in between, so it has to be opened.
    @Test func itIsOpenedIfItWasAwayForAWhile() throws {
        let directory = try TemporaryDirectory()
        let previous = try scanned(directory)
        try directory.shell("mv g/a/1 away && ln -s ../../elsewhere g/a/1 && rm g/a/1 && mv away g/a/1")
        #expect(try look(in: directory, previous) == nil)
    }
}
