import CacheModel
import Testing

/// What removing images frees when they share layers.
///
/// The base is stored once, each upper layer with a copy of what lies below it.
struct ImageTests {
    private let all = quota(high: 1, low: 0)

    @Test func sharedBaseStaysUntilItsLastImageGoes() {
        let entries = [
            image(1, layers: ["top1", "base"], hoursIdle: 300),
            image(2, layers: ["top2", "base"], hoursIdle: 200),
        ]
        let layers = [
            layer("base", stored: 100, images: 2), layer("top1", parent: "base", stored: 110),
            layer("top2", parent: "base", stored: 120),
        ]
        let plan = EvictionPolicy().plan(usage(entries, layers: layers), under: all, now: now)
        #expect(plan.evict.map(\.freedBytes.bytes) == [110, 220])
        #expect(plan.reachesGoal)
        let half = EvictionPolicy().plan(
            usage(entries, layers: layers), under: quota(high: 300, low: 220), now: now)
        #expect(half.evictedIDs == [1])
    }

    @Test func imageThatFreesNothingWaitsForThoseThatShareIt() {
        let entries = [
            image(1, layers: ["base"], hoursIdle: 400), image(2, layers: ["top", "base"], hoursIdle: 300),
            artifact(3, bytes: 50, lastUsed: ago(hours: 200)),
        ]
        let layers = [layer("base", stored: 100, images: 2), layer("top", parent: "base", stored: 110)]
        let volume = usage(entries, layers: layers)
        let plan = EvictionPolicy().plan(volume, under: all, now: now)
        #expect(plan.evictedIDs == [2, 1, 3])
        #expect(plan.evict.map(\.freedBytes.bytes) == [110, 100, 50])

        let enough = EvictionPolicy().plan(volume, under: quota(high: 200, low: 150), now: now)
        #expect(enough.evictedIDs == [2])
        #expect(enough.verdict(on: entries[0]) == .notNeeded)
    }

    @Test func waitingImagesGoInTheirOrder() {
        let entries = [
            image(1, layers: ["low"], hoursIdle: 500), image(2, layers: ["mid", "low"], hoursIdle: 400),
            image(3, layers: ["top", "mid", "low"], hoursIdle: 300),
        ]
        let layers = [
            layer("low", stored: 1, images: 3), layer("mid", parent: "low", stored: 2, images: 2),
            layer("top", parent: "mid", stored: 3),
        ]
        let plan = EvictionPolicy().plan(usage(entries, layers: layers), under: all, now: now)
        #expect(plan.evictedIDs == [3, 2, 1])
        #expect(plan.evict.map(\.freedBytes.bytes) == [3, 2, 1])
    }

    @Test func imagesWithTheSameLayersGoTogether() {
        let entries = [
            image(1, layers: ["top", "base"], hoursIdle: 400),
            image(2, layers: ["top", "base"], hoursIdle: 200),
            artifact(3, bytes: 50, lastUsed: ago(hours: 300)),
        ]
        let layers = [
            layer("base", stored: 100, images: 2), layer("top", parent: "base", stored: 110, images: 2),
        ]
        let volume = usage(entries, layers: layers)
        let plan = EvictionPolicy().plan(volume, under: all, now: now)
        #expect(plan.evictedIDs == [3, 1, 2])
        #expect(plan.evict.map(\.freedBytes.bytes) == [50, 0, 210])
        #expect(
            plan.evict[1].reason
                == "goes with registry.example/app:2, which has the same layers; last used 16 d ago (podman-events)"
        )

        var pinned = volume
        pinned.entries[1].found.protections = .init(.inUse)
        let refused = EvictionPolicy().plan(pinned, under: all, now: now)
        #expect(refused.evictedIDs == [3])
        #expect(refused.verdict(on: pinned.entries[0]) == .kept(.sharedLayers))
    }

    @Test func layersOfContainersAreNeverFreed() {
        let entries = [image(1, layers: ["top", "base"]), image(2, layers: ["held"])]
        let layers = [
            layer("base", stored: 100, containers: 1), layer("top", parent: "base", stored: 110),
            layer("held", stored: 70),
            layer("container", parent: "held", stored: 70, images: 0, containers: 1),
        ]
        let plan = EvictionPolicy().plan(usage(entries, layers: layers), under: all, now: now)
        #expect(plan.evict.map(\.freedBytes.bytes) == [110])
        #expect(plan.verdict(on: entries[1]) == .kept(.sharedLayers))
    }

    @Test func leftoverLayerHoldsWhatItStandsOn() {
        let entries = [image(1, layers: ["top", "base"])]
        var layers = [
            layer("base", stored: 100), layer("top", parent: "base", stored: 110),
            layer("leftover", parent: "base", stored: 130, images: 0),
        ]
        let held = EvictionPolicy().plan(usage(entries, layers: layers), under: all, now: now)
        #expect(held.evict.map(\.freedBytes.bytes) == [110])
        layers[2].images = 1
        let goneSince = EvictionPolicy().plan(usage(entries, layers: layers), under: all, now: now)
        #expect(goneSince.evict.map(\.freedBytes.bytes) == [210])
        layers[1].images = 0
        let miscounted = EvictionPolicy().plan(usage(entries, layers: layers), under: all, now: now)
        #expect(miscounted.evict.map(\.freedBytes.bytes) == [210])
    }

    @Test func severalImagesSetFreeAtOnceGoInTheirOrder() {
        let entries = [
            image(1, layers: ["a"], hoursIdle: 500), image(2, layers: ["b"], hoursIdle: 400),
            image(3, layers: ["top", "a", "b"], hoursIdle: 300),
        ]
        let layers = [
            layer("a", stored: 10, images: 2), layer("b", stored: 20, images: 2), layer("top", stored: 5),
        ]
        let volume = usage(entries, layers: layers)
        let plan = EvictionPolicy().plan(volume, under: all, now: now)
        #expect(plan.evictedIDs == [3, 1, 2])
        let enough = EvictionPolicy().plan(volume, under: quota(high: 30, low: 20), now: now)
        #expect(enough.evictedIDs == [3, 1])
        #expect(enough.verdict(on: entries[1]) == .notNeeded)
    }

    @Test func poolQuotaCountsStoredLayersOnce() {
        let entries = [
            image(1, layers: ["top1", "base"], hoursIdle: 300, bytes: 210),
            image(2, layers: ["top2", "base"], hoursIdle: 200, bytes: 220),
        ]
        let layers = [
            layer("base", stored: 100, images: 2), layer("top1", parent: "base", stored: 110),
            layer("top2", parent: "base", stored: 120),
            layer("container", stored: 500, images: 0, containers: 1),
        ]
        let volume = usage(entries, layers: layers, unmanaged: 500)
        let within = EvictionPolicy(poolQuotas: [.images: quota(high: 330, low: 0)])
        #expect(!within.plan(volume, under: quota(high: 1000, low: 0), now: now).needed)
        let over = EvictionPolicy(poolQuotas: [.images: quota(high: 329, low: 220)])
        let plan = over.plan(volume, under: quota(high: 1000, low: 0), now: now)
        #expect(plan.evictedIDs == [1])
        #expect(plan.unmanagedBytes == ByteCount(500))
        #expect(plan.poolsOverQuota.map(\.usedAfter.bytes) == [220])
    }

    @Test func severalNamesAreOneEntry() {
        let entries = [image(1, layers: ["a"], names: ["r/a:1", "r/a:latest", "r/b:1"])]
        let plan = EvictionPolicy().plan(
            usage(entries, layers: [layer("a", stored: 9)]), under: all, now: now)
        #expect(plan.evict.count == 1)
        #expect(plan.freedBytes == ByteCount(9))
    }

    @Test func damagedChainsDoNotTrap() {
        let entries = [
            image(1, layers: ["loop1", "loop2", "loop1"], hoursIdle: 900),
            image(2, layers: [], hoursIdle: 800),
            image(3, layers: ["absent"], hoursIdle: 700), image(4, layers: ["self", "self"], hoursIdle: 600),
        ]
        let layers = [
            layer("loop1", parent: "loop2", stored: 10), layer("loop2", parent: "loop1", stored: 20),
            layer("self", parent: "self", stored: 40), layer("self", parent: "absent", stored: 40),
            layer("stray", parent: "stray", stored: 5, images: 0),
            layer("", parent: "", stored: -5, images: 0),
        ]
        let plan = EvictionPolicy().plan(usage(entries, layers: layers), under: all, now: now)
        #expect(plan.evict.map(\.freedBytes.bytes) == [30, 40])
        #expect(plan.kept == [.init(reason: .sharedLayers, entries: 2, bytes: .zero)])
    }
}
