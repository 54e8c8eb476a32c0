import CacheModel
import TestSupport
import Testing

/// The planner against the plain one, on random volumes.
struct ReferenceComparisonTests {
    @Test func randomVolumesReachTheRareBranches() {
        var twins = 0
        var afterWaiting = 0
        var shared = 0
        for seed in 0..<1200 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let volume = Self.randomVolume(&generator)
            let plan = EvictionPolicy(idleFloor: .zero).plan(volume, under: quota(high: 0, low: 0), now: now)
            let used = plan.evict.map(\.entry.lastUsed)
            for case .twin in plan.evict.map(\.cause) { twins += 1 }
            afterWaiting += zip(used, used.dropFirst()).filter { $0 > $1 }.count
            shared += plan.kept.contains { $0.reason == .sharedLayers } ? 1 : 0
        }
        #expect(twins > 100 && afterWaiting > 100 && shared > 100, "\(twins), \(afterWaiting), \(shared)")
    }

    @Test(arguments: 0..<60)
    func agreesWithThePlainPlanner(_ group: Int) {
        for round in 0..<20 {
            var generator = SeededGenerator(seed: UInt64(group * 1000 + round))
            let volume = Self.randomVolume(&generator)
            let policy = Self.randomPolicy(for: volume, &generator)
            let used = volume.usedBytes.bytes
            let quota = quota(
                high: Int64.random(in: 0...(used + 20), using: &generator),
                low: Int64.random(in: 0...used, using: &generator))
            let plan = policy.plan(volume, under: quota, now: now)
            let expected = ReferencePlanner(policy: policy, quota: quota, usage: volume).plan()

            let seed = Comment(rawValue: "group \(group), round \(round)")
            guard plan.evictedIDs == expected.evicted else {
                Issue.record("\(plan.evictedIDs) instead of \(expected.evicted): \(seed)")
                continue
            }
            #expect(plan.evict.map(\.freedBytes.bytes) == expected.freed, seed)
            #expect(plan.reachesGoal == expected.reachesGoal, seed)
            for (place, entry) in volume.entries.enumerated() {
                let verdict: EvictionPlan.Verdict =
                    if let reason = expected.kept[entry.id] {
                        .kept(reason)
                    } else if let at = expected.evicted.firstIndex(of: entry.id) {
                        .evicted(position: at + 1, plan.evict[at])
                    } else {
                        .notNeeded
                    }
                #expect(plan.verdict(on: entry) == verdict, "entry \(place)")
            }
            let sums = plan.kept.filter { $0.bytes != .zero }.map { ($0.reason, $0.bytes.bytes) }
            #expect(Dictionary(uniqueKeysWithValues: sums) == expected.keptBytes, seed)
            #expect(plan.kept.map(\.bytes) == plan.kept.map(\.bytes).sorted(by: >), seed)
            #expect(plan.kept.reduce(0) { $0 + $1.entries } == Int64(expected.kept.count), seed)

            var shuffled = volume
            shuffled.entries.shuffle(using: &generator)
            shuffled.layers.shuffle(using: &generator)
            #expect(policy.plan(shuffled, under: quota, now: now).evict == plan.evict, seed)
        }
    }

    private static func randomVolume(_ generator: inout SeededGenerator) -> VolumeUsage {
        func random(_ range: Range<Int64>) -> Int64 { Int64.random(in: range, using: &generator) }
        var parents: [Int?] = []
        var layers: [ScannedLayer] = []
        for number in 0..<Int(random(1..<14)) {
            let parent = number > 0 && random(0..<4) > 0 ? Int(random(0..<Int64(number))) : nil
            parents.append(parent)
            let below = parent.map { layers[$0].storedBytes.bytes } ?? 0
            layers.append(
                layer(
                    "L\(number)", parent: parent.map { "L\($0)" }, stored: below + random(0..<30), images: 0))
        }
        var entries: [CacheEntry] = []
        for id in 0..<random(0..<25) {
            let protections = random(0..<9) == 0 ? Protections(rawValue: 1 << random(0..<7)) : []
            if random(0..<2) == 0 {
                entries.append(
                    artifact(
                        id, key: "k\(random(0..<6))", pool: random(0..<2) == 0 ? .maven : .gradle,
                        bytes: random(0..<40), lastUsed: ago(hours: random(-3..<60)),
                        fetched: ago(hours: random(-3..<90)), protections: protections,
                        warmedUntil: random(0..<8) == 0 ? ago(hours: random(-2..<2)) : nil))
                continue
            }
            var chain: [String] = []
            // Some images name a second top layer, as the store's records may.
            for _ in 0...(random(0..<6) == 0 ? 1 : 0) {
                var next: Int? = Int(random(0..<Int64(layers.count)))
                while let here = next, !chain.contains("L\(here)") {
                    chain.append("L\(here)")
                    layers[here].images += 1
                    next = parents[here]
                }
            }
            var found = image(
                id, layers: chain, hoursIdle: random(10..<60), bytes: random(0..<3), protections: protections)
            found.found.image?.names.append("n\(random(0..<9))")
            entries.append(found)
        }
        for place in layers.indices where random(0..<12) == 0 {
            var next: Int? = place
            while let here = next {
                layers[here].containers += 1
                next = parents[here]
            }
        }
        return usage(entries, layers: layers, unmanaged: random(0..<20))
    }

    private static func randomPolicy(
        for volume: VolumeUsage, _ generator: inout SeededGenerator
    ) -> EvictionPolicy {
        var policy = EvictionPolicy(idleFloor: .hours(Int64.random(in: 0..<40, using: &generator)))
        if Bool.random(using: &generator) { policy.keep = ["n1", "k3"] }
        for pool in [Pool.maven, .gradle, .images] where Bool.random(using: &generator) {
            policy.poolQuotas[pool] = quota(
                high: Int64.random(in: 0...150, using: &generator),
                low: Int64.random(in: 0...150, using: &generator))
        }
        if Int.random(in: 0..<5, using: &generator) == 0 {
            policy.target = ByteCount(Int64.random(in: 0...volume.usedBytes.bytes, using: &generator))
        }
        return policy
    }
}
