import CacheModel
import Testing

struct WatermarkTests {
    /// Ten entries of 100 bytes; number 1 was used longest ago.
    private let ten = (1...10).map { artifact($0, lastUsed: ago(hours: 1000 - $0)) }

    @Test(arguments: [
        (high: Int64(1000), low: Int64(500), goes: Int64(0)),
        (high: 999, low: 500, goes: 5),
        (high: 999, low: 501, goes: 5),
        (high: 999, low: 499, goes: 6),
        (high: 999, low: 999, goes: 1),
        (high: 500, low: 0, goes: 10),
    ])
    func startsAboveHighAndStopsAtLow(_ test: (high: Int64, low: Int64, goes: Int64)) {
        let plan = EvictionPolicy().plan(usage(ten), under: quota(high: test.high, low: test.low), now: now)
        #expect(plan.evictedIDs == Array(1..<(test.goes + 1)))
        #expect(plan.needed == (test.goes > 0))
        #expect(plan.reachesGoal)
        #expect(plan.freedBytes == ByteCount(test.goes * 100))
        #expect(plan.usedAfter == ByteCount(1000 - test.goes * 100))
        #expect(plan.goal == ByteCount(test.low))
    }

    @Test(arguments: [(Int64(1000), Int64(0)), (999, 1), (850, 2), (0, 10)])
    func targetStandsForBothWatermarks(_ test: (target: Int64, goes: Int64)) {
        let policy = EvictionPolicy(target: ByteCount(test.target))
        let plan = policy.plan(usage(ten), under: quota(high: 700, low: 100), now: now)
        #expect(plan.evictedIDs == Array(1..<(test.goes + 1)))
        #expect(plan.goal == ByteCount(test.target))
    }

    @Test func trashIsNotUsed() {
        let plan = EvictionPolicy().plan(usage(ten, trash: 5000), under: quota(high: 1000, low: 0), now: now)
        #expect(!plan.needed)
        #expect(plan.trashBytes == ByteCount(5000))
    }

    @Test func unmanagedBytesCountAndStay() {
        let plan = EvictionPolicy().plan(
            usage(ten, unmanaged: 400), under: quota(high: 1000, low: 300), now: now)
        #expect(plan.evict.count == 10)
        #expect(!plan.reachesGoal)
        #expect(plan.unmanagedBytes == ByteCount(400))
    }

    @Test func poolComesDownToItsOwnQuota() {
        let gradle = (11...20).map { artifact($0, pool: .gradle, lastUsed: ago(hours: 1000 - $0)) }
        let policy = EvictionPolicy(poolQuotas: [
            .gradle: quota(high: 900, low: 750), .maven: quota(high: 1000, low: 0),
        ])
        let plan = policy.plan(usage(ten + gradle), under: quota(high: 2000, low: 0), now: now)
        #expect(plan.evictedIDs == [11, 12, 13])
        #expect(plan.evict.first?.reason == "pool gradle over its quota; last used 41 d ago (atime)")
        #expect(plan.needed && plan.reachesGoal)
        #expect(
            plan.poolsOverQuota == [
                .init(
                    pool: .gradle, quota: quota(high: 900, low: 750), usedBytes: ByteCount(1000),
                    usedAfter: ByteCount(700))
            ])
    }

    @Test func volumeAndPoolShareOnePass() {
        let gradle = (11...20).map { artifact($0, pool: .gradle, lastUsed: ago(hours: 1000 - $0)) }
        let policy = EvictionPolicy(poolQuotas: [.gradle: quota(high: 900, low: 800)])
        let plan = policy.plan(usage(ten + gradle), under: quota(high: 1950, low: 1900), now: now)
        #expect(plan.evictedIDs == [1, 11, 12])
        #expect(plan.evict.map(\.cause) == [.volume, .pool(.gradle), .pool(.gradle)])
    }

    @Test func poolThatCannotComeDownIsSaid() {
        let kept = [artifact(1, pool: .gradle, protections: .init(.gradleRunning))]
        let policy = EvictionPolicy(poolQuotas: [.gradle: quota(high: 10, low: 5)])
        let plan = policy.plan(usage(kept), under: quota(high: 1000, low: 500), now: now)
        #expect(plan.needed && !plan.reachesGoal && plan.evict.isEmpty)
    }

    @Test func tiesGoLargerFirstThenByKeyThenByPath() {
        let tied = [
            artifact(1, key: "b", path: "p1", bytes: 50), artifact(2, key: "a", path: "p3", bytes: 50),
            artifact(3, key: "a", path: "p2", bytes: 50), artifact(4, key: "z", path: "p4", bytes: 51),
            artifact(5, key: "y", path: "p5", bytes: 1, lastUsed: ago(hours: 101)),
        ]
        for entries in [tied, tied.reversed()] {
            let plan = EvictionPolicy().plan(usage(entries), under: quota(high: 1, low: 0), now: now)
            #expect(plan.evictedIDs == [5, 4, 3, 2, 1])
        }
    }

    @Test func verdictsFollowTheOrder() {
        let plan = EvictionPolicy().plan(usage(ten), under: quota(high: 999, low: 800), now: now)
        #expect(plan.verdict(on: ten[1]) == .evicted(position: 2, plan.evict[1]))
        #expect(plan.verdict(on: ten[2]) == .notNeeded)
    }

    @Test(arguments: [
        (Evidence.atime, "least recently used: last used 43 d ago (atime)"),
        (.gradleJournal, "least recently used: last used 43 d ago (gradle-journal)"),
        (.firstSeen, "least recently used: no use seen, there since 43 d ago (first-seen)"),
        (.mtime, "least recently used: no use seen, there since 43 d ago (mtime)"),
    ])
    func reasonNamesAgeAndEvidence(_ test: (evidence: Evidence, reason: String)) {
        let entry = artifact(1, lastUsed: ago(hours: 43 * 24), evidence: test.evidence)
        let plan = EvictionPolicy().plan(usage([entry]), under: quota(high: 1, low: 0), now: now)
        #expect(plan.evict.map(\.reason) == [test.reason])
    }

    @Test func extremeSizesAndTimesDoNotTrap() {
        let entries = [
            artifact(1, bytes: .max, lastUsed: Timestamp(nanoseconds: .min)),
            artifact(2, bytes: .min, lastUsed: Timestamp(nanoseconds: .max)),
            artifact(
                3, bytes: .max, lastUsed: Timestamp(nanoseconds: 0), fetched: Timestamp(nanoseconds: .max)),
        ]
        var volume = usage([])
        volume.entries = entries
        volume.usedBytes = ByteCount(.max)
        let plan = EvictionPolicy(idleFloor: .zero, target: .zero).plan(
            volume, under: quota(high: 1, low: 0), now: now)
        #expect(plan.evictedIDs == [1])
    }
}
