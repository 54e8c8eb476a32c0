import CacheModel
import Reporting

/// One report of each kind, as a night on a 20 GiB volume makes them.
enum Samples {
    static let entries: [CacheEntry] =
        (1...8).map { artifact($0, hoursIdle: 2000 - $0 * 100, evidence: $0 == 2 ? .firstSeen : .atime) } + [
            artifact(
                9, key: "com.example:inhouse:2.1", bytes: gibibytes(3), protections: .init(.locallyInstalled)),
            artifact(10, pool: .gradle, bytes: gibibytes(4), hoursIdle: 3, evidence: .gradleJournal),
        ]
    static let volume = usage(entries, used: gibibytes(17.5), trash: gibibytes(0.5))
    static let plan = EvictionPolicy().plan(volume, under: quota(20), now: now)
    static let stuck = EvictionPolicy(idleFloor: .days(30), poolQuotas: [.gradle: quota(2)]).plan(
        volume, under: quota(10), now: now)

    static let images = [
        image(1, layers: ["a", "base"], names: ["registry.example/app:1", "registry.example/app:latest"]),
        image(2, layers: ["a", "base"], names: ["registry.example/app:rebuilt"], hoursIdle: 900),
    ]
    static let imagePlan = EvictionPolicy().plan(
        usage(
            images, layers: [layer("a", stored: gibibytes(1.5)), layer("base", stored: gibibytes(0.5))],
            used: gibibytes(2), volume: "images"), under: quota(2), now: now)

    static let scan = ScanReport(
        startedAt: ago(hours: 1), duration: Span(nanoseconds: 3_234_567_890),
        volumes: [
            .init(
                name: "build", path: "/cache", scan: 7, complete: true, directories: 80_012, files: 500_123,
                bytes: gibibytes(17.5), apparentBytes: gibibytes(16.25),
                pools: [
                    .init(
                        pool: .maven, entries: 1234, files: 6170, bytes: gibibytes(12), new: 12, used: 300,
                        gone: 3),
                    .init(
                        pool: .gradle, entries: 56, files: 120, bytes: gibibytes(4), new: 0, used: 40, gone: 0
                    ),
                ])
        ], skipped: [SkippedVolume(name: "images", path: "/podman-data/storage", reason: "not mounted")])

    static let incompleteScan = ScanReport(
        startedAt: ago(hours: 1), duration: .seconds(75),
        volumes: [
            .init(
                name: "build", path: "/cache", scan: 1, baseline: true, complete: false, directories: 2,
                files: 1,
                bytes: ByteCount(8192), apparentBytes: ByteCount(10), unreadable: 7,
                unreadablePaths: (1...7).compactMap { number in
                    VolumePath("private/\(number)").map {
                        UnreadablePath(path: $0, reason: "Permission denied")
                    }
                }, pools: [])
        ])

    static let status = StatusReport(
        volumes: [
            .init(
                name: "build", path: "/cache", capacity: gibibytes(20), usedBytes: gibibytes(16.8),
                quota: quota(20), trashBytes: gibibytes(1.2), entries: 1290,
                hitRates: RecentHitRates(
                    lastScan: HitRate(),
                    day: HitRate(hits: 934, misses: 66, hitBytes: gibibytes(9), missBytes: gibibytes(1)),
                    week: HitRate(hits: 9, misses: 0, hitBytes: gibibytes(1), missBytes: .zero),
                    month: HitRate(hits: 0, misses: 3, hitBytes: .zero, missBytes: gibibytes(1))),
                lastScan: ago(hours: 3), lastPrune: ago(hours: 50),
                evidence: EvidenceQuality(
                    .medium, reason: "mounted relatime: reads count once a day until armed")),
            .init(
                name: "images", path: "/podman-data/storage", capacity: gibibytes(50),
                usedBytes: gibibytes(46), quota: quota(50), trashBytes: .zero, entries: 1,
                hitRates: RecentHitRates(day: HitRate(hits: 0, misses: 4)), lastScan: ago(hours: 3),
                lastPrune: nil, evidence: EvidenceQuality(.none, reason: "mounted noatime")),
        ],
        warnings: [
            .init(code: "noatime", text: "images gives no evidence of use", hint: "Mount it with relatime.")
        ])

    static let list = ListReport(
        rows: entries.map { entry in
            .init(volume: "build", entry: entry, protected: entry.found.protections.all.first)
        } + images.map { .init(volume: "images", entry: $0, protected: nil) }, order: .used, limit: 11)

    static let planReport = PlanReport(id: "plan-7", createdAt: now, plans: [plan, imagePlan])
    static let stuckReport = PlanReport(id: "plan-8", createdAt: now, plans: [stuck])

    static let prune = PruneReport(
        run: "run-9", dryRun: false,
        volumes: [
            .init(
                outcome: EvictionOutcome(
                    volume: "build",
                    evicted: [
                        .init(entryID: 1, pool: .maven, key: "org.example:lib-1:1.0", bytes: gibibytes(1))
                    ],
                    refused: [
                        .init(
                            entryID: 2, pool: .maven, key: "org.example:lib-2:1.0", bytes: gibibytes(1),
                            reason: "used since the plan was made")
                    ],
                    freedBytes: gibibytes(0.25), trashedBytes: gibibytes(0.75), usedBefore: gibibytes(17.5),
                    usedAfter: gibibytes(16.5), overQuota: true), plan: stuck)
        ])
    static let dryRun = PruneReport(run: "run-10", dryRun: true, volumes: [.init(dryRunOf: plan)])

    static let explain = ExplainReport(
        key: "org.example:lib-2:1.0", volume: "build", entry: entries[1],
        verdict: plan.verdict(on: entries[1]),
        evictions: Int64(plan.evict.count),
        accesses: [
            .init(
                at: ago(hours: 2000), kind: .miss, evidence: .firstSeen, bytes: gibibytes(1), regret: true,
                jobs: ["4711"])
        ],
        ghost: .init(goneAt: ago(hours: 2100), run: "run-3", bytes: gibibytes(1), lastUsed: ago(hours: 3000)),
        trust: EvidenceQuality(.low, reason: "mounted read-only: access times cannot be armed"))
    static let explainGone = ExplainReport(
        key: "org.example:old:1.0", volume: "build", entry: nil, verdict: nil,
        ghost: .init(goneAt: ago(hours: 100), run: nil, bytes: gibibytes(1), lastUsed: ago(hours: 300)))
    /// An image of which event logs tell whose jobs used it, one of them with a name that is none.
    static let explainProjects: ExplainReport = {
        var report = ExplainReport(
            key: "registry.example/app:1", volume: "images", entry: nil, verdict: nil,
            accesses: [
                .init(
                    at: ago(hours: 1), kind: .hit, evidence: .podmanEvents, bytes: gibibytes(2), project: "42"
                ),
                .init(
                    at: ago(hours: 9), kind: .miss, evidence: .firstSeen, bytes: gibibytes(2),
                    jobs: ["8", "9"],
                    project: "<b>\u{1b}[2J"),
            ], ghost: .init(goneAt: now, run: nil, bytes: gibibytes(2), lastUsed: ago(hours: 1)))
        report.projects = [
            ProjectAccesses(project: "42", hits: 1200, misses: 0, last: ago(hours: 1)),
            ProjectAccesses(project: "<b>\u{1b}[2J", hits: 0, misses: 1, last: ago(hours: 9)),
        ]
        return report
    }()
    static let explainImage = ExplainReport(
        key: "registry.example/app:1", volume: "images", entry: images[0],
        verdict: imagePlan.verdict(on: images[0]), evictions: 2)

    static let ingest = IngestReport(
        kind: "maven-log", log: "build.log", volume: "build", job: "4711", lines: 1234, skipped: 1200,
        others: 12, damaged: 2, firstDamaged: 17, isCut: false,
        entries: [
            IngestedDownload(
                pool: .maven, key: "org.example:lib-2:1.0", files: 2, bytes: gibibytes(1), result: .recorded),
            IngestedDownload(
                pool: .maven, key: "org.example:lib-3:1.0", files: 1, bytes: ByteCount(4700), result: .seen),
            IngestedDownload(
                pool: .maven, key: "org.example:lib-4:1.0", files: 1, bytes: .zero, result: .notHere),
        ])
    static let ingestNothing = IngestReport(
        kind: "gradle-log", log: "-", volume: "build", job: nil, lines: 10, skipped: 10, others: 0,
        damaged: 0, firstDamaged: nil, isCut: false, entries: [])

    static let error = ErrorReport(
        code: 78, error: "larder.yaml:12: volumes[0].high: 90% is above the limit of 80%",
        hint: "Set high to at most the limit, and low below it.")

    static let all: [any Report] = [
        scan, incompleteScan, status, list, planReport, stuckReport, prune, dryRun, explain, explainGone,
        explainImage, ingest, ingestNothing, error, warm, warmPreview, drift,
    ]
}
