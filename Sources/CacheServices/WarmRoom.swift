import CacheModel

/// Decides whether another image fits under the volume's low watermark.
///
/// One that is there and may only have to be renewed may go up to the high watermark: mostly nothing is new, and
/// a store between its watermarks is no reason to let the images on it grow old.
///
/// What an image takes is what its layers took when it was last in the store, with vfs's copies of all that lies
/// below each of them. Layers that are there already are counted again, so it is an upper bound. What an image
/// that was never there will take is estimated from its registry's manifest (`ImageForecast`). Where that cannot
/// be had, it is not known: such a one is begun while the store is below the watermark and nothing else is under
/// way, and measured afterwards.
package struct WarmRoom: Sendable, Hashable {
    /// The volume's quota.
    package var quota: Quota
    /// What pulls under way are expected to take.
    var reserved: ByteCount = .zero
    /// How many of them are under way whose size is not known.
    var unknown = 0

    /// Makes the room of a volume with that quota.
    package init(quota: Quota) { self.quota = quota }

    /// What to do with an image now.
    enum Verdict: Hashable {
        /// It fits.
        case begin
        /// It may fit when the pulls under way are done, of which part is in `used` already.
        case wait
        /// It does not fit; the reason.
        case refuse(String)
    }

    /// Judges an image.
    ///
    /// - Parameters:
    ///   - used: what the store holds now.
    ///   - expected: what the image will take; nil where that is not known.
    ///   - renews: whether an image of that name is there.
    func judge(used: ByteCount, expected: ByteCount?, renews: Bool = false, underWay: Int) -> Verdict {
        let goal = renews ? quota.high : quota.low
        let mark = renews ? "high" : "low"
        if let expected {
            if unknown == 0, used + reserved + expected <= goal { return .begin }
            if underWay > 0 { return .wait }
            return .refuse(
                "no room: it takes up to \(expected), and \(max(.zero, goal - used)) are left below the \(mark) "
                    + "watermark of \(goal); --make-room evicts what was not used for longest")
        }
        if underWay > 0 { return .wait }
        if used < goal { return .begin }
        return .refuse(
            "no room: \(used) are used, and the \(mark) watermark is \(goal); --make-room evicts what was not used "
                + "for longest")
    }

    /// Takes note of a pull that begins.
    mutating func begin(_ expected: ByteCount?) {
        if let expected { reserved += expected } else { unknown += 1 }
    }

    /// Takes note of its end.
    mutating func end(_ expected: ByteCount?) {
        if let expected { reserved -= expected } else { unknown -= 1 }
    }
}
