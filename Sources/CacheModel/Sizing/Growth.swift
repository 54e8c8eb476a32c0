/// How fast something grows, by a slope that outliers do not bend, and how sure that is.
///
/// The slope is Theil and Sen's: the median of the slopes of all pairs of points (P. K. Sen, "Estimates of the
/// regression coefficient based on Kendall's tau", 1968). The interval holds 9 of 10 slopes of points drawn
/// anew in blocks of a week (the moving block bootstrap of H. R. Künsch, 1989): days that share most of their
/// week are not independent. The draws come from a fixed seed, so a report can be repeated.
package struct Growth: Sendable, Hashable {
    /// The slope in units a day.
    package var perDay: Double
    /// The lower end of the interval.
    package var low: Double
    /// The upper end of the interval.
    package var high: Double
    /// The value that the line has at the last point.
    package var now: Double

    /// One value at a time.
    package struct Point: Sendable, Hashable {
        /// The time in days from any beginning.
        package var day: Double
        /// The value.
        package var value: Double

        /// Makes a point.
        package init(day: Double, value: Double) {
            self.day = day
            self.value = value
        }
    }

    /// Fits a line; nil where the points are fewer than 3 or all at one time.
    ///
    /// - Parameters:
    ///   - points: in the order of time; of more than 60, 60 spread evenly are taken.
    ///   - draws: how many times points are drawn anew.
    ///   - seed: where the drawing starts.
    package init?(_ points: [Point], draws: Int = 200, seed: UInt64 = 1) {
        let all = Self.thinned(points)
        guard all.count >= 3, let last = all.last, let slope = Self.slope(all) else { return nil }
        perDay = slope
        now = Self.median(all.map { $0.value - slope * $0.day }) + slope * last.day
        var generator = SplitMix64(state: seed)
        let days = max(last.day - all[0].day, 1)
        let block = max(1, min(all.count / 3, Int((7 / days * Double(all.count)).rounded(.up))))
        var slopes: [Double] = []
        for _ in 0..<draws {
            var drawn: [Point] = []
            while drawn.count < all.count {
                let start = Int.random(in: 0...(all.count - block), using: &generator)
                drawn += all[start..<(start + block)]
            }
            if let slope = Self.slope(drawn) { slopes.append(slope) }
        }
        slopes.sort()
        low = min(slope, slopes.isEmpty ? slope : slopes[slopes.count / 20])
        high = max(slope, slopes.isEmpty ? slope : slopes[slopes.count - 1 - slopes.count / 20])
    }

    /// In how many days a limit is reached at that slope; zero where it is passed, nil where it never is.
    package func days(until limit: Double, at slope: Double) -> Double? {
        if now >= limit { return 0 }
        let days = (limit - now) / slope
        return slope > 0 && days < 36_500 ? days : nil
    }

    private static func thinned(_ points: [Point]) -> [Point] {
        guard points.count > 60 else { return points }
        return (0..<60).map { points[$0 * (points.count - 1) / 59] }
    }

    private static func slope(_ points: [Point]) -> Double? {
        var slopes: [Double] = []
        slopes.reserveCapacity(points.count * points.count / 2)
        for (place, a) in points.enumerated() {
            for b in points[(place + 1)...] where a.day != b.day {
                slopes.append((b.value - a.value) / (b.day - a.day))
            }
        }
        return slopes.isEmpty ? nil : median(slopes)
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
