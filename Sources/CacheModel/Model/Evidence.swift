/// Where the knowledge of a use came from.
package enum Evidence: String, Sendable, Hashable, CaseIterable, Codable {
    /// The newest access time among an entry's files.
    case atime
    /// Gradle's own access journal.
    case gradleJournal = "gradle-journal"
    /// Podman's event log, or a container seen in the store.
    case podmanEvents = "podman-events"
    /// Nothing but the scan in which the entry was first there.
    case firstSeen = "first-seen"
    /// The newest modification time: a fallback.
    case mtime
    /// A job's log, which names what the job downloaded.
    case jobLog = "job-log"
}

/// How far a figure that rests on evidence can be trusted.
package enum Confidence: String, Sendable, Hashable, CaseIterable, Codable, Comparable {
    /// The volume can give no evidence (mounted noatime).
    case none
    /// A fallback was used.
    case low
    /// Evidence exists but may miss uses.
    case medium
    /// Evidence was proven by a probe.
    case high

    /// Whether the first is the weaker one.
    package static func < (a: Confidence, b: Confidence) -> Bool { a.rank < b.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
