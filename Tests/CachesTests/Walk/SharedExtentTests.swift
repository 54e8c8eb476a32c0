import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// What copies share on real file systems with reflinks, on loop devices.
@Suite(.serialized) struct SharedExtentTests {
    private static let mib: Int64 = 1 << 20

    private static func can(_ maker: String) -> Bool {
        geteuid() == 0 && (try? run("/bin/bash", "-c", "command -v \(maker)").status) == 0
    }

    /// Makes a file system of that kind and runs `body` with a directory on it.
    private func onFileSystem(_ make: String, _ body: (TemporaryDirectory) throws -> Void) throws {
        let host = try TemporaryDirectory()
        try host.shell(
            "truncate -s 400M image; \(make) image >/dev/null 2>&1; mkdir mnt; mount -o loop image mnt")
        defer { _ = try? host.shell("umount mnt") }
        let store = try TemporaryDirectory(below: host.path + "/mnt")
        try body(store)
    }

    private func checkSharing(_ store: TemporaryDirectory) throws {
        try store.shell(
            """
            mkdir -p base top1 top2; head -c 8M /dev/urandom > base/data; head -c 1M /dev/urandom > top1/own
            cp --reflink=always base/data top1/data; cp --reflink=always base/data top2/data
            printf change | dd of=top2/data bs=1M seek=3 conv=notrunc status=none; ln base/data base/link; sync
            """)
        let sharing = try #require(StoreSharing(measuring: store.path))
        #expect(sharing.unreadable == 0)
        // 8 MiB thrice and 1 MiB; on disk 8, 1 and the block that was written anew.
        #expect(sharing.mapped.bytes >= 25 * Self.mib && sharing.mapped.bytes < 25 * Self.mib + 65_536)
        #expect(sharing.occupied.bytes > 9 * Self.mib && sharing.occupied.bytes <= 9 * Self.mib + 65_536)
    }

    @Test(.enabled(if: can("mkfs.xfs"), "needs root and mkfs.xfs (xfsprogs)"))
    func copiesOnXFSShareTheirExtents() throws { try onFileSystem("mkfs.xfs -m reflink=1", checkSharing) }

    @Test(.enabled(if: can("mkfs.btrfs"), "needs root and mkfs.btrfs (btrfs-progs)"))
    func copiesOnBtrfsShareTheirExtents() throws { try onFileSystem("mkfs.btrfs", checkSharing) }

    @Test(.enabled(if: can("mkfs.ext4"), "needs root and mkfs.ext4 (e2fsprogs)"))
    func whatCannotShareIsNotMeasured() throws {
        try onFileSystem("mkfs.ext4 -F") { store in
            try store.write("file", bytes: 5000)
            #expect(StoreSharing(measuring: store.path) == nil)
        }
        #expect(StoreSharing(measuring: "/nowhere") == nil)
    }
}
