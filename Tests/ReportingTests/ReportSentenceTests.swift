import CacheModel
import Testing

@testable import Reporting

/// What the report says in words where a number alone would mislead.
@Suite struct ReportSentenceTests {
    /// Two entries of 1 GiB used twice a day for 30 days, after an eviction where one is told.
    private func report(
        limit: ByteCount, used: ByteCount = gibibytes(2), capacity: Double = 20, days: Int64 = 30,
        evicts: Bool = false, asked: ByteCount? = nil, simulates: Bool = false, quotas: [Pool: Quota] = [:],
        maxIdle: [Pool: Span] = [:], inodes: (used: Int64, all: Int64)? = nil,
        activeDays: Int64? = nil, isOfCapacity: Bool = false, change: ((inout VolumeHistory) -> Void)? = nil
    ) -> CapacityReport {
        let began = now - .days(days)
        let entries = [artifact(1, hoursIdle: 12), artifact(2, hoursIdle: 6)]
        var past = VolumeHistory(
            beganAt: began, lastScanAt: now,
            contents: [1, 2].map { .init(entry: $0, bytes: gibibytes(1), lastUsed: began) },
            accesses: (0..<(2 * (activeDays ?? days))).map {
                .init(at: began + .hours(12 * $0 + 6), entry: $0 % 2 + 1, bytes: gibibytes(1), isHit: true)
            }, samples: (0...days).map { .init(at: began + .days($0), used: used) },
            evictions: evicts ? [.init(at: began + .hours(1), entries: 1, bytes: gibibytes(1))] : [])
        change?(&past)
        var usage = usage(entries, used: used)
        usage.capacity.total = gibibytes(capacity)
        if isOfCapacity { usage.capacity.total = limit }
        if let inodes {
            (usage.usedInodes, usage.capacity.inodes) = (inodes.used, inodes.all)
            usage.capacity.freeInodes = inodes.all - inodes.used
        }
        var volume = Volume(
            name: "build", kind: .buildCache, path: "/cache", limit: isOfCapacity ? nil : limit,
            poolQuotas: quotas)
        volume.maxIdle = maxIdle
        return CapacityReport(
            generatedAt: now, window: .days(30),
            volumes: [
                .init(
                    volume, usage, past, window: .days(30), simulates: simulates, asked: asked, now: now)
            ])
    }

    private func text(_ report: CapacityReport) -> String {
        report.text(color: false, now: now).replacing(/\s+/, with: " ")
    }

    @Test func claimsAreSaidAsTheyWereMade() {
        #expect(text(report(limit: ByteCount(50_000_000_000), capacity: 60)).contains("keep 50G."))
        #expect(text(report(limit: ByteCount(4 << 30))).contains("keep 4Gi."))
        let odd = ByteCount(1_992_552 * 1024 * 3)
        #expect(text(report(limit: odd, isOfCapacity: true)).contains("keep today's 5.7 GiB."))
        #expect(ByteCount(50_000_000_000).quantity == "50G" && ByteCount(1536 << 20).quantity == "1536Mi")
        #expect(ByteCount(1000).quantity == "1000" && ByteCount(48_828_126 * 1024).quantity == "48828126Ki")
        for size in [50_000_000_000, 3_000_000, 1 << 40, 1000, 1_992_552 * 1024] as [Int64] {
            #expect(ByteCount(quantity: ByteCount(size).quantity) == ByteCount(size))
        }
    }

    @Test func nothingIsSaidPlainly() {
        let text = text(report(limit: gibibytes(20), evicts: true))
        #expect(text.contains("What jobs use in a week does not grow, so that it does not reach 20 GiB."))
        #expect(
            text.contains("with none a day.") && !text.contains("-0 B") && !text.contains("more than a third")
        )
    }

    @Test func aVolumeAboveItsLimitIsSaidToBe() {
        let said = text(report(limit: gibibytes(1), used: gibibytes(2)))
        #expect(
            said.contains("It is above its limit: 2.0 GiB of 1 GiB (200 %). No prune has run in the 30 days"))
        #expect(said.contains("if it were pruned, which it never was."))
        #expect(said.contains("Calibration: no prune has run"))
        #expect(
            said.contains("it has been above 1 GiB since \(String((now - .days(30)).description.prefix(10)))")
        )
        #expect(!text(report(limit: gibibytes(4))).contains("above its limit"))
    }

    @Test func aQuestionOfTheFirstDayIsAnswered() {
        let said = text(report(limit: gibibytes(4), days: 0, asked: gibibytes(8), simulates: true))
        #expect(said.contains("What 8 GiB would serve cannot be told for the same reason."))
        #expect(said.contains("The rules of eviction cannot be compared for the same reason."))
        let later = text(report(limit: gibibytes(4), asked: gibibytes(8), simulates: true))
        #expect(later.contains("8 GiB would serve 100.0 %") && !later.contains("for the same reason"))
    }

    @Test func aSizeThatIsAskedForHasItsPrice() {
        var report = report(limit: gibibytes(4), asked: gibibytes(8))
        #expect(!text(report).contains("It costs"))
        report.price = (0.25, "EUR")
        #expect(text(report).contains("It costs 2.00 EUR a month."))
        #expect(report.html().contains("It costs 2.00 EUR a month."))
        #expect(report.volumes[0].cost(at: report.price)?.hasPrefix("1.00 EUR at today's 4 GiB") == true)
        #expect(Dashboard.plots(report).contains("Cost a month: 1.00 EUR at today"))
    }

    @Test func whatIsTooSmallIsMarked() throws {
        let report = report(limit: gibibytes(20), asked: gibibytes(1))
        #expect(text(report).contains("1 GiB is too small: up to 2.0 GiB would be used between two prunes"))
        #expect(text(report).contains("1.0 GiB – – – – – asked for, too small"))
        #expect(try report.json().contains("\"fits\": false"))
        #expect(report.html().contains("too small"))
    }

    @Test func aQuotaIsNamedAsTheBottleneck() throws {
        let quota = Quota(limit: gibibytes(1), high: gibibytes(0.85), low: gibibytes(0.7))
        let report = report(
            limit: gibibytes(12), evicts: true, quotas: [.maven: quota],
            change: { past in
                // A day apart each, so that the quota takes one before the other's turn.
                past.accesses = []
                for day in Int64(0)..<30 {
                    let morning = past.beganAt + .days(day) + .hours(6)
                    past.accesses.append(
                        .init(at: morning, entry: day % 2 + 1, bytes: gibibytes(1), isHit: true))
                }
            })
        let said = text(report)
        #expect(said.contains("keep 12Gi. Today's 12 GiB would serve"), "\(said)")
        #expect(
            said.contains("the quota of pool maven, 1 GiB, costs them. With a quota of 24"), "\(said)")
        #expect(!said.contains("a volume without any limit would serve"))
        #expect(try report.json().contains("\"object_hit_rate_without\": 1"))
        // 85 % of it must be 2 GiB, and it is sought to one part in 128.
        let needed = try #require(report.volumes[0].sizing.bottlenecks.first?.needed)
        #expect((2410...2429).contains(needed.bytes >> 20))
    }

    @Test func aMaxIdleIsNamedAsTheBottleneck() throws {
        // One entry is used each day, the other each third day and goes after two.
        let report = report(
            limit: gibibytes(12), evicts: true, maxIdle: [.maven: .days(2)],
            change: { past in
                let began = past.beganAt
                past.accesses = (Int64(0)..<30).flatMap { day -> [VolumeHistory.Access] in
                    (day % 3 == 0 ? [1, 2] : [1]).map {
                        .init(at: began + .days(day) + .hours(6), entry: $0, bytes: gibibytes(1), isHit: true)
                    }
                }
            })
        let said = text(report)
        #expect(said.contains("`max_idle: 2d` of pool maven costs them. With `max_idle: 3d` that"), "\(said)")
        #expect(said.contains("beside those that a pool's own max_idle costs (maven)"), "\(said)")
        #expect(try report.json().contains("\"enough_seconds\": 259200"))
    }

    @Test func aSizeForInodesIsToldAsSuch() throws {
        // 950 inodes in 2 GiB; a prune starts above 850 of 1,000, on 4 GiB.
        let report = report(limit: gibibytes(4), asked: gibibytes(3), inodes: (950, 1000))
        let said = text(report)
        #expect(
            said.contains("grow to 5Gi. Its inodes run out before its bytes do: about 950 are"), "\(said)")
        #expect(said.contains("for the 950 inodes of all that"), "\(said)")
        #expect(said.contains("Confidence is low: inodes run out before bytes do."), "\(said)")
        #expect(
            said.contains("3 GiB is too small: about 950 inodes are needed, and it would have 750"), "\(said)"
        )
        #expect(try report.json().contains("\"inodes_needed\": 950"))
        #expect(!text(self.report(limit: gibibytes(4), inodes: (500, 1000))).contains("run out"))
    }

    /// Two sizes that differ do not cost the same.
    @Test(arguments: [
        (0, "0.00"), (0.00001, "<0.0001"), (0.0059, "0.0059"), (0.00897, "0.0090"), (0.0999, "0.100"),
        (0.01, "0.010"),
        (0.1, "0.10"), (4.8, "4.80"), (1234.567, "1234.57"),
    ])
    func whatCostsLittleIsToldApart(amount: Double, text: String) {
        #expect(CapacityReport.Volume.money(amount) == text)
    }

    @Test func withoutUseNothingIsSure() {
        let report = report(limit: gibibytes(4), days: 60, activeDays: 20)
        #expect(report.volumes[0].sizing.recommendation == nil && report.volumes[0].confidence == .low)
    }

    @Test func daysOffDoNotMakeUseVanish() {
        let said = text(report(limit: gibibytes(4), activeDays: 10))
        #expect(said.contains("Jobs used anything on 10 of 30 days, and on those 2.0 GiB a day"), "\(said)")
    }

    @Test func aCopiedCacheIsPointedOut() {
        func said(_ bytes: Double) -> String {
            text(
                report(
                    limit: gibibytes(20),
                    change: { past in
                        let evening = past.beganAt + .days(10) + .hours(1)
                        for entry in Int64(10)..<40 {
                            past.accesses.append(
                                .init(at: evening, entry: entry, bytes: gibibytes(bytes), isHit: false))
                        }
                        past.accesses.sort { $0.at < $1.at }
                    }))
        }
        #expect(
            said(0.25).contains("Of the 7.5 GiB that came in the window, 7.5 GiB came in the 24 hours before")
        )
        #expect(said(0.25).contains("hit rates are too low: without that day 100.0 %."))
        #expect(!said(0.01).contains("too low"))
    }

    @Test func aLimitThatWasChangedIsTold() throws {
        let report = report(
            limit: gibibytes(10), evicts: true,
            change: { past in
                for place in past.samples.indices {
                    past.samples[place].limit = gibibytes(place < 28 ? 2 : 10)
                }
            })
        let said = text(report)
        #expect(said.contains("The limit was changed from 2 GiB to 10 GiB about"))
        #expect(said.contains("Calibration: today's limit must have held for 3 days"))
        #expect(report.volumes[0].confidence == .medium)
        #expect(try report.json().contains("\"before_bytes\": 2147483648"))
    }

    @Test func protectedBytesAreNamed() {
        let usage = usage([artifact(1)], used: gibibytes(1))
        let began = now - .days(20)
        var past = VolumeHistory(beganAt: began, lastScanAt: now, contents: [], accesses: [])
        past.evictions = [.init(at: began + .hours(1), entries: 1, bytes: gibibytes(1))]
        for day in Int64(0)..<20 {
            let morning = began + .days(day) + .hours(6)
            past.accesses.append(
                .init(at: morning, entry: 10 + day % 2, bytes: gibibytes(0.1), isHit: day > 1))
            past.accesses.append(.init(at: morning, entry: 100 + day, bytes: gibibytes(0.125), isHit: false))
        }
        let volume = Volume(name: "build", kind: .buildCache, path: "/cache", limit: gibibytes(10))
        let regime = PruneRegime(volume, limit: gibibytes(10), pinned: Set(100..<120))
        let said = text(
            CapacityReport(
                generatedAt: now, window: .days(30),
                volumes: [.init(volume, usage, past, window: .days(30), regime: regime, now: now)]))
        #expect(
            said.contains("Protected: 2.5 GiB (25 % of the limit), which grows by 128 MiB a day"), "\(said)")
        // 90 days of 128 MiB.
        #expect(said.contains("11.3 GiB of growth, 11.3 GiB of it of protected entries,"), "\(said)")
    }
}
