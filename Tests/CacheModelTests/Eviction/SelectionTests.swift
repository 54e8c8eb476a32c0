import Testing

@testable import CacheModel

/// What goes because it was asked for by its key.
@Suite struct SelectionTests {
    private let entries = [
        artifact(1, key: "com.example:app:1", bytes: 10), artifact(2, key: "com.example:app:2", bytes: 20),
        artifact(3, key: "com.example:app:2", path: "caches/app", pool: .gradle, bytes: 30),
        artifact(4, key: "org.other:lib:1", bytes: 40),
    ]

    private func plan(
        _ keys: String..., pool: Pool? = nil, of entries: [CacheEntry]? = nil, keep: [String] = []
    ) -> EvictionPlan {
        // Far below its quota: nothing would go for that.
        EvictionPolicy(keep: keep, selection: EntrySelection(keys: keys, pool: pool))
            .plan(usage(entries ?? self.entries), under: quota(high: 100_000, low: 50_000), now: now)
    }

    @Test func exactlyWhatIsNamedGoesAndTheQuotaDoesNotMatter() {
        #expect(Set(plan("com.example:*").evict.map(\.entry.id)) == [1, 2, 3])
        #expect(plan("com.example:app:2", pool: .gradle).evict.map(\.entry.id) == [3])
        #expect(Set(plan("com.example:app:1", "org.other:lib:1").evict.map(\.entry.id)) == [1, 4])
        #expect(plan("com.example:app:1").freedBytes == ByteCount(10))
        #expect(plan("com.example:app:1").evict.allSatisfy { $0.cause == .selected })
    }

    @Test func nothingElseGoesThoughTheVolumeIsOver() {
        let policy = EvictionPolicy(
            poolQuotas: [.maven: quota(high: 1, low: 0)], selection: EntrySelection(keys: ["org.other:*"]))
        let plan = policy.plan(usage(entries), under: quota(high: 1, low: 0), now: now)
        #expect(plan.evict.map(\.entry.id) == [4])
        #expect(plan.reachesGoal && plan.needed && plan.poolsOverQuota.isEmpty)
    }

    @Test func noProtectionIsLifted() {
        let all = [
            artifact(1, lastUsed: ago(hours: 1)), artifact(2, protections: Protections(.locallyInstalled)),
            artifact(3, key: "com.example:kept:1"), artifact(4, warmedUntil: now + .hours(1)), artifact(5),
        ]
        let plan = plan("*", of: all, keep: ["com.example:*"])
        #expect(plan.evict.map(\.entry.id) == [5])
        #expect(Set(plan.kept.map(\.reason)) == [.idleFloor, .locallyInstalled, .keepPattern, .warmed])
    }

    @Test func whatIsNotNamedIsNotListedAsKept() {
        let all = [artifact(1), artifact(2, key: "org.other:lib:9", lastUsed: ago(hours: 1))]
        #expect(plan("org.example:*", of: all).kept.isEmpty)
        #expect(plan("no.such:*", of: all).evict.isEmpty)
    }

    @Test func anImageGoesByAnyOfItsNamesAndSharedLayersStay() {
        let images = [
            image(1, layers: ["top1", "base"], names: ["a/app:1", "a/app:latest"], hoursIdle: 300),
            image(2, layers: ["top2", "base"], names: ["a/app:2"], hoursIdle: 200),
            image(3, layers: ["base"], names: ["a/base:1"], hoursIdle: 400),
        ]
        let layers = [
            layer("base", stored: 100, images: 3), layer("top1", parent: "base", stored: 150),
            layer("top2", parent: "base", stored: 160),
        ]
        let policy = EvictionPolicy(selection: EntrySelection(keys: ["a/app:latest"]))
        let plan = policy.plan(
            usage(images, layers: layers), under: quota(high: 100_000, low: 0), now: now)
        #expect(plan.evict.map(\.entry.id) == [1])
        #expect(plan.freedBytes == ByteCount(150) && plan.unmanagedBytes == .zero)
        let base = EvictionPolicy(selection: EntrySelection(keys: ["a/base:1"]))
            .plan(usage(images, layers: layers), under: quota(high: 100_000, low: 0), now: now)
        #expect(base.evict.isEmpty && base.kept.map(\.reason) == [.sharedLayers])
    }
}
