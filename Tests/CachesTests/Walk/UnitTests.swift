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
}
