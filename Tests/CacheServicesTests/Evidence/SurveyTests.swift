import CacheIndex
import CacheModel
import CacheServices
import Foundation
import TestSupport
import Testing

/// What the survey makes of recorded uses, and what it forgets with time.
@Suite struct SurveyTests {
    private static let module = "caches/modules-2/files-2.1/org.example/lib/1.0"

    private func survey(_ real: RealVolume, later: Span = .zero) throws -> ScanService.Result {
        let clock: @Sendable () -> Timestamp = { RealVolume.now() + later }
        return try ScanService(index: real.index, clock: clock).run(LockedVolume(real.volume, now: clock()))
    }

    /// As many scans as it takes until their time counts as old or not.
    private func settle(_ real: RealVolume, at later: Span) throws {
        for _ in 0..<100 { _ = try survey(real, later: later) }
    }

    @Test func aUseInTheJournalIsAHit() throws {
        let bed = try JournalFixture()
        let real = try RealVolume(.buildCache, path: bed.directory.path)
        try bed.directory.write("\(Self.module)/aa/lib.jar")
        try bed.directory.shell(
            "touch -a -d '2 hours ago' \(Self.module)/aa/lib.jar; find caches -exec touch -m -d '3 hours ago' {} +"
        )
        #expect(try real.scan().hits.isEmpty)
        let used = RealVolume.now() - .minutes(30)
        try bed.write(["\(used.nanoseconds / 1_000_000) \(bed.directory.path)/\(Self.module)/aa"])
        #expect(try real.scan().hits == ["org.example:lib:1.0"])
        let entry = try #require(try real.index.usage(of: "v")?.entries.first { $0.pool == .gradle })
        #expect(entry.evidence == .gradleJournal)
        #expect(entry.lastUsed.nanoseconds / 1_000_000 == used.nanoseconds / 1_000_000)
        #expect(try real.scan().hits.isEmpty)

        try bed.directory.write("caches/journal-1/file-access.bin", "GHA2")
        let notices = try real.scan().result.notices
        #expect(notices.filter { $0.contains("file-access.bin is ignored") }.count == 1)
    }

    @Test func oldAccessesAreFoldedAndOldGhostsForgotten() throws {
        let directory = try TemporaryDirectory()
        let real = try RealVolume(.buildCache, path: directory.path)
        _ = try survey(real)
        try directory.write("\(Self.module)/aa/lib.jar")
        #expect(try real.scan().misses == ["org.example:lib:1.0"])
        let entry = try #require(try real.index.usage(of: "v")?.entries.first)
        try settle(real, at: .days(119))
        #expect(try real.index.accesses(of: entry.id, limit: 5).count == 1)
        try settle(real, at: .days(121))
        #expect(try real.index.accesses(of: entry.id, limit: 5).isEmpty)
        let always = try real.index.hitRates(
            of: "v", since: Timestamp(nanoseconds: 0), until: RealVolume.now() + .days(130))
        #expect(always[.gradle]?.misses == 1)

        try directory.shell("rm -r caches")
        _ = try survey(real, later: .days(32))
        try settle(real, at: .days(32 + 360))
        #expect(try real.index.ghosts(matching: "org.example:lib:1.0").count == 1)
        try settle(real, at: .days(32 + 370))
        #expect(try real.index.ghosts(matching: "org.example:lib:1.0").isEmpty)
    }
}
