import CLinux
import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Roots of repositories, parts of Gradle homes under other names, and units within directories.
@Suite struct UnitTests {
    private func entries(_ directory: TemporaryDirectory) throws -> [String: ScannedEntry] {
        Dictionary(try WalkerTests.scan(directory).entries.map { ($0.key, $0) }) { a, _ in a }
    }

    private func gav(_ directory: TemporaryDirectory, _ path: String, group: String) throws {
        let parts = path.split(separator: "/")
        let stem = "\(parts[parts.count - 2])-\(parts[parts.count - 1])"
        try directory.write("\(path)/\(stem).pom", "<project><groupId>\(group)</groupId></project>")
        try directory.write("\(path)/_remote.repositories", "\(stem).pom>central=\n")
    }

    @Test func nestedAndSplitRepositoriesKeepTheirKeys() throws {
        let directory = try TemporaryDirectory()
        for number in 1...20 { try gav(directory, "g\(number)/old/old/1", group: "g\(number).old") }
        try gav(directory, "a/project/.m2/repository/com/example/lib/1", group: "com.example")
        try gav(directory, ".m2/repository/cached/com/example/new/2", group: "com.example")
        try gav(directory, ".m2/repository/installed/com/example/own/3", group: "com.example")
        try gav(directory, ".m2/repository/cached/central/org/x/y/1", group: "org.x")
        let keys = try entries(directory).keys
        for key in [
            "com.example:lib:1", "com.example:new:2", "com.example:own:3", "org.x:y:1", "g7.old:old:1",
        ] {
            #expect(keys.contains(key))
        }
    }

    @Test func aForgedPomMovesNoRoot() throws {
        let directory = try TemporaryDirectory()
        try gav(directory, "com/acme/lib/1", group: "com.acme")
        try gav(directory, "com/acme/util/1", group: "com.acme")
        try gav(directory, "com/acme/forged/1", group: "acme")
        #expect(
            try entries(directory).keys.sorted() == [
                "com.acme:forged:1", "com.acme:lib:1", "com.acme:util:1",
            ])
    }

    @Test func recordsAndForeignLayoutsAreNoArtifacts() throws {
        let directory = try TemporaryDirectory()
        try directory.write(".m2/repository/.checksums/central/org/foo/bar/1/bar-1.jar.sha512")
        try directory.write("coursier/v1/https/repo/org/foo/bar/1/bar-1.jar")
        try directory.write(".m2/repository/p2/osgi/bundle/org.foo/1/org.foo-1.jar")
        #expect(try entries(directory).isEmpty)
    }

    @Test func partsOfAHomeAreKnownUnderAnyName() throws {
        let directory = try TemporaryDirectory()
        try directory.write("one/modules-2/files-2.1/org.x/y/1/abc/y-1.jar")
        try directory.write("one/journal-1/file-access.properties")
        try directory.write("one/8.14/transforms/12/x")
        try directory.write("two/dists/gradle-8.14-bin/hash/x")
        try directory.write("three/modules-2/files-2.1/org.x/z/1/abc/z-1.jar")
        let found = try entries(directory)
        #expect(
            found.keys.sorted() == [
                "caches/8.14/transforms/12", "org.x:y:1", "org.x:z:1", "wrapper/dists/gradle-8.14-bin/hash",
            ])
        #expect(found["org.x:y:1"]?.protections == [])
        #expect(found["org.x:z:1"]?.protections == Protections(.readOnlyCache))
    }

    /// The builds that later ones replaced are entries of their own; not what metadata name, nor what has no newer.
    @Test func replacedBuildsOfASnapshotAreEntries() throws {
        let directory = try TemporaryDirectory()
        let path = ".m2/repository/g/a/1-SNAPSHOT"
        var tracking = ""
        for number in 1...4 {
            let stem = "a-1-2026090\(number).000000-\(number)"
            try directory.write("\(path)/\(stem).jar", bytes: 5000)
            try directory.write("\(path)/\(stem).jar.sha1", bytes: 40)
            tracking += "\(stem).jar>snapshots=\n"
        }
        try directory.write("\(path)/a-1-20260901.000000-1-sources.jar", bytes: 10)
        tracking += "a-1-20260901.000000-1-sources.jar>snapshots=\n"
        try directory.write("\(path)/_remote.repositories", tracking)
        try directory.write(
            "\(path)/maven-metadata-snapshots.xml",
            "<timestamp>20260903.000000</timestamp><buildNumber>3</buildNumber>")
        let found = try entries(directory)
        #expect(found.keys.sorted() == ["g:a:1-20260902.000000-2", "g:a:1-SNAPSHOT"])
        let build = try #require(found["g:a:1-20260902.000000-2"])
        #expect(build.traits == [.files, .part] && build.files == 2 && build.protections == [])
        #expect(build.names == ["g:a:1-20260902.000000-2", "g:a:1-SNAPSHOT"])
    }

    @Test func aJDKWithoutAMarkWasPutThereByHand() throws {
        let directory = try TemporaryDirectory()
        try directory.write("caches/journal-1/x")
        try directory.write("jdks/own/bin/java")
        try directory.write("jdks/temurin/provisioned.ok")
        try directory.write("jdks/zulu/zulu-17/.ready")
        let found = try entries(directory)
        #expect(found["jdks/own"]?.protections == Protections(.handPlaced))
        #expect(found["jdks/temurin"]?.protections == [])
        #expect(found["jdks/zulu"]?.protections == [])
    }

    /// Gradle keeps locks and the like in `.internal` beside the units: it is none of them.
    @Test(arguments: [
        "8.14/transforms", "9.0.0/groovy-dsl", "8.14/kotlin-dsl/scripts", "transforms-4", "jars-9",
    ]) func whatGradleReservesIsNoUnit(place: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("caches/journal-1/file-access.bin")
        try directory.write("caches/\(place)/.internal/locks/0a1b.lock")
        try directory.write("caches/\(place)/.internal/gc.properties")
        try directory.write("caches/\(place)/0a1b/transformed/x.jar")
        #expect(try entries(directory).keys.sorted() == ["caches/\(place)/0a1b"])
    }

    /// Up to 6.7 all transforms lay in one directory, with one metadata for all.
    @Test func oldTransformsAreUnitsEach() throws {
        let directory = try TemporaryDirectory()
        try directory.write("caches/modules-2/files-2.1/org.x/y/1.0/abc/y-1.0.jar")
        for hash in ["0a", "1b"] { try directory.write("caches/transforms-2/files-2.1/\(hash)/lib.jar") }
        try directory.write("caches/transforms-2/metadata-2.1/metadata.bin")
        try directory.write("caches/transforms-2/transforms-2.lock")
        try directory.write("caches/transforms-1/files-1.1/lib.aar/0c/lib.jar")
        try directory.write("caches/transforms-1/metadata-1.1/results.bin")
        try directory.write("caches/transforms-3/0d/transformed/lib.jar")
        #expect(
            try entries(directory).keys.sorted() == [
                "caches/transforms-1/files-1.1/lib.aar/0c", "caches/transforms-2/files-2.1/0a",
                "caches/transforms-2/files-2.1/1b", "caches/transforms-3/0d", "org.x:y:1.0",
            ])
    }

    /// What Gradle could not unpack, and what a killed build left half, are units of the build cache.
    @Test func failedAndHalfEntriesOfTheBuildCacheAreUnits() throws {
        let directory = try TemporaryDirectory()
        let hash = String(repeating: "0a", count: 16)
        let units = [hash, "\(hash).failed", "\(hash)2758846954718045699.part"]
        try directory.write("caches/journal-1/file-access.bin")
        for name in units + ["gc.properties", "build-cache-1.lock", "notes.failed", "0a.part"] {
            try directory.write("caches/build-cache-1/\(name)", bytes: 5000)
        }
        let fresh = try entries(directory)
        #expect(fresh.keys.sorted() == units.map { "caches/build-cache-1/\($0)" }.sorted())
        let part = "caches/build-cache-1/\(units[2])"
        #expect(fresh[part]?.protections == Protections(.inFlight))
        try directory.shell("touch -d '2 days ago' caches/build-cache-1/*")
        #expect(try entries(directory)[part]?.protections == [])
    }

    /// What other tools fetch into a repository has no tracking file, and may go all the same; their like may not.
    @Test(
        arguments: [
            ("com/github/eirslett/node/18.8.0", "node-18.8.0-linux-x64.tar.gz", []),
            ("com/github/eirslett/yarn/1.22.19", "yarn-1.22.19.tar.gz", []),
            ("org/robolectric/android-all-instrumented/13-i7", "android-all-instrumented-13-i7.jar", []),
            (
                "com/github/other/node/18.8.0", "node-18.8.0-linux-x64.tar.gz",
                [.locallyInstalled, .untracked]
            ),
            ("org/robolectric/robolectric/4", "robolectric-4.jar", [.locallyInstalled, .untracked]),
        ] as [(String, String, [Protection])])
    func downloadsOfOtherToolsAreKnown(path: String, file: String, expected: [Protection]) throws {
        let directory = try TemporaryDirectory()
        try directory.write(".m2/repository/\(path)/\(file)", bytes: 5000)
        let found = try #require(try entries(directory).values.first)
        #expect(found.protections.all == expected)
        #expect((UntrackedDownload(found.path) == nil) == !expected.isEmpty)
        // Whoever installs one under that name leaves a tracking file.
        try directory.write(".m2/repository/\(path)/_remote.repositories", "\(file)>=\n")
        #expect(try entries(directory).values.first?.protections.all == [.locallyInstalled])
    }

    /// Unmanaged space is named by the directory that holds it, and by its tool where that is known.
    @Test(
        arguments: [
            (".m2/repository/.cache/download-maven-plugin/node.tar.gz", 4, "download-maven-plugin"),
            ("org/owasp/dependency-check-data/9.0/odc.mv.db", 3, "OWASP"),
            ("wrapper/dists/apache-maven-3.9.6-bin/0a/lib/maven-core.jar", 3, "Maven's wrapper"),
            ("x/build-cache/v1.1/com.example/app/0a/app.jar", 3, "Maven's build cache"),
            ("jdks/OpenJDK17U.tar.gz", 1, "JDKs"), (".m2/repository/a/b/c/d/e/data.bin", 7, ""),
            ("shared/ide/2026.1/caches/index.bin", 4, ""),
        ] as [(String, Int, String)])
    func unmanagedSpaceIsNamedByItsDirectory(file: String, depth: Int, tool: String) throws {
        let directory = try TemporaryDirectory()
        try gav(directory, ".m2/repository/com/example/lib/1", group: "com.example")
        try directory.write(file, bytes: 3 << 20)
        let largest = try #require(try WalkerTests.scan(directory).unmanaged.first)
        #expect(largest.path.description == file.split(separator: "/").prefix(depth).joined(separator: "/"))
        #expect(tool.isEmpty ? largest.tool.isEmpty : largest.tool.contains(tool))
    }

    /// Many small ones are told by the one above them.
    @Test func unmanagedSpaceInManyDirectoriesIsToldTogether() throws {
        let directory = try TemporaryDirectory()
        for number in 1...12 { try directory.write("a/b/\(number)/x.bin", bytes: 2 << 20) }
        #expect(try WalkerTests.scan(directory).unmanaged.map(\.path.description) == ["a/b"])
    }

    /// Mode bits as rename(2) asks for them, for the owner, its group and others.
    @Test(
        arguments: [
            (0o755, 1001, 7, false), (0o555, 1001, 7, true), (0o755, 0, 7, true), (0o775, 0, 7, true),
            (0o775, 0, 1001, false), (0o775, 0, 500, false), (0o757, 0, 7, false), (0o757, 0, 500, true),
            (0o2775, 0, 500, false),
        ] as [(UInt32, UInt32, UInt32, Bool)])
    func aDirectoryIsClosedByItsMode(mode: UInt32, uid: UInt32, gid: UInt32, isClosed: Bool) {
        var lister = DirectoryLister(
            mount: 0, device: 0, startedAt: WalkerTests.now(), previous: nil, user: 1001, groups: [1001, 500])
        var stat = larder_stat()
        (stat.mode, stat.uid, stat.gid) = (mode, uid, gid)
        #expect(lister.isClosed(stat) == isClosed)
        lister.user = 0
        #expect(!lister.isClosed(stat))
    }
}
