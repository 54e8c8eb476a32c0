/// How many inodes of a file system a volume may use, and how far a prune goes.
///
/// A file system with a fixed number of them runs out of inodes as of bytes: a cache of small files does so first. The
/// watermarks are those of bytes.
package struct InodeQuota: Sendable, Hashable {
    /// The number of inodes there are.
    package var limit: Int64
    /// A prune starts when more than these are used.
    package var high: Int64
    /// A prune stops when no more than these are used.
    package var low: Int64
    /// Above these, the trash is emptied at once.
    package var critical: Int64

    /// Makes a quota from its four numbers.
    package init(limit: Int64, high: Int64, low: Int64, critical: Int64) {
        self.limit = limit
        self.high = high
        self.low = low
        self.critical = critical
    }
}

extension Volume {
    /// The quota in inodes, on a file system of that capacity; nil where it makes them as needed.
    ///
    /// A watermark that is a size stands for the same part of the inodes as of the limit.
    package func inodeQuota(capacity: Capacity) -> InodeQuota? {
        guard capacity.inodes > 0 else { return nil }
        let limit = self.limit ?? capacity.usable
        func level(_ mark: Watermark) -> Int64 {
            switch mark {
            case .share: return mark.of(ByteCount(capacity.inodes)).bytes
            case .size(let size):
                let part = Double(size.bytes) / Double(max(1, limit.bytes))
                return Int64(Double(capacity.inodes) * min(1, max(0, part)))
            }
        }
        return InodeQuota(
            limit: capacity.inodes, high: level(high), low: level(low), critical: level(critical))
    }
}
