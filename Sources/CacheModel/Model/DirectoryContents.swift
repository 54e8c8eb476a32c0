/// What lies below a directory that is no entry itself.
package struct DirectoryContents: Sendable, Hashable {
    /// The name of its volume.
    package var volume: String
    /// The directory; the root for the whole volume.
    package var path: VolumePath
    /// How many entries lie below it.
    package var entries: Int64
    /// What they occupy.
    package var bytes: ByteCount
    /// The largest of them.
    package var largest: [CacheEntry]
    /// The directories below it that belong to no pool, the largest first.
    package var unmanaged: [UnmanagedDirectory]

    /// Makes a record of all it consists of.
    package init(
        volume: String, path: VolumePath, entries: Int64, bytes: ByteCount, largest: [CacheEntry],
        unmanaged: [UnmanagedDirectory]
    ) {
        self.volume = volume
        self.path = path
        self.entries = entries
        self.bytes = bytes
        self.largest = largest
        self.unmanaged = unmanaged
    }
}
