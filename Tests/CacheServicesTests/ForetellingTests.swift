import CacheIndex
import CacheModel
import Foundation
import Reporting
import TestSupport
import Testing

@testable import CacheServices

/// That a plan says what a prune then does, and status what comes of it.
@Suite struct ForetellingTests {
    private let bench: BuildVolume
    private let state: TemporaryDirectory

    /// Ten entries of about a mebibyte, the first the oldest.
    init() throws {
        (bench, state) = (try BuildVolume(), try TemporaryDirectory())
        for number in 0..<10 {
            try bench.add("lib\(number)", daysAgo: 60 - number, bytes: 1_000_000 + number * 8192)
        }
    }

    private func services(
        limit: Int64, later: Span = .zero, _ change: (inout Configuration) -> Void = { _ in }
    ) -> Services {
        var volume = bench.volume
        volume.limit = ByteCount(limit << 20)
        var configuration = Configuration(stateDirectory: state.path, volumes: [volume], sockets: [:])
        configuration.idleFloor = .zero
        change(&configuration)
        return Services(configuration, clock: { BuildVolume.now() + later })
    }

    private func prune(_ services: Services, to size: Int64? = nil, dry: Bool = false) async throws
        -> PruneReport
    {
        var options = PruneOptions()
        options.goal = PruneGoal(target: size.map { ByteCount($0 << 20) })
        options.dryRun = dry
        return try await services.prune(options).report
    }

    /// One run may evict half of what is used: the plan counts what it will refuse.
    @Test func whatOneRunMayNotEvictIsTold() async throws {
        let services = services(limit: 100)
        _ = try services.scan()
        let goal = PruneGoal(target: .zero)
        let plan = try #require(try services.plan(goal).report.plans.first)
        let dry = try #require(try await prune(services, to: 0, dry: true).volumes.first?.plan)
        let text = try services.plan(goal).report.text(width: 300, color: false, now: BuildVolume.now())
        let pruned = try await prune(services, to: 0)
        let outcome = try #require(pruned.volumes.first?.outcome)
        // It is within its quota, and above what was asked for.
        let said = pruned.text(color: false, now: BuildVolume.now())
        #expect(said.hasPrefix("Above the size asked for still: build."))
        #expect(plan.evict.count == 10)
        #expect(plan.later?.entries == Int64(outcome.refused.count) && outcome.refused.count == 5)
        #expect(dry.later == plan.later)
        #expect(plan.later?.reason == outcome.refused.first?.reason)
        #expect(text.contains("one run takes the first 5 entries; 5 entries of "))
        #expect(try services.plan(goal).report.json().contains(#""later": {"#))
        let free = self.services(limit: 100) { configuration in
            configuration.limits.bytesShare = .share(basisPoints: 10_000)
        }
        #expect(try free.plan(goal).report.plans.first?.later == nil)
    }

    /// Above the critical level a prune purges of its own evictions what it takes to come down to the high watermark.
    @Test(arguments: [10, 30]) func whatTheTrashWillNotKeepIsTold(limit: Int64) async throws {
        let services = services(limit: limit) { configuration in
            configuration.limits.bytesShare = .share(basisPoints: 10_000)
        }
        _ = try services.scan()
        let size: Int64? = limit == 10 ? nil : 3
        let report = try services.plan(PruneGoal(target: size.map { ByteCount($0 << 20) })).report
        let plan = try #require(report.plans.first)
        let before = try bench.directory.shell("du -s -B1 . | cut -f1")
        let outcome = try #require(try await prune(services, to: size).volumes.first?.outcome)
        #expect(outcome.evicted.count == plan.evict.count && !plan.evict.isEmpty)
        let purged = outcome.evicted.reduce(ByteCount.zero) { $0 + $1.bytes } - outcome.trashedBytes
        #expect((purged > .zero) == (limit == 10) && plan.isCritical == (limit == 10))
        #expect((plan.purgedBytes > .zero) == (limit == 10))
        // What directories above entries give back may spare the last one.
        #expect(abs((purged - plan.purgedBytes).bytes) < 100_000, "\(purged) of \(before)")
        let told = report.text(width: 300, color: false, now: BuildVolume.now()).contains(
            "cannot be brought back")
        #expect(told == (limit == 10))
    }

    /// What waits in the trash goes first, and only where that is not enough what the run itself evicts.
    @Test(arguments: [14, 12]) func whatOfEarlierRunsIsPurgedIsTold(limit: Int64) async throws {
        _ = try services(limit: 100).scan()
        _ = try await prune(services(limit: 100), to: 6)
        for number in 10..<17 { try bench.add("new\(number)", daysAgo: 50, bytes: 1_000_000) }
        let services = services(limit: limit) { $0.limits.bytesShare = .share(basisPoints: 10_000) }
        _ = try services.scan()
        let plan = try #require(try services.plan(PruneGoal()).report.plans.first)
        let trash = try #require(
            Int64(try bench.directory.shell("du -s -B1 .larder/trash | cut -f1").dropLast()))
        let list = try services.trashedRuns().text(color: false, now: BuildVolume.now())
        let status = try services.status().text(width: 400, color: false, now: BuildVolume.now())
        #expect(
            status.contains("a prune purges about \(plan.purgedEarlierBytes) that earlier runs evicted"),
            "\(status)")
        let outcome = try #require(try await prune(services).volumes.first?.outcome)
        let own = outcome.evicted.reduce(ByteCount.zero) { $0 + $1.bytes } - outcome.trashedBytes
        let left = try #require(
            Int64(try bench.directory.shell("du -s -B1 .larder/trash | cut -f1").dropLast()))
        let earlier = trash - (left - outcome.trashedBytes.bytes)
        #expect(plan.isCritical && !outcome.evicted.isEmpty && plan.purgedEarlierBytes > .zero)
        #expect(
            list.contains("above its critical level of") && list.contains("deletes the oldest of the trash"))
        // Whole entries of a megabyte go.
        #expect(abs(plan.purgedEarlierBytes.bytes - earlier) < 1_100_000, "\(earlier)")
        #expect(abs((plan.purgedBytes - own).bytes) < 1_100_000, "\(own)")
        #expect((plan.purgedBytes > .zero) == (own > .zero) && (own > .zero) == (limit == 12))
        let text = try services.plan(PruneGoal()).report.text(
            width: 300, color: false, now: BuildVolume.now())
        #expect(!text.contains("is purged first"))
    }

    @Test func anEntryIsBroughtBackByItsKeyAlone() async throws {
        let services = services(limit: 100)
        _ = try services.scan()
        let run = try await prune(services, to: 8).run
        let key = "g:lib0:1"
        #expect(!bench.exists("lib0"))
        let restored = try services.restore(run: key, key: nil)
        #expect(restored.report.run == run && restored.report.restored.map(\.key) == [key])
        #expect(bench.exists("lib0") && !bench.exists("lib1"))
        // A part of a key is no key; the error names those that have it.
        #expect {
            try services.restore(run: "lib1", key: nil)
        } throws: {
            Failure($0).hint == "larder trash restore g:lib1:1"
        }
        // By how the run's name begins, too; what is in no run is said to be.
        #expect(try services.restore(run: String(run.prefix(12)), key: "g:lib1:1").report.restored.count == 1)
        #expect(throws: MaintenanceError.self) { try services.restore(run: "g:nothing:1", key: nil) }
        #expect(throws: MaintenanceError.self) { try services.restore(run: "2", key: nil) }
    }

    /// Of two runs the newest that has it, and where several begin alike none.
    @Test func ofSeveralRunsTheNewestGivesItBack() async throws {
        let services = services(limit: 100)
        _ = try services.scan()
        _ = try await prune(services, to: 8)
        try bench.add("lib0", daysAgo: 90, bytes: 1_000_000)
        let again = self.services(limit: 100, later: .minutes(5))
        var options = PruneOptions()
        options.goal = PruneGoal(selection: EntrySelection(keys: ["g:lib0:1"]))
        let second = try await again.prune(options).report.run
        #expect(throws: MaintenanceError.self) {
            try services.restore(run: String(second.prefix(8)), key: nil)
        }
        #expect(try services.restore(run: "g:lib0:1", key: nil).report.run == second)
    }

    /// A key that looks like a pattern is that key.
    @Test func aKeyThatLooksLikeAPatternIsMeantAsItIs() async throws {
        try bench.add("star*x", daysAgo: 90)
        try bench.add("starABCx", daysAgo: 90)
        let services = services(limit: 100)
        _ = try services.scan()
        let run = try await prune(services, to: 8).run
        let restored = try services.restore(run: run, key: "g:star*x:1").report.restored
        #expect(restored.map(\.key) == ["g:star*x:1"])
        #expect(!bench.exists("starABCx"))
    }

    /// A schedule in the configuration is somebody's while a daemon lives.
    @Test func whatComesNextIsToldWhileADaemonLives() throws {
        let services = services(limit: 100) { configuration in
            configuration.daemon.prune = CronSchedule("0 3 * * *")
        }
        _ = try services.scan()
        #expect(try services.status().volumes.first?.next.isEmpty == true)
        var presence: DaemonPresence? = DaemonPresence(stateDirectory: state.path)
        #expect(presence?.isAlone == true)
        #expect(try services.status().volumes.first?.next.map(\.activity).contains("prune") == true)
        #expect(DaemonPresence(stateDirectory: state.path).isAlone == false)
        presence = nil
        #expect(try services.status().volumes.first?.next.isEmpty == true)
        #expect(presence == nil)
    }

    /// Where nothing may go, a prune is no advice; where it is not enough, that is said.
    @Test func statusSaysWhetherAPruneHelps() throws {
        func text(keep: [String]) throws -> String {
            let services = services(limit: 8) { $0.volumes[0].keep = keep }
            _ = try services.scan()
            return try services.statusWithOutlook().text(width: 200, color: false, now: BuildVolume.now())
        }
        let helped = try text(keep: [])
        #expect(helped.contains("Run: larder prune --volume build") && !helped.contains("stands in the way"))
        let stuck = try text(keep: ["*"])
        #expect(stuck.contains("Over quota, and nothing may be evicted"))
        #expect(!stuck.contains("larder prune") && stuck.contains("larder plan --volume build"))
        let short = try text(keep: (0..<8).map { "g:lib\($0):1" })
        #expect(short.contains("not reach its goal") && short.contains("Run: larder prune"))
        #expect(!short.contains("not filling up"))
    }

    /// Prunes that found nothing to do, so many hours from now.
    private func record(prunesAt hours: [Int64], in index: CacheIndex) throws {
        for hours in hours {
            let at = BuildVolume.now() + .hours(hours)
            try index.record(
                EvictionOutcome(
                    volume: "build", evicted: [], refused: [], freedBytes: .zero, trashedBytes: .zero,
                    usedBefore: .zero, usedAfter: .zero, overQuota: false),
                run: RunRecord(id: "run-\(hours)", kind: "prune", startedAt: at, finishedAt: at, exitCode: 0))
        }
    }

    /// What is foretold is the prune at its time: by then other entries are older than the idle floor.
    @Test func theNextPruneIsForetoldForItsTime() throws {
        for number in 0..<6 {
            let path = bench.path("lib\(number)")
            try bench.directory.shell("touch -a -d '4 hours ago' \(path)/*; touch -d '4 hours ago' \(path)")
        }
        let floor: (inout Configuration) -> Void = { $0.idleFloor = .hours(24) }
        let early = services(limit: 5, floor)
        _ = try early.scan()
        let index = try early.index()
        try record(prunesAt: [-98, -74, -50, -26, -2], in: index)
        let now = try #require(try early.plan().report.plans.first)
        let coming = try #require(now.coming)
        let late = services(limit: 5, later: .hours(22), floor)
        let then = try #require(try late.plan().report.plans.first)
        #expect(now.evict.count != then.evict.count)
        #expect(coming.entries == Int64(then.evict.count) && coming.freed == then.freedBytes)
        let status = try early.statusWithOutlook().text(width: 200, color: false, now: BuildVolume.now())
        #expect(status.contains("it would evict \(then.evict.count) entries"), "\(status)")
        #expect(status.contains("if nothing is used until then"))
        #expect(
            try early.plan().report.text(width: 200, color: false, now: BuildVolume.now())
                .contains("would evict \(then.evict.count) entries"))
    }

    /// The next one is told by those that came, where no daemon keeps the volume; and that it is late.
    @Test func statusSaysWhenTheNextPruneComesByThoseBefore() throws {
        func text(hours: Int64) throws -> String {
            try services(limit: 100, later: .hours(hours)).statusWithOutlook()
                .text(width: 200, color: false, now: BuildVolume.now() + .hours(hours))
        }
        _ = try services(limit: 100).scan()
        #expect(try text(hours: 0).contains("next: not known"))
        let index = try services(limit: 100).index()
        try record(prunesAt: [0, 24, 30, 48, 72], in: index)
        #expect(try text(hours: 80).contains("next: prune in about 15 h, as they came every 24 h so far"))
        #expect(try text(hours: 130).contains("prunes came every 24 h, and the next one is 34 h late"))
        let presence = DaemonPresence(stateDirectory: state.path)
        #expect(try !text(hours: 130).contains("prunes came every"))
        withExtendedLifetime(presence) {}
    }

    /// What a prune would do is told where it helps, and what is above the critical level is called so.
    @Test func statusSaysWhatAPruneWouldDo() async throws {
        func text(limit: Int64) throws -> String {
            let services = services(limit: limit)
            _ = try services.scan()
            return try services.statusWithOutlook().text(width: 200, color: false, now: BuildVolume.now())
        }
        #expect(try text(limit: 100).contains("as things stand, a prune would evict nothing"))
        #expect(try !text(limit: 11).contains("above its critical level"))
        let bytes = try bench.directory.shell(
            "du -s -B1 .m2/repository/g/*/1 | awk '{s += $1} END {print s}'")
        let all = ByteCount(try #require(Int64(bytes.dropLast())))
        #expect(try text(limit: 11).contains("most of it: g \(all)"))
        let said = try text(limit: 10)
        #expect(said.contains("above its critical level of 9.5 MiB: a prune purges from the trash"))
        let outcome = try #require(try await prune(services(limit: 10)).volumes.first?.outcome)
        let freed = outcome.evicted.reduce(ByteCount.zero) { $0 + $1.bytes }
        #expect(
            said.contains("a prune would evict \(outcome.evicted.count) entries and free \(freed); which: ")
                && !outcome.evicted.isEmpty)
    }

    /// Whoever looks for what is gone knows a part of its name.
    @Test func whatIsGoneIsFoundByAPartOfItsName() async throws {
        let services = services(limit: 100)
        _ = try services.scan()
        #expect(try services.explain("lib0").reports.map(\.key) == ["g:lib0:1"])
        _ = try await prune(services, to: 8)
        try #require(!bench.exists("lib0"))
        for name in ["lib0", "lib0:", "g:lib0*", "*lib0:?"] {
            let found = try services.explain(name).reports
            #expect(found.map(\.key) == ["g:lib0:1"], "\(name)")
            #expect(found.allSatisfy { $0.entry == nil && $0.ghost?.keptUntil != nil }, "\(name)")
        }
        // What is there is rather meant.
        #expect(throws: Failure.self) { try services.explain("lib") }
        #expect(throws: Failure.self) { try services.explain("nothing-like-it") }
    }

    @Test func whatTookAnEntryOutOfTheTrashIsTold() async throws {
        let services = services(limit: 100)
        _ = try services.scan()
        let run = try await prune(services, to: 8).run
        _ = try services.purgeTrash()
        for name in ["g:lib0:1", run] {
            #expect {
                try services.restore(run: name, key: nil)
            } throws: {
                let text = Failure($0).message
                return text.contains(run) && text.contains("purged from the trash by larder trash purge")
            }
        }
        try bench.directory.shell("rm -r .m2/repository/g/lib5")
        _ = try services.scan()
        #expect {
            try services.restore(run: "g:lib5:1", key: nil)
        } throws: {
            Failure($0).message.contains("was never in the trash")
        }
    }

    /// A run of which something was brought back, looked at by itself, marks what is still there.
    @Test func aRunMarksWhatIsStillInTheTrash() async throws {
        let services = services(limit: 100)
        _ = try services.scan()
        let run = try await prune(services, to: 7).run
        let index = try services.index(readOnly: true)
        let all = try #require(try index.run(named: run, lines: 50)?.volumes.first)
        #expect(all.inTrash == all.evicted && all.evicted > 2 && all.keysInTrash.isEmpty)
        _ = try services.restore(run: run, key: "g:lib1:1")
        let summary = try #require(try services.index(readOnly: true).run(named: run, lines: 50))
        let left = try #require(summary.volumes.first)
        #expect(left.keysInTrash == Set(left.firstEvicted.map(\.key)).subtracting(["g:lib1:1"]))
        let page = Dashboard(
            status: StatusReport(volumes: []), trashRetention: ["build": .days(1)], version: "1",
            readAt: BuildVolume.now()
        ).runPage(summary, now: BuildVolume.now())
        #expect(
            page.components(separatedBy: "(still in the trash)").count - 1 == left.keysInTrash.count)
    }

    /// What was brought back is not said to be lost: on the page of a run, and on that of all.
    @Test func aRunThatWasBroughtBackIsNotLost() async throws {
        let services = services(limit: 100)
        _ = try services.scan()
        let run = try await prune(services, to: 7).run
        func pages() throws -> (run: String, all: String, volume: RunSummary.OnVolume, summary: RunSummary) {
            let index = try services.index(readOnly: true)
            let summary = try #require(try index.run(named: run, lines: 50))
            let dashboard = Dashboard(
                status: StatusReport(volumes: []), trashRetention: ["build": .days(1)], version: "1",
                readAt: BuildVolume.now())
            return (
                dashboard.runPage(summary, now: BuildVolume.now()),
                dashboard.runsPage(
                    try index.runPage(limit: 5).runs, next: nil, previous: nil, now: BuildVolume.now()),
                try #require(summary.volumes.first), summary
            )
        }
        let before = try pages()
        #expect(before.volume.present == 0 && before.volume.evicted > 2)
        _ = try services.restore(run: run, key: nil)
        let after = try pages()
        #expect(after.volume.inTrash == 0 && after.volume.present == after.volume.evicted)
        // Nobody is promised a time that is over.
        let late = Dashboard(
            status: StatusReport(volumes: []), trashRetention: ["build": .seconds(-1)], version: "1",
            readAt: BuildVolume.now())
        #expect(
            late.runPage(before.summary, now: BuildVolume.now()).contains("until the next prune, as the time")
        )
        for page in [after.run, after.all] {
            #expect(page.contains("on the volume again") && !page.contains("fetches"), "\(page)")
        }
        // A part of it goes another way.
        try FileManager.default.removeItem(atPath: bench.volume.path + "/.m2/repository/g/lib1/1")
        _ = try services.scan()
        let partly = try pages()
        #expect(partly.volume.present == partly.volume.evicted - 1)
        #expect(partly.run.contains("on the volume again. The others are not in the trash"))
    }
}
