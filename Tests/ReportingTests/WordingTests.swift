import CacheModel
import Foundation
import Reporting
import Testing

/// Sentences that must be true of what they stand above, and figures that must add up as they are printed.
struct WordingTests {
    private func text(_ report: some Report) -> String {
        report.text(width: unboundedWidth, color: false, now: now)
    }

    @Test func aSizeAskedForIsNotCalledTheHighWatermark() {
        let full = usage(Samples.entries, used: gibibytes(19))
        let plan = EvictionPolicy(target: gibibytes(19.5)).plan(full, under: quota(20), now: now)
        let page = text(PlanReport(id: "p", createdAt: now, plans: [plan]))
        #expect(page.contains("build uses 19.0 GiB, which is within the 19.5 GiB asked for"))
        #expect(!page.contains("no volume is above"))
    }

    @Test func aKeyThatNothingHasIsNoProtection() throws {
        let selection = EntrySelection(keys: ["org.example:lib-1:1.1"])
        let plan = EvictionPolicy(selection: selection).plan(Samples.volume, under: quota(20), now: now)
        var report = PlanReport(id: "p", createdAt: now, plans: [plan])
        report.unknownKeys = [
            .init(key: "org.example:lib-1:1.1", nearest: ["org.example:lib-1:1.0"])
        ]
        let said = "no entry has the key org.example:lib-1:1.1; the nearest names are: org.example:lib-1:1.0"
        #expect(text(report).hasPrefix("Nothing to evict: \(said).\n"))
        let unknown = try #require(try parsed(report)["unknown_keys"] as? [[String: Any]])
        #expect(unknown.map { $0["key"] as? String } == ["org.example:lib-1:1.1"])
        #expect(unknown.first?["nearest"] as? [String] == ["org.example:lib-1:1.0"])
        var pruned = PruneReport(run: "r", dryRun: false, volumes: [.init(dryRunOf: plan)])
        pruned.unknownKeys = report.unknownKeys
        #expect(text(pruned).hasPrefix("Nothing to evict: \(said).\n"))
        // One that is there and kept is said to be.
        let kept = EvictionPolicy(selection: EntrySelection(keys: ["com.example:inhouse:2.1"])).plan(
            Samples.volume, under: quota(20), now: now)
        #expect(
            text(PlanReport(id: "p", createdAt: now, plans: [kept])).hasPrefix(
                "Nothing to evict: every entry with the key com.example:inhouse:2.1 is kept."))
    }

    @Test(arguments: [1_003_000, 1_017_000, 1_031_000, 1_045_000, 1_059_000, 1_073_000] as [Int64])
    func aFigureIsPrintedOnceAndAddsUp(size: Int64) throws {
        let entries = (1...20).map { artifact($0, bytes: ByteCount(size + $0 * 731)) }
        let used = entries.reduce(ByteCount.zero) { $0 + $1.bytes }
        let plan = EvictionPolicy().plan(
            usage(entries, used: used), under: quota(22 / 1024), now: now)
        let page = text(PlanReport(id: "p", createdAt: now, plans: [plan]))
        let freed = page.matches(of: /freeing ([\d.]+ MiB)/).map { String($0.1) }
        #expect(freed.count == 2 && Set(freed).count == 1, "\(freed)")
        let outcome = EvictionOutcome(
            volume: "build",
            evicted: plan.evict.map {
                .init(entryID: $0.entry.id, pool: $0.entry.pool, key: $0.entry.key, bytes: $0.freedBytes)
            },
            trashedBytes: plan.freedBytes, usedBefore: used, usedAfter: plan.usedAfter, overQuota: false)
        let pruned = text(
            PruneReport(run: "r", dryRun: false, volumes: [.init(outcome: outcome, plan: plan)]))
        let left = try #require(pruned.firstMatch(of: /evicted: ([\d.]+) MiB left/))
        let change = try #require(pruned.firstMatch(of: /build  ([\d.]+) MiB → ([\d.]+) MiB/))
        func tenths(_ text: Substring) throws -> Int { Int((try #require(Double(text)) * 10).rounded()) }
        #expect(try tenths(change.1) - tenths(left.1) == tenths(change.2), "\(pruned)")
        #expect(pruned.contains("\(left.1) MiB in the trash"))
    }

    @Test func aPruneThatEndsAboveItsGoalSaysSo() {
        let entries = [artifact(1, bytes: gibibytes(2))]
        let plan = EvictionPolicy().plan(usage(entries, used: gibibytes(18)), under: quota(20), now: now)
        let outcome = EvictionOutcome(
            volume: "build",
            evicted: [.init(entryID: 1, pool: .maven, key: "k", bytes: gibibytes(2))],
            freedBytes: gibibytes(2), usedBefore: gibibytes(18), usedAfter: gibibytes(16), overQuota: false)
        let page = text(PruneReport(run: "r", dryRun: false, volumes: [.init(outcome: outcome, plan: plan)]))
        #expect(page.contains("above the goal of 14.0 GiB still"))
    }

    @Test func anEntryInTheTrashIsSaidToBeThere() throws {
        var ghost = ExplainReport.Ghost(
            goneAt: ago(hours: 1), run: "run-3", bytes: gibibytes(1), lastUsed: ago(hours: 3000))
        ghost.keptUntil = now + .hours(23)
        func explained() -> ExplainReport {
            ExplainReport(key: "org.example:old:1.0", volume: "build", entry: nil, verdict: nil, ghost: ghost)
        }
        #expect(text(explained()).contains("It is in the trash until \(now + .hours(23))"))
        #expect(
            text(explained()).contains("To bring it back: larder trash restore run-3 'org.example:old:1.0'"))
        let gone = try #require(try parsed(explained())["ghost"] as? [String: Any])
        #expect(gone["in_trash"] as? Bool == true)
        #expect(gone["restore"] as? String == "larder trash restore run-3 'org.example:old:1.0'")
        ghost.keptUntil = nil
        ghost.purge = TrashPurge(at: now, by: "run-4", cause: .critical)
        #expect(text(explained()).contains("It was purged from the trash by run-4 at \(now)"))
        #expect(!text(explained()).contains("larder trash restore"))
    }

    @Test func aUseBeforeARestoreIsNotDenied() {
        var entry = artifact(1, hoursIdle: 960, evidence: .firstSeen)
        (entry.firstSeen, entry.lastUsed) = (now, now)
        #expect(entry.lastUse(asOf: now) == "there since 0 s ago (first-seen), and last read 40 d ago")
        entry.found.accessed = Timestamp(nanoseconds: 0)
        #expect(entry.lastUse(asOf: now) == "no use seen, there since 0 s ago (first-seen)")
    }

    @Test func anImagesLastTraceIsNotCalledAContainer() {
        #expect(Samples.explainImage.traces.allSatisfy { !$0.meaning.contains("container") })
    }

    @Test func anImageNamesThoseThatShareItsLayers() throws {
        var report = Samples.explainImage
        report.sharing = [SharedLayers(key: "registry.example/other:1", layers: 2, bytes: gibibytes(1))]
        #expect(text(report).contains("shares 2 layers, 1.0 GiB, with registry.example/other:1"))
        let page = Dashboard.page(on: Explanation(name: "x", reports: [report]), asOf: nil, now: now)
        #expect(page.contains("registry.example/other:1</a>: 2 layers, 1.0 GiB"))
        #expect((try parsed(report)["shares_layers_with"] as? [Any])?.count == 1)
    }

    @Test func aPathOfNoPoolIsExplained() throws {
        var explanation = Explanation(name: "dump/x", reports: [])
        #expect(explanation.isEmpty)
        explanation.unmanaged = [
            .init(
                volume: "build",
                directory: UnmanagedDirectory(
                    path: try #require(VolumePath("dump")), bytes: gibibytes(1), files: 3, tool: "npm"))
        ]
        #expect(!explanation.isEmpty)
        #expect(
            text(explanation).hasPrefix(
                "Unmanaged: dump/x\n  dump on volume build holds 1.0 GiB in 3 files of no pool, npm. Larder never "
            ))
        let document = try parsed(explanation)
        #expect(document["volume"] as? String == "build" && document["entry"] != nil)
        #expect((document["unmanaged"] as? [[String: Any]])?.first?["tool"] as? String == "npm")
    }

    @Test func oneEntryIsBackAndSeveralAre() {
        func restored(_ count: Int) -> String {
            text(
                RestoreReport(
                    run: "run-1", volume: "build",
                    restored: (0..<count).map { .init(key: "k\($0)", bytes: .zero) }, refused: []))
        }
        #expect(restored(1).contains("1 entry of run-1 is back on build"))
        #expect(restored(2).contains("2 entries of run-1 are back on build"))
    }

    @Test func cardsAndPlansNameWhatBelongsToNoPool() throws {
        let directory = UnmanagedDirectory(
            path: try #require(VolumePath("sonar-cache")), bytes: gibibytes(3), files: 3, tool: "")
        var status = Samples.status
        status.volumes[0].unmanaged = [directory]
        #expect(status.html(version: "1", now: now).contains("<li>3.0 GiB in sonar-cache</li>"))
        var plan = Samples.plan
        plan.unmanaged = [directory]
        #expect(
            PlanPage(PlanReport(id: "p", createdAt: now, plans: [plan])).html(now: now).contains(
                "<li>3.0 GiB in sonar-cache</li>"))
    }

    /// By `TZ=… date`.
    @Test(arguments: [
        ("UTC", "2026-11-28T01:43:00Z"), ("Europe/Berlin", "2026-11-28T02:43:00+01:00"),
        ("Asia/Kolkata", "2026-11-28T07:13:00+05:30"), ("America/St_Johns", "2026-11-27T22:13:00-03:30"),
    ])
    func thePlanTellsTimesByTheDaemonsClock(zone: String, time: String) throws {
        let due = try #require(Timestamp(rfc3339: "2026-11-28T01:43:00Z"))
        let next = Dashboard.Activity(name: "prune", volume: Samples.plan.volume, nextDue: due)
        let page = PlanPage(
            PlanReport(id: "p", createdAt: now, plans: [Samples.plan]), next: [Samples.plan.volume: next],
            zone: try #require(zone == "UTC" ? .gmt : TimeZone(identifier: zone)))
        #expect(page.html(now: now).contains("at \(time)."))
    }

    /// Where a prune does not wait for its schedule, no page names the schedule.
    @Test func aPruneAboveTheCriticalLevelComesAtTheNextLook() {
        var status = Samples.status
        let name = status.volumes[0].name
        status.volumes[0].usedBytes = status.volumes[0].quota.limit
        func page(_ critical: ByteCount?) -> String {
            status.volumes[0].critical = critical
            return Dashboard(
                status: status, activities: [.init(name: "prune", volume: name, nextDue: now + .hours(7))],
                version: "1", readAt: now
            ).schedulePage(now: now)
        }
        #expect(page(status.volumes[0].quota.high).contains("at the next look"))
        #expect(page(nil).contains("in 7 h"))
    }
}
