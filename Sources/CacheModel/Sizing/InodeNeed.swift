/// What a volume needs in inodes, where those run out before its bytes.
///
/// No replay counts inodes: what entries need is taken to have as many for each byte as what is there now.
package struct InodeNeed: Sendable, Hashable {
    /// How many live files and directories take for each byte that they occupy.
    package var perByte: Double
    /// How many there are for each byte of the volume, up to the level above which a prune starts.
    package var usablePerByte: Double
    /// How many there are for each byte of the volume.
    package var perVolumeByte: Double

    /// Takes what is there now; nil where nothing is, or where the level is nothing.
    ///
    /// - Parameters:
    ///   - used: the inodes that live files and directories take.
    ///   - bytes: what they occupy.
    ///   - quota: the volume's quota in inodes.
    ///   - size: the volume's size.
    package init?(used: Int64, bytes: ByteCount, quota: InodeQuota, size: ByteCount) {
        guard used > 0, bytes > .zero, quota.high > 0, size > .zero else { return nil }
        perByte = Double(used) / Double(bytes.bytes)
        usablePerByte = Double(quota.high) / Double(size.bytes)
        perVolumeByte = Double(quota.limit) / Double(size.bytes)
    }

    /// Whether a volume of that size runs out of inodes where that many are needed.
    package func runsOut(at size: ByteCount, of needed: Int64) -> Bool {
        Double(size.bytes) * perVolumeByte < Double(needed)
    }

    /// How many inodes entries and all else of those bytes take.
    package func inodes(for bytes: ByteCount) -> Int64 {
        Int64(min(Double(max(0, bytes.bytes)) * perByte, 9e18).rounded(.up))
    }

    /// The size of a volume that has inodes for those bytes, where it gets them by its size as ext4 does.
    package func size(for bytes: ByteCount) -> ByteCount {
        ByteCount(Int64(min(Double(inodes(for: bytes)) / usablePerByte, 4e18).rounded(.up)))
    }
}
