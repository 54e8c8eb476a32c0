import CacheModel
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CacheServices

/// What comes first when the time is short, and how fast it is read.
@Suite struct OrderTests {
    @Test func theLeastRecentlyVerifiedComeFirst() throws {
        let bench = try VerificationFixture()
        for name in ["a", "b", "c"] { try bench.add(name) }
        // Each question for the time is a second later: the time is over after one entry.
        func step() throws -> VerifiedVolume {
            let seconds = Mutex<Int64>(0)
            return try bench.verify(
                pace: ReadingPace(duration: .seconds(2)),
                uptime: {
                    .seconds(
                        seconds.withLock {
                            $0 += 1; return $0
                        })
                })
        }
        func done() throws -> String {
            try bench.sql(
                "SELECT key FROM verifications JOIN entries ON id = entry ORDER BY at DESC LIMIT 1")
        }
        var order: [String] = []
        for _ in 0..<5 {
            let verified = try step()
            #expect(verified.entries == 1)
            #expect(verified.entriesLeft == 2)
            order.append(try done())
        }
        #expect(order == ["g:a:1", "g:b:1", "g:c:1", "g:a:1", "g:b:1"])
        // What changed since counts as not verified.
        try bench.directory.shell("echo x > \(VerificationFixture.path("c"))/c-1.txt")
        _ = try step()
        #expect(try done() == "g:c:1")
    }

    /// Known damage is named at each run, however short, and does not keep the others from their turn.
    @Test func knownDamageComesFirstAndLastsNobodyOut() throws {
        let bench = try VerificationFixture()
        for name in ["a", "b", "c"] { try bench.add(name) }
        try bench.directory.shell("truncate -s 10000 \(VerificationFixture.path("b"))/b-1.jar")
        try bench.age(VerificationFixture.path("b"))
        _ = try bench.verify()
        for _ in 0..<2 {
            let verified = try bench.verify(pace: ReadingPace(duration: Span(nanoseconds: 0)))
            #expect(verified.damaged.map(\.key) == ["g:b:1"])
            #expect(verified.entries == 2)
        }
        #expect(try bench.sql("SELECT count(DISTINCT at) FROM verifications") == "3")
    }

    @Test func thePaceIsKept() throws {
        let bench = try VerificationFixture()
        try bench.add("one", kilobytes: 3000)
        let waited = Mutex<Int64>(0)
        let verified = try bench.verify(
            pace: ReadingPace(rate: ByteCount(1 << 20)),
            uptime: { Span(nanoseconds: waited.withLock { $0 }) },
            wait: { pause in waited.withLock { $0 += pause.nanoseconds } })
        let due = Double(verified.bytes.bytes) / Double(1 << 20)
        #expect(abs(Double(waited.withLock { $0 }) / 1e9 - due) < 0.01)
        #expect(verified.bytes > ByteCount(3 << 20) - ByteCount(100_000))
    }
}
