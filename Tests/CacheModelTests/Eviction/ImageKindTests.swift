import CacheModel
import Testing

/// What becomes of images that are more, or less, than something a registry can send again.
@Suite struct ImageKindTests {
    private let all = quota(high: 1, low: 0)

    private func made(
        _ id: Int64, _ role: ScannedImage.Role, layers: [String], origin: ScannedImage.Origin = .registry,
        names: [String] = [], hoursIdle: Int64 = 100
    ) -> CacheEntry {
        var entry = image(id, layers: layers, names: names, hoursIdle: hoursIdle)
        entry.found.image?.role = role
        entry.found.image?.origin = origin
        return entry
    }

    // A base, two steps and the image that was built by them, the last of which adds no layer.
    private var build: (entries: [CacheEntry], layers: [ScannedLayer]) {
        let entries = [
            image(1, layers: ["base"], names: ["r.example/base:1"], hoursIdle: 30),
            made(2, .step, layers: ["l1", "base"], hoursIdle: 202),
            made(3, .step, layers: ["l2", "l1", "base"], hoursIdle: 201),
            made(4, .image, layers: ["l2", "l1", "base"], names: ["r.example/app:1"], hoursIdle: 200),
        ]
        let layers = [
            layer("base", stored: 100, images: 4), layer("l1", parent: "base", stored: 110, images: 3),
            layer("l2", parent: "l1", stored: 120, images: 2),
        ]
        return (entries, layers)
    }

    @Test func anImagesStepsGoWithIt() {
        let volume = usage(build.entries, layers: build.layers)
        let plan = EvictionPolicy(keep: ["r.example/base:1"]).plan(
            volume, under: quota(high: 300, low: 250), now: now)
        // 120 would be enough, and nothing needs the step below any more.
        #expect(Set(plan.evictedIDs) == [2, 3, 4])
        #expect(plan.freedBytes == ByteCount(230))
        #expect(plan.reachesGoal)
    }

    @Test func whoAsksForAnImageByItsKeyGetsItsStepsToo() {
        let selection = EntrySelection(keys: ["r.example/app:1"])
        let plan = EvictionPolicy(idleFloor: .zero, selection: selection).plan(
            usage(build.entries, layers: build.layers), under: all, now: now)
        #expect(Set(plan.evictedIDs) == [2, 3, 4])
        #expect(plan.freedBytes == ByteCount(230))
    }

    @Test func stepsStayAsLongAsAnotherImageStandsOnThem() {
        var (entries, layers) = build
        entries.append(
            made(5, .image, layers: ["l3", "l1", "base"], names: ["r.example/other:1"], hoursIdle: 25))
        layers.append(layer("l3", parent: "l1", stored: 130))
        let selection = EntrySelection(keys: ["r.example/app:1"])
        let plan = EvictionPolicy(idleFloor: .zero, selection: selection).plan(
            usage(entries, layers: layers), under: all, now: now)
        #expect(Set(plan.evictedIDs) == [3, 4])
    }

    @Test func stepsOfWhatIsKeptStay() {
        let plan = EvictionPolicy(keep: ["r.example/*"]).plan(
            usage(build.entries, layers: build.layers), under: all, now: now)
        #expect(plan.evict.isEmpty)
    }

    @Test func whatNobodyCanNameGoesFirst() {
        let entries = [
            image(1, layers: ["a"], hoursIdle: 500), made(2, .image, layers: ["b"], hoursIdle: 300),
            made(3, .step, layers: ["c"], hoursIdle: 400),
        ]
        let layers = ["a", "b", "c"].map { layer($0, stored: 10) }
        let plan = EvictionPolicy().plan(usage(entries, layers: layers), under: all, now: now)
        #expect(plan.evictedIDs == [3, 2, 1])
    }

    @Test(arguments: [ScannedImage.Origin.local, .loaded])
    func whatNoRegistryHasIsKept(origin: ScannedImage.Origin) {
        let entries = [
            made(1, .image, layers: ["a"], origin: origin, names: ["localhost/ci/a:1"], hoursIdle: 500),
            image(2, layers: ["b"], hoursIdle: 300),
        ]
        let volume = usage(entries, layers: [layer("a", stored: 10), layer("b", stored: 10)])
        let plan = EvictionPolicy().plan(volume, under: all, now: now)
        #expect(plan.evictedIDs == [2])
        #expect(plan.verdict(on: entries[0]) == .kept(.locallyInstalled))

        var policy = EvictionPolicy()
        policy.replaceable = ReplaceableImages(patterns: ["localhost/ci/*"], after: .days(14))
        #expect(policy.plan(volume, under: all, now: now).evictedIDs == [1, 2])
        policy.replaceable = ReplaceableImages(patterns: ["localhost/ci/*"], after: .days(30))
        #expect(policy.plan(volume, under: all, now: now).evictedIDs == [2])
        policy.replaceable = ReplaceableImages(patterns: ["localhost/other/*"], after: .days(14))
        #expect(policy.plan(volume, under: all, now: now).evictedIDs == [2])
    }

    /// It may have been pushed, and may not.
    @Test func whatWasMadeHereForARegistryGoesAWeekLater() {
        let volume = { (hoursIdle: Int64) in
            usage(
                [
                    made(
                        1, .image, layers: ["a"], origin: .made, names: ["r.example/a:1"],
                        hoursIdle: hoursIdle),
                    image(2, layers: ["b"], hoursIdle: 100),
                ], layers: [layer("a", stored: 10), layer("b", stored: 10)])
        }
        #expect(EvictionPolicy().plan(volume(200), under: all, now: now).evictedIDs == [2, 1])
        #expect(EvictionPolicy().plan(volume(300), under: all, now: now).evictedIDs == [1, 2])
    }

    @Test func aListGoesOnlyWhereItIsAskedFor() {
        var instance = made(2, .instance, layers: ["a"], hoursIdle: 300)
        instance.found.image?.listNames = ["r.example/list:1"]
        let entries = [made(1, .list, layers: [], names: ["r.example/list:1"], hoursIdle: 500), instance]
        let volume = usage(entries, layers: [layer("a", stored: 10)])
        let selection = EntrySelection(keys: ["r.example/list:1"])
        let plan = EvictionPolicy(idleFloor: .zero, selection: selection).plan(volume, under: all, now: now)
        #expect(plan.evictedIDs == [1])
        #expect(EvictionPolicy(keep: ["r.example/list:1"]).plan(volume, under: all, now: now).evict.isEmpty)
    }

    @Test func whatIsUnusedForTooLongGoesBelowTheQuotaToo() {
        let entries = [
            image(1, layers: ["a"], hoursIdle: 40 * 24), image(2, layers: ["b"], hoursIdle: 20 * 24),
            artifact(3, lastUsed: ago(hours: 40 * 24)),
        ]
        var policy = EvictionPolicy()
        policy.maxIdle = [.images: .days(30)]
        let volume = usage(entries, layers: [layer("a", stored: 10), layer("b", stored: 10)])
        let plan = policy.plan(volume, under: quota(high: 1000, low: 900), now: now)
        #expect(plan.evictedIDs == [1])
        #expect(plan.evict.map(\.cause) == [.idle(.days(30))])
        #expect(plan.needed && plan.reachesGoal)
        policy.keep = ["registry.example/app:1"]
        #expect(policy.plan(volume, under: quota(high: 1000, low: 900), now: now).evict.isEmpty)
    }
}
