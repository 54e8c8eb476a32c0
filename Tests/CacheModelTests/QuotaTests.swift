import Testing

@testable import CacheModel

/// What a volume's quota is on the file system that it has.
@Suite struct QuotaTests {
    private func volume(limit: Int64?, high: Watermark = .share(basisPoints: 8500), low: Int64? = nil)
        -> Volume
    {
        var volume = Volume(name: "v", kind: .buildCache, path: "/v")
        volume.limit = limit.map { ByteCount($0) }
        volume.high = high
        volume.low = low.map { .size(ByteCount($0)) } ?? .share(basisPoints: 7000)
        return volume
    }

    /// 1000 bytes, of which 50 are reserved for root, and 300 in use.
    private let disk = Capacity(
        total: ByteCount(1000), available: ByteCount(650), free: ByteCount(700), inodes: 0, freeInodes: 0)

    @Test func reservedBlocksAreNoRoom() {
        #expect(disk.usable == ByteCount(950))
        let quota = volume(limit: nil).quota(capacity: disk)
        #expect(quota == Quota(limit: ByteCount(950), high: ByteCount(807), low: ByteCount(665)))
        #expect(volume(limit: nil).criticalLevel(on: disk) == ByteCount(902))
    }

    @Test func aLimitWithinTheDiskHolds() {
        let quota = volume(limit: 500).quota(capacity: disk)
        #expect(quota == Quota(limit: ByteCount(500), high: ByteCount(425), low: ByteCount(350)))
        #expect(
            volume(limit: 950).limitsBeyond(disk).isEmpty && volume(limit: 951).limitsBeyond(disk).count == 1)
        var pooled = volume(limit: 500)
        pooled.poolQuotas = [.maven: Quota(limit: ByteCount(951), high: .zero, low: .zero)]
        #expect(pooled.limitsBeyond(disk).first?.hasPrefix("the limit of pool maven of ") == true)
    }

    /// A claim that was enlarged, whose file system was not yet.
    @Test func aLimitBeyondTheDiskIsTheDisk() {
        let quota = volume(limit: 4000, high: .size(ByteCount(3000)), low: 2000).quota(capacity: disk)
        #expect(quota == Quota(limit: ByteCount(950), high: ByteCount(712), low: ByteCount(475)))
        // A size that the disk can hold means what it says, but no more than the mark above it.
        let small = volume(limit: 4000, high: .size(ByteCount(3000)), low: 100).quota(capacity: disk)
        #expect(small.low == ByteCount(100))
        let large = volume(limit: 4000, high: .size(ByteCount(3000)), low: 900).quota(capacity: disk)
        #expect(large.low == large.high)
    }
}
