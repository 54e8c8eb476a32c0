/// Hits and misses by the projects whose jobs made them, as far as logs name them.
///
/// The shares and `unknown` add up to all hits and misses of the same time: each access is one project's, or nobody's
/// that is known.
package struct ProjectUse: Sendable, Hashable {
    /// What the jobs of one project made.
    package struct Share: Sendable, Hashable {
        /// The project's number in GitLab, or what it was called when a log was ingested.
        package var project: String
        /// Its hits and misses.
        package var rate: HitRate

        /// Makes a share from both.
        package init(project: String, rate: HitRate) {
            self.project = project
            self.rate = rate
        }
    }

    /// The projects: those that fetched most come first, then those that used most.
    package var shares: [Share]
    /// What no log names a project for.
    package var unknown: HitRate

    /// Brings the shares into their order; what is left of all accesses is `unknown`.
    package init(shares: [Share], all: HitRate) {
        func order(_ share: Share) -> (ByteCount, ByteCount, Int64) {
            (share.rate.missBytes, share.rate.hitBytes, share.rate.hits + share.rate.misses)
        }
        self.shares = shares.sorted {
            order($0) == order($1) ? $0.project < $1.project : order($0) > order($1)
        }
        unknown = all - shares.reduce(HitRate()) { $0 + $1.rate }
    }
}

/// What the jobs of one project did with one entry.
package struct ProjectAccesses: Sendable, Hashable {
    /// The project.
    package var project: String
    /// How often they found the entry there.
    package var hits: Int64
    /// How often they fetched it.
    package var misses: Int64
    /// When they did either last.
    package var last: Timestamp

    /// Makes a record from all it consists of.
    package init(project: String, hits: Int64, misses: Int64, last: Timestamp) {
        self.project = project
        self.hits = hits
        self.misses = misses
        self.last = last
    }
}
