import CacheModel
import Testing

/// Volumes that share a file system.
@Suite struct SharedDiskTests {
    private static let capacity = Capacity(
        total: ByteCount(100 << 30), available: ByteCount(40 << 30), free: ByteCount(45 << 30), inodes: 0,
        freeInodes: 0)

    private func place(
        _ name: String, limit: Int64?, disk: UInt64 = 7, inode: UInt64 = 2, isReadOnly: Bool = false
    )
        -> (volume: Volume, capacity: Capacity, facts: FileSystemFacts)
    {
        var volume = Volume(
            name: name, kind: .buildCache, path: "/\(name)", limit: limit.map { ByteCount($0 << 30) })
        volume.isReadOnly = isReadOnly
        return (
            volume, Self.capacity,
            FileSystemFacts(fileSystem: disk, device: 1, rootInode: inode, rootMadeAt: Int64(inode))
        )
    }

    @Test func limitsThatFitTogetherAreNoNews() throws {
        // 95 GiB can be filled: 5 are root's.
        let disks = SharedDisk.all([place("a", limit: 60), place("b", limit: 35, inode: 3)])
        #expect(disks.map(\.limits) == [ByteCount(95 << 30)] && disks[0].usable == ByteCount(95 << 30))
        #expect(disks[0].sentence == nil)
    }

    @Test func limitsThatExceedTheDiskTogetherAreTold() throws {
        let disk = try #require(
            SharedDisk.all([place("a", limit: 60), place("b", limit: 36, inode: 3)]).first)
        #expect(
            disk.sentence
                == "a (limit 60.0 GiB) and b (limit 36.0 GiB) share a file system that holds 95.0 GiB: it can be full "
                + "with each of them within its limit")
    }

    @Test func aVolumeWithoutLimitMayTakeAll() throws {
        let disk = try #require(
            SharedDisk.all([place("a", limit: nil), place("b", limit: 1, inode: 3)]).first)
        #expect(disk.limits == ByteCount(96 << 30))
        #expect(disk.sentence?.contains("a (no limit, so all 95.0 GiB) and b (limit 1.0 GiB)") == true)
    }

    @Test func twoFileSystemsAreNotOne() throws {
        #expect(SharedDisk.all([place("a", limit: 60), place("b", limit: 60, disk: 8)]).isEmpty)
        var other = place("b", limit: 60, inode: 3)
        other.capacity.total = ByteCount(99 << 30)
        #expect(SharedDisk.all([place("a", limit: 60), other]).isEmpty)
        // What is never pruned has no limit that holds.
        #expect(
            SharedDisk.all([place("a", limit: 60), place("b", limit: 60, inode: 3, isReadOnly: true)]).isEmpty
        )
    }
}
