import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// Entries of the user's own pools and installed builds on their way into the trash and back: what protects any entry
/// protects them.
@Suite struct OwnPoolPrunerTests {
    private static let runID = "20260101T000000Z-0000"

    /// Two files and two directories, forty days old.
    private func bench() throws -> BuildVolume {
        var bench = try BuildVolume()
        for name in ["one.log", "two.log"] { try bench.directory.write("logs/\(name)", bytes: 9000) }
        for name in ["red", "blue"] {
            try bench.directory.write("tools/\(name)/bin/run", bytes: 9000)
            try bench.directory.write("tools/\(name)/etc/.conf")
        }
        try bench.directory.shell("find . -depth -exec touch -d '40 days ago' {} +")
        let (logs, tools) = (try #require(Pool(named: "logs")), try #require(Pool(named: "tools")))
        bench.volume.ownPools = [
            OwnPool(logs, rules: [.init(try #require(PathPattern("logs")), unit: .file)]),
            OwnPool(tools, rules: [.init(try #require(PathPattern("tools")), unit: .directory(depth: 1))]),
        ]
        return bench
    }

    @Test func theyGoIntoTheTrashAndComeBackByteForByte() throws {
        let bench = try bench()
        let listing = "find logs tools -type f -printf '%p %s %T@ ' -exec sha1sum {} \\; | sort"
        let before = try bench.directory.shell(listing)
        let sizes = try bench.directory.shell("du -s -B1 tools/red tools/blue | awk '{s+=$1} END {print s}'")
        let outcome = try bench.prune(idleFloor: .zero, run: Self.runID)
        #expect(
            outcome.evicted.map(\.key).sorted() == [
                "logs/one.log", "logs/two.log", "tools/blue", "tools/red",
            ])
        let tools = outcome.evicted.filter { $0.pool.rawValue == "tools" }
        #expect("\(tools.reduce(0) { $0 + $1.bytes.bytes })\n" == sizes)
        #expect(outcome.usedAfter == (try bench.usage().usedBytes))
        #expect(!bench.directory.exists("tools/red") && bench.directory.exists("tools"))
        let trash = Trash(try bench.locked().folder.get())
        let run = try #require(try trash.runs().first)
        #expect(Set(try trash.lines(of: run).map(\.pool.rawValue)) == ["logs", "tools"])
        #expect(try trash.restore(run: Self.runID).restored.count == 4)
        #expect(try bench.directory.shell(listing) == before)
    }

    @Test(arguments: [
        ("logs/one.log", "cat logs/one.log > /dev/null", "a job used it since the scan"),
        ("logs/one.log", "echo more >> logs/one.log", "something was fetched into it since the scan"),
        ("logs/one.log", "rm logs/one.log; ln -s two.log logs/one.log", "it is no file any more"),
        ("logs/one.log", "rm logs/one.log", "it is gone already"),
        ("tools/red", "cat tools/red/bin/run > /dev/null", "a job used it since the scan"),
        ("tools/red", "touch tools/red/bin/new", "something was fetched into it since the scan"),
        (
            "tools/red", "echo half > tools/red/x.part; touch -d '41 days ago' tools/red",
            "a download into it is under way"
        ),
        ("tools/red", "mv tools/red /tmp/$$; ln -s /tmp/$$ tools/red", "its path leads through a link"),
    ])
    func whatChangesAfterThePlanStays(_ test: (key: String, change: String, reason: String)) throws {
        let bench = try bench()
        let outcome = try bench.prune { try bench.directory.shell(test.change) }
        #expect(!outcome.evicted.map(\.key).contains(test.key))
        let refused = outcome.refused.filter { $0.key == test.key }
        #expect(refused.count == 1 && refused[0].reason.hasPrefix(test.reason), "\(outcome.refused)")
        #expect(outcome.evicted.count == 3)
    }

    @Test(arguments: [
        ("tools/red/.lock", ["tools/red"]), ("tools/red.lock", ["tools/red"]),
        ("tools/.lock", ["tools/red", "tools/blue"]), ("logs/one.log.lock", ["logs/one.log"]),
        ("cache/.lock", ["tools/red", "tools/blue", "logs/one.log", "logs/two.log"]),
    ])
    func whatIsLockedStays(_ test: (lock: String, stays: [String])) throws {
        let bench = try bench()
        try bench.directory.write(test.lock, "")
        try bench.directory.shell("find . -depth -exec touch -d '40 days ago' {} +")
        let holder = try LockHolder(ofMavenArtifact: "\(bench.directory.path)/\(test.lock)", shared: true)
        try bench.directory.shell("find . -depth -exec touch -d '40 days ago' {} +")
        let outcome = try withExtendedLifetime(holder) { try bench.prune(idleFloor: .zero) }
        #expect(outcome.refused.map(\.key).sorted() == test.stays.sorted())
        #expect(outcome.refused.allSatisfy { $0.reason.contains("holds a lock") })
    }

    /// Go, Cargo, Python's libraries and flock(1) lock whole files.
    @Test(arguments: ["tools/red/.lock", "tools/red.lock"], [false, true])
    func whatIsLockedByFlockStays(lock: String, shared: Bool) throws {
        let bench = try bench()
        try bench.directory.write(lock, "")
        let holder = try LockHolder(byFlockOf: "\(bench.directory.path)/\(lock)", shared: shared)
        try bench.directory.shell("find . -depth -exec touch -d '40 days ago' {} +")
        let outcome = try bench.prune(idleFloor: .zero, run: Self.runID)
        #expect(outcome.refused.map(\.key) == ["tools/red"])
        #expect(outcome.refused.allSatisfy { $0.reason.contains("holds a lock") })
        #expect(bench.directory.exists("tools/red/bin/run"))
        // To have asked leaves no lock behind.
        try holder.release()
        try bench.directory.shell("flock -n -x \(lock) true")
        let next = try bench.prune(idleFloor: .zero, run: "20260102T000000Z-0000")
        #expect(next.evicted.map(\.key) == ["tools/red"])
    }

    @Test func theIdleFloorAndUnreadableFilesHold() throws {
        let bench = try bench()
        try bench.directory.shell("touch -d '2 hours ago' logs/one.log tools/red/bin/run")
        #expect(try bench.prune().evicted.map(\.key).sorted() == ["logs/two.log", "tools/blue"])
    }

    // MARK: - Installed builds

    private func installed(_ bench: BuildVolume, _ version: Int, daysAgo: Int) throws {
        let path = ".m2/repository/com/acme/lib/\(version)"
        try bench.directory.write("\(path)/lib-\(version).jar", bytes: 9000)
        try bench.directory.write(
            "\(path)/lib-\(version).pom", "<project><groupId>com.acme</groupId></project>")
        try bench.directory.write(
            "\(path)/_remote.repositories", "lib-\(version).jar>=\nlib-\(version).pom>=\n")
        try bench.directory.shell("touch -d '\(daysAgo) days ago' \(path)/* \(path)")
    }

    private func prune(_ bench: BuildVolume, after change: () throws -> Void = {}) throws -> EvictionOutcome {
        let locked = try bench.locked()
        var usage = try bench.usage()
        usage.scan.identity = locked.identity
        var policy = EvictionPolicy(target: .zero)
        policy.installed = bench.volume.installed
        let plan = policy.plan(
            usage, under: bench.volume.quota(capacity: usage.capacity), now: BuildVolume.now())
        try change()
        return try BuildPruner(locked, quietSince: usage.scan.startedAt - .minutes(1), clock: BuildVolume.now)
            .apply(plan, run: Self.runID, scan: usage.scan)
    }

    @Test func replacedInstalledBuildsGoAndTheNewestStays() throws {
        var bench = try BuildVolume()
        for (version, days) in [(1, 90), (2, 60), (3, 50)] { try installed(bench, version, daysAgo: days) }
        #expect(try prune(bench).evicted.isEmpty)
        bench.volume.installed = [InstalledExpiry(pattern: "com.acme:*", maxAge: .days(55))]
        let outcome = try prune(bench)
        #expect(outcome.evicted.map(\.key) == ["com.acme:lib:1", "com.acme:lib:2"])
        #expect(outcome.refused.isEmpty)
        #expect(bench.directory.exists(".m2/repository/com/acme/lib/3/lib-3.jar"))
    }

    /// The newer build went between the plan and the move: then the older one is the last, and stays.
    @Test func theLastInstalledBuildStaysWhateverThePlanSaid() throws {
        var bench = try BuildVolume()
        for (version, days) in [(1, 90), (2, 60)] { try installed(bench, version, daysAgo: days) }
        bench.volume.installed = [InstalledExpiry(pattern: "com.acme:*", maxAge: .days(55))]
        let outcome = try prune(bench) { try bench.directory.shell("rm -r .m2/repository/com/acme/lib/2") }
        #expect(outcome.evicted.isEmpty)
        #expect(outcome.refused.map(\.reason) == ["fewer than 1 newer installed versions of it are left"])
        #expect(bench.directory.exists(".m2/repository/com/acme/lib/1/lib-1.jar"))
    }
}
