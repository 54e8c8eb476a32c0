/// Something in an image store that no image will ever need again: what killed pulls and dead pods leave.
package struct Orphan: Sendable, Hashable {
    /// How it came about.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A layer that the store marks as not completely written: a pull was killed while it extracted.
        case incompleteLayer = "incomplete-layer"
        /// A complete layer that no image and no container needs: a pull was killed before its image was whole.
        case unreferencedLayer = "unreferenced-layer"
        /// A layer's directory that has no record: a removal was killed.
        case directory = "directory"
        /// A container whose pod is dead: it pins its image and occupies a copy of it.
        case deadContainer = "dead-container"
        /// A working container of a build that was killed: it pins its image and occupies what the build wrote.
        case workingContainer = "working-container"
    }

    /// How it came about.
    package var kind: Kind
    /// The ID of the layer or container, or the directory's name, safe to print.
    package var name: String
    /// What it occupies.
    package var bytes: ByteCount
    /// Whether a part could not be looked at, so that it occupies more.
    package var isLowerBound: Bool
    /// When it was made.
    package var created: Timestamp
    /// The image that a container pins; empty for the others.
    package var pins: String

    /// How old an orphan must be before it is touched: what is younger may be a pull under way.
    package static let minimumAge = Span.hours(24)

    /// Makes an orphan from all it consists of.
    package init(
        kind: Kind, name: String, bytes: ByteCount, isLowerBound: Bool = false, created: Timestamp,
        pins: String = ""
    ) {
        self.kind = kind
        self.name = name
        self.bytes = bytes
        self.isLowerBound = isLowerBound
        self.created = created
        self.pins = pins
    }

    /// Its kind and name: `unreferenced-layer/7854b8ec…`.
    package var key: String { "\(kind.rawValue)/\(name)" }

    /// Whether it is old enough to be touched.
    package func isOld(at now: Timestamp) -> Bool { created < now - Self.minimumAge }
}

/// An orphan that `prune --orphans` would reclaim, did reclaim, or refused.
package struct OrphanLine: Sendable, Hashable {
    /// The orphan.
    package var orphan: Orphan
    /// Why it stays; empty where it went or would go.
    package var refusal: String

    /// Makes a line.
    package init(_ orphan: Orphan, refusal: String = "") {
        self.orphan = orphan
        self.refusal = refusal
    }
}
