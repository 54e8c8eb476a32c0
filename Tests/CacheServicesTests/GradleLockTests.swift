import CacheModel
import FileAccess
import TestSupport
import Testing

@testable import CacheServices
@testable import Caches

/// A Gradle home that cannot be asked whether a build runs on it counts as one with a build.
@Suite struct GradleLockTests {
    private static let entry = "caches/modules-2/files-2.1/org.x/y/1.0"

    /// A volume with a module and with a JDK, both long unused.
    private func volume() throws -> BuildVolume {
        let bench = try BuildVolume()
        try bench.directory.write("\(Self.entry)/abc/y-1.0.jar", bytes: 9000)
        try bench.directory.write("caches/modules-2/modules-2.lock", bytes: 17)
        try bench.directory.write("caches/8.5/fileHashes/fileHashes.lock", bytes: 17)
        try bench.directory.shell("find caches -depth -exec touch -d '40 days ago' {} +")
        return bench
    }

    @Test func aHomeWithoutABuildIsPruned() throws {
        #expect(try volume().prune().evicted.map(\.key).sorted() == ["caches/8.5/fileHashes", "org.x:y:1.0"])
    }

    @Test(arguments: ["caches/8.5", "caches/8.5/fileHashes"])
    func locksBehindALinkCannotBeAsked(directory: String) throws {
        let bench = try volume()
        let elsewhere = try TemporaryDirectory()
        try bench.directory.shell(
            "mv \(directory) '\(elsewhere.path)/x'; ln -s '\(elsewhere.path)/x' \(directory)")
        let outcome = try bench.prune()
        #expect(outcome.refused.map(\.reason) == [Protection.gradleRunning.text])
        #expect(bench.directory.exists(Self.entry))
    }

    @Test func aHomeBehindALinkCannotBeAsked() throws {
        let bench = try volume()
        let root = try OpenDirectory.open(root: bench.directory.path)
        let (here, link) = (VolumePath(bytes: []), VolumePath("link"))
        #expect(!GradleLocks.areHeld(home: try #require(here), below: root))
        #expect(!GradleLocks.areHeld(home: try #require(link), below: root))
        try bench.directory.shell("mkdir home; mv caches home; ln -s home link; ln -s home/caches caches")
        #expect(GradleLocks.areHeld(home: try #require(here), below: root))
        #expect(GradleLocks.areHeld(home: try #require(link), below: root))
    }

    @Test func whatIsNoDirectoryHoldsNoLock() throws {
        let bench = try volume()
        try bench.directory.shell("mkfifo caches/pipe caches/8.5/fileContent; echo x > caches/CACHEDIR.TAG")
        #expect(try bench.prune().evicted.count == 2)
    }
}
