import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// The walker against `du` and `find`, on trees with all that a job can leave behind.
@Suite struct WalkerTests {
    static func now() -> Timestamp { Timestamp(nanoseconds: Int64(Date().timeIntervalSince1970 * 1e9)) }

    /// Scans with a clock that is ahead: what was just made then counts as settled, as it does a while later.
    static func scan(
        _ directory: TemporaryDirectory, _ snapshots: SnapshotFile? = nil, ahead: Span = .zero
    ) throws -> VolumeScan {
        try VolumeScanner().scan(
            Volume(name: "build", kind: .buildCache, path: directory.path), snapshots: snapshots,
            clock: { now() + ahead })
    }

    static func snapshots(in state: TemporaryDirectory) -> SnapshotFile {
        SnapshotFile(path: state.path + "/tree", identity: VolumeIdentity(marker: 1, rootInode: 2))
    }

    /// The inode of the snapshot file: another one after each writing.
    static func inode(_ file: SnapshotFile) throws -> UInt64? {
        let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
        return (attributes[.systemFileNumber] as? NSNumber)?.uint64Value
    }

    static func du(_ path: String) throws -> Int64 {
        let text = try run("/usr/bin/du", "-s", "--block-size=1", path).checked().output
        return try #require(Int64(text.prefix { $0.isNumber }))
    }

    /// Distinct inodes that are no directories, by find.
    static func countFiles(_ path: String) throws -> Int64 {
        let inodes = try run("/usr/bin/find", path, "-xdev", "!", "-type", "d", "-printf", "%i\\n").checked()
            .output
        return Int64(Set(inodes.split(separator: "\n")).count)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func agreesWithDuOnRandomTrees(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        try RandomTree(seed: seed, in: directory).grow(files: 400)
        let scan = try Self.scan(directory)
        #expect(scan.bytes.bytes == (try Self.du(directory.path)))
        #expect(scan.files == (try Self.countFiles(directory.path)))
        #expect(scan.complete)
    }

    /// A second scan skips what did not change: it must still see all that did.
    @Test(arguments: [11, 12, 13, 14, 15, 16] as [UInt64])
    func secondScanEqualsAFreshOneAfterChanges(seed: UInt64) throws {
        let directory = try TemporaryDirectory()
        let tree = RandomTree(seed: seed, in: directory)
        try tree.grow(files: 300)
        try directory.shell("find . -depth -exec touch -h -d '10 days ago' {} +")
        let state = try TemporaryDirectory()
        _ = try Self.scan(directory, Self.snapshots(in: state), ahead: .seconds(10))
        for round in 2..<6 {
            try tree.change(times: 25)
            let again = try Self.scan(
                directory, Self.snapshots(in: state), ahead: .seconds(Int64(round) * 10))
            let fresh = try Self.scan(directory, ahead: .seconds(Int64(round) * 10))
            #expect(again.bytes == fresh.bytes)
            #expect(again.files == fresh.files)
            #expect(again.apparentBytes == fresh.apparentBytes)
            #expect(again.entries == fresh.entries)
            #expect(again.bytes.bytes == (try Self.du(directory.path)))
        }
    }

    /// Only a directory that was skipped can leave the last snapshot standing.
    @Test func anUnchangedDirectoryIsNotListedAgain() throws {
        let directory = try TemporaryDirectory()
        for number in 0..<50 { try directory.write("g/a/\(number)/a-\(number).jar") }
        let state = try TemporaryDirectory()
        let file = Self.snapshots(in: state)
        _ = try Self.scan(directory, file, ahead: .seconds(10))
        let first = try Self.inode(file)
        // The first file must stay for its inode not to be given again.
        try state.shell("ln tree first")
        let again = try Self.scan(directory, file, ahead: .seconds(20))
        #expect(try Self.inode(file) == first)
        #expect(again.entries.count == 50)
        try directory.write("g/a/7/a-7.pom")
        let later = try Self.scan(directory, file, ahead: .seconds(30))
        #expect(try Self.inode(file) != first)
        #expect(later.entries == (try Self.scan(directory, ahead: .seconds(30)).entries))
    }

    /// What was made in the very tick in which it was listed may change again unseen: it is listed again.
    @Test func aDirectoryMadeJustNowIsListedAgain() throws {
        let directory = try TemporaryDirectory()
        try directory.write("g/a/1/a-1.jar")
        let state = try TemporaryDirectory()
        let file = Self.snapshots(in: state)
        _ = try Self.scan(directory, file)
        let first = try Self.inode(file)
        try state.shell("ln tree first")
        _ = try Self.scan(directory, file)
        #expect(try Self.inode(file) != first)
    }

    @Test func linksAreNeverFollowed() throws {
        let outside = try TemporaryDirectory()
        try outside.write("secret/big", bytes: 1_000_000)
        let directory = try TemporaryDirectory()
        try directory.shell("ln -s '\(outside.path)' link; ln -s /etc etc; mkfifo pipe; ln -s loop loop")
        let scan = try Self.scan(directory)
        #expect(scan.directories == 1)
        #expect(scan.files == 4)
        #expect(scan.bytes.bytes == (try Self.du(directory.path)))
    }

    @Test func deepAndOddNamesAreCounted() throws {
        let directory = try TemporaryDirectory()
        try run(
            "/usr/bin/python3", "-c",
            """
            import os, sys
            os.chdir(sys.argv[1])
            for i in range(2000):
                os.mkdir("d" * 20); os.chdir("d" * 20)
            open("deep", "w").write("x")
            os.chdir(sys.argv[1])
            for name in [b"\\xff\\xfe", b"new\\nline", b"esc\\x1b[31m", b" ", b"a" * 255]:
                open(name, "w").write("x")
            """, directory.path
        ).checked()
        let scan = try Self.scan(directory)
        #expect(scan.directories == 2001)
        #expect(scan.files == 6)
        #expect(scan.bytes.bytes == (try Self.du(directory.path)))
    }

    @Test func aDamagedSnapshotCostsAFullWalkAndNothingElse() throws {
        let directory = try TemporaryDirectory()
        try RandomTree(seed: 77, in: directory).grow(files: 60)
        let state = try TemporaryDirectory()
        let file = Self.snapshots(in: state)
        let scan = try Self.scan(directory, file, ahead: .seconds(10))
        let whole = Array(try Data(contentsOf: URL(fileURLWithPath: file.path)))
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            var bytes = whole
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &generator)))
            case 1: bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= 1
            default: bytes = (0..<100).map { _ in UInt8.random(in: 0...255, using: &generator) }
            }
            try Data(bytes).write(to: URL(fileURLWithPath: file.path))
            #expect(file.load() == nil)
            #expect(try Self.scan(directory, file, ahead: .seconds(20)).entries == scan.entries)
        }
        #expect(
            SnapshotFile(path: file.path, identity: VolumeIdentity(marker: 1, rootInode: 3)).load() == nil)
    }

    @Test func aSnapshotThatCannotBeWrittenIsToldAndLosesNothing() throws {
        let directory = try TemporaryDirectory()
        try directory.write("g/a/1/a-1.jar")
        let file = SnapshotFile(
            path: directory.path + "/nowhere/tree", identity: VolumeIdentity(marker: 1, rootInode: 2))
        let scan = try Self.scan(directory, file)
        #expect(scan.entries.count == 1)
        #expect(scan.notices.count == 1)
    }

    @Test func aMissingVolumeSaysSo() throws {
        let volume = Volume(name: "build", kind: .buildCache, path: "/nowhere/at/all")
        #expect(throws: ScanError.notMounted(path: "/nowhere/at/all")) {
            try VolumeScanner().scan(volume, clock: Self.now)
        }
    }
}
