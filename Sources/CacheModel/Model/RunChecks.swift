/// What a run of `verify` looked at on one volume.
package struct RunChecks: Sendable, Hashable {
    /// How many files, or images, were held against something: the damaged ones included.
    package var checked: Int64
    /// How many of them did not stand.
    package var damaged: Int64
    /// How many there was nothing to hold against.
    package var unverifiable: Int64

    /// Makes a record from its three figures.
    package init(checked: Int64, damaged: Int64, unverifiable: Int64) {
        self.checked = checked
        self.damaged = damaged
        self.unverifiable = unverifiable
    }

    /// The figures of a verification.
    package init(_ verified: VerifiedVolume) {
        self.init(
            checked: verified.checked, damaged: Int64(verified.damaged.count),
            unverifiable: verified.unverifiable.values.reduce(0, +))
    }
}
