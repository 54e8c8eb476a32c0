import CacheModel
import Testing

@testable import CacheIndex

/// Uses that tools wrote down: the scan at hour 10 is judged, an hour after the last one.
@Suite struct RecordedUseTests {
    private static func rule(trust: Confidence = .high, before: Int64? = 9) -> AccessRule {
        AccessRule(
            before: before.map {
                AccessRule.Before(startedAt: hour($0), finishedAt: hour($0) + .seconds(5), complete: true)
            }, startedAt: hour(10), trust: trust, regretWindow: .days(14))
    }

    private static let known = AccessRule.Known(
        inode: 1, bytes: ByteCount(1000), accessed: hour(5), fetched: hour(2), lastUsed: hour(5),
        evidence: .atime,
        confidence: .medium)

    private func module(accessed: Int64 = 5, journal: Int64?) throws -> ScannedEntry {
        var entry = try artifact("a", pool: .gradle, accessed: hour(accessed), fetched: hour(2))
        entry.uses = journal.map { [RecordedUse(at: hour($0), evidence: .gradleJournal)] } ?? []
        return entry
    }

    private func image(
        _ uses: [Timestamp], accessed: Timestamp = hour(5), fetched: Int64 = 2
    ) throws -> ScannedEntry {
        var entry = try artifact("a", pool: .images, accessed: accessed, fetched: hour(fetched))
        entry.uses = uses.map { RecordedUse(at: $0, evidence: .podmanEvents) }
        return entry
    }

    @Test func theNewerOfJournalAndAtimeWins() throws {
        let byJournal = Self.rule().judge(try module(accessed: 8, journal: 9), known: Self.known)
        #expect(byJournal.access == .hit(at: hour(9)))
        #expect(byJournal.evidence == .gradleJournal)
        #expect(byJournal.confidence == .high)
        let byAtime = Self.rule().judge(try module(accessed: 9, journal: 8), known: Self.known)
        #expect(byAtime.access == .hit(at: hour(9)))
        #expect(byAtime.evidence == .atime)
        #expect(byAtime.watermark == hour(9))
    }

    @Test func theJournalCountsWhereReadsLeaveNoTrace() throws {
        let rule = Self.rule(trust: .none)
        let hit = rule.judge(try module(accessed: 7, journal: 9), known: Self.known)
        #expect(hit.access == .hit(at: hour(9)))
        #expect((hit.evidence, hit.confidence) == (.gradleJournal, .medium))
        let idle = rule.judge(try module(accessed: 9, journal: 4), known: Self.known)
        #expect(idle.access == .none)
        #expect(idle.confidence == .medium)
        let silent = rule.judge(try module(accessed: 9, journal: nil), known: Self.known)
        #expect(silent.confidence == .none)
        let baseline = Self.rule(trust: .none, before: nil).judge(try module(accessed: 9, journal: 4))
        #expect(baseline.access == .none)
        #expect((baseline.lastUsed, baseline.evidence) == (hour(4), .gradleJournal))
    }

    @Test func aJournalInTheFutureIsOneHitAtTheScan() throws {
        let first = Self.rule().judge(try module(journal: 50), known: Self.known)
        #expect(first.access == .hit(at: hour(10)))
        #expect((first.lastUsed, first.watermark) == (hour(10), hour(50)))
        var known = Self.known
        known.accessed = hour(50)
        #expect(Self.rule().judge(try module(journal: 50), known: known).access == .none)
        #expect(Self.rule().judge(try module(journal: 1), known: Self.known).access == .none)
    }

    @Test func eachContainerIsAHit() throws {
        let times = [hour(9) + .minutes(1), hour(9) + .minutes(2), hour(11)]
        let verdict = Self.rule().judge(try image(times), known: Self.known)
        #expect(verdict.access == .hit(at: times[0]))
        #expect(verdict.laterHits == [times[1], hour(10)])
        #expect((verdict.evidence, verdict.confidence) == (.podmanEvents, .high))
        #expect((verdict.lastUsed, verdict.watermark) == (hour(10), hour(11)))
    }

    @Test func theFirstContainerAfterAPullBelongsToIt() throws {
        let times = [hour(9) + .minutes(1), hour(9) + .minutes(31), hour(9) + .minutes(40)]
        var found = try image(times, accessed: hour(9) + .minutes(30))
        found.fetched = hour(9) + .minutes(30)
        for verdict in [Self.rule().judge(found), Self.rule().judge(found, known: Self.known)] {
            #expect(verdict.access == .miss(at: found.fetched, regret: false))
            #expect(verdict.laterHits == [times[2]])
            #expect(verdict.lastUsed == times[2])
        }
        let baseline = Self.rule(before: nil).judge(found)
        #expect(baseline.access == .none)
        #expect(baseline.laterHits.isEmpty)
    }

    /// A pull just before the scan at hour 9, and what was created after that scan.
    private struct Puller {
        var created: [Span]
        var warmed = false
        var access = AccessRule.Access.none
        var later = 0
    }

    @Test func aScanBetweenAPullAndItsContainerChangesNothing() throws {
        let pull = hour(9) - .seconds(10)
        for (row, puller) in [
            Puller(created: [.seconds(15)]),
            Puller(created: [.seconds(15), .minutes(20)], access: .hit(at: pull + .minutes(20))),
            Puller(created: [.minutes(60)]),
            Puller(created: [.seconds(3601)], access: .hit(at: pull + .seconds(3601))),
            Puller(created: [.seconds(15)], warmed: true, access: .hit(at: pull + .seconds(15))),
            Puller(
                created: [.seconds(1), .seconds(2), .seconds(3)], access: .hit(at: pull + .seconds(2)),
                later: 1),
        ].enumerated() {
            var found = try image(puller.created.map { pull + $0 }, accessed: Timestamp(nanoseconds: 0))
            found.fetched = pull
            var unused = found
            unused.uses = []
            let seen = Self.rule(before: 8).judge(unused)
            #expect(seen.access == .miss(at: pull, regret: false))
            let known = AccessRule.Known(
                inode: 1, bytes: ByteCount(1000), accessed: seen.watermark, fetched: pull,
                lastUsed: seen.lastUsed, evidence: seen.evidence, confidence: seen.confidence,
                warmed: puller.warmed)
            let verdict = Self.rule().judge(found, known: known)
            #expect(verdict.access == puller.access, "case \(row)")
            #expect(verdict.laterHits.count == puller.later, "case \(row)")
            #expect(verdict.lastUsed == min(pull + (puller.created.last ?? .zero), hour(10)))
            // The next container is a hit, however soon.
            var after = known
            after.accessed = verdict.watermark
            found.uses = [RecordedUse(at: hour(10), evidence: .podmanEvents)]
            let next = Self.rule().judge(found, known: after)
            #expect(next.access == .hit(at: hour(10)))
        }
    }

    @Test func theStoreAloneTellsThePullersContainerToo() throws {
        let pull = hour(9) - .seconds(10)
        for trust in [Confidence.low, .high] {
            var known = Self.known
            (known.accessed, known.fetched) = (Timestamp(nanoseconds: 0), pull)
            var found = try image([], accessed: pull + .seconds(15))
            found.fetched = pull
            let verdict = Self.rule(trust: trust).judge(found, known: known)
            #expect(verdict.access == .none)
            #expect((verdict.watermark, verdict.lastUsed) == (found.accessed, found.accessed))
            known.accessed = verdict.watermark
            found.accessed = hour(9) + .minutes(30)
            #expect(Self.rule(trust: trust).judge(found, known: known).access == .hit(at: found.accessed))
        }
    }

    /// The container stands in the store when the scan reads it, its event only in the next one.
    @Test func anEventThatComesAfterItsContainerWasSeenIsNoHit() throws {
        let created = hour(9) - .seconds(5)
        var found = try image([], accessed: created)
        found.fetched = hour(9) - .seconds(10)
        let first = AccessRule(
            before: AccessRule.Before(startedAt: hour(8), finishedAt: hour(8) + .seconds(5), complete: true),
            startedAt: hour(9), trust: .high, regretWindow: .days(14)
        ).judge(found)
        #expect(first.access == .miss(at: found.fetched, regret: false))
        let known = AccessRule.Known(
            inode: 1, bytes: ByteCount(1000), accessed: first.watermark, fetched: found.fetched,
            lastUsed: first.lastUsed, evidence: first.evidence, confidence: first.confidence)
        found.uses = [RecordedUse(at: created, evidence: .podmanEvents)]
        let second = Self.rule().judge(found, known: known)
        #expect((second.access, second.laterHits) == (.none, []))
    }

    @Test func whatTheStoreShowsCountsOnceItsEventWouldBeThere() throws {
        let fresh = hour(10) - .seconds(1)
        let waiting = Self.rule().judge(try image([], accessed: fresh), known: Self.known)
        #expect(waiting.access == .none)
        #expect((waiting.lastUsed, waiting.watermark) == (fresh, hour(5)))
        let settled = Self.rule().judge(try image([], accessed: hour(9) + .minutes(5)), known: Self.known)
        #expect(settled.access == .hit(at: hour(9) + .minutes(5)))
        #expect(settled.confidence == .low)
        let withoutLogs = Self.rule(trust: .low).judge(try image([], accessed: fresh), known: Self.known)
        #expect(withoutLogs.access == .hit(at: fresh))
        let both = Self.rule().judge(try image([fresh], accessed: fresh), known: Self.known)
        #expect(both.access == .hit(at: fresh))
        #expect(both.laterHits.isEmpty)
    }

    @Test func aPullOfSomeLayersCostsOnlyThose() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        let store = Volume(name: "images", kind: .imageStore, path: "/podman-data/storage")
        func layer(_ id: String, _ stored: Int64, created: Timestamp) -> ScannedLayer {
            ScannedLayer(
                id: id, parent: nil, diffBytes: ByteCount(1), storedBytes: ByteCount(stored),
                created: created,
                incomplete: false, images: 1, containers: 0)
        }
        func entry(_ id: String, _ layers: [String], fetched: Timestamp, uses: [Timestamp] = []) throws
            -> ScannedEntry
        {
            ScannedEntry(
                pool: .images, key: "r/\(id):1", path: try #require(VolumePath(id)), bytes: ByteCount(700),
                apparentBytes: ByteCount(700), files: 0, accessed: Timestamp(nanoseconds: 0),
                fetched: fetched,
                image: ScannedImage(
                    id: id, names: ["r/\(id):1"], layers: layers, exclusiveBytes: .zero, containers: 0),
                uses: uses.map { RecordedUse(at: $0, evidence: .podmanEvents) })
        }
        let base = layer("l1", 300, created: hour(-5))
        _ = try index.record(
            scan(at: 0, [entry("aa", ["l1"], fetched: hour(-5))], of: "images", layers: [base]), of: store)
        let time = hour(0) + .minutes(30)
        let entries = try [
            entry("aa", ["l1"], fetched: hour(-5), uses: [time, time + .seconds(1)]),
            entry("bb", ["l2", "l1"], fetched: time),
        ]
        _ = try index.record(
            scan(
                at: 1, entries, of: "images", layers: [base, layer("l2", 400, created: time)],
                snapshot: [1, 2]),
            of: store)
        let rate = try #require(try index.hitRates(of: "images", since: hour(0), until: hour(1))[.images])
        #expect((rate.hits, rate.misses) == (2, 1))
        #expect((rate.hitBytes, rate.missBytes) == (ByteCount(1400), ByteCount(400)))
        #expect(try index.usage(of: "images")?.entries.map(\.uses) == [2, 0])
        #expect(try index.previousScan(of: "images")?.snapshot == [1, 2])
    }
}
