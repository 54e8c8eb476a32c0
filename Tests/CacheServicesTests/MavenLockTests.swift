import CacheModel
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CacheServices

/// An artifact whose lock a Maven holds is not evicted; any other one is.
@Suite struct MavenLockTests {
    private func volume() throws -> BuildVolume {
        let bench = try BuildVolume()
        for name in ["held", "free"] { try bench.add(name, daysAgo: 40) }
        try bench.directory.shell(
            "mkdir .m2/repository/.locks; touch \(Self.lock("held")) \(Self.lock("free"))")
        return bench
    }

    /// Another process takes the lock of `g:<name>:1`.
    private static func hold(_ name: String, in bench: BuildVolume, shared: Bool = true) throws -> LockHolder
    {
        try LockHolder(ofMavenArtifact: bench.directory.path + "/" + lock(name), shared: shared)
    }

    private static func lock(_ name: String) -> String { ".m2/repository/.locks/artifact~g~\(name)~1.lock" }

    @Test(arguments: [true, false]) func whatAMavenResolvesStays(shared: Bool) throws {
        let bench = try volume()
        let holder = try Self.hold("held", in: bench, shared: shared)
        let outcome = try bench.prune()
        #expect(outcome.evicted.map(\.key) == ["g:free:1"])
        #expect(outcome.refused.map(\.reason) == ["a Maven is resolving it"])
        #expect(bench.exists("held") && !bench.exists("free"))
        try holder.release()
        #expect(try bench.prune(run: "20260101T000001Z-0000").evicted.map(\.key) == ["g:held:1"])
    }

    @Test func whatAMavenResolvesIsNotMovedAtAll() throws {
        let bench = try BuildVolume()
        try bench.add("held", daysAgo: 40)
        try bench.directory.shell("mkdir .m2/repository/.locks")
        let holder = try Self.hold("held", in: bench)
        let outcome = try bench.prune(atTime: 2, do: { Issue.record("it was looked at, to be moved") })
        #expect(outcome.refused.count == 1)
        try holder.release()
    }

    @Test func whatAMavenFindsDuringTheMoveGoesBack() throws {
        let bench = try BuildVolume()
        try bench.add("found", daysAgo: 40)
        try bench.directory.shell("mkdir .m2/repository/.locks")
        let holder = Mutex<LockHolder?>(nil)
        let outcome = try bench.prune(
            atTime: 2, do: { holder.withLock { $0 = try? Self.hold("found", in: bench) } })
        #expect(outcome.refused.map(\.reason) == ["a Maven is resolving it"])
        #expect(bench.exists("found"))
        #expect(try bench.directory.shell("ls -A .larder/trash") == "")
        try holder.withLock { try $0?.release() }
    }

    @Test func aGroupOfManyPartsHasItsLockInTheRepository() throws {
        let bench = try BuildVolume()
        let entry = ".m2/repository/org/x/y/z/1.0-SNAPSHOT"
        try bench.directory.write("\(entry)/z-1.0-SNAPSHOT.jar", bytes: 9000)
        try bench.directory.write("\(entry)/_remote.repositories", "z-1.0-SNAPSHOT.jar>central=\n")
        try bench.directory.shell(
            "mkdir .m2/repository/.locks; find .m2/repository/org -depth -exec touch -d '40 days ago' {} +")
        let holder = try LockHolder(
            ofMavenArtifact: bench.directory.path
                + "/.m2/repository/.locks/artifact~org.x.y~z~1.0-SNAPSHOT.lock", shared: false)
        #expect(try bench.prune().refused.count == 1)
        #expect(bench.directory.exists(entry))
        try holder.release()
    }

    @Test func locksThatCannotBeAskedCountAsHeld() throws {
        let bench = try volume()
        try bench.directory.shell("cd .m2/repository; mv .locks elsewhere; ln -s elsewhere .locks")
        #expect(try bench.prune().evicted.isEmpty)
    }
}
