import CacheIndex
import CacheModel
import Foundation
import TestSupport
import Testing

/// A volume lives through random fetches, reads, deletions and prunes; the test counts what it did itself and
/// holds the index against that.
@Suite struct HistoryModelTests {
    private struct Slot: Hashable {
        var pool: Pool
        var path: VolumePath
    }

    // Names that sort differently by bytes, by component and by character, and one that is no UTF-8.
    private static let slots: [Slot] = {
        let names = ["a", "a-b", "é", "Z"].map { Array($0.utf8) } + [[0xff, 0x61]]
        let paths = names.flatMap { first in
            names.map { VolumePath.root.appending(first).appending($0) } + [VolumePath.root.appending(first)]
        }
        return paths.flatMap { path in Pool.allCases.dropLast().map { Slot(pool: $0, path: path) } }
    }()

    @Test(arguments: 1...4) func countsWhatHappened(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        let bed = try IndexFixture()
        let index = try bed.open()
        var present: [Slot: ScannedEntry] = [:]
        var ids: [Slot: Int64] = [:]
        var uses: [Slot: Int64] = [:]
        var evictedAt: [Slot: Int64] = [:]
        var expected: [Pool: HitRate] = [:]
        var regrets: [Pool: Int64] = [:]
        for step in Int64(1)...40 {
            let now = step * 24
            var changes: [Pool: PoolChange] = [:]
            for pool in Pool.allCases { changes[pool] = PoolChange(pool: pool) }
            for slot in Self.slots {
                let recently = hour(now) - .minutes(30)
                let before = present[slot]
                if before == nil ? dice.rolls(0.2) : dice.rolls(0.05) {
                    let size = Int64.random(in: 1...5000, using: &dice)
                    present[slot] = ScannedEntry(
                        pool: slot.pool, key: "key \(slot.path)", path: slot.path,
                        inode: (before?.inode ?? 0) + 1, bytes: ByteCount(size), apparentBytes: .zero,
                        files: 1, accessed: recently, fetched: recently)
                    changes[slot.pool]?.new += 1
                    if step > 1 {
                        expected[slot.pool, default: HitRate()].misses += 1
                        expected[slot.pool, default: HitRate()].missBytes += ByteCount(size)
                    }
                    if let gone = evictedAt.removeValue(forKey: slot), (now - gone) < 5 * 24 {
                        regrets[slot.pool, default: 0] += 1
                    }
                } else if let before, dice.rolls(0.3) {
                    present[slot]?.accessed = recently
                    changes[slot.pool]?.used += 1
                    uses[slot, default: 0] += 1
                    expected[slot.pool, default: HitRate()].hits += 1
                    expected[slot.pool, default: HitRate()].hitBytes += before.bytes
                } else if before != nil, dice.rolls(0.1) {
                    present[slot] = nil
                    changes[slot.pool]?.gone += 1
                }
                guard let entry = present[slot] else { continue }
                changes[slot.pool]?.entries += 1
                changes[slot.pool]?.files += 1
                changes[slot.pool]?.bytes += entry.bytes
            }
            let found = present.values.sorted { $0.path < $1.path }
            let recorded = try index.record(
                scan(at: now, found), of: bed.volume, regretWindow: .days(5))
            let changed = Pool.allCases.compactMap { changes[$0] }
            #expect(recorded.pools == changed.filter { $0.entries + $0.gone > 0 })

            let entries = try #require(try index.usage(of: "build")).entries
            #expect(Set(entries.map(\.found)) == Set(found))
            #expect(Set(entries.map(\.id)).count == entries.count)
            for entry in entries {
                let slot = Slot(pool: entry.pool, path: entry.found.path)
                #expect(entry.id == ids[slot, default: entry.id])
                #expect(entry.uses == uses[slot, default: 0])
                #expect(entry.lastUsed == entry.found.accessed)
                ids[slot] = entry.id
            }
            let victims = entries.filter { _ in dice.rolls(0.05) }
            try index.record(
                EvictionOutcome(
                    volume: "build", evicted: victims.map(\.line), usedBefore: .zero, usedAfter: .zero,
                    overQuota: false), run: prune("run \(step)", at: now + 1))
            for victim in victims {
                let slot = Slot(pool: victim.pool, path: victim.found.path)
                present[slot] = nil
                evictedAt[slot] = now + 1
            }
        }
        let rates = try index.hitRates(of: "build", since: hour(0), until: hour(10_000))
        #expect(rates == expected)
        #expect(try index.regret(of: "build", since: hour(0)).mapValues(\.entries) == regrets)
        #expect(!regrets.isEmpty)
        let counted = try bed.sql("SELECT count(*) FROM entries; SELECT count(*) FROM accesses")
        let accesses = expected.values.reduce(0) { $0 + $1.hits + $1.misses }
        #expect(counted == ["\(present.count)", "\(accesses)"])
    }
}

extension SeededGenerator {
    fileprivate mutating func rolls(_ share: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < share
    }
}
