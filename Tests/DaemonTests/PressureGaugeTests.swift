import CacheModel
import Testing

@testable import Daemon

/// When the fill of a volume begins a prune, and when it does not.
@Suite struct PressureGaugeTests {
    private func at(_ minutes: Int64) -> Timestamp { Timestamp(seconds: 1_800_000_000 + minutes * 60) }

    private func read(
        _ gauge: inout PressureGauge, _ percent: Int64, _ minutes: Int64, countedAt: Int64? = nil,
        counted: Int64? = nil
    ) -> PressureGauge.Advice {
        gauge.read(
            PressureGauge.Fill(
                used: ByteCount(percent),
                counted: countedAt.map { (at($0), ByteCount(counted ?? percent)) }),
            high: ByteCount(85), critical: ByteCount(95), now: at(minutes))
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

    /// Inodes press as bytes do, and a volume is relieved when both are back; they are no guess.
    @Test func inodesPressAsBytesDo() {
        var gauge = PressureGauge()
        func read(_ bytes: Int64, inodes: Int64, _ minutes: Int64, guess: Bool = false)
            -> PressureGauge.Advice
        {
            gauge.read(
                PressureGauge.Fill(
                    used: ByteCount(bytes), counted: guess ? (at(0), ByteCount(bytes)) : nil,
                    inodes: .init(used: inodes, high: 850, critical: 950)),
                high: ByteCount(85), critical: ByteCount(95), now: at(minutes))
        }
        #expect(read(10, inodes: 950, 0) == .none)
        #expect(read(10, inodes: 951, 1, guess: true) == .prune)
        _ = gauge.pruned(evictedNothing: false, now: at(2))
        #expect(read(10, inodes: 851, 3) == .none)
        #expect(read(86, inodes: 800, 4) == .none)
        #expect(read(85, inodes: 850, 5) == .relieved)
        #expect(read(96, inodes: 0, 6) == .prune)
    }

    @Test func aPruneByScheduleIsNoAnswerToPressure() {
        var gauge = PressureGauge()
        let isTold = gauge.pruned(evictedNothing: true, now: at(0))
        #expect(!isTold)
        #expect(read(&gauge, 96, 1) == .prune)
    }

    @Test func aGuessIsCountedBeforeAnythingIsPruned() {
        var gauge = PressureGauge()
        #expect(read(&gauge, 99, 10, countedAt: 10) == .scan)
        // It was somebody else's file, and it still is when it grows.
        #expect(read(&gauge, 50, 11, countedAt: 10) == .none)
        #expect(!gauge.isUnderPressure)
        #expect(read(&gauge, 96, 12, countedAt: 10) == .scan)
        // This time it was not.
        #expect(read(&gauge, 97, 13, countedAt: 12) == .prune)
    }

    /// Others go on writing on the same file system while the volume is counted, and afterwards.
    @Test func whatOthersWroteSinceTheCountPrunesNothing() {
        var gauge = PressureGauge()
        #expect(read(&gauge, 97, 10, countedAt: 0, counted: 90) == .scan)
        #expect(read(&gauge, 99, 11, countedAt: 10, counted: 90) == .scan)
        #expect(read(&gauge, 99, 12, countedAt: 11, counted: 95) == .scan)
        #expect(read(&gauge, 99, 13, countedAt: 12, counted: 96) == .prune)
    }

    @Test func aCountThatHoldsIsNoLeaveForTheNextGuess() {
        var gauge = PressureGauge()
        #expect(read(&gauge, 99, 10, countedAt: 5) == .scan)
        #expect(read(&gauge, 90, 11, countedAt: 10) == .none)
        #expect(read(&gauge, 99, 12, countedAt: 10) == .scan)
    }

    @Test func aScanThatNeverCameIsAskedForAgain() {
        var gauge = PressureGauge()
        #expect((10..<14).map { read(&gauge, 99, $0, countedAt: 0) } == [.scan, .scan, .scan, .scan])
        #expect(read(&gauge, 99, 14, countedAt: 13) == .prune)
    }

    @Test func aNeighbourThatComesAndGoesCostsFewScans() {
        var gauge = PressureGauge()
        let advice = (0..<60).map { read(&gauge, $0.isMultiple(of: 2) ? 99 : 50, 10, countedAt: 0) }
        #expect(advice.filter { $0 == .scan }.count == 1)
        #expect(!advice.contains(.prune))
    }

    @Test func whereNothingCanGoAGuessIsTriedEverMoreRarelyToo() {
        var gauge = PressureGauge()
        var (prunes, countedAt): ([Int64], Int64) = ([], 0)
        for minute: Int64 in 0..<100 {
            switch read(&gauge, 99, minute, countedAt: countedAt) {
            case .scan: countedAt = minute
            case .prune:
                (prunes, countedAt) = (prunes + [minute], minute)
                _ = gauge.pruned(evictedNothing: true, now: at(minute))
            case .none, .relieved: break
            }
        }
        #expect(prunes == [1, 7, 18, 39, 80])
    }
}
