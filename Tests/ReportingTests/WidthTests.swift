import CacheModel
import Reporting
import TestSupport
import Testing

/// No line is wider than the page, whatever the texts are.
struct WidthTests {
    @Test(arguments: 0..<20)
    func hostileTextsStayWithinThePage(_ group: Int) {
        for round in 0..<5 {
            var generator = SeededGenerator(seed: UInt64(group * 100 + round))
            for report in Self.hostileReports(&generator) {
                for width in [80, 40, 133] {
                    let text = report.text(width: width, color: false, now: now)
                    #expect(widestLine(of: text) <= width, "\(type(of: report)), \(group), \(round): \(text)")
                    #expect(text.hasSuffix("\n"))
                    #expect(
                        !text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" || $0.value == 0x202e })
                }
            }
        }
    }

    /// What is no terminal gets each paragraph, each row and each list whole.
    @Test(arguments: 0..<5)
    func withoutAnEdgeNothingIsBroken(_ group: Int) {
        var generator = SeededGenerator(seed: UInt64(7000 + group))
        for report in Self.hostileReports(&generator) {
            let text = report.text(width: unboundedWidth, color: false, now: now)
            #expect(!text.contains("(--format json lists all)"))
        }
        let keys = (1...60).map { "org.example.\(String(repeating: "long-", count: 30))\($0):lib:1.0" }
        let entries = keys.enumerated().map { place, key in
            artifact(Int64(place), key: key, path: "p/\(place)", bytes: ByteCount(1000), hoursIdle: 5000)
        }
        let plan = EvictionPolicy(target: .zero).plan(
            usage(entries, used: ByteCount(60_000)), under: quota(1), now: now)
        let outcome = EvictionOutcome(
            volume: "build",
            refused: entries.map {
                .init(entryID: $0.id, pool: .maven, key: $0.key, bytes: $0.bytes, reason: "in use")
            }, freedBytes: .zero, usedBefore: .zero, usedAfter: .zero,
            overQuota: false)
        let reports: [any Report] = [
            PlanReport(id: "p", createdAt: now, plans: [plan]),
            PruneReport(run: "r", dryRun: true, volumes: [.init(dryRunOf: plan)]),
            PruneReport(run: "r", dryRun: false, volumes: [.init(outcome: outcome, plan: nil)]),
            ListReport(rows: entries.map { .init(volume: "build", entry: $0, protected: nil) }, order: .key),
            TrashReport(runs: [
                .init(
                    id: "r", volume: "build", createdAt: now, keptUntil: now + .days(1),
                    entries: entries.map { .init(key: $0.key, bytes: $0.bytes) })
            ]),
        ]
        for report in reports {
            let lines = report.text(width: unboundedWidth, color: false, now: now).split(separator: "\n")
            for key in keys { #expect(lines.contains { $0.hasSuffix(key) }, "\(type(of: report))") }
        }
        let long = String(repeating: "many words ", count: 40)
        let doctor = DoctorReport(
            Diagnosis(
                tier: .full, obstacle: nil,
                findings: [.init(.mounts, "m", .problem, long, why: long, cure: long)]), at: now
        ).text(width: unboundedWidth, color: false, now: now)
        #expect(doctor.split(separator: "\n").count { $0.contains("many words") } == 3)
        // On a terminal a key is whole as well: beside its row's figures, or below them.
        let list = reports[3].text(width: 80, color: false, now: now)
        #expect(!list.contains("…"))
        for key in keys { #expect(list.replacing(/\n +/, with: "").contains(key)) }
    }

    @Test func colorsTakeNoColumns() {
        for report in Samples.all {
            let plain = report.text(width: 80, color: false, now: now)
            let colored = report.text(width: 80, color: true, now: now)
            #expect(colored.contains("\u{1b}["))
            #expect(colored.replacing(/\u{1b}\[[0-9;]*m/, with: "") == plain)
            #expect(!plain.contains("\u{1b}"))
        }
    }

    @Test func samplesFitAPage() {
        for report in Samples.all {
            #expect(widestLine(of: report.text(width: 80, color: false, now: now)) <= 80)
        }
    }

    @Test func longListsAreCut() {
        let entries = (1...1254).map { artifact($0, bytes: ByteCount(1000), hoursIdle: 5000 - $0) }
        let plan = EvictionPolicy(target: .zero).plan(
            usage(entries, used: ByteCount(1_254_000)), under: quota(1), now: now)
        let report = PlanReport(id: "p", createdAt: now, plans: [plan])
        let text = report.text(color: false, now: now)
        #expect(text.contains("  … and 1,234 more (--format json lists all)\n"))
        #expect(text.contains("org.example:lib-20:1.0") && !text.contains("org.example:lib-21:1.0"))
        let pruned = PruneReport(run: "r", dryRun: true, volumes: [.init(dryRunOf: plan)])
        #expect(pruned.text(color: false, now: now).contains("… and 1,234 more"))
    }

    private static func hostileReports(_ generator: inout SeededGenerator) -> [any Report] {
        func word() -> String { hostileWord(&generator) }
        func number() -> Int64 {
            Int64.random(in: 0...(1 << Int64.random(in: 0...62, using: &generator)), using: &generator)
        }
        func size() -> ByteCount { ByteCount(number()) }
        let entries = (0..<Int64(12)).map { id in
            let time = Timestamp(nanoseconds: Int64.random(in: .min...(.max), using: &generator))
            var entry = artifact(
                id, key: word(), path: "p\(id)/" + word().replacing("/", with: ""), bytes: size())
            entry.lastUsed = time
            entry.evidence = Evidence.allCases.randomElement(using: &generator) ?? .atime
            return entry
        }
        let quota = Quota(limit: size(), high: size(), low: size())
        let plan = EvictionPolicy(idleFloor: .zero, poolQuotas: [.maven: quota]).plan(
            usage(entries, used: size(), volume: word()), under: quota, now: now)
        let lines = entries.map {
            EvictionOutcome.Line(entryID: $0.id, pool: .maven, key: $0.key, bytes: size(), reason: word())
        }
        let outcome = EvictionOutcome(
            volume: word(), evicted: lines, refused: lines, freedBytes: size(), trashedBytes: size(),
            usedBefore: size(), usedAfter: size(), overQuota: true)
        let skipped = [SkippedVolume(name: word(), path: word(), reason: word())]
        return [
            PlanReport(id: word(), createdAt: now, plans: [plan], skipped: skipped),
            PruneReport(
                run: word(), dryRun: false, volumes: [.init(outcome: outcome, plan: plan)], skipped: skipped),
            ListReport(
                rows: entries.map { .init(volume: word(), entry: $0, protected: .inFlight) },
                order: ListReport.Order.allCases.randomElement(using: &generator) ?? .used),
            ExplainReport(
                key: word(), volume: word(), entry: entries[0], verdict: plan.verdict(on: entries[0]),
                evictions: number(),
                accesses: [.init(at: entries[0].lastUsed, kind: .hit, evidence: .atime, bytes: size())],
                ghost: .init(goneAt: now, run: word(), bytes: size(), lastUsed: now)),
            StatusReport(
                volumes: [
                    .init(
                        name: word(), path: word(), capacity: size(), usedBytes: size(), quota: quota,
                        trashBytes: size(), entries: number(),
                        hitRates: RecentHitRates(day: HitRate(hits: number(), misses: 1)), lastScan: now,
                        lastPrune: nil, evidence: EvidenceQuality(.low, reason: word()))
                ], warnings: [.init(code: word(), text: word() + " " + word(), hint: word())]),
            ScanReport(
                startedAt: now, duration: Span(nanoseconds: number()),
                volumes: [
                    .init(
                        name: word(), path: word(), scan: 1, complete: false, directories: number(),
                        files: number(), bytes: size(), apparentBytes: size(), unreadable: 9,
                        unreadablePaths: [.init(path: entries[1].found.path, reason: word())],
                        pools: [
                            .init(
                                pool: .gradleOther, entries: number(), files: number(), bytes: size(),
                                new: number(), used: number(), gone: number())
                        ])
                ], skipped: skipped),
            ErrorReport(code: 1, error: word() + "\n" + word(), hint: word()),
        ]
    }

    private static func hostileWord(_ generator: inout SeededGenerator) -> String {
        let alphabets: [[Character]] = [
            Array("abcdefghijklmnop.:-/0123456789"), Array("依存関係のキャッシュ倉庫"), Array("한국어저장소"),
            Array("📦🚀🗄"), Array("a\u{301}o\u{308}e\u{302}"), Array("\u{1b}\u{7}\r\n\t\u{202e}\u{200b}x"),
            Array("x y z"),
        ]
        let alphabet = alphabets.randomElement(using: &generator) ?? []
        let length = [0, 3, 30, 200, 900].randomElement(using: &generator) ?? 0
        return String((0..<length).compactMap { _ in alphabet.randomElement(using: &generator) })
    }
}
