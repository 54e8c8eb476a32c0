import CacheModel
import Testing

/// Each protection by an entry that would go first without it.
struct ProtectionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let expected: Protection
        let entry: CacheEntry
        var policy = EvictionPolicy()

        init(_ name: String, _ expected: Protection, _ entry: CacheEntry, policy: EvictionPolicy = .init()) {
            testDescription = name
            self.expected = expected
            self.entry = entry
            self.policy = policy
        }
    }

    /// What only the scan can see, the strongest first.
    static let seenByScan =
        [.untracked]
        + Protection.allCases.filter {
            ![.untracked, .noEvidence, .keepPattern, .warmed, .idleFloor, .sharedLayers, .sharedFiles]
                .contains($0)
        } + [.noEvidence]

    static let cases: [Case] =
        seenByScan.map { protection in
            Case("seen by the scan: \(protection)", protection, artifact(1, protections: .init(protection)))
        } + [
            Case("used within the floor", .idleFloor, artifact(1, lastUsed: ago(hours: 23))),
            Case("fetched within the floor", .idleFloor, artifact(1, fetched: ago(hours: 23))),
            Case("used in the future", .idleFloor, artifact(1, lastUsed: ago(hours: -5))),
            Case(
                "used within a longer floor", .idleFloor, artifact(1),
                policy: EvictionPolicy(idleFloor: .days(7))),
            Case(
                "keep pattern over a key", .keepPattern, artifact(1, key: "com.example:core:1.0"),
                policy: EvictionPolicy(keep: ["org.*", "com.example:*:1.?"])),
            Case(
                "keep pattern over an image's second name", .keepPattern,
                image(1, layers: ["a"], names: ["registry.example/app:1", "registry.example/base:stable"]),
                policy: EvictionPolicy(keep: ["*/base:stable"])),
            Case("warmed", .warmed, artifact(1, warmedUntil: ago(hours: -1))),
            Case("a container, by count", .inUse, image(1, layers: ["a"], containers: 1)),
            Case("an image without its record", .damaged, artifact(1, pool: .images)),
            Case("shares its only layer", .sharedLayers, image(1, layers: ["shared"])),
        ]

    @Test(arguments: cases)
    func protectedEntryStays(_ test: Case) {
        let holder = image(9, layers: ["shared"], protections: .init(.inUse))
        let volume = usage(
            [test.entry, holder], layers: [layer("a", stored: 500), layer("shared", stored: 700, images: 2)])
        let plan = test.policy.plan(volume, under: quota(high: 1, low: 0), now: now)
        #expect(plan.evict.isEmpty)
        #expect(plan.verdict(on: test.entry) == .kept(test.expected))
        #expect(plan.kept.contains { $0.reason == test.expected && $0.entries > 0 })
        #expect(plan.needed && !plan.reachesGoal)
    }

    static let unprotected: [Case] = [
        Case("used at the floor exactly", .idleFloor, artifact(1, lastUsed: ago(hours: 24))),
        Case(
            "used just now, floor off", .idleFloor, artifact(1, lastUsed: now),
            policy: EvictionPolicy(idleFloor: .zero)),
        Case(
            "used in the future, floor off", .idleFloor, artifact(1, lastUsed: ago(hours: -5)),
            policy: EvictionPolicy(idleFloor: .zero)),
        Case(
            "pattern over a part of the key", .keepPattern, artifact(1),
            policy: EvictionPolicy(keep: ["org.example:lib", "example:*"])),
        Case("warmed until now", .warmed, artifact(1, warmedUntil: now)),
        Case("an image with a layer of its own", .sharedLayers, image(1, layers: ["a", "shared"])),
    ]

    @Test(arguments: unprotected)
    func unprotectedEntryGoes(_ test: Case) {
        let holder = image(9, layers: ["shared"], protections: .init(.inUse))
        let volume = usage(
            [test.entry, holder], layers: [layer("a", stored: 500), layer("shared", stored: 700, images: 2)])
        let plan = test.policy.plan(volume, under: quota(high: 1, low: 0), now: now)
        #expect(plan.evictedIDs == [1])
    }

    @Test func strongestReasonIsReported() {
        let all = Protections(rawValue: Protection.allCases.reduce(0) { $0 | Protections($1).rawValue })
        var entry = artifact(1, lastUsed: now, protections: all, warmedUntil: ago(hours: -1))
        let policy = EvictionPolicy(keep: ["*"])
        func reason() -> EvictionPlan.Verdict {
            policy.plan(usage([entry]), under: quota(high: 0, low: 0), now: now).verdict(on: entry)
        }
        for protection in Self.seenByScan {
            #expect(reason() == .kept(protection))
            entry.found.protections.remove(Protections(protection))
        }
        entry.found.protections = []
        #expect(reason() == .kept(.keepPattern))
        let withoutPattern = EvictionPolicy()
        func next() -> EvictionPlan.Verdict {
            withoutPattern.plan(usage([entry]), under: quota(high: 0, low: 0), now: now).verdict(on: entry)
        }
        #expect(next() == .kept(.warmed))
        entry.warmedUntil = nil
        #expect(next() == .kept(.idleFloor))
    }

    @Test func keptBytesCountEachLayerOnce() {
        let entries = [
            image(1, layers: ["a", "base"], protections: .init(.inUse)),
            image(2, layers: ["b", "base"], protections: .init(.inUse)),
            image(3, layers: ["c", "base"], protections: .init(.damaged)),
            artifact(4, bytes: 5, protections: .init(.inFlight)),
        ]
        let layers = [
            layer("a", stored: 20), layer("b", stored: 30), layer("c", stored: 7),
            layer("base", stored: 10, images: 3),
        ]
        let plan = EvictionPolicy().plan(
            usage(entries, layers: layers, unmanaged: 3), under: quota(high: 1, low: 0), now: now)
        #expect(
            plan.kept == [
                .init(reason: .inUse, entries: 2, bytes: ByteCount(60)),
                .init(reason: .damaged, entries: 1, bytes: ByteCount(7)),
                .init(reason: .inFlight, entries: 1, bytes: ByteCount(5)),
            ])
        #expect(plan.unmanagedBytes == ByteCount(3))
        #expect(plan.usedBytes == ByteCount(75))
    }
}

/// What a plan keeps though the words that others wrote, or the silence of a volume, speak against it.
@Suite struct DoubtTests {
    private func reason(_ entry: CacheEntry, _ policy: EvictionPolicy) -> Protection? {
        policy.protection(of: entry, now: now)
    }

    /// Poms tell where a repository begins, and any job writes poms: a pattern holds for the path.
    @Test(arguments: [
        ("acme:lib:1.0", "m2/repository/com/acme/lib/1.0"),
        ("repository.com.acme:lib:1.0", "repository/com/acme/lib/1.0"),
        ("lib:1.0", "com/acme/lib/1.0"), ("x:lib:1.0", "cached/releases/com/acme/lib/1.0"),
    ])
    func aKeepPatternHoldsWhateverKeyAPomGives(key: String, path: String) {
        let policy = EvictionPolicy(keep: ["com.acme:*"])
        #expect(reason(artifact(1, key: key, path: path), policy) == .keepPattern)
        #expect(reason(artifact(1, key: key, path: path, pool: .gradle), policy) == nil)
        #expect(reason(artifact(1, key: "org.foo:lib:1.0", path: "r/org/foo/lib/1.0"), policy) == nil)
    }

    @Test func whatLeavesNoTraceOfReadsStays() {
        var silent = artifact(1, evidence: .mtime)
        silent.confidence = .none
        let closed = artifact(2, protections: Protections(.noEvidence))
        for entry in [silent, closed] {
            #expect(reason(entry, EvictionPolicy(idleFloor: .zero)) == .noEvidence)
            #expect(reason(entry, EvictionPolicy(idleFloor: .zero, evictsWithoutEvidence: true)) == nil)
            #expect(reason(entry, EvictionPolicy(keep: ["org.example:*"])) == .noEvidence)
            let plan = EvictionPolicy(target: .zero).plan(usage([entry]), under: quota(of: .zero), now: now)
            #expect(plan.evict.isEmpty)
            #expect(plan.kept.map(\.reason) == [.noEvidence])
        }
        #expect(reason(artifact(3, evidence: .mtime), EvictionPolicy()) == nil)
    }

    private func quota(of limit: ByteCount) -> Quota {
        Quota(limit: limit, high: .share(basisPoints: 8500), low: .share(basisPoints: 7000))
    }
}
