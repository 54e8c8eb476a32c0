import CacheModel
import Testing

@testable import Daemon

/// When the fill of a volume begins a prune, and when it does not.
@Suite struct PressureGaugeTests {
    private func at(_ minutes: Int64) -> Timestamp { Timestamp(seconds: 1_800_000_000 + minutes * 60) }

    private func read(
        _ gauge: inout PressureGauge, _ percent: Int64, _ minutes: Int64
    ) -> PressureGauge.Advice {
        gauge.read(
            used: ByteCount(percent), high: ByteCount(85), critical: ByteCount(95), now: at(minutes))
    }

    @Test func aPruneBeginsOnlyAboveTheCriticalLevel() {
        var gauge = PressureGauge()
        for percent: Int64 in [0, 85, 90, 95] { #expect(read(&gauge, percent, 0) == .none) }
        #expect(read(&gauge, 96, 1) == .prune)
        #expect(read(&gauge, 99, 2) == .none)
    }

    @Test func afterAPruneTheFillMustComeDownToHighFirst() {
        var gauge = PressureGauge()
        _ = read(&gauge, 96, 0)
        let isTold = gauge.pruned(evictedNothing: false, now: at(1))
        #expect(!isTold)
        #expect(read(&gauge, 90, 2) == .none)
        #expect(read(&gauge, 96, 3) == .none)
        #expect(read(&gauge, 85, 4) == .relieved)
        #expect(read(&gauge, 96, 5) == .prune)
    }

    @Test func whereNothingCanGoItIsToldOnceAndTriedEverMoreRarely() {
        var gauge = PressureGauge()
        var (prunes, told): ([Int64], Int) = ([], 0)
        for minute: Int64 in 0..<300 where read(&gauge, 99, minute) == .prune {
            prunes.append(minute)
            if gauge.pruned(evictedNothing: true, now: at(minute)) { told += 1 }
        }
        #expect(prunes == [0, 5, 15, 35, 75, 135, 195, 255])
        #expect(told == 1)
        #expect(read(&gauge, 80, 300) == .relieved)
        #expect(read(&gauge, 99, 301) == .prune)
        let isToldAgain = gauge.pruned(evictedNothing: true, now: at(301))
        #expect(isToldAgain)
    }

    @Test func aPruneByScheduleIsNoAnswerToPressure() {
        var gauge = PressureGauge()
        let isTold = gauge.pruned(evictedNothing: true, now: at(0))
        #expect(!isTold)
        #expect(read(&gauge, 96, 1) == .prune)
    }
}
