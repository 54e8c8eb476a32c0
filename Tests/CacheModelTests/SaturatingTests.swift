import CacheModel
import Testing

/// Numbers that others write, as large and as small as there are.
@Suite struct SaturatingTests {
    private static let extremes: [Int64] = [
        .min, .min + 1, -9_223_372_035_000_000_001, -1, 0, 1, 511, 1 << 42, 1 << 62, .max - 1, .max,
    ]

    /// By a wider number, pinned.
    private static func pinned(_ wide: Double, _ exact: Int64?) -> Int64 {
        exact ?? (wide < 0 ? .min : .max)
    }

    @Test(arguments: extremes) func sumsArePinnedAndNeverWrap(a: Int64) {
        for b in Self.extremes {
            let sum = a.addingReportingOverflow(b)
            #expect(a.addingPinned(b) == Self.pinned(Double(a), sum.overflow ? nil : sum.partialValue))
            let difference = a.subtractingReportingOverflow(b)
            #expect(
                a.subtractingPinned(b)
                    == Self.pinned(Double(a), difference.overflow ? nil : difference.partialValue))
            let product = a.multipliedReportingOverflow(by: b)
            let sign = Double(a.signum() * b.signum())
            #expect(
                a.multipliedPinned(by: b) == Self.pinned(sign, product.overflow ? nil : product.partialValue))
            let later = Timestamp(nanoseconds: a) + Span(nanoseconds: b)
            #expect(b < 0 ? later <= Timestamp(nanoseconds: a) : later >= Timestamp(nanoseconds: a))
            let earlier = Timestamp(nanoseconds: a) - Span(nanoseconds: b)
            #expect(b > 0 ? earlier <= Timestamp(nanoseconds: a) : earlier >= Timestamp(nanoseconds: a))
            let between = Timestamp(nanoseconds: a) - Timestamp(nanoseconds: b)
            #expect(a < b ? between < .zero : between >= .zero)
            #expect((ByteCount(a) + ByteCount(b) >= ByteCount(a)) == (b >= 0))
        }
    }

    @Test(arguments: extremes) func everyTimeAndSizeHasAText(number: Int64) {
        #expect(!Timestamp(nanoseconds: number).description.isEmpty)
        #expect(!Timestamp(seconds: number, nanoseconds: number).description.isEmpty)
        #expect(!Span(nanoseconds: number).description.isEmpty)
        #expect(!Span(nanoseconds: number).age.isEmpty)
        #expect(!ByteCount(number).description.isEmpty)
        #expect(!ByteCount(number).quantity.isEmpty)
        #expect((Span.days(number) < .zero) == (number < 0))
        #expect((Span.weeksOrSo(number) < .zero) == (number < 0))
    }

    /// Seconds are rounded down, as by division of a wider number.
    @Test(arguments: [
        (-1_000_000_001, -2), (-1_000_000_000, -1), (-999_999_999, -1), (-1, -1), (0, 0), (999_999_999, 0),
        (1_000_000_000, 1), (Int64.min, -9_223_372_037), (Int64.max, 9_223_372_036),
    ])
    func secondsAreRoundedDown(nanoseconds: Int64, seconds: Int64) {
        #expect(Timestamp(nanoseconds: nanoseconds).seconds == seconds)
    }

    @Test(arguments: [
        (Double.nan, Int64(0)), (.infinity, .max), (-.infinity, .min), (9.3e18, .max), (-9.3e18, .min),
        (1.9, 1),
        (-1.9, -1),
    ])
    func numbersWithAPointArePinned(number: Double, expected: Int64) {
        #expect(Int64(pinning: number) == expected)
    }
}

extension Span {
    fileprivate static func weeksOrSo(_ number: Int64) -> Span { .hours(number) }
}
