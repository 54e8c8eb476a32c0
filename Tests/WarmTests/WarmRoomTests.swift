import CacheModel
import Testing

@testable import CacheServices

/// The arithmetic of room and of pauses.
@Suite struct WarmRoomTests {
    private let quota = Quota(limit: ByteCount(1000), high: ByteCount(800), low: ByteCount(600))

    private func isRefused(_ verdict: WarmRoom.Verdict) -> Bool {
        if case .refuse = verdict { true } else { false }
    }

    @Test func whatIsUnderWayCounts() {
        var room = WarmRoom(quota: quota)
        #expect(room.judge(used: ByteCount(400), expected: ByteCount(200), underWay: 0) == .begin)
        room.begin(ByteCount(200))
        #expect(room.judge(used: ByteCount(400), expected: ByteCount(1), underWay: 1) == .wait)
        room.end(ByteCount(200))
        #expect(isRefused(room.judge(used: ByteCount(600), expected: ByteCount(1), underWay: 0)))
        #expect(room.judge(used: ByteCount(600), expected: .zero, underWay: 0) == .begin)
    }

    @Test func whatIsNotKnownGoesAlone() {
        var room = WarmRoom(quota: quota)
        #expect(room.judge(used: ByteCount(599), expected: nil, underWay: 0) == .begin)
        #expect(room.judge(used: .zero, expected: nil, underWay: 1) == .wait)
        #expect(isRefused(room.judge(used: ByteCount(600), expected: nil, underWay: 0)))
        room.begin(nil)
        #expect(room.judge(used: .zero, expected: ByteCount(1), underWay: 1) == .wait)
        room.end(nil)
        #expect(room.judge(used: .zero, expected: ByteCount(1), underWay: 0) == .begin)
    }

    @Test func aRenewalMayGoUpToTheHighWatermark() {
        let room = WarmRoom(quota: quota)
        #expect(
            room.judge(used: ByteCount(700), expected: ByteCount(100), renews: true, underWay: 0) == .begin)
        #expect(
            isRefused(room.judge(used: ByteCount(700), expected: ByteCount(101), renews: true, underWay: 0)))
        #expect(isRefused(room.judge(used: ByteCount(700), expected: ByteCount(100), underWay: 0)))
    }

    @Test func pausesDoubleUpToTheLongest() {
        let limits = ImageWarmer.Limits()
        let pauses = (1...8).map { ImageWarmer.backoff($0, limits, jitter: 1).seconds }
        #expect(pauses == [2, 4, 8, 16, 32, 60, 60, 60])
        #expect(ImageWarmer.backoff(3, limits, jitter: 0.5) == .seconds(4))
        #expect(ImageWarmer.backoff(.max, limits, jitter: 1) == .minutes(1))
    }
}
