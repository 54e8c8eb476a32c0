import CacheModel
import Testing

@Suite struct RunRhythmTests {
    private func rhythm(_ hours: Double...) -> RunRhythm? {
        RunRhythm(hours.map { Timestamp(seconds: 1_000_000_000 + Int64($0 * 3600)) })
    }

    private func hours(_ time: Timestamp?) -> Double? {
        time.map { Double($0.seconds - 1_000_000_000) / 3600 }
    }

    @Test func nightlyRunsTellTheNext() {
        #expect(rhythm(0, 24, 48.1, 72)?.interval == .hours(24))
        #expect(hours(rhythm(48, 0, 72, 24)?.next) == 96)
    }

    /// One by hand in the afternoon moves nothing.
    @Test func aRunByHandMovesNothing() {
        #expect(hours(rhythm(0, 24, 34, 48, 72)?.next) == 96)
        #expect(hours(rhythm(0, 24, 48, 72, 82)?.next) == 96)
        #expect(hours(rhythm(0, 24, 48, 72, 130)?.next) == 144)
    }

    @Test func aFewRunsOrIrregularOnesTellNothing() {
        #expect(rhythm() == nil)
        #expect(rhythm(0, 24, 48) == nil)
        #expect(rhythm(0, 1, 30, 33, 90) == nil)
        #expect(rhythm(5, 5, 5, 5) == nil)
    }

    @Test func lateIsMoreThanAQuarterOfTheTimeBetween() throws {
        let known = rhythm(0, 24, 48, 72)
        let rhythm = try #require(known)
        let due = rhythm.next
        #expect(!rhythm.isLate(at: due + .hours(6)))
        #expect(rhythm.isLate(at: due + .hours(6) + .seconds(1)))
    }
}
