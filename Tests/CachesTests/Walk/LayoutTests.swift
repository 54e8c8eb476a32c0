import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Maven's and Gradle's layouts, in small trees made by hand; real caches are in the integration tests.
@Suite struct LayoutTests {

    private static let hash = String(repeating: "0a", count: 16)

    private func entries(_ directory: TemporaryDirectory) throws -> [String: ScannedEntry] {
        let scan = try WalkerTests.scan(directory)
        return Dictionary(scan.entries.map { ("\($0.pool.rawValue) \($0.key)", $0) }) { a, _ in a }
    }

    private func gav(
        _ directory: TemporaryDirectory, _ path: String, tracking: String? = "central", group: String? = nil
    ) throws {
        let parts = path.split(separator: "/").map(String.init)
        let stem = "\(parts[parts.count - 2])-\(parts[parts.count - 1])"
        try directory.write("\(path)/\(stem).jar", bytes: 5000)
        let element = group.map { "<groupId>\($0)</groupId>" } ?? ""
        try directory.write("\(path)/\(stem).pom", "<project>\(element)</project>")
        if let tracking {
            try directory.write(
                "\(path)/_remote.repositories", "#NOTE\n\(stem).jar>\(tracking)=\n\(stem).pom>\(tracking)=\n")
        }
    }

    @Test func aVersionDirectoryIsKnownByItsFiles() throws {
        let directory = try TemporaryDirectory()
        try gav(directory, ".m2/repository/org/example/tool/not-a-version")
        try directory.write(".m2/repository/org/example/other/1.0/readme.txt")
        let found = try entries(directory)
        #expect(found.keys.sorted() == ["maven org.example:tool:not-a-version"])
        let entry = try #require(found.values.first)
        #expect(entry.bytes.bytes == (try WalkerTests.du(directory.path + "/" + entry.path.description)))
        #expect(entry.files == 3)
        #expect(entry.protections == [])
    }

    @Test func theRootIsWhereThePomsGroupEnds() throws {
        let directory = try TemporaryDirectory()
        try gav(directory, "some/place/org/example/tool/1.0", group: "org.example")
        try gav(directory, "some/place/com/acme/lib/2", group: nil)
        try gav(directory, "split/cached/releases/org/x/y/1", group: "org.x")
        try gav(directory, "split/installed/org/z/w/1", group: "org.z")
        #expect(
            try entries(directory).keys.sorted() == [
                "maven com.acme:lib:2", "maven org.example:tool:1.0", "maven org.x:y:1", "maven org.z:w:1",
            ])
    }

    @Test func whatCannotBeFetchedAgainIsProtected() throws {
        let directory = try TemporaryDirectory()
        let root = ".m2/repository/g"
        try gav(directory, "\(root)/installed/1", tracking: "")
        try gav(directory, "\(root)/untracked/1", tracking: nil)
        try gav(directory, "\(root)/fetched/1")
        try gav(directory, "\(root)/both/1")
        try directory.shell("echo 'both-1.jar>=' >> \(root)/both/1/_remote.repositories")
        try gav(directory, "\(root)/extra/1")
        try directory.write("\(root)/extra/1/extra-1-sources.jar")
        try gav(directory, "\(root)/rubbish/1")
        try directory.shell("head -c 3000 /dev/urandom > \(root)/rubbish/1/_remote.repositories")
        try gav(directory, "\(root)/linked/1")
        try directory.shell(
            "cd \(root)/linked/1; mv _remote.repositories ../real; ln -s ../real _remote.repositories")
        try gav(directory, "\(root)/fifo/1")
        try directory.shell("cd \(root)/fifo/1; rm _remote.repositories; mkfifo _remote.repositories")
        let found = try entries(directory)
        let installed = found.filter { $0.value.protections.contains(Protections(.locallyInstalled)) }.keys
            .sorted()
        #expect(
            installed
                == ["both", "extra", "fifo", "installed", "linked", "rubbish", "untracked"].map {
                    "maven g:\($0):1"
                })
        #expect(found["maven g:fetched:1"]?.protections == [])
    }

    @Test func aCachedFailureIsNoInstalledArtifact() throws {
        let directory = try TemporaryDirectory()
        try directory.write(".m2/repository/g/a/1/a-1.jar.lastUpdated")
        try directory.write(".m2/repository/g/a/1/a-1.pom.lastUpdated")
        #expect(try entries(directory)["maven g:a:1"]?.protections == [])
    }

    @Test(arguments: ["a-1.jar.part", "a-1.jar.12ab.tmp", "a-1.jar.part.lock", "a-1.jar.lock"])
    func aFreshDownloadProtects(name: String) throws {
        let directory = try TemporaryDirectory()
        try gav(directory, "repository/g/a/1")
        try directory.write("repository/g/a/1/\(name)")
        let fresh = try #require(try entries(directory)["maven g:a:1"])
        #expect(fresh.protections == Protections(.inFlight))
    }

    @Test func aDirectoryThatHoldsEntriesIsNotOne() throws {
        let directory = try TemporaryDirectory()
        try gav(directory, "repository/g/a/1")
        try gav(directory, "repository/g/a/1/b/2")
        let found = try entries(directory)
        #expect(found["maven g:a:1"]?.protections == Protections(.holdsEntries))
        #expect(found["maven g.a.1:b:2"]?.protections == [])
        #expect(found["maven g:a:1"]?.files == 3)
    }

    @Test func gradleHomesAreReadByTheirGenerations() throws {
        let directory = try TemporaryDirectory()
        try directory.write("caches/modules-2/files-2.1/org.x/y/1.0/abc/y-1.0.jar", bytes: 9000)
        try directory.write("caches/modules-2/files-2.1/org.x/y/1.0/def/y-1.0.pom")
        try directory.write("caches/modules-2/metadata-2.96/descriptors/a/b")
        try directory.write("caches/modules-2/metadata-9.1/a")
        try directory.write("caches/modules-2/modules-2.lock")
        try directory.write("caches/transforms-3/0123/transformed/x")
        try directory.write("caches/8.10/transforms/4567/x")
        try directory.write("caches/8.10/kotlin-dsl/scripts/77/x")
        try directory.write("caches/8.10/groovy-dsl/66/x")
        try directory.write("caches/jars-9/89ab/x.jar")
        try directory.write("caches/build-cache-1/\(Self.hash)")
        try directory.write("caches/build-cache-1/build-cache-1.lock")
        try directory.write("caches/future-7/x/y")
        try directory.write("caches/journal-1/file-access.bin")
        try directory.write("wrapper/dists/gradle-8.10-bin/hash/gradle-8.10/bin/gradle")
        try directory.write("jdks/temurin-21/bin/java")
        try directory.write("daemon/8.10/log")
        try gav(directory, ".m2/repository/g/a/1")
        let found = try entries(directory)
        #expect(
            found.keys.sorted() == [
                "gradle org.x:y:1.0", "gradle-other caches/8.10/groovy-dsl/66",
                "gradle-other caches/8.10/kotlin-dsl/scripts/77",
                "gradle-other caches/8.10/transforms/4567", "gradle-other caches/build-cache-1/\(Self.hash)",
                "gradle-other caches/jars-9/89ab", "gradle-other caches/modules-2/metadata-2.96",
                "gradle-other caches/transforms-3/0123", "gradle-other jdks/temurin-21",
                "gradle-other wrapper/dists/gradle-8.10-bin/hash", "maven g:a:1",
            ])
        for entry in found.values {
            #expect(entry.bytes.bytes == (try WalkerTests.du(directory.path + "/" + entry.path.description)))
        }
    }

    @Test func aHomeBelowTheVolumeIsFoundToo() throws {
        let directory = try TemporaryDirectory()
        try directory.write("slot-0/gradle/caches/modules-2/files-2.1/org.x/y/1.0/abc/y-1.0.jar")
        try directory.write("slot-0/gradle/wrapper/dists/gradle-8.10-bin/hash/x")
        #expect(
            try entries(directory).keys.sorted() == [
                "gradle org.x:y:1.0", "gradle-other wrapper/dists/gradle-8.10-bin/hash",
            ])
    }

    @Test func theTrashIsNotLive() throws {
        let directory = try TemporaryDirectory()
        try gav(directory, "repository/g/a/1")
        let before = try WalkerTests.scan(directory)
        try gav(directory, ".larder/trash/run/0")
        let after = try WalkerTests.scan(directory)
        let trash = try WalkerTests.du(directory.path + "/.larder/trash/run")
        #expect(after.trashBytes.bytes == trash)
        #expect(after.bytes.bytes == (try WalkerTests.du(directory.path)) - trash)
        #expect(after.entries == before.entries)
        #expect(after.files == before.files && after.apparentBytes == before.apparentBytes)
        // Larder's own folder and the trash in it.
        #expect(after.directories == before.directories + 2)
    }

    /// A read moves the entry's access time; a chmod does not.
    @Test func theNewestAccessTimeOfTheDirectoryCounts() throws {
        let directory = try TemporaryDirectory()
        try gav(directory, "repository/g/a/1")
        try directory.shell(
            "touch -a -d 2026-01-01T00:00:00Z repository/g/a/1/*; touch -a -d 2026-03-01T00:00:00Z repository/g/a/1/a-1.pom"
        )
        #expect(try entries(directory)["maven g:a:1"]?.accessed == Timestamp(rfc3339: "2026-03-01T00:00:00Z"))
    }
}
