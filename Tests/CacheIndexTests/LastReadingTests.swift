import CacheModel
import Testing

@testable import CacheIndex

@Suite struct LastReadingTests {
    /// What others remove from a file system that volumes share makes none of them emptier.
    @Test func whatOthersRemoveMakesAVolumeNoEmptier() throws {
        let bed = try IndexFixture()
        let index = try bed.open()
        _ = try index.record(scan(at: 1, [artifact("a"), artifact("b")]), of: bed.volume)
        let last = try #require(try index.lastReading(of: "build"))
        #expect(last.ownBytes > .zero && last.knownBytes == last.ownBytes)
        let used = last.fileSystemUsed
        #expect(last.ownBytes(where: used) == last.ownBytes)
        #expect(last.ownBytes(where: used - ByteCount(1 << 30)) == last.ownBytes)
        #expect(last.ownBytes(where: used + ByteCount(500)) == last.ownBytes + ByteCount(500))
        // What a run freed is known.
        let entry = try #require(try index.usage(of: "build")?.entries.first)
        try index.record(
            EvictionOutcome(
                volume: "build", evicted: [entry.line], freedBytes: entry.bytes, usedBefore: last.ownBytes,
                usedAfter: last.ownBytes - entry.bytes, overQuota: false),
            run: RunRecord(id: "run-1", kind: "prune", startedAt: hour(2), finishedAt: hour(2), exitCode: 0))
        let after = try #require(try index.lastReading(of: "build"))
        #expect(after.ownBytes(where: used - ByteCount(1 << 30)) == last.ownBytes - entry.bytes)
    }
}
