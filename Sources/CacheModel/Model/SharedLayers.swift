/// Layers that an image has in common with another one: they come free with the last of all that have them.
package struct SharedLayers: Sendable, Hashable {
    /// The other image's key.
    package var key: String
    /// How many layers.
    package var layers: Int64
    /// What they occupy.
    package var bytes: ByteCount

    /// Makes a record from its three values.
    package init(key: String, layers: Int64, bytes: ByteCount) {
        self.key = key
        self.layers = layers
        self.bytes = bytes
    }
}
