import TestSupport
import Testing

@testable import CacheModel

@Suite struct PolicyTests {
    /// Belady's rule with the best hit count of any, found by trying all ways to keep or drop.
    private func bestOfAll(_ accesses: [Int], slots: Int) -> Int64 {
        var reachable: [Set<Int>: Int64] = [[]: 0]
        for object in accesses {
            var next: [Set<Int>: Int64] = [:]
            for (held, hits) in reachable {
                let count = hits + (held.contains(object) ? 1 : 0)
                let all = held.union([object])
                var choices = all.count <= slots ? [all] : []
                if all.count > slots { for gone in all { choices.append(all.subtracting([gone])) } }
                for choice in choices { next[choice] = max(next[choice] ?? -1, count) }
            }
            reachable = next
        }
        return reachable.values.max() ?? 0
    }

    @Test(arguments: 0..<60)
    func beladyIsTheBestForOneSizeAndTheBoundIsAboveAll(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let accesses = (0..<14).map { _ in Int.random(in: 0..<6, using: &random) }
        let slots = Int.random(in: 1...4, using: &random)
        let past = history([], accesses.map { (entry: Int64($0), bytes: 10) })
        let results = CachePolicy.compare(past, since: start, size: ByteCount(Int64(slots) * 10))
        let hits = Dictionary(uniqueKeysWithValues: results.map { ($0.policy, $0.rate.hits) })
        #expect(hits[.belady] == bestOfAll(accesses, slots: slots))
        for policy in CachePolicy.allCases {
            #expect(hits[policy] ?? .max <= hits[.bound] ?? 0, "\(policy)")
        }
    }

    @Test(arguments: 0..<40)
    func noPolicyPassesTheBoundWithSizes(_ seed: Int) {
        let past = randomHistory(UInt64(seed), changesSizes: seed % 2 == 0)
        let size = ByteCount(past.accesses.reduce(0) { max($0, $1.bytes.bytes) } * 3)
        let results = CachePolicy.compare(past, since: start, size: size)
        let total = Int64(past.accesses.count)
        let bound = results.first { $0.policy == .bound }?.rate
        for result in results {
            #expect(result.rate.hits + result.rate.misses == total)
            #expect(result.rate.hits <= bound?.hits ?? 0, "\(result.policy)")
            #expect(result.rate.hitBytes <= bound?.hitBytes ?? .zero, "\(result.policy)")
        }
    }

    @Test func sieveKeepsWhatWasVisited() {
        // A is visited, so the hand passes over it: B goes for C, and A is still there.
        let past = history([], [(1, 1), (2, 1), (1, 1), (3, 1), (1, 1), (2, 1)])
        let rate = CachePolicy.sieve(Replay(past, since: start), size: 2)
        #expect(rate.hits == 2)
    }

    @Test func frequencyOutweighsRecency() {
        // 1 is used twice, then 2 and 3 pass through a cache of two: LFU keeps 1, LRU does not.
        let past = history([], [(1, 1), (1, 1), (2, 1), (3, 1), (1, 1)])
        let replay = Replay(past, since: start)
        #expect(CachePolicy.lfu.rate(replay, size: 2).hits == 2)
        #expect(CachePolicy.lru.rate(replay, size: 2).hits == 1)
    }

    @Test func smallObjectsStayUnderGreedyDual() {
        let past = history([], [(1, 1), (2, 8), (3, 8), (1, 1)])
        let replay = Replay(past, since: start)
        #expect(CachePolicy.gdsf.rate(replay, size: 10).hits == 1)
        #expect(CachePolicy.lru.rate(replay, size: 10).hits == 0)
    }
}
