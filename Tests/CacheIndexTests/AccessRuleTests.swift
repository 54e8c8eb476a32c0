import Testing

@testable import CacheModel

/// The scan at hour 10 is judged, an hour after the last one; tables give hours.
@Suite struct AccessRuleTests {
    private static let never: Int64 = -500_000

    private static func rule(
        trust: Confidence = .high, before: Int64? = 9, complete: Bool = true
    ) -> AccessRule {
        AccessRule(
            before: before.map {
                AccessRule.Before(
                    startedAt: hour($0), finishedAt: hour($0) + .seconds(5), complete: complete)
            }, startedAt: hour(10), trust: trust, regretWindow: .days(14))
    }

    /// What the scanner gives for an image without containers is the epoch.
    private static func time(_ hours: Int64) -> Timestamp {
        hours == never ? Timestamp(nanoseconds: 0) : hour(hours)
    }

    struct NewCase: CustomTestStringConvertible, Sendable {
        var name: String
        var before: Int64? = 9
        var complete = true
        var trust = Confidence.high
        var pool = Pool.maven
        var accessed: Int64
        var fetched: Int64
        var access: AccessRule.Access
        var lastUsed: Int64
        var evidence: Evidence
        var confidence: Confidence
        var testDescription: String { name }
    }

    static let newCases = [
        NewCase(
            name: "a baseline finds neither hit nor miss", before: nil, accessed: 5, fetched: 2,
            access: .none, lastUsed: 5, evidence: .atime, confidence: .medium),
        NewCase(
            name: "a baseline entry never read again falls back to mtime", before: nil, accessed: 1,
            fetched: 2, access: .none, lastUsed: 2, evidence: .mtime, confidence: .low),
        NewCase(
            name: "a baseline on a volume of low trust", before: nil, trust: .low, accessed: 5, fetched: 2,
            access: .none, lastUsed: 5, evidence: .atime, confidence: .low),
        NewCase(
            name: "without atime only the fetch is known", before: nil, trust: .none, accessed: 5, fetched: 2,
            access: .none, lastUsed: 2, evidence: .mtime, confidence: .none),
        NewCase(
            name: "an atime in the future is pinned to the scan", before: nil, accessed: 50, fetched: 2,
            access: .none, lastUsed: 10, evidence: .atime, confidence: .medium),
        NewCase(
            name: "new is a miss, at the time of the fetch", accessed: 8, fetched: 10,
            access: .miss(at: hour(10), regret: false), lastUsed: 10, evidence: .firstSeen,
            confidence: .high),
        NewCase(
            name: "a fetch before the last scan is a miss at this one", accessed: 5, fetched: 2,
            access: .miss(at: hour(10), regret: false), lastUsed: 10, evidence: .firstSeen, confidence: .high),
        NewCase(
            name: "a fetch in the future is a miss at this scan", accessed: 5, fetched: 12,
            access: .miss(at: hour(10), regret: false), lastUsed: 10, evidence: .firstSeen,
            confidence: .high),
        NewCase(
            name: "new without atime is a miss all the same", trust: .none, accessed: 10, fetched: 2,
            access: .miss(at: hour(10), regret: false), lastUsed: 10, evidence: .firstSeen, confidence: .none),
        NewCase(
            name: "what an incomplete scan passed over was there", complete: false, accessed: 8, fetched: 2,
            access: .none, lastUsed: 8, evidence: .atime, confidence: .high),
        NewCase(
            name: "what was fetched after an incomplete scan is a miss", complete: false, accessed: 10,
            fetched: 10, access: .miss(at: hour(10), regret: false), lastUsed: 10, evidence: .atime,
            confidence: .high),
        NewCase(
            name: "an image of a baseline", before: nil, trust: .none, pool: .images, accessed: never,
            fetched: 2, access: .none, lastUsed: 2, evidence: .mtime, confidence: .low),
        NewCase(
            name: "an image with a container", before: nil, trust: .none, pool: .images, accessed: 4,
            fetched: 2, access: .none, lastUsed: 4, evidence: .podmanEvents, confidence: .low),
        NewCase(
            name: "an image pulled since", trust: .none, pool: .images, accessed: never, fetched: 10,
            access: .miss(at: hour(10), regret: false), lastUsed: 10, evidence: .firstSeen,
            confidence: .low),
    ]

    @Test(arguments: newCases) func ofAnEntryNotKnown(_ row: NewCase) throws {
        let found = try artifact(
            "a", pool: row.pool, accessed: Self.time(row.accessed),
            fetched: hour(row.fetched))
        let verdict = Self.rule(trust: row.trust, before: row.before, complete: row.complete).judge(found)
        #expect(
            verdict
                == AccessRule.Verdict(
                    access: row.access, watermark: found.accessed, lastUsed: hour(row.lastUsed),
                    evidence: row.evidence, confidence: row.confidence))
    }

    struct CopyCase: CustomTestStringConvertible, Sendable {
        var name: String
        var pool = Pool.maven
        var traits: EntryTraits = []
        /// The newest time in it, by directories and files; nil where it was not set.
        var times: Int64? = 2
        var complete = true
        var isCopy = false
        var access: AccessRule.Access = .miss(at: hour(10), regret: false)
        var testDescription: String { name }
    }

    static let copyCases = [
        CopyCase(name: "a copy is neither", isCopy: true, access: .none),
        CopyCase(name: "an hour before the last scan is a copy", times: 8, isCopy: true, access: .none),
        CopyCase(name: "within the hour before the last scan is in doubt"),
        CopyCase(name: "a copy of what is newer than the last scan is in doubt", times: 10),
        CopyCase(name: "an artifact with the server's time in a new directory is a fetch", times: nil),
        CopyCase(name: "an image says when it was pulled", pool: .images),
        CopyCase(
            name: "a tool of the user's own may set times", pool: Pool(named: "npm") ?? .gradle, access: .none
        ),
        CopyCase(name: "so may what is told apart", traits: .file, access: .none),
        CopyCase(name: "what an incomplete scan passed over is no copy", complete: false, access: .none),
    ]

    @Test(arguments: copyCases) func ofACopy(_ row: CopyCase) throws {
        // Copying leaves access times of its own, which are no use.
        var found = try artifact("a", pool: row.pool, accessed: hour(10), fetched: hour(row.times ?? 2))
        found.traits = row.traits
        found.broughtWithTimesOf = row.times.map {
            row.name.hasPrefix("within") ? hour(8) + .minutes(1) : hour($0)
        }
        let verdict = Self.rule(complete: row.complete).judge(found)
        #expect((verdict.isCopy, verdict.access) == (row.isCopy, row.access))
    }

    /// Nobody asks the cache for what a build makes; a repository without tracking files does not tell what that is.
    @Test(arguments: [
        (protections: [Protection.locallyInstalled], isMiss: false), ([.locallyInstalled, .untracked], true),
        ([.foreignFiles], true), ([], true),
    ])
    func ofWhatWasInstalled(_ row: (protections: [Protection], isMiss: Bool)) throws {
        var found = try artifact("a", inode: 2, accessed: hour(10), fetched: hour(10))
        for protection in row.protections { found.protections.insert(Protections(protection)) }
        let known = AccessRule.Known(
            inode: 1, bytes: ByteCount(900), accessed: hour(5), fetched: hour(2), lastUsed: hour(5),
            evidence: .atime, confidence: .high)
        let gone = AccessRule.Gone(inode: 1, goneAt: hour(8), evicted: true)
        let verdicts = [
            Self.rule().judge(found), Self.rule().judge(found, known: known),
            Self.rule().judge(found, returned: gone),
        ]
        for (verdict, isRegret) in zip(verdicts, [false, false, true]) {
            #expect(verdict.access == (row.isMiss ? .miss(at: hour(10), regret: isRegret) : .none))
            #expect(verdict.lastUsed == hour(10) && !verdict.isCopy)
        }
    }

    @Test func ofAClaimThatWasMovedFileByFile() throws {
        var found = try artifact("a", inode: 2, accessed: hour(4), fetched: hour(2))
        let known = AccessRule.Known(
            inode: 1, bytes: ByteCount(1000), accessed: hour(5), fetched: hour(2), lastUsed: hour(5),
            evidence: .gradleJournal, confidence: .medium)
        #expect(Self.rule().judge(found, known: known).access == .miss(at: hour(10), regret: false))
        found.broughtWithTimesOf = hour(2)
        let verdict = Self.rule().judge(found, known: known)
        #expect((verdict.access, verdict.isCopy) == (.none, true))
        // The copy is as old as what it is a copy of.
        #expect((verdict.lastUsed, verdict.evidence) == (hour(5), .gradleJournal))
        // Whoever brings back what was evicted wants it.
        let gone = AccessRule.Gone(inode: 1, goneAt: hour(8), evicted: true)
        let returned = Self.rule().judge(found, returned: gone)
        #expect((returned.access, returned.lastUsed) == (.none, hour(10)))
    }

    struct KnownCase: CustomTestStringConvertible, Sendable {
        var name: String
        var trust = Confidence.high
        var pool = Pool.maven
        var inode: UInt64 = 1
        var bytes: Int64 = 1000
        var accessed: Int64 = 5
        var fetched: Int64 = 2
        /// The index's: read at 5, fetched at 2, used at 5 by atime with medium confidence.
        var knownAccessed: Int64 = 5
        var access: AccessRule.Access
        var watermark: Int64
        var lastUsed: Int64
        var evidence = Evidence.atime
        var confidence = Confidence.medium
        var testDescription: String { name }
    }

    static let knownCases = [
        KnownCase(name: "nothing changed", access: .none, watermark: 5, lastUsed: 5),
        KnownCase(
            name: "a newer atime is a hit", accessed: 9, access: .hit(at: hour(9)), watermark: 9, lastUsed: 9,
            confidence: .high),
        KnownCase(
            name: "a hit counts though the atime lies before the last scan", accessed: 6,
            access: .hit(at: hour(6)), watermark: 6, lastUsed: 6, confidence: .high),
        KnownCase(
            name: "an atime in the future is a hit at the scan", accessed: 60, access: .hit(at: hour(10)),
            watermark: 60, lastUsed: 10, confidence: .high),
        KnownCase(
            name: "the same atime in the future is no second hit", accessed: 60, knownAccessed: 60,
            access: .none, watermark: 60, lastUsed: 5),
        KnownCase(
            name: "a read after an atime in the future is a hit", accessed: 10, knownAccessed: 60,
            access: .hit(at: hour(10)), watermark: 60, lastUsed: 10, confidence: .high),
        KnownCase(
            name: "an older atime below a future one is none", accessed: 7, knownAccessed: 60, access: .none,
            watermark: 60, lastUsed: 5),
        KnownCase(name: "an atime set back is none", accessed: 1, access: .none, watermark: 5, lastUsed: 5),
        KnownCase(
            name: "without atime there are no hits", trust: .none, accessed: 9, access: .none, watermark: 9,
            lastUsed: 5, confidence: .none),
        KnownCase(
            name: "without atime a newer fetch is the last use", trust: .none, fetched: 9, access: .none,
            watermark: 5, lastUsed: 9, evidence: .mtime, confidence: .none),
        KnownCase(
            name: "trust that sank lowers what was known", trust: .low, access: .none, watermark: 5,
            lastUsed: 5, confidence: .low),
        KnownCase(
            name: "another inode was fetched anew", inode: 2, fetched: 10,
            access: .miss(at: hour(10), regret: false), watermark: 5, lastUsed: 10, evidence: .firstSeen,
            confidence: .high),
        KnownCase(
            name: "a newer fetch of another size was one too", bytes: 1001, accessed: 10, fetched: 10,
            access: .miss(at: hour(10), regret: false), watermark: 10, lastUsed: 10, confidence: .high),
        KnownCase(
            name: "a newer directory of the same size was not", fetched: 10, access: .none, watermark: 5,
            lastUsed: 5),
        KnownCase(
            name: "another size alone was not", bytes: 1001, access: .none, watermark: 5, lastUsed: 5),
        KnownCase(
            name: "a new container is a hit of its image", trust: .none, pool: .images, accessed: 10,
            access: .hit(at: hour(10)), watermark: 10, lastUsed: 10, evidence: .podmanEvents,
            confidence: .low),
        KnownCase(
            name: "a container that is gone is none", trust: .none, pool: .images, accessed: 1, access: .none,
            watermark: 5, lastUsed: 5),
        KnownCase(
            name: "an image extracted anew was pulled again", trust: .none, pool: .images, accessed: 5,
            fetched: 10, access: .miss(at: hour(10), regret: false), watermark: 5, lastUsed: 10,
            evidence: .firstSeen, confidence: .low),
    ]

    @Test(arguments: knownCases) func ofAKnownEntry(_ row: KnownCase) throws {
        let found = try artifact(
            "a", pool: row.pool, inode: row.inode, bytes: row.bytes, accessed: hour(row.accessed),
            fetched: hour(row.fetched))
        let known = AccessRule.Known(
            inode: 1, bytes: ByteCount(1000), accessed: hour(row.knownAccessed), fetched: hour(2),
            lastUsed: hour(5), evidence: .atime, confidence: .medium)
        #expect(
            Self.rule(trust: row.trust).judge(found, known: known)
                == AccessRule.Verdict(
                    access: row.access, watermark: hour(row.watermark), lastUsed: hour(row.lastUsed),
                    evidence: row.evidence, confidence: row.confidence))
    }

    struct ReturnCase: CustomTestStringConvertible, Sendable {
        var name: String
        var goneAt: Int64 = 8
        var evicted = true
        var fetched: Int64 = 10
        var inode: UInt64 = 2
        var access: AccessRule.Access
        var testDescription: String { name }
    }

    static let returnCases = [
        ReturnCase(name: "evicted and fetched again", access: .miss(at: hour(10), regret: true)),
        ReturnCase(name: "vanished", evicted: false, access: .miss(at: hour(10), regret: false)),
        ReturnCase(
            name: "at the end of the window", goneAt: 10 - 14 * 24, access: .miss(at: hour(10), regret: true)),
        ReturnCase(
            name: "after the window", goneAt: 9 - 14 * 24, access: .miss(at: hour(10), regret: false)),
        ReturnCase(name: "restored from the trash", fetched: 7, inode: 1, access: .none),
        ReturnCase(
            name: "copied back with its times", fetched: 7, access: .miss(at: hour(10), regret: true)),
        ReturnCase(
            name: "fetched again with the inode reused", inode: 1, access: .miss(at: hour(10), regret: true)),
    ]

    /// Whoever brings an entry back from the trash wants it.
    @Test func whatWasBroughtBackCountsAsUsed() throws {
        let found = try artifact("a", accessed: hour(1), fetched: hour(0))
        let rule = Self.rule(before: 8)
        let evicted = AccessRule.Gone(inode: found.inode, goneAt: hour(9), evicted: true)
        let verdict = rule.judge(found, returned: evicted)
        #expect(verdict.access == .none)
        #expect((verdict.lastUsed, verdict.evidence) == (rule.startedAt, .firstSeen))
        // What a scan had missed for a while was used when it was used.
        let vanished = AccessRule.Gone(inode: found.inode, goneAt: hour(9), evicted: false)
        #expect(rule.judge(found, returned: vanished).lastUsed == hour(1))
    }

    /// Where reads begin to leave a trace, nobody knows of those before.
    @Test func whereEvidenceBeginsAnEntryMayHaveBeenUsedAMomentAgo() throws {
        let found = try artifact("a", accessed: hour(5), fetched: hour(2))
        let known = AccessRule.Known(
            inode: found.inode, bytes: found.bytes, accessed: hour(5), fetched: hour(2), lastUsed: hour(2),
            evidence: .mtime, confidence: .none)
        let rule = Self.rule(before: 8)
        let verdict = rule.judge(found, known: known)
        #expect(verdict.access == .none)
        #expect((verdict.lastUsed, verdict.confidence) == (rule.startedAt, .low))
    }

    @Test(arguments: returnCases) func ofAReturn(_ row: ReturnCase) throws {
        let found = try artifact(
            "a", inode: row.inode, accessed: hour(row.fetched), fetched: hour(row.fetched))
        let gone = AccessRule.Gone(inode: 1, goneAt: hour(row.goneAt), evicted: row.evicted)
        #expect(Self.rule().judge(found, returned: gone).access == row.access)
    }
}
