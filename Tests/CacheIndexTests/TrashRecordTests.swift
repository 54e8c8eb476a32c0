import CacheIndex
import CacheModel
import Testing

/// What the index knows of a volume's trash, and of what webhooks were told.
@Suite struct TrashRecordTests {
    /// A run that evicted three entries, of which two wait in the trash.
    private func evicted() throws -> (IndexFixture, CacheIndex) {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(
            scan(at: 1, [artifact("a"), artifact("b"), artifact("c")]), of: bed.volume)
        let entries = try #require(try index.usage(of: "build")).entries
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: entries.map(\.line), trashedBytes: ByteCount(2000),
                usedBefore: ByteCount(8000), usedAfter: ByteCount(5000), overQuota: false),
            run: prune("run-1", at: 2))
        try index.recordTrash(of: "build", holding: [stock(["a", "b"])])
        return (bed, index)
    }

    private func stock(_ names: [String]) -> TrashedRun {
        TrashedRun(
            run: "run-1",
            entries: names.enumerated().map {
                .init(number: $0.offset, key: "org.example:\($0.element):1.0", bytes: ByteCount(1000))
            })
    }

    private func volume(_ index: CacheIndex) throws -> RunSummary.OnVolume {
        try #require(try index.run(named: "run-1", lines: 9)?.volumes.first)
    }

    @Test func aRunKnowsWhatOfItCanBeBroughtBack() throws {
        let (bed, index) = try evicted()
        defer { withExtendedLifetime(bed) {} }
        #expect(try volume(index).inTrash == 2 && volume(index).inTrashBytes == ByteCount(2000))
        #expect(try index.trashedRuns(limit: 5) == ["run-1"])
        #expect(
            try index.trashedKeys(of: "run-1", beginning: "org.example:b", limit: 5) == ["org.example:b:1.0"])
        #expect(try index.ghosts(matching: "org.example:a:1.0").map(\.isInTrash) == [true])
        #expect(try index.ghosts(matching: "org.example:c:1.0").map(\.isInTrash) == [false])
        // One is brought back, and the rest purged.
        try index.recordTrash(of: "build", holding: [stock(["b"])])
        #expect(try volume(index).inTrash == 1)
        try index.recordTrash(of: "build", holding: [])
        #expect(try volume(index).inTrash == 0 && index.trashedRuns(limit: 5).isEmpty)
    }

    @Test func aPurgeSaysWhoTookWhatAwayAndWhy() throws {
        let (bed, index) = try evicted()
        defer { withExtendedLifetime(bed) {} }
        #expect(try volume(index).purge == nil && index.purge(ofRun: "run-1") == nil)
        let purge = TrashPurge(at: hour(3), by: "run-2", cause: .critical)
        try index.record(purge, ofRuns: ["run-1"], on: "build")
        #expect(try volume(index).purge == purge && index.purge(ofRun: "run-1") == purge)
        // What still waits is not told to be gone.
        #expect(try index.ghosts(matching: "org.example:a:1.0").map(\.purge) == [nil])
        #expect(try index.ghosts(matching: "org.example:c:1.0").map(\.purge) == [purge])
        #expect(
            purge.text
                == "purged from the trash by run-2 at \(hour(3)), because the volume was above its critical level"
        )
        let asked = TrashPurge(at: hour(4), by: nil, cause: .asked)
        try index.record(asked, ofRuns: ["run-1"], on: "build")
        #expect(try volume(index).purge == asked)
    }

    @Test func causesAreThoseOfTheSchema() throws {
        let (bed, index) = try evicted()
        defer { withExtendedLifetime(bed) {} }
        for cause in TrashPurge.Cause.allCases {
            let purge = TrashPurge(at: hour(3), by: nil, cause: cause)
            try index.record(purge, ofRuns: ["run-1"], on: "build")
            #expect(try index.purge(ofRun: "run-1") == purge)
        }
    }

    @Test func whatIsGoneIsFoundByAPartOfItsKey() throws {
        let (bed, index) = try evicted()
        defer { withExtendedLifetime(bed) {} }
        #expect(try index.ghosts(holding: "EXAMPLE:b", limit: 5).map(\.key) == ["org.example:b:1.0"])
        #expect(try index.ghosts(holding: "org.example", limit: 2).count == 2)
        #expect(try index.ghosts(holding: "%", limit: 2).isEmpty)
    }

    @Test func whatWebhooksWereToldIsKeptUntilItIsOver() throws {
        let (bed, index) = try evicted()
        defer { withExtendedLifetime(bed) {} }
        #expect(try index.told(of: "over-quota", on: "build") == nil)
        try index.recordTold(of: "over-quota", on: "build", state: "7", at: hour(1))
        let told = try #require(try index.told(of: "over-quota", on: "build"))
        #expect(told.state == "7" && told.at == hour(1))
        #expect(try index.told(of: "over-quota", on: "other") == nil)
        try index.recordTold(of: "over-quota", on: "build", state: nil, at: hour(2))
        #expect(try index.told(of: "over-quota", on: "build") == nil)
    }
}
