/// The most containers that were there at once on an image store, by event logs.
public struct ContainerPeak: Sendable, Hashable {
    /// How many they were.
    public var containers: Int
    /// When that was first so.
    public var at: Timestamp
    /// The most that their copies of images occupied at once.
    public var bytes: ByteCount
    /// When the logs begin.
    public var since: Timestamp

    /// Makes a record from all it consists of.
    public init(containers: Int, at: Timestamp, bytes: ByteCount, since: Timestamp) {
        self.containers = containers
        self.at = at
        self.bytes = bytes
        self.since = since
    }
}

/// What the files of an image store really occupy where the file system shares extents between copies.
public struct StoreSharing: Sendable, Hashable {
    /// The sum of all files' extents, each file by itself, as `du` counts.
    public var mapped: ByteCount
    /// The extents counted once: what the disk really holds.
    public var occupied: ByteCount
    /// How many files could not be looked at: other users' are not readable.
    public var unreadable: Int64

    /// Makes a record from all it consists of.
    public init(mapped: ByteCount, occupied: ByteCount, unreadable: Int64) {
        self.mapped = mapped
        self.occupied = occupied
        self.unreadable = unreadable
    }
}
