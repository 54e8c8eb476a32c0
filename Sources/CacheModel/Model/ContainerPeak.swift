/// The most containers that were there at once on an image store, by event logs.
package struct ContainerPeak: Sendable, Hashable {
    /// How many they were.
    package var containers: Int
    /// When that was first so.
    package var at: Timestamp
    /// The most that their copies of images occupied at once.
    package var bytes: ByteCount
    /// When the logs begin.
    package var since: Timestamp

    /// How many containers logged no removal, so that their end is assumed.
    package var assumedEnds: Int
    /// The longest that a container was there, at least an hour: how long those are counted.
    package var longest: Span

    /// Makes a record from all it consists of.
    package init(
        containers: Int, at: Timestamp, bytes: ByteCount, since: Timestamp, assumedEnds: Int = 0,
        longest: Span = .hours(1)
    ) {
        self.assumedEnds = assumedEnds
        self.longest = longest
        self.containers = containers
        self.at = at
        self.bytes = bytes
        self.since = since
    }
}

/// What the files of an image store really occupy where the file system shares extents between copies.
package struct StoreSharing: Sendable, Hashable {
    /// The sum of all files' extents, each file by itself, as `du` counts.
    package var mapped: ByteCount
    /// The extents counted once: what the disk really holds.
    package var occupied: ByteCount
    /// How many files could not be looked at: other users' are not readable.
    package var unreadable: Int64

    /// Makes a record from all it consists of.
    package init(mapped: ByteCount, occupied: ByteCount, unreadable: Int64) {
        self.mapped = mapped
        self.occupied = occupied
        self.unreadable = unreadable
    }
}
