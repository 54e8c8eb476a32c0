/// A layer of an image that is not there yet, as its registry describes it.
public struct AnnouncedLayer: Sendable, Hashable {
    /// The digest of what the registry sends.
    public var digest: String
    /// The length of what it sends.
    public var bytes: ByteCount
    /// Whether that is packed: gzip or zstd.
    public var isCompressed: Bool

    /// Makes a layer from all it consists of.
    public init(digest: String, bytes: ByteCount, isCompressed: Bool) {
        self.digest = digest
        self.bytes = bytes
        self.isCompressed = isCompressed
    }
}
