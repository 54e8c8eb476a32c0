import CacheModel
import Testing

@testable import Reporting

/// What takes space without much need, and the commands that get it back.
@Suite struct SpaceSavingTests {
    private func savings(_ entries: [CacheEntry], _ findings: ArtifactFindings = .init()) -> [SpaceSaving] {
        let usage = usage(entries, used: gibibytes(9))
        return SpaceSaving.all(
            usage, findings, ReclaimCommands(usage, EvictionPolicy(), now: now), now: now)
    }

    private func gradle(_ id: Int64, _ key: String, home: String = "", daysIdle: Int64) -> CacheEntry {
        artifact(id, key: key, path: home + key, pool: .gradleOther, hoursIdle: daysIdle * 24)
    }

    @Test func theDuplicateUsedLongerAgoIsTheOneToGo() throws {
        var findings = ArtifactFindings()
        findings.duplicates = [.init(maven: 1, gradle: 2, bytes: gibibytes(0.5))]
        let found = try #require(
            savings(
                [
                    artifact(1, key: "g:a:1", hoursIdle: 10),
                    artifact(2, key: "g:a:1", path: "caches/x", pool: .gradle, hoursIdle: 500),
                ], findings
            ).first)
        #expect(found.kind == .duplicate && found.bytes == gibibytes(0.5))
        #expect(found.command == "larder prune --volume build --key 'g:a:1' --pool gradle")
        #expect(found.reason.contains("the same files are in maven"))
    }

    @Test func whatCannotBeFetchedAgainHasNoCommand() throws {
        var findings = ArtifactFindings()
        findings.oldBuilds = [.init(entry: 1, files: 4, bytes: gibibytes(1))]
        let installed = artifact(
            1, key: "g:a:1-SNAPSHOT", protections: Protections(.locallyInstalled))
        let found = try #require(savings([installed], findings).first)
        #expect(found.command == nil && found.reason.contains("cannot be fetched again"))
    }

    @Test func aSnapshotIsSupersededByItsReleaseOnly() {
        let keys = ["g:a:1-SNAPSHOT", "g:a:1", "g:b:2-SNAPSHOT", "g:b:1", "g:c:1-SNAPSHOT"]
        let entries = keys.enumerated().map { artifact(Int64($0 + 1), key: $1) }
        #expect(savings(entries).map(\.name) == ["g:a:1-SNAPSHOT"])
    }

    @Test func aNumberedGenerationIsDeadOnceAHigherOneIsUsed() {
        let entries = [
            gradle(1, "caches/transforms-2/a", daysIdle: 60),
            gradle(2, "caches/transforms-2/b", daysIdle: 90),
            gradle(3, "caches/transforms-3/a", daysIdle: 2), gradle(4, "caches/jars-8/a", daysIdle: 90),
            gradle(5, "caches/jars-9/a", daysIdle: 95),
            gradle(6, "caches/modules-2/metadata-2.96", daysIdle: 60),
            gradle(7, "caches/modules-2/metadata-2.99", daysIdle: 59),
            gradle(8, "caches/build-cache-1", daysIdle: 300),
        ]
        let found = savings(entries)
        // jars-8 was used after jars-9, and build-cache-1 has no successor.
        #expect(found.map(\.name) == ["caches/transforms-2", "caches/modules-2/metadata-2.96"])
        #expect(found.map(\.entries) == [2, 1])
        let command = "larder prune --volume build --pool gradle-other --key"
        func words(_ text: String?) -> Set<Substring> { Set((text ?? "").split(separator: " ")) }
        #expect(words(found[0].command) == words(command + " 'caches/transforms-2/*'"))
        #expect(words(found[1].command) == words(command + " 'caches/modules-2/metadata-2.96'"))
    }

    @Test func aVersionIsDeadWithoutItsWrapper() {
        let entries = [
            gradle(1, "caches/6.8/transforms/a", daysIdle: 60),
            gradle(2, "caches/8.5/transforms/a", daysIdle: 60),
            gradle(3, "caches/7.0/transforms/a", daysIdle: 10),
            gradle(4, "wrapper/dists/gradle-8.5-bin/x", daysIdle: 60),
            gradle(5, "caches/9.0-rc-1/transforms/a", daysIdle: 60),
            gradle(6, "wrapper/dists/gradle-9.0-rc-1-all/x", daysIdle: 60),
        ]
        #expect(savings(entries).map(\.name) == ["caches/6.8"])
        // Where no wrapper is kept, Gradle comes from elsewhere, and nobody knows which.
        #expect(savings(Array(entries[0...2])).isEmpty)
    }

    @Test func aCommandNeverReachesALiveGenerationOfAnotherHome() throws {
        let entries = [
            gradle(1, "caches/transforms-2/a", home: "one/", daysIdle: 60),
            gradle(2, "caches/transforms-3/a", home: "one/", daysIdle: 1),
            gradle(3, "caches/transforms-2/a", home: "two/", daysIdle: 1),
        ]
        let found = try #require(savings(entries).first)
        #expect(found.command == nil && found.reason.contains("by hand") && savings(entries).count == 1)
    }

    @Test func keysAreQuotedForAShellAndPatternsAreNone() {
        let entries = [artifact(1, key: "it's"), artifact(2, key: "a*b")]
        let commands = ReclaimCommands(usage(entries, used: gibibytes(2)), EvictionPolicy(), now: now)
        #expect(
            commands.evicting(entries[0]) == "larder prune --volume build --key 'it'\\''s' --pool maven")
        #expect(commands.evicting(entries[1]) == nil)
    }
}
