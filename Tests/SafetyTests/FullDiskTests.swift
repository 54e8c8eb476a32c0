import TestSupport
import Testing

/// Volumes and state directories without a free byte or inode, on real small file systems.
@Suite struct FullDiskTests {
    @Test(.enabled(if: Programs.isRoot, "needs root to mount")) func pruningMakesRoomOnAFullDisk() throws {
        let result = try Programs.run("full_disk")
        #expect(result.status == 0, "\(result.output)\(result.errors)")
    }
}
