import CacheIndex
import CacheModel
import Testing

@Suite struct HistoryQueryTests {
    @Test func historyBeginsWithTheFirstScanAndKeepsNumbers() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        #expect(try index.history(of: "build") == nil)
        _ = try index.record(
            scan(at: 0, [artifact("a", accessed: hour(-5)), artifact("b", bytes: 50)]), of: bed.volume)
        let entries = try #require(try index.usage(of: "build")).entries
        let (a, b) = (try #require(entries.first), try #require(entries.last))
        let first = try #require(try index.history(of: "build"))
        #expect(first.accesses.isEmpty && first.beganAt == hour(0) && first.lastScanAt == hour(0))
        #expect(
            Set(first.contents) == [
                .init(entry: a.id, bytes: ByteCount(1000), lastUsed: a.lastUsed),
                .init(entry: b.id, bytes: ByteCount(50), lastUsed: b.lastUsed),
            ])
        // a grows and is used, c is fetched, b is evicted and comes back.
        _ = try index.record(
            scan(
                at: 24,
                [
                    artifact("a", accessed: hour(23)), artifact("b", bytes: 50),
                    artifact("c", fetched: hour(20)),
                ]),
            of: bed.volume)
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: [b.line], usedBefore: ByteCount(1), usedAfter: ByteCount(0),
                overQuota: false), run: prune("r", at: 30))
        _ = try index.record(
            scan(
                at: 48,
                [
                    artifact("a", accessed: hour(23)), artifact("b", inode: 9, bytes: 60, fetched: hour(40)),
                    artifact("c", accessed: hour(47), fetched: hour(20)),
                ]), of: bed.volume)
        let past = try #require(try index.history(of: "build"))
        let c = try #require(try index.usage(of: "build")?.entries.last).id
        #expect(past.contents.map(\.entry) == [a.id, b.id] && past.contents.last?.bytes == ByteCount(50))
        #expect(past.accesses.map(\.entry) == [c, a.id, b.id, c])
        #expect(past.accesses.map(\.at) == [hour(20), hour(23), hour(40), hour(47)])
        #expect(past.accesses.map(\.isHit) == [false, true, false, true])
        #expect(past.accesses.map(\.isRegret) == [false, false, true, false])
        #expect(past.accesses.map(\.bytes.bytes) == [1000, 1000, 60, 1000])
        #expect(past.samples.map(\.at) == [hour(0), hour(24), hour(48)])
        #expect(past.samples.first?.usedInodes == 40 && past.samples.first?.used == ByteCount(6050))
        // Each scan of the fixture has 5000 bytes that no entry has.
        #expect(past.samples.map(\.unmanaged) == [ByteCount(5000), ByteCount(5000), ByteCount(5000)])
        #expect(past.evictions == [.init(at: hour(30), entries: 1, bytes: ByteCount(50), left: .zero)])
    }

    /// What no job fetched is there from when it was first seen, with a use or without one.
    @Test func whatCameWithoutAFetchHasArrived() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a")]), of: bed.volume)
        func copy(_ name: String, accessed: Timestamp = hour(2)) throws -> ScannedEntry {
            var found = try artifact(name, bytes: 300, accessed: accessed, fetched: hour(-90))
            found.broughtWithTimesOf = hour(-80)
            return found
        }
        _ = try index.record(
            scan(at: 24, [artifact("a"), artifact("b", fetched: hour(20)), copy("c"), copy("d")]),
            of: bed.volume)
        _ = try index.record(
            scan(
                at: 48,
                [
                    artifact("a"), artifact("b", fetched: hour(20)), copy("c"),
                    copy("d", accessed: hour(47)),
                ]), of: bed.volume)
        let ids = Dictionary(
            uniqueKeysWithValues: try #require(try index.usage(of: "build")).entries.map {
                ($0.key.split(separator: ":")[1], $0.id)
            })
        let past = try #require(try index.history(of: "build"))
        #expect(past.contents.map(\.entry) == [ids["a"]])
        #expect(past.accesses.map(\.entry) == [ids["b"], ids["d"]])
        #expect(
            Set(past.arrivals.map(\.entry)) == Set([ids["c"], ids["d"]].compactMap { $0 })
                && past.arrivals.allSatisfy { $0.at == hour(24) && $0.bytes == ByteCount(300) })
        // What went again was there all the same.
        _ = try index.record(scan(at: 72, [artifact("a")]), of: bed.volume)
        #expect(try index.history(of: "build")?.arrivals == past.arrivals)
    }

    /// What had gone and is there again without a fetch has come back, and what was installed anew has another size.
    @Test func whatComesBackWithoutAFetchIsAReturn() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var installed = try artifact("i", bytes: 400)
        installed.protections = Protections(.locallyInstalled)
        _ = try index.record(
            scan(at: 0, [artifact("a"), artifact("b"), artifact("c"), installed]), of: bed.volume)
        let entries = try #require(try index.usage(of: "build")).entries
        let ids = Dictionary(uniqueKeysWithValues: entries.map { ($0.key.split(separator: ":")[1], $0.id) })
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: entries.prefix(3).map(\.line), usedBefore: ByteCount(1),
                usedAfter: ByteCount(0), overQuota: false), run: prune("r", at: 30))
        // a is restored, b is copied in, c is fetched.
        var copy = try artifact("b", inode: 8, accessed: hour(40))
        copy.broughtWithTimesOf = hour(-80)
        installed.bytes = ByteCount(700)
        (installed.inode, installed.fetched) = (9, hour(45))
        let found = [try artifact("a"), copy, try artifact("c", inode: 7, fetched: hour(44)), installed]
        for hours in [48, 72] as [Int64] { _ = try index.record(scan(at: hours, found), of: bed.volume) }
        let past = try #require(try index.history(of: "build"))
        #expect(past.accesses.map(\.entry) == [ids["c"]] && past.accesses.first?.isHit == false)
        #expect(
            Set(past.arrivals)
                == Set(
                    [("a", 1000), ("b", 1000), ("i", 700)].compactMap { name, bytes in
                        ids[Substring(name)].map {
                            .init(entry: $0, at: hour(48), bytes: ByteCount(bytes), isReturn: true)
                        }
                    }))
        _ = try index.forgetGhosts(goneBefore: hour(49))
        #expect(try index.history(of: "build")?.arrivals.isEmpty == true)
    }

    @Test func theLimitOfEachScanIsKept() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        var volume = bed.volume
        volume.limit = ByteCount(7000)
        _ = try index.record(scan(at: 0, []), of: volume)
        volume.limit = nil
        let second = scan(at: 24, [])
        _ = try index.record(second, of: volume)
        let limits = try index.history(of: "build")?.samples.map(\.limit)
        #expect(limits == [ByteCount(7000), second.capacity.usable])
        // An older Larder wrote none.
        _ = try bed.sql("UPDATE capacity_samples SET limit_bytes = NULL")
        #expect(try index.history(of: "build")?.samples.map(\.limit) == [nil, nil])
    }

    @Test func whatIsFoldedStaysKnownByTheMinute() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, []), of: bed.volume)
        _ = try index.record(scan(at: 24, [artifact("a", fetched: hour(2))]), of: bed.volume)
        _ = try index.record(
            scan(at: 48, [artifact("a", accessed: hour(47), fetched: hour(2))]), of: bed.volume)
        #expect(try index.history(of: "build")?.contents.isEmpty == true)
        _ = try index.foldAccesses(before: hour(30))
        let past = try #require(try index.history(of: "build"))
        // What is folded is known by the minute: a fetch comes at its beginning, so before any use in it.
        #expect(past.accesses.map(\.at) == [hour(2) - Span(nanoseconds: 1), hour(47)])
        #expect(past.accesses.map(\.isHit) == [false, true])
        #expect(past.contents.isEmpty)
    }

    @Test func anotherFileSystemBeginsAnew() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 0, [artifact("a"), artifact("b")]), of: bed.volume)
        _ = try index.record(
            scan(at: 24, [artifact("a", accessed: hour(20)), artifact("b")]), of: bed.volume)
        let other = VolumeIdentity(marker: 8, rootInode: 3)
        _ = try index.record(scan(at: 48, [artifact("a", inode: 4)], identity: other), of: bed.volume)
        let past = try #require(try index.history(of: "build"))
        #expect(past.accesses.isEmpty && past.contents.count == 1 && past.beganAt == hour(48))
        #expect(past.samples.count == 1)
    }
}
