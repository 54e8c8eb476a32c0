import CacheIndex
import CacheModel
import Foundation
import TestSupport
import Testing

/// Gradle's local build cache: Gradle keeps the last use of each file in its time of modification.
@Suite struct BuildCacheTests {
    static let folder = "caches/build-cache-1"
    private static let key = String(repeating: "0a", count: 16)

    static func entry(_ real: RealVolume) throws -> CacheEntry {
        try #require(try real.index.usage(of: "v")?.entries.first { $0.key == "\(folder)/\(key)" })
    }

    @Test func theLastUseIsTheNewestTouchOfAnEntry() throws {
        let directory = try TemporaryDirectory()
        let real = try RealVolume(.buildCache, path: directory.path)
        for name in [Self.key, "build-cache-1.lock", "gc.properties"] {
            try directory.write("\(Self.folder)/\(name)", bytes: 10_000)
        }
        try directory.shell("find . -exec touch -d '5 days ago' {} +")
        #expect(try real.scan().hits.isEmpty)
        // A build that opens the cache and finds nothing in it; then one that does.
        try directory.shell("cd \(Self.folder); touch -am build-cache-1.lock gc.properties")
        #expect(try real.scan().hits.isEmpty)
        try directory.shell("touch -m -d '1 hour ago' \(Self.folder)/\(Self.key)")
        #expect(try real.scan().hits == ["\(Self.folder)/\(Self.key)"])
        let used = try Self.entry(real)
        #expect((used.pool, used.evidence) == (.gradleOther, .gradleJournal))
        #expect(abs((RealVolume.now() - .hours(1) - used.lastUsed).seconds) < 60)
        #expect(try real.scan().hits.isEmpty)

        // What a build stores is a fetch of that much, not of the whole directory.
        let stored = "\(Self.folder)/\(String(repeating: "0b", count: 16))"
        try directory.write(stored, bytes: 4096)
        #expect(try real.scan().misses == [stored])
        let entry = try #require(try real.index.usage(of: "v")?.entries.first { $0.key == stored })
        let access = try #require(try real.index.accesses(of: entry.id, limit: 1).first)
        #expect((access.kind, access.bytes) == (.miss, ByteCount(4096)))
    }
}

extension RealUseTests {
    /// With `org.gradle.caching=true`: what is stored, and what is found again after a clean.
    @Test func aRealBuildStoresAndFindsAgain() throws {
        let home = try #require(settings["CACHE"]) + "/build-cache-\(UUID().uuidString.prefix(8))"
        defer { _ = try? run("/bin/rm", "-rf", home) }
        try run("/bin/mkdir", home).checked()
        try run("/bin/chown", try #require(settings["JOB_UID"]), home).checked()
        let build = ["delta", "--", "-g", home, "-Dorg.gradle.caching=true", "--build-cache", "clean"]
        func gradle() throws { _ = try RealVolume.testbed("gradle", build) }

        let real = try RealVolume(.buildCache, path: home)
        #expect(try real.scan().result.recorded.baseline)
        try gradle()
        #expect(try real.scan().misses.contains { $0.hasPrefix(BuildCacheTests.folder) })
        let files = "find \(home)/\(BuildCacheTests.folder) -regex '.*/[0-9a-f]+'"
        // Days go by; access times tell nothing, as if nobody had armed them.
        try run("/bin/bash", "-ec", "\(files) -exec touch -d '3 days ago' {} +").checked()
        let before = RealVolume.now()
        try gradle()
        let touched = try run("/bin/bash", "-ec", "\(files) -printf '%T@\\n' | sort -n | tail -1").checked()
        let newest = try #require(Double(touched.output.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(newest > Double(before.seconds))
        #expect(try real.scan().hits.contains { $0.hasPrefix(BuildCacheTests.folder) })
        // A build that opens the cache and takes nothing from it.
        try run("/bin/bash", "-ec", "cat \(home)/\(BuildCacheTests.folder)/*.lock > /dev/null").checked()
        #expect(try !real.scan().hits.contains { $0.hasPrefix(BuildCacheTests.folder) })
        let entries = try #require(try real.index.usage(of: "v")).entries
        let last = entries.filter { $0.key.hasPrefix(BuildCacheTests.folder) }.map(\.lastUsed).max()
        #expect(try #require(last) >= before)
    }
}
