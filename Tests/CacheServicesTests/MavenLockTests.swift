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

    /// What a hashing name mapper hashes, and the files that lie in the entry.
    private static let hashed: [(version: String, name: String, files: [String], depth: Int)] = [
        ("1", "artifact:g:held:1", [], 2), ("1", "artifact:g:held:jar:1", [], 0),
        ("1", "artifact:g:held:zip:linux-x86_64:1", ["held-1-linux-x86_64.zip"], 2),
        ("1", "artifact:g:held:tar.gz:bin:1", ["held-1-bin.tar.gz"], 4),
        ("1", "artifact:g:held:so:linux.x86:1", ["held-1-linux.x86.so"], 1),
        ("1", "artifact:g:held:nbm:1", ["held-1.nbm"], 2),
        ("1", "artifact:g:held:zip:dist:1", ["held-1-dist.zip.sha1"], 2),
        (
            "1-SNAPSHOT", "artifact:g:held:zip:win:1-SNAPSHOT",
            ["held-1-20260901.000000-1-win.zip", "held-1-SNAPSHOT.jar"], 2
        ),
        ("1-SNAPSHOT", "artifact:g:held:exe:setup:1-SNAPSHOT", ["held-1-SNAPSHOT-setup.exe"], 3),
    ]

    @Test(arguments: hashed.indices) func aHashedLockOfAnyArtifactInTheEntryKeepsIt(index: Int) throws {
        let (version, name, files, depth) = Self.hashed[index]
        let bench = try BuildVolume()
        try bench.add("free", daysAgo: 40)
        let entry = ".m2/repository/g/held/\(version)"
        for file in files + ["held-\(version).pom"] {
            try bench.directory.write("\(entry)/\(file)", bytes: 300)
        }
        try bench.directory.shell(
            """
            for f in $(ls \(entry)); do echo "$f>central=" >> tracking; done
            mv tracking \(entry)/_remote.repositories; touch -d '40 days ago' \(entry)/* \(entry)
            """)
        let lock = try bench.directory.shell(
            """
            h=$(printf %s '\(name)' | sha1sum | cut -c1-40); p=.m2/repository/.locks
            for ((i = 0; i < \(depth); i++)); do p=$p/${h:$((2 * i)):2}; done
            mkdir -p $p; printf %s $p/$h
            """)
        let holder = try LockHolder(ofMavenArtifact: "\(bench.directory.path)/\(lock)", shared: false)
        let outcome = try bench.prune()
        #expect(outcome.evicted.map(\.key) == ["g:free:1"])
        #expect(outcome.refused.map(\.reason) == ["a Maven is resolving it"])
        try holder.release()
        #expect(try bench.prune(run: "20260101T000001Z-0000").evicted.map(\.key) == ["g:held:\(version)"])
    }
}
