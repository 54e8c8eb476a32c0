import Testing

@testable import CacheModel

/// Names of pools of the user's own, and what policies make of them, of ages, inodes and installed builds.
@Suite struct OwnPoolModelTests {
    private func own(_ name: String) throws -> Pool { try #require(Pool(named: name)) }

    @Test func namesAreToldApart() throws {
        let (npm, again, konan) = (try own("npm"), try own("npm"), try own("konan"))
        #expect(npm.rawValue == "npm" && npm.isOwn && npm == again && npm != konan)
        #expect(Pool(rawValue: "npm") == npm)
        #expect(Pool(rawValue: "never-named-anywhere") == nil)
        #expect(Pool(named: "maven") == .maven && !Pool.maven.isOwn)
        for bad in ["", "Npm", "a b", "a/b", "unmanaged", String(repeating: "a", count: 41)] {
            #expect(Pool(named: bad) == nil, "\(bad)")
        }
        let ivy = try own("ivy")
        #expect([npm, .images, .maven, ivy].sorted() == [.maven, .images, ivy, npm])
    }

    /// FNV-1a of "a" and "foobar" are published (draft-eastlake-fnv, test vectors), so that indexes stay readable.
    @Test func codesFollowFromNames() throws {
        let (a, foobar): (Int64, Int64) = (8 + 0xe40c_292c, 8 + 0xbf9c_f968)
        #expect(OwnPoolName("a")?.code == a)
        #expect(OwnPoolName("foobar")?.code == foobar)
        #expect(OwnPoolName(code: foobar)?.text == "foobar")
        #expect(OwnPoolName(code: 7) == nil)
    }

    @Test func aPoolsQuotaAgeAndPatternsAreItsOwn() throws {
        let (npm, logs) = (try own("npm"), try own("logs"))
        let entries = [
            artifact(1, key: "n/1", path: "n/1", pool: npm, lastUsed: ago(hours: 300)),
            artifact(2, key: "n/2", path: "n/2", pool: npm, lastUsed: ago(hours: 200)),
            artifact(3, key: "l/keep/3", path: "l/keep/3", pool: logs, lastUsed: ago(hours: 900)),
            artifact(4, key: "l/4", path: "l/4", pool: logs, lastUsed: ago(hours: 900)),
            artifact(5, key: "l/5", path: "l/5", pool: logs, lastUsed: ago(hours: 100)),
            artifact(6, lastUsed: ago(hours: 950)),
        ]
        var policy = EvictionPolicy(
            poolQuotas: [npm: Quota(limit: ByteCount(200), high: ByteCount(150), low: ByteCount(100))])
        policy.maxIdle = [logs: .hours(500)]
        policy.poolKeep = [logs: ["l/keep"]]
        let plan = policy.plan(usage(entries), under: quota(high: 10_000, low: 9000), now: now)
        #expect(plan.evictedIDs == [4, 1])
        #expect(plan.evict.map(\.cause) == [.idle(.hours(500)), .pool(npm)])
        #expect(plan.poolsOverQuota.map(\.pool) == [npm])
        #expect(plan.protections == [3: .keepPattern])
        policy.poolKeep = [:]
        #expect(
            policy.plan(usage(entries), under: quota(high: 10_000, low: 9000), now: now).evictedIDs == [
                4, 3, 1,
            ])
    }

    /// `max_idle` of Maven's and Gradle's pools, below the quota; what protects an entry holds all the same.
    @Test(arguments: [Pool.maven, .gradle, .gradleOther])
    func ageEvictsFromBuildPools(pool: Pool) {
        let entries = [
            artifact(1, pool: pool, lastUsed: ago(hours: 721)),
            artifact(2, pool: pool, lastUsed: ago(hours: 719)),
            artifact(
                3, pool: pool, lastUsed: ago(hours: 800), protections: Protections(.locallyInstalled)),
            artifact(4, pool: .images, lastUsed: ago(hours: 900)),
            artifact(5, pool: pool, lastUsed: ago(hours: 800), fetched: ago(hours: 10)),
        ]
        var policy = EvictionPolicy()
        policy.maxIdle = [pool: .days(30)]
        let plan = policy.plan(usage(entries), under: quota(high: 10_000, low: 9000), now: now)
        #expect(plan.evictedIDs == [1])
        #expect(plan.needed && plan.reachesGoal && !plan.volumeIsOver)
        #expect(plan.evict[0].reason.hasPrefix("unused for more than 30d"))
    }

    // MARK: - Inodes

    private func inodes(_ used: Int64, limit: Int64 = 1000) -> (InodeQuota, Int64) {
        (
            InodeQuota(
                limit: limit, high: limit * 85 / 100, low: limit * 70 / 100, critical: limit * 95 / 100), used
        )
    }

    /// Twenty entries of 20 inodes each: four files (as `artifact` has them) in sixteen directories.
    private func small(_ count: Int64 = 20) -> [CacheEntry] {
        (1...count).map { number in
            var entry = artifact(number, lastUsed: ago(hours: 1000 - number))
            entry.found.directories = 16
            return entry
        }
    }

    @Test(arguments: [
        (used: Int64(850), goes: Int64(0)), (used: 851, goes: 8), (used: 900, goes: 10),
        (used: 999, goes: 15),
        (used: 1000, goes: 15), (used: 0, goes: 0),
    ])
    func inodesHaveTheWatermarksOfBytes(_ test: (used: Int64, goes: Int64)) {
        var policy = EvictionPolicy()
        let (quota, used) = inodes(test.used)
        policy.inodes = quota
        var usage = usage(small())
        usage.usedInodes = used
        let plan = policy.plan(usage, under: CacheModelTests.quota(high: 100_000, low: 90_000), now: now)
        #expect(plan.evictedIDs == Array(1..<(test.goes + 1)))
        #expect(plan.inodes?.usedAfter == used - test.goes * 20)
        #expect(plan.inodes?.areOver == (test.goes > 0))
        #expect(plan.needed == (test.goes > 0) && plan.reachesGoal && !plan.volumeIsOver)
        for eviction in plan.evict { #expect(eviction.cause == .inodes) }
    }

    @Test func aGoalInInodesMayBeOutOfReach() {
        var policy = EvictionPolicy()
        policy.inodes = inodes(990).0
        var usage = usage(small(5))
        usage.usedInodes = 990
        let plan = policy.plan(usage, under: CacheModelTests.quota(high: 100_000, low: 90_000), now: now)
        #expect(plan.evict.count == 5 && !plan.reachesGoal && plan.inodes?.reachGoal == false)
    }

    /// Bytes come first, inodes after them, and neither counts where a size or keys were asked for, or the file system
    /// is shared.
    @Test func bytesAndInodesAreWorkedForTogether() {
        var policy = EvictionPolicy()
        policy.inodes = inodes(900).0
        var usage = usage(small())
        usage.usedInodes = 900
        let plan = policy.plan(usage, under: CacheModelTests.quota(high: 1900, low: 1800), now: now)
        #expect(
            plan.evict.map(\.cause) == [.volume, .volume] + [Eviction.Cause](repeating: .inodes, count: 8))
        policy.target = ByteCount(1800)
        #expect(
            policy.plan(usage, under: CacheModelTests.quota(high: 1900, low: 1800), now: now).evict.count == 2
        )
        policy.target = nil
        usage.usedInodes = nil
        let shared = policy.plan(usage, under: CacheModelTests.quota(high: 100_000, low: 90_000), now: now)
        #expect(!shared.needed && shared.inodes == nil)
    }

    @Test func levelsInInodesAreThePartsOfThoseInBytes() {
        var volume = Volume(name: "build", kind: .buildCache, path: "/cache")
        func capacity(inodes: Int64) -> Capacity {
            Capacity(
                total: ByteCount(1000), available: .zero, free: .zero, inodes: inodes, freeInodes: inodes / 2)
        }
        #expect(volume.inodeQuota(capacity: capacity(inodes: 0)) == nil)
        #expect(
            volume.inodeQuota(capacity: capacity(inodes: 8192))
                == InodeQuota(limit: 8192, high: 6963, low: 5734, critical: 7782))
        volume.high = .size(ByteCount(400))
        volume.limit = ByteCount(500)
        #expect(volume.inodeQuota(capacity: capacity(inodes: 8192))?.high == 6553)
    }

    // MARK: - Installed builds

    @Test func anInstalledBuildGoesByItsAgeAlone() {
        let installed = Protections(.locallyInstalled)
        func build(_ id: Int64, hours: Int64, superseded: Bool, _ protections: Protections = []) -> CacheEntry
        {
            var entry = artifact(
                id, key: "com.acme:lib:\(id)", lastUsed: ago(hours: hours),
                protections: installed.union(protections))
            if superseded { entry.found.traits.insert(.superseded) }
            return entry
        }
        let entries = [
            build(1, hours: 900, superseded: true), build(2, hours: 700, superseded: true),
            build(3, hours: 900, superseded: false),
            build(4, hours: 900, superseded: true, Protections(.inFlight)),
            build(5, hours: 900, superseded: true, Protections(.untracked)),
        ]
        var policy = EvictionPolicy(target: .zero)
        #expect(policy.plan(usage(entries), under: quota(high: 1, low: 0), now: now).evict.isEmpty)
        policy.installed = [InstalledExpiry(pattern: "com.acme:*", maxAge: .days(30))]
        let plan = policy.plan(usage(entries), under: quota(high: 1, low: 0), now: now)
        #expect(plan.evictedIDs == [1])
        #expect(plan.protections[2] == .locallyInstalled && plan.protections[3] == .locallyInstalled)
        #expect(plan.protections[4] == .inFlight)
        policy.installed = [InstalledExpiry(pattern: "org.other:*", maxAge: .days(30))]
        #expect(policy.plan(usage(entries), under: quota(high: 1, low: 0), now: now).evict.isEmpty)
        policy.installed = [InstalledExpiry(pattern: "com.acme:*", maxAge: .days(30))]
        policy.keep = ["com.acme:lib:1"]
        #expect(policy.plan(usage(entries), under: quota(high: 1, low: 0), now: now).evict.isEmpty)
    }

    /// A history has millions of accesses: each takes 32 bytes, its pool in two of them.
    @Test func anAccessTakes32BytesAndKeepsItsPool() throws {
        #expect(MemoryLayout<VolumeHistory.Access>.stride == 32)
        let own = try ["first", "second", "third"].map { Pool.own(try #require(OwnPoolName($0))) }
        for pool in Pool.allCases + own {
            for (isHit, isRegret) in [(false, false), (true, false), (false, true), (true, true)] {
                let access = VolumeHistory.Access(
                    at: Timestamp(seconds: 0), entry: 7, bytes: .zero, pool: pool, isHit: isHit,
                    isRegret: isRegret)
                #expect(access.pool == pool)
                #expect(access.isHit == isHit && access.isRegret == isRegret && access.entry == 7)
            }
        }
    }
}
