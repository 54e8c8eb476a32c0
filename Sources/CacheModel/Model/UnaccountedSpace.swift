/// Space on a volume that no entry and no record explains.
package struct UnaccountedSpace: Sendable, Hashable {
    /// What it is, as far as that is known.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Podman's volumes.
        case volumes
        /// The store of another driver at the same place.
        case otherDriver = "other-driver"
        /// Temporary files of pulls and builds.
        case scratch
        /// Temporary files that nothing wrote to for a day: what made them is over.
        case oldScratch = "old-scratch"
        /// Layers' directories without a record, as killed removals and pulls leave them.
        case leftBehind = "left-behind"
        /// What containers occupy beside their images.
        case containers
        /// Whatever is left.
        case unknown
    }

    /// What it is.
    package var kind: Kind
    /// The part of it that could be counted.
    package var bytes: ByteCount
    /// Whether a part could not be looked at, so that it is more.
    package var isLowerBound: Bool
    /// What it is, for a person: the driver's name; empty where the kind says all.
    package var detail: String

    /// Makes a part from all it consists of.
    package init(kind: Kind, bytes: ByteCount, isLowerBound: Bool = false, detail: String = "") {
        self.kind = kind
        self.bytes = bytes
        self.isLowerBound = isLowerBound
        self.detail = detail
    }

    /// What it is and what gives it back, in a sentence.
    package var text: String {
        switch kind {
        case .volumes: "Podman's volumes; podman volume prune removes those that no container uses"
        case .otherDriver:
            "the store of the driver \(detail), which is not in use; once nothing needs it, remove the directories "
                + "\(detail), \(detail)-images, \(detail)-layers and \(detail)-containers"
        case .scratch: "temporary files of pulls and builds; they go when the jobs are done"
        case .oldScratch:
            "temporary files that nothing wrote to for a day, in \(detail): no Podman removes them; remove them by hand "
                + "while no job runs"
        case .leftBehind:
            "layers' directories without a record, left by what was killed; podman system prune --external (Podman 4.4 "
                + "and later) removes them while no job runs"
        case .containers:
            "containers and what they wrote; it goes with them, those of dead pods by larder prune --orphans"
        case .unknown:
            "not in any record: files' ends in blocks that they do not fill, deleted files still open, lost layers or "
                + "files of others; look with du"
        }
    }
}

/// The event logs of an image store's Podmans.
package struct EventLogs: Sendable, Hashable {
    /// How many are kept.
    package var kept: Int64
    /// What they occupy.
    package var bytes: ByteCount

    /// Counts logs.
    package init(kept: Int64 = 0, bytes: ByteCount = .zero) {
        self.kept = kept
        self.bytes = bytes
    }
}
