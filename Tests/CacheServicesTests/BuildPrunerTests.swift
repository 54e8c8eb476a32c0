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

    @Test func whatAJobReadsDuringTheMoveGoesBack() throws {
        let bench = try BuildVolume()
        try bench.add("used", daysAgo: 40)
        // A job that had the file open, or found it, in the instant before the move.
        let directory = bench.directory
        let outcome = try bench.prune(
            atTime: 3, do: { _ = try? directory.shell("cat .larder/trash/*/0/used-1.pom > /dev/null") })
        #expect(outcome.evicted.isEmpty)
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

    @Test func replacedBuildsOfAGradleSnapshotGoOneByOne() throws {
        let bench = try BuildVolume()
        let version = ".gradle/caches/modules-2/files-2.1/com.example/core/1.0-SNAPSHOT"
        let builds = (0..<4).map { version + "/" + String(repeating: "\($0)", count: 40) }
        for (build, days) in zip(builds, [60, 50, 45, 40]) {
            try bench.directory.write("\(build)/core-1.0-SNAPSHOT.jar", bytes: 9000)
            try bench.directory.shell("touch -d '\(days) days ago' \(build)/* \(build)")
        }
        try bench.directory.shell("touch -d '40 days ago' \(version)")
        // What no tool put there is refused, as in a whole version.
        let outcome = try bench.prune {
            try bench.directory.shell("cd \(builds[1]); mkdir mine; touch -d '50 days ago' mine .")
            try bench.directory.write("\(builds[1])/mine/notes", "mine")
            try bench.directory.shell("cd \(builds[1]); touch -d '50 days ago' mine/notes mine .")
        }
        #expect(outcome.evicted.map(\.key).allSatisfy { $0.hasPrefix("com.example:core:1.0-SNAPSHOT/") })
        #expect(outcome.evicted.count == 2)
        #expect(!bench.directory.exists(builds[0]) && !bench.directory.exists(builds[2]))
        #expect(bench.directory.exists("\(builds[1])/mine/notes"))
        #expect(bench.directory.exists("\(builds[3])/core-1.0-SNAPSHOT.jar"))
    }

    /// Two branches' caches that were copied by hard links: what a prune says it freed is what du finds gone.
    @Test func whatIsHardLinkedComesFreeWithItsLastName() throws {
        let bench = try BuildVolume()
        for name in ["both", "kept", "alone"] { try bench.add(name, daysAgo: 40, bytes: 300_000) }
        let cache = bench.directory.path
        try bench.directory.shell(
            """
            mkdir -p branch/.m2/repository/g outside
            cp -al .m2/repository/g/both branch/.m2/repository/g/
            ln .m2/repository/g/kept/1/kept-1.jar outside/a-name-of-nobody
            find branch -exec touch -h -d '40 days ago' {} +
            """)
        func live() throws -> Int64 {
            let text = try bench.directory.shell("du -s --block-size=1 --exclude=.larder '\(cache)'")
            return try #require(Int64(text.prefix { $0.isNumber }))
        }
        let before = try live()
        let usage = try bench.usage()
        #expect(usage.sharedFiles.count == 2)
        let plan = bench.plan(usage, idleFloor: .zero)
        let outcome = try bench.prune(idleFloor: .zero)
        #expect(outcome.refused.isEmpty)
        // The jar that somebody else has a name of would leave its bytes, so the entry stays.
        #expect(Set(outcome.evicted.map(\.key)) == ["g:alone:1", "g:both:1"])
        #expect(outcome.evicted.count == 3 && bench.exists("kept"))
        #expect(plan.protections.values.contains(.sharedFiles))
        // With the directories above, which go once they are empty.
        let gone = try before - live()
        #expect(outcome.usedBefore.bytes - outcome.usedAfter.bytes == gone)
        let planned = plan.evict.reduce(Int64(0)) { $0 + $1.freedBytes.bytes }
        #expect(planned == outcome.trashedBytes.bytes)
        #expect(try bench.usage().usedBytes == outcome.usedAfter)
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
        // As a scan gives it its number.
        #expect(VolumeID.write(VolumeID.fresh(), in: try bench.locked().folder.get().own))
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
