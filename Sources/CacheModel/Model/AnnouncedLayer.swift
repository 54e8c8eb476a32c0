/// A layer of an image that is not there yet, as its registry describes it.
package struct AnnouncedLayer: Sendable, Hashable {
    /// The digest of what the registry sends.
    package var digest: String
    /// The length of what it sends.
    package var bytes: ByteCount
    /// Whether that is packed: gzip or zstd.
    package var isCompressed: Bool

    /// Makes a layer from all it consists of.
    package init(digest: String, bytes: ByteCount, isCompressed: Bool) {
        self.digest = digest
        self.bytes = bytes
        self.isCompressed = isCompressed
    }
}
