import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// What a prune does to real directories, and what it refuses when a job was faster.
@Suite struct BuildPrunerTests {
    @Test func entriesMoveAsAWholeAndEmptyParentsGo() throws {
        let bench = try BuildVolume()
        try bench.add("old", daysAgo: 40)
        try bench.add("older", daysAgo: 50)
        let before = try bench.directory.shell("cd \(bench.path("old")); sha1sum *")
        // Summing them up was a use: nothing is kept for that here.
        let outcome = try bench.prune(idleFloor: .zero)
        #expect(outcome.evicted.map(\.key).sorted() == ["g:old:1", "g:older:1"])
        #expect(outcome.refused.isEmpty)
        #expect(!bench.directory.exists(".m2/repository/g"))
        #expect(bench.directory.exists(".m2/repository"))
        let trash = ".larder/trash/20260101T000000Z-0000"
        let number = try #require(outcome.evicted.firstIndex { $0.key == "g:old:1" })
        #expect(try bench.directory.shell("cd \(trash)/\(number); sha1sum *") == before)
        #expect(outcome.trashedBytes == outcome.usedBefore - outcome.usedAfter - ByteCount(3 * 4096))
        #expect(outcome.usedAfter == (try bench.usage().usedBytes))
    }

    @Test func whatAJobReadSinceThePlanStays() throws {
        let bench = try BuildVolume()
        try bench.add("used", daysAgo: 40)
        try bench.add("idle", daysAgo: 40)
        let outcome = try bench.prune {
            // Two days old and unread since: under relatime a read shows at once.
            try bench.directory.shell("cat \(bench.path("used"))/used-1.pom > /dev/null")
        }
        #expect(outcome.evicted.map(\.key) == ["g:idle:1"])
        #expect(outcome.refused.map(\.reason) == ["a job used it since the scan"])
        #expect(bench.exists("used"))
    }

    @Test(arguments: ["used-1.jar", "used-1-sources.jar", "used-1.jar.lastUpdated"])
    func whatAJobFetchedIntoSinceThePlanStays(file: String) throws {
        let bench = try BuildVolume()
        try bench.add("used", daysAgo: 40)
        let outcome = try bench.prune {
            try bench.directory.shell("cd \(bench.path("used")); echo new > x; mv x \(file)")
        }
        #expect(outcome.evicted.isEmpty)
        #expect(outcome.refused.map(\.reason) == ["something was fetched into it since the scan"])
        #expect(bench.exists("used"))
    }

    @Test func aDownloadUnderWayStays() throws {
        let bench = try BuildVolume()
        try bench.add("used", daysAgo: 40)
        let outcome = try bench.prune {
            try bench.directory.shell(
                "cd \(bench.path("used")); echo half > used-1.jar.part; touch -d '41 days ago' .")
        }
        #expect(outcome.refused.map(\.reason) == ["a download into it is under way"])
        #expect(bench.exists("used"))
    }

    @Test func aDirectorySwappedForALinkIsNotFollowed() throws {
        let bench = try BuildVolume()
        let outside = try TemporaryDirectory()
        try outside.write("1/precious", bytes: 100)
        try bench.add("swapped", daysAgo: 40)
        try bench.add("parent", daysAgo: 40)
        let outcome = try bench.prune {
            try bench.directory.shell(
                """
                rm -rf \(bench.path("swapped")); ln -s '\(outside.path)/1' \(bench.path("swapped"))
                cd .m2/repository/g; rm -rf parent; ln -s '\(outside.path)' parent
                """)
        }
        #expect(outcome.evicted.isEmpty)
        #expect(outcome.refused.count == 2)
        #expect(outside.exists("1/precious"))
        #expect(bench.directory.exists(bench.path("swapped")))
    }

    @Test func aDirectoryReplacedByAnotherStays() throws {
        let bench = try BuildVolume()
        try bench.add("again", daysAgo: 40)
        let outcome = try bench.prune {
            let path = bench.path("again")
            try bench.directory.shell("cp -a \(path) \(path).new; rm -rf \(path); mv \(path).new \(path)")
        }
        #expect(outcome.refused.map(\.reason) == ["its directory was replaced since the scan"])
        #expect(bench.exists("again"))
    }

    @Test func whatIsGoneAlreadyIsNoFailure() throws {
        let bench = try BuildVolume()
        try bench.add("gone", daysAgo: 40)
        let outcome = try bench.prune { try bench.directory.shell("rm -rf \(bench.path("gone"))") }
        #expect(outcome.refused.map(\.reason) == ["it is gone already"])
    }

    @Test func anotherVolumeAtThePathIsLeftAlone() throws {
        let bench = try BuildVolume()
        try bench.add("old", daysAgo: 40)
        let usage = try bench.usage()
        let plan = bench.plan(usage)
        var record = usage.scan
        record.identity.rootInode += 1
        let pruner = try BuildPruner(
            try bench.locked(), quietSince: usage.scan.startedAt - .minutes(1), clock: BuildVolume.now)
        #expect(throws: MaintenanceError.otherVolume(volume: "build", path: bench.directory.path)) {
            try pruner.apply(plan, run: "20260101T000000Z-0000", scan: record)
        }
        #expect(bench.exists("old"))
    }

    @Test func whatTookAVolumesPlaceIsNotTouched() throws {
        let bench = try BuildVolume()
        let seen = try RootPresence(of: try bench.locked().root)
        // Moved away and back, it is the same; an empty directory in its place is not, nor is it written to.
        try bench.directory.shell("mv $PWD $PWD.away && mkdir $PWD")
        defer { _ = try? bench.directory.shell("rm -rf $PWD.away") }
        #expect(throws: MaintenanceError.wentAway(volume: "build", path: bench.directory.path)) {
            try LockedVolume(bench.volume, now: BuildVolume.now(), seen: seen)
        }
        #expect(try bench.directory.shell("find $PWD -mindepth 1").isEmpty)
        try bench.directory.shell("rmdir $PWD && cp -a $PWD.away $PWD")
        _ = try LockedVolume(bench.volume, now: BuildVolume.now(), seen: seen)
    }

    @Test func aRunningGradleBuildKeepsItsHome() throws {
        let bench = try BuildVolume()
        let entry = "caches/modules-2/files-2.1/org.x/y/1.0"
        try bench.directory.write("\(entry)/abc/y-1.0.jar", bytes: 9000)
        try bench.directory.write("caches/modules-2/modules-2.lock", bytes: 17)
        try bench.directory.shell("find caches -depth -exec touch -d '40 days ago' {} +")
        let holder = try LockHolder(
            ofGradleCache: bench.directory.path + "/caches/modules-2/modules-2.lock")
        let held = try bench.prune()
        #expect(held.refused.map(\.reason) == [Protection.gradleRunning.text])
        #expect(bench.directory.exists(entry))
        try holder.release()
        let free = try bench.prune(run: "20260101T000001Z-0000")
        #expect(free.evicted.map(\.key) == ["org.x:y:1.0"])
        #expect(!bench.directory.exists("caches/modules-2/files-2.1/org.x"))
        #expect(bench.directory.exists("caches/modules-2/files-2.1"))
    }

    @Test func aSecondLarderIsTurnedAway() throws {
        let bench = try BuildVolume()
        let first = try bench.locked()
        defer { withExtendedLifetime(first) {} }
        let error = #expect(throws: MaintenanceError.self) { _ = try bench.locked() }
        guard case .held(let volume, let holder)? = error else {
            Issue.record("not held: \(String(describing: error))")
            return
        }
        #expect(volume == "build")
        #expect(holder.hasPrefix("process \(ProcessInfo.processInfo.processIdentifier), since 20"))
    }

    @Test func theLockGoesWithItsOwner() throws {
        let bench = try BuildVolume()
        var first: LockedVolume? = try bench.locked()
        withExtendedLifetime(first) {}
        first = nil
        _ = try bench.locked()
    }
}
