import CacheIndex
import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// By what a volume is known again: only what can be read, and is another number, makes another file system of it.
@Suite struct RecognizedVolumeTests {
    private static let idFile = ".larder/volume-id"

    /// A volume that was scanned, with the index that knows it.
    private struct Bed {
        let bench: BuildVolume
        let state: TemporaryDirectory
        let index: CacheIndex

        init() throws {
            bench = try BuildVolume()
            try bench.add("old", daysAgo: 40)
            state = try TemporaryDirectory()
            index = try CacheIndex.open(stateDirectory: state.path, now: BuildVolume.now())
        }

        func scan() throws -> ScanService.Result {
            try ScanService(index: index, clock: BuildVolume.now).run(bench.locked())
        }

        func id() throws -> String { try bench.directory.shell("cat .larder/volume-id") }
    }

    @Test(arguments: [
        "rm .larder/volume-id", "rm -r .larder", "mv .larder elsewhere", "> .larder/volume-id",
        "echo nonsense > .larder/volume-id", "rm .larder/volume-id; mkfifo .larder/volume-id",
    ])
    func aLostNumberIsWrittenAnew(how: String) throws {
        let bed = try Bed()
        #expect(try bed.scan().recorded.baseline)
        let id = try bed.id()
        try bed.bench.directory.shell(how)
        let next = try bed.scan()
        #expect(!next.recorded.baseline && next.scan.complete)
        #expect(!next.notices.contains { $0.contains("another file system") })
        #expect(try bed.id() == id)
        #expect(try !bed.scan().recorded.baseline)
    }

    @Test func anotherNumberIsAnotherFileSystem() throws {
        let bed = try Bed()
        _ = try bed.scan()
        try bed.bench.directory.shell("echo 0123456789abcdef > \(Self.idFile)")
        let next = try bed.scan()
        #expect(next.recorded.baseline)
        #expect(next.notices.contains { $0.contains("another file system") })
        #expect(try bed.id() == "0123456789abcdef\n")
    }

    @Test(arguments: [EIO, ESTALE, EACCES, ENOMEM, EMFILE])
    func whatCannotBeReadLeavesDoubt(code: Int32) throws {
        let bed = try Bed()
        _ = try bed.scan()
        let known = try #require(try bed.index.fileSystem(of: "build"))
        // A second look would find none.
        try bed.bench.directory.shell("rm \(Self.idFile)")
        let error = SystemError(code: code)
        let found = try RecognizedVolume(bed.bench.locked(), known: known, id: .unreadable(error))
        #expect(found.identity == known.identity)
        #expect(found.unreadable?.path.description == Self.idFile)
        #expect(found.unreadable?.reason == error.message)
    }

    /// Another directory in the volume's place, with a number that cannot be read, is not the one that is known.
    @Test func whatIsPlainlyAnotherIsNotTakenForTheKnown() throws {
        let (bed, other) = (try Bed(), try Bed())
        _ = try bed.scan()
        _ = try other.scan()
        let known = try #require(try bed.index.fileSystem(of: "build"))
        let lost = try RecognizedVolume(
            other.bench.locked(), known: known, id: .unreadable(SystemError(code: EIO)))
        #expect(lost.identity != known.identity)
        let fresh = try RecognizedVolume(other.bench.locked(), known: known, id: .missing)
        #expect(fresh.identity != known.identity && fresh.former == nil)
    }

    /// On a volume without room for the number, the device's stands for it until there is.
    @Test func theFirstNumberContinuesWhatWasKnownWithoutOne() throws {
        let bed = try Bed()
        let facts = try FileSystemFacts(of: bed.bench.locked().root)
        let known = KnownFileSystem(
            identity: VolumeIdentity(marker: facts.device, rootInode: facts.rootInode), facts: facts)
        let found = try RecognizedVolume(bed.bench.locked(), known: known)
        #expect(found.former == known.identity)
        #expect(found.identity.marker != facts.device)
        let id = VolumeID(on: try bed.bench.locked().root)
        #expect(id == .number(found.identity.marker))
        #expect(try RecognizedVolume(bed.bench.locked(), known: known).former == known.identity)
    }

    @Test(arguments: [
        // Same ID and inode; another device, as a claim that is attached anew.
        (FileSystemFacts(fileSystem: 7, device: 2, rootInode: 5, rootMadeAt: 9), true, false),
        // XFS makes its ID of the device's number.
        (FileSystemFacts(fileSystem: 8, device: 2, rootInode: 5, rootMadeAt: 9), false, false),
        (FileSystemFacts(fileSystem: 8, device: 1, rootInode: 5, rootMadeAt: 0), false, true),
        (FileSystemFacts(fileSystem: 0, device: 1, rootInode: 5, rootMadeAt: 0), true, false),
        (FileSystemFacts(fileSystem: 0, device: 2, rootInode: 5, rootMadeAt: 0), false, false),
        (FileSystemFacts(fileSystem: 7, device: 1, rootInode: 6, rootMadeAt: 9), false, true),
        (FileSystemFacts(fileSystem: 7, device: 1, rootInode: 5, rootMadeAt: 8), false, true),
    ])
    func factsTellOrLeaveItOpen(_ test: (other: FileSystemFacts, isSame: Bool, isOther: Bool)) {
        let facts = FileSystemFacts(fileSystem: 7, device: 1, rootInode: 5, rootMadeAt: 9)
        #expect(facts.isSame(as: test.other) == test.isSame)
        #expect(facts.isPlainlyOther(than: test.other) == test.isOther)
    }
}
