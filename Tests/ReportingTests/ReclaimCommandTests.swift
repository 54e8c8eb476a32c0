import CacheModel
import TestSupport
import Testing

@testable import Reporting

/// Each command that a report prints evicts something, of its volume alone.
@Suite struct ReclaimCommandTests {
    private struct Command {
        var volume: String
        var key: String
        var pool: Pool?
        var floor: Span?

        /// Reads what a shell would take apart; keys here have no quotes in them.
        init?(_ text: String) {
            var words = text.split(separator: " ").map(String.init)
            guard words.count > 2, words.removeFirst() == "larder", words.removeFirst() == "prune" else {
                return nil
            }
            var values: [String: String] = [:]
            while words.count > 1 { values[words.removeFirst()] = words.removeFirst() }
            guard let volume = values["--volume"], let key = values["--key"] else { return nil }
            (self.volume, self.key) = (volume, key.replacing("'", with: ""))
            pool = values["--pool"].flatMap { Pool(rawValue: $0) }
            floor = values["--idle-floor"].flatMap { Int64($0.dropLast()) }.map { .days($0) }
        }
    }

    @Test(arguments: 0..<30)
    func whatIsPrintedEvictsSomething(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let entries = (Int64(1)...40).map { id in
            artifact(
                id, key: "g\(id % 7):a\(id):1", pool: [.maven, .gradle][Int(id % 2)],
                hoursIdle: .random(in: 0...(24 * 200), using: &random),
                protections: Int.random(in: 0..<4, using: &random) == 0 ? Protections(.locallyInstalled) : [])
        }
        let usage = usage(entries, used: gibibytes(40), volume: "pool-a")
        let policy = EvictionPolicy(idleFloor: .days(Int64(seed % 3) * 20), keep: ["g3:*", "g5:a1*:*"])
        let volume = Volume(name: "pool-a", kind: .buildCache, path: "/cache", keep: policy.keep)
        let commands = ReclaimCommands(usage, policy, now: now)
        let space = SpaceUse(usage, commands, now: now)
        let printed =
            Array(space.reclaim.values) + (space.groups + space.ages).compactMap(\.reclaim)
            + entries.compactMap(commands.evicting)
        #expect(!printed.isEmpty)
        let quota = volume.quota(
            capacity: Capacity(
                total: gibibytes(50), available: .zero, free: .zero, inodes: 0, freeInodes: 0))
        for text in printed {
            let command = try #require(Command(text), "\(text)")
            #expect(command.volume == volume.name)
            var asked = policy
            asked.selection = EntrySelection(keys: [command.key], pool: command.pool)
            asked.idleFloor = command.floor ?? policy.idleFloor
            let plan = asked.plan(usage, under: quota, now: now)
            #expect(!plan.evict.isEmpty, "\(text)")
            #expect(plan.evict.allSatisfy { now - $0.entry.lastUsed >= .days(7) }, "\(text)")
        }
        // And what has none stays: asked for alone, no plan takes it.
        for entry in entries where commands.evicting(entry) == nil {
            var asked = policy
            asked.selection = EntrySelection(keys: [entry.key], pool: entry.pool)
            asked.idleFloor = max(policy.idleFloor, .days(7))
            let plan = asked.plan(usage, under: quota, now: now)
            #expect(plan.evict.isEmpty, "\(entry.key)")
        }
    }

    @Test func whatIsOnlyLookedAtOrHalfScannedHasNone() {
        let entry = artifact(1)
        var usage = usage([entry], used: gibibytes(1))
        #expect(ReclaimCommands(usage, EvictionPolicy(), now: now).reaches(entry))
        #expect(!ReclaimCommands(usage, EvictionPolicy(), isReadOnly: true, now: now).reaches(entry))
        usage.scan.complete = false
        #expect(!ReclaimCommands(usage, EvictionPolicy(), now: now).reaches(entry))
    }

    @Test func aDirectoryThatHoldsOthersHasNone() {
        let whole = artifact(1, key: "caches/x", path: "caches/x", pool: .gradleOther)
        let inside = CacheEntry(
            id: 2,
            found: ScannedEntry(
                pool: .gradleOther, key: "caches/x/y", path: VolumePath("caches/x/y") ?? .root, inode: 9,
                bytes: gibibytes(1), apparentBytes: gibibytes(1), files: 1, accessed: ago(hours: 1000),
                fetched: ago(hours: 2000), traits: .part),
            firstSeen: ago(hours: 1990), lastUsed: ago(hours: 1000), evidence: .atime, confidence: .high,
            uses: 1)
        let commands = ReclaimCommands(
            usage([whole, inside], used: gibibytes(2)), EvictionPolicy(), now: now)
        #expect(!commands.reaches(whole) && commands.reaches(inside))
    }

    @Test func layersOfSeveralImagesCountOnce() {
        // a and b, of two repositories, stand on one base; a has a layer of its own beside it, c one alone.
        let images = [
            image(1, layers: ["a", "base"], names: ["r/a:1"], hoursIdle: 24 * 40),
            image(2, layers: ["base"], names: ["r/b:1"], hoursIdle: 24 * 10),
            image(3, layers: ["c"], names: ["r/a:2"], hoursIdle: 24 * 100),
        ]
        let layers = [
            layer("a", stored: gibibytes(1)), layer("base", stored: gibibytes(5)),
            layer("c", stored: gibibytes(2)),
        ]
        let usage = usage(images, layers: layers, used: gibibytes(8))
        let space = SpaceUse(usage, ReclaimCommands(usage, EvictionPolicy(), now: now), now: now)
        #expect(space.pools.map(\.bytes) == [gibibytes(8)] && space.pools.map(\.entries) == [3])
        #expect(space.ages.map(\.bytes) == [0, 0, 5, 1, 2, 0].map { gibibytes($0) })
        let groups = Dictionary(uniqueKeysWithValues: space.groups.map { ($0.name, $0.bytes) })
        #expect(
            groups == ["r/a": gibibytes(3), "r/b": .zero, "layers that several have": gibibytes(5)])
        #expect(space.groups.map(\.entries).reduce(0, +) == 3)
    }
}
