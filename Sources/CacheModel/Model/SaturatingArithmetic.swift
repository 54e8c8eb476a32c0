/// Sums of numbers that others write: pinned at the bounds rather than ending the process.
extension FixedWidthInteger {
    /// The sum, pinned at the smallest or the largest value.
    package func addingPinned(_ other: Self) -> Self {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    /// The difference, pinned at the smallest or the largest value.
    package func subtractingPinned(_ other: Self) -> Self {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other > 0 ? .min : .max) : difference
    }

    /// The product, pinned at the smallest or the largest value.
    package func multipliedPinned(by other: Self) -> Self {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? ((self < 0) == (other < 0) ? .max : .min) : product
    }

    /// Adds, pinned at the smallest or the largest value.
    package mutating func addPinned(_ other: Self) { self = addingPinned(other) }
}

extension Int64 {
    /// A number rounded towards zero and pinned at the bounds; zero for what is no number.
    package init(pinning number: Double) {
        if number.isNaN {
            self = 0
        } else if number >= 0x1p63 {
            self = .max
        } else {
            self = number <= -0x1p63 ? .min : Int64(number)
        }
    }
}
