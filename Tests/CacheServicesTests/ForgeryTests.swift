import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// What a job may put into Larder's own folder, and that it gains nothing by it.
@Suite struct ForgeryTests {
    private static let runID = "20200101T000000Z-0000"

    private func forge(_ bench: BuildVolume, path: String, bytes: Int64 = 1) throws {
        let run = ".larder/trash/\(Self.runID)"
        try bench.directory.write("\(run)/0/loot", "loot")
        let line: [String: Any] = [
            "id": 1, "pool": "maven", "key": "k", "path": path, "inode": 1, "bytes": bytes,
            "last_used": "2020-01-01T00:00:00Z",
        ]
        let journal: [String: Any] = [
            "schema": "larder.trash/1", "run": Self.runID, "created_at": "2020-01-01T00:00:00Z",
            "entries": [line],
        ]
        let text = try JSONSerialization.data(withJSONObject: journal)
        try bench.directory.write("\(run)/journal.json", String(decoding: text, as: UTF8.self))
    }

    @Test(arguments: [
        "../outside", "/etc/x", "a/../../x", ".larder/lock2", "", ".", "a//b", "\\x2e\\x2e/x", "\\xzz",
    ])
    func aForgedPathIsNotRestored(path: String) throws {
        let bench = try BuildVolume()
        let locked = try bench.locked()
        try forge(bench, path: path)
        let result = try Trash(try locked.folder.get()).restore(run: Self.runID)
        #expect(result.restored.isEmpty)
        #expect(result.refused.count == 1)
        #expect(bench.directory.exists(".larder/trash/\(Self.runID)/0/loot"))
    }

    @Test func aForgedPathThroughALinkIsNotFollowed() throws {
        let bench = try BuildVolume()
        let outside = try TemporaryDirectory()
        let locked = try bench.locked()
        try bench.directory.shell("ln -s '\(outside.path)' link")
        try forge(bench, path: "link/deep/in")
        let result = try Trash(try locked.folder.get()).restore(run: Self.runID)
        #expect(result.restored.isEmpty)
        #expect(try outside.shell("ls -A") == "")
    }

    @Test(arguments: [Int64.max, -1, 4_398_046_511_105] as [Int64])
    func impossibleSizesMakeNoJournal(bytes: Int64) throws {
        let bench = try BuildVolume()
        let locked = try bench.locked()
        try forge(bench, path: "a/b", bytes: bytes)
        #expect(try Trash(try locked.folder.get()).runs().map(\.createdAt) == [nil])
    }

    /// Whatever stands where the lock or the marker is written, nothing is written through it.
    @Test(arguments: ["lock", "volume-id.tmp", "atime-probe"]) func aSecondNameOfAnotherFileIsNotWritten(
        name: String
    ) throws {
        let bench = try BuildVolume()
        try bench.directory.write("precious", "precious")
        try bench.directory.shell("mkdir -p .larder; ln precious .larder/\(name)")
        _ = try bench.locked()
        #expect(try bench.directory.shell("cat precious") == "precious")
    }

    @Test(arguments: ["lock", "volume-id.tmp", "volume-id"]) func aPipeBlocksNothing(name: String) throws {
        let bench = try BuildVolume()
        try bench.directory.shell("mkdir -p .larder; mkfifo .larder/\(name)")
        _ = try bench.locked()
    }

    @Test func aFolderThatIsALinkIsNotEntered() throws {
        let bench = try BuildVolume()
        let outside = try TemporaryDirectory()
        try bench.directory.shell("ln -s '\(outside.path)' .larder")
        let locked = try bench.locked()
        #expect(throws: MaintenanceError.self) { _ = try locked.folder.get() }
        #expect(try outside.shell("ls -A") == "")
    }

    /// The check alone: a test that went further would work on the real root where the check is missing.
    @Test func theSystemsRootIsNoVolume() throws {
        let directory = try TemporaryDirectory()
        try directory.shell("ln -s / root")
        #expect(LockedVolume.isSystemRoot(try OpenDirectory.open(root: "\(directory.path)/root")))
        #expect(!LockedVolume.isSystemRoot(try OpenDirectory.open(root: directory.path)))
    }

    @Test func aRunsJournalIsNeverReplaced() throws {
        let bench = try BuildVolume()
        try bench.add("one", daysAgo: 50)
        _ = try bench.prune()
        try bench.add("two", daysAgo: 50)
        #expect(throws: MaintenanceError.self) { _ = try bench.prune() }
        #expect(bench.exists("two"))
        let runs = try Trash(try bench.locked().folder.get()).runs()
        #expect(runs.first?.entries.map(\.key) == ["g:one:1"])
    }
}
