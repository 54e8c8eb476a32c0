import CacheIndex
import CacheModel
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// What a quarantine moves, and what it must leave where it is.
@Suite struct QuarantineTests {
    private static let run = "20260101T000000Z-0000"

    /// A volume with one damaged entry and one whole one.
    private func damaged() throws -> VerificationFixture {
        let bench = try VerificationFixture()
        try bench.add("bad")
        try bench.add("good")
        try bench.directory.shell("truncate -s 10000 \(VerificationFixture.path("bad"))/bad-1.jar")
        try bench.age(VerificationFixture.path("bad"))
        return bench
    }

    private func isThere(_ name: String, _ bench: VerificationFixture) -> Bool {
        bench.directory.exists("\(VerificationFixture.path(name))/\(name)-1.jar")
    }

    @Test func aDamagedEntryGoesAsAWholeAndCanBeBroughtBack() throws {
        let bench = try damaged()
        let path = VerificationFixture.path("bad")
        let listing = "find .m2 -type f -printf '%p %s %T@\\n' | sort"
        let before = try bench.directory.shell(listing)
        let verified = try bench.quarantine()
        #expect(verified.damaged.map(\.isQuarantined) == [true])
        #expect(verified.isClean)
        #expect(!bench.directory.exists(path))
        #expect(isThere("good", bench))
        #expect(
            try bench.directory.shell("ls .larder/trash/\(Self.run)/0")
                == "_remote.repositories\nbad-1.jar\nbad-1.jar.sha1\nbad-1.pom\nbad-1.pom.sha1\n")
        #expect(try bench.sql("SELECT kind, exit_code FROM runs") == "verify|0")
        #expect(try bench.sql("SELECT key, reason, run FROM ghosts") == "g:bad:1|quarantined|\(Self.run)")
        let locked = try LockedVolume(bench.volume, now: VerificationFixture.now())
        let back = try Trash(try locked.folder.get()).restore(run: Self.run)
        #expect(back.restored.map(\.key) == ["g:bad:1"])
        #expect(try bench.directory.shell(listing) == before)
    }

    /// Fetching again what was damaged is a miss, and no regret.
    @Test func itsReturnIsNoRegret() throws {
        let bench = try damaged()
        _ = try bench.quarantine()
        _ = try bench.usage()
        try bench.add("bad")
        try bench.directory.shell("touch \(VerificationFixture.path("bad"))")
        _ = try bench.usage()
        #expect(try bench.sql("SELECT hit, regret FROM accesses") == "0|0")
        #expect(try bench.sql("SELECT count(*) FROM ghosts") == "0")
        #expect(try bench.verify().isClean)
    }

    @Test func whatWasInstalledLocallyStays() throws {
        let bench = try damaged()
        try bench.directory.shell(
            "echo 'bad-1.jar>=' > \(VerificationFixture.path("bad"))/_remote.repositories")
        try bench.age(VerificationFixture.path("bad"))
        let verified = try bench.quarantine()
        #expect(verified.damaged.map(\.refusal) == ["installed locally, cannot be fetched again"])
        #expect(isThere("bad", bench))
        #expect(!verified.isClean)
        #expect(try bench.sql("SELECT kind, exit_code FROM runs") == "verify|4")
    }

    /// A verification that moves nothing says of each finding what a quarantine would say.
    @Test(
        arguments: [
            ("true", nil),
            ("echo 'bad-1.jar>=' > _remote.repositories", Protection.locallyInstalled.text),
            ("rm _remote.repositories", Protection.untracked.text),
            ("mkdir mine; echo x > mine/notes", Protection.foreignFiles.text),
        ] as [(String, String?)])
    func whatAQuarantineWouldLeaveIsForeseen(script: String, reason: String?) throws {
        let bench = try damaged()
        let path = VerificationFixture.path("bad")
        try bench.directory.shell("cd \(path); \(script)")
        try bench.age(path)
        let usage = try bench.usage()
        let verified = try Verifier(index: bench.index, idleFloor: .hours(24), clock: VerificationFixture.now)
            .verify(bench.volume, usage)
        let foreseen = Pruner(
            index: bench.index, limits: nil, idleFloor: .hours(24), clock: VerificationFixture.now
        ).foreseen(verified, usage: usage, on: bench.volume)
        #expect(foreseen.damaged.map(\.refusal) == [reason])
        #expect(try bench.quarantine().damaged.map(\.refusal) == [reason])
    }

    @Test func whatAJobUsedLatelyStays() throws {
        let bench = try damaged()
        try bench.directory.shell("touch -a -d '2 hours ago' \(VerificationFixture.path("bad"))/bad-1.pom")
        #expect(try bench.quarantine().damaged.map(\.refusal) == [Protection.idleFloor.text])
        #expect(isThere("bad", bench))
        #expect(try bench.quarantine(run: "20260101T000001Z-0000", idleFloor: .zero).isClean)
        #expect(!isThere("bad", bench))
    }

    @Test func whatAJobReadsMeanwhileStays() throws {
        let bench = try damaged()
        let verified = try bench.quarantine(idleFloor: .zero) {
            try bench.directory.shell("cat \(VerificationFixture.path("bad"))/bad-1.jar > /dev/null")
        }
        #expect(verified.damaged.map(\.refusal) == ["a job used it since the scan"])
        #expect(isThere("bad", bench))
    }

    @Test func aDownloadUnderWayStays() throws {
        let bench = try damaged()
        let path = VerificationFixture.path("bad")
        try bench.directory.shell(
            "echo half > \(path)/bad-1-sources.jar.part; touch -d '40 days ago' \(path)")
        #expect(try bench.quarantine().damaged.map(\.refusal) == [Protection.inFlight.text])
        #expect(isThere("bad", bench))
    }

    @Test func aRunningGradleBuildKeepsItsHome() throws {
        let bench = try VerificationFixture()
        try bench.addModule("mod", content: "bytes")
        let directory = "caches/modules-2/files-2.1/org.x/mod/1.0"
        try bench.directory.shell("printf x >> \(directory)/*/mod-1.0.jar")
        try bench.directory.write("caches/modules-2/modules-2.lock", bytes: 17)
        try bench.age("caches")
        let holder = try LockHolder(
            ofGradleCache: bench.directory.path + "/caches/modules-2/modules-2.lock")
        #expect(try bench.quarantine().damaged.map(\.refusal) == [Protection.gradleRunning.text])
        #expect(bench.directory.exists(directory))
        try holder.release()
        #expect(try bench.quarantine(run: "20260101T000001Z-0000").isClean)
        #expect(!bench.directory.exists(directory))
    }

    @Test func whatIsToBeKeptStays() throws {
        var bench = try damaged()
        bench.volume.keep = ["g:bad:*"]
        #expect(try bench.quarantine().damaged.map(\.refusal) == [Protection.keepPattern.text])
        #expect(isThere("bad", bench))
    }

    /// When half a cache seems damaged the disk may be what is, or Larder: one run takes so much and no more.
    @Test func oneRunTakesNoMoreThanItsLimit() throws {
        let bench = try damaged()
        try bench.directory.shell("truncate -s 10000 \(VerificationFixture.path("good"))/good-1.jar")
        try bench.age(VerificationFixture.path("good"))
        let limits = Pruner.Limits(bytesShare: .share(basisPoints: 10000), entries: 1)
        let verified = try bench.quarantine(limits: limits)
        #expect(verified.damaged.filter(\.isQuarantined).count == 1)
        #expect(verified.damaged.compactMap(\.refusal).allSatisfy { $0.contains("beyond what one run may") })
        #expect(isThere("bad", bench) != isThere("good", bench))
    }

    /// Entries that wait in the trash are not purged to make room for damaged ones.
    @Test func theTrashIsNotEmptiedForIt() throws {
        let bench = try damaged()
        _ = try bench.quarantine()
        try bench.directory.shell("truncate -s 10000 \(VerificationFixture.path("good"))/good-1.jar")
        try bench.age(VerificationFixture.path("good"))
        // Runs of the future are not due for a purge.
        let second = Trash.newRunID(now: VerificationFixture.now())
        let verified = try bench.quarantine(run: second, idleFloor: .zero)
        #expect(verified.damaged.map(\.refusal) == [nil])
        #expect(bench.directory.exists(".larder/trash/\(Self.run)/0"))
        #expect(bench.directory.exists(".larder/trash/\(second)/0"))
    }

    /// A kill between the moves and the record: the next scan learns from the journal what kind of run it was.
    @Test func anInterruptedQuarantineIsRecordedAsOne() throws {
        let bench = try damaged()
        _ = try bench.quarantine()
        try bench.state.shell("rm larder.db")
        let again = try CacheIndex.open(stateDirectory: bench.state.path, now: VerificationFixture.now())
        let survey = ScanService(index: again, clock: VerificationFixture.now)
        // The first scan makes the volume known, the second finds the run that is not.
        for _ in 0..<2 {
            _ = try survey.run(LockedVolume(bench.volume, now: VerificationFixture.now()))
        }
        #expect(try bench.sql("SELECT id, kind FROM runs") == "\(Self.run)|verify")
    }
}
