import CacheModel
import TestSupport
import Testing

/// Entries that share files by hard links: what comes free is held against names that are counted one by one.
@Suite struct SharedFileTests {
    /// Entries of 10 bytes of their own, the least recently used first; files by their holders, counted in the first.
    private func usage(
        _ count: Int, files: [(holders: [Int], bytes: Int64, elsewhere: Bool)]
    ) -> VolumeUsage {
        func path(_ place: Int) -> String { "repository/e/\(place)" }
        let entries = (0..<count).map { place in
            let counted = files.filter { $0.holders.first == place }.reduce(0) { $0 + $1.bytes }
            return artifact(
                Int64(place), path: path(place), bytes: 10 + counted,
                lastUsed: ago(hours: Int64(1000 - place)))
        }
        var volume = CacheModelTests.usage(entries)
        volume.sharedFiles = files.map { file in
            let holders = file.holders.map { VolumePath(path($0)) ?? .root }
            return SharedFiles(
                holders: holders, countedIn: holders.first, isHeldElsewhere: file.elsewhere,
                bytes: ByteCount(file.bytes))
        }
        return volume
    }

    private func plan(_ usage: VolumeUsage, to target: Int64) -> EvictionPlan {
        EvictionPolicy(target: ByteCount(target)).plan(
            usage, under: quota(high: 1 << 40, low: 1 << 40), now: now)
    }

    @Test func twoThatShareGoTogetherWhenTheTurnComesToTheSecond() {
        // 0 shares with 2; 1 lies between them and frees what is wanted.
        let volume = usage(3, files: [([0, 2], 100, false)])
        #expect(plan(volume, to: 125).evictedIDs == [1])
        let all = plan(volume, to: 20)
        #expect(all.evictedIDs == [1, 0, 2])
        #expect(all.evict.map(\.freedBytes.bytes) == [10, 10, 110])
        #expect(all.evict[1].reason.hasPrefix("goes with org.example:lib:2, which shares its files"))
    }

    @Test func whatHasANameOutsideOfEntriesFreesNothing() {
        let plan = self.plan(usage(2, files: [([0], 100, true)]), to: 1)
        #expect(plan.evictedIDs == [1])
        #expect(!plan.reachesGoal)
        #expect(plan.kept.map(\.reason) == [.sharedFiles])
    }

    @Test func oneThatSharesLittleGoesInItsTurn() {
        let volume = usage(2, files: [([0, 1], 4, false)])
        let plan = self.plan(volume, to: 15)
        #expect(plan.evictedIDs == [0])
        #expect(plan.evict[0].freedBytes.bytes == 10)
    }

    @Test func whatIsAskedForGoes() {
        let volume = usage(2, files: [([0, 1], 100, false)])
        let policy = EvictionPolicy(selection: EntrySelection(keys: ["org.example:lib:0"]))
        let plan = policy.plan(volume, under: quota(high: 1 << 40, low: 1 << 40), now: now)
        #expect(plan.evictedIDs == [0])
        #expect(plan.evict[0].freedBytes.bytes == 10)
    }

    /// At random: what a plan frees is what going through all names frees.
    @Test func whatAPlanFreesIsWhatTheLastNamesFree() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<400 {
            let count = Int.random(in: 2...7, using: &random)
            let files = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                (
                    holders: Array(0..<count).shuffled(using: &random)
                        .prefix(Int.random(in: 1...count, using: &random)).sorted(),
                    bytes: Int64.random(in: 1...60, using: &random),
                    elsewhere: Int.random(in: 0..<5, using: &random) == 0
                )
            }
            let volume = usage(count, files: files)
            let plan = self.plan(volume, to: Int64.random(in: 0...volume.usedBytes.bytes, using: &random))
            var gone: Set<Int> = []
            for eviction in plan.evict {
                gone.insert(Int(eviction.entry.id))
                let after = files.filter { !$0.elsewhere && gone.isSuperset(of: $0.holders) }
                let total = after.reduce(Int64(gone.count) * 10) { $0 + $1.bytes }
                let told = plan.evict.prefix(gone.count).reduce(Int64(0)) { $0 + $1.freedBytes.bytes }
                #expect(told == total)
            }
            #expect(Set(plan.evictedIDs).count == plan.evict.count)
        }
    }
}
