import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import Caches

/// What a look into the entries finds, in trees made by hand with the sums of `sha1sum`.
@Suite struct ArtifactLookTests {
    private func entry(_ id: Int64, _ pool: Pool, _ key: String, _ path: String) -> CacheEntry {
        let found = ScannedEntry(
            pool: pool, key: key, path: VolumePath(path) ?? .root, bytes: ByteCount(id), apparentBytes: .zero,
            files: 1, accessed: Timestamp(seconds: 1), fetched: Timestamp(seconds: 1))
        return CacheEntry(
            id: id, found: found, firstSeen: Timestamp(seconds: 1), lastUsed: Timestamp(seconds: 1),
            evidence: .atime, confidence: .high, uses: 0)
    }

    /// A jar in both caches, and a pom that differs; the first jar of the numbers whose sum begins with a zero.
    private func both(_ directory: TemporaryDirectory) throws -> [CacheEntry] {
        try directory.shell(
            """
            m2=.m2/repository/org/x/lib/1; g=caches/modules-2/files-2.1/org.x/lib/1; mkdir -p $m2 $g
            n=0; while :; do n=$((n+1)); seq $n 9999 > jar; sum=$(sha1sum < jar | cut -c1-40)
              case $sum in 0*) break;; esac; done
            cp jar $m2/lib-1.jar; printf "$sum  lib-1.jar" > $m2/lib-1.jar.sha1
            stripped=$(echo $sum | sed 's/^0*//'); mkdir $g/$stripped; mv jar $g/$stripped/lib-1.jar
            echo a > $m2/lib-1.pom; sha1sum < $m2/lib-1.pom | cut -c1-40 > $m2/lib-1.pom.sha1
            echo b > pom; p=$(sha1sum < pom | cut -c1-40); mkdir $g/$p; mv pom $g/$p/lib-1.pom
            """)
        return [
            entry(7, .maven, "org.x:lib:1", ".m2/repository/org/x/lib/1"),
            entry(8, .gradle, "org.x:lib:1", "caches/modules-2/files-2.1/org.x/lib/1"),
        ]
    }

    @Test func filesInBothCachesAreFoundByTheirSums() throws {
        let directory = try TemporaryDirectory()
        let entries = try both(directory)
        let findings = try #require(ArtifactLook(path: directory.path)).findings(in: entries)
        let blocks = try directory.shell("stat -c %b .m2/repository/org/x/lib/1/lib-1.jar")
        let bytes = try #require(Int64(blocks.dropLast())) * 512
        #expect(findings.duplicates == [.init(maven: 7, gradle: 8, bytes: ByteCount(bytes))])
        #expect(findings.passedOver == 0)
    }

    @Test func aLookMovesNoAccessTime() throws {
        let directory = try TemporaryDirectory()
        let entries = try both(directory)
        try directory.shell("find . -type f -exec touch -a -d '3 days ago' {} +")
        let times = "find . -type f -printf '%p %A@ %T@\\n' | sort"
        let before = try directory.shell(times)
        #expect(ArtifactLook(path: directory.path)?.findings(in: entries).duplicates.count == 1)
        #expect(try directory.shell(times) == before)
    }

    @Test func replacedBuildsOfASnapshotAreCounted() throws {
        let directory = try TemporaryDirectory()
        let path = ".m2/repository/org/x/app/1-SNAPSHOT"
        for name in [
            "app-1-20240101.120000-1.jar", "app-1-20240101.120000-1.jar.sha1", "app-1-20240102.120000-2.jar",
            "app-1-20240102.120000-2.pom", "app-1-20240102.120000-2-sources.jar",
            "app-1-20240103.120000-3.jar",
            "app-1-SNAPSHOT.jar", "maven-metadata-central.xml",
        ] { try directory.write("\(path)/\(name)", bytes: 5000) }
        let findings = try #require(ArtifactLook(path: directory.path))
            .findings(in: [entry(5, .maven, "org.x:app:1-SNAPSHOT", path)])
        // The pom and the sources of build 2 are the newest of their kind; the sum of build 1 has no later one.
        let old = "app-1-20240101.120000-1.jar app-1-20240102.120000-2.jar"
        let blocks = try directory.shell("cd \(path); stat -c %b \(old) | paste -sd+ | bc")
        let bytes = try #require(Int64(blocks.dropLast())) * 512
        #expect(findings.oldBuilds == [.init(entry: 5, files: 2, bytes: ByteCount(bytes))])
    }

    @Test func whatIsTooMuchOrGoneIsCountedAsPassedOver() throws {
        let directory = try TemporaryDirectory()
        let entries = (1...5).map { entry($0, .maven, "g:a\($0):1-SNAPSHOT", "m/g/a\($0)/1-SNAPSHOT") }
        let look = try #require(ArtifactLook(path: directory.path, most: 2))
        #expect(look.findings(in: entries).passedOver == 5)
        #expect(ArtifactLook(path: directory.path + "/nowhere") == nil)
    }

    @Test(arguments: [
        ("a-1-20240101.120000-12.jar", 12, ".jar"), ("a-1-20240101.120000-3-sources.jar", 3, "-sources.jar"),
        ("a-b-1-20240101.120000-0.pom", 0, ".pom"),
    ])
    func buildsAreReadFromNames(_ name: String, _ number: Int, _ kind: String) throws {
        let build = try #require(SnapshotBuild(Array(name.utf8)))
        #expect(build.number == number && build.kind == Array(kind.utf8))
    }

    @Test(arguments: [
        "", "a-1-SNAPSHOT.jar", "a-1-20240101.12000-1.jar", "a-1-20240101.120000-.jar",
        "a-1-20240101.120000-1", "a-1-20240101.120000-12345678901.jar",
    ])
    func otherNamesAreNoBuilds(_ name: String) { #expect(SnapshotBuild(Array(name.utf8)) == nil) }
}
