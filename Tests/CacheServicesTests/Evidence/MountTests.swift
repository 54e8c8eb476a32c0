import CacheModel
import Foundation
import TestSupport
import Testing

/// Real file systems under real mount options: what reads leave behind on them.
@Suite(.enabled(if: geteuid() == 0, "only root can mount: run the tests as root"))
struct MountTests {
    /// A mounted file system with one artifact on it, unmounted with the value.
    private final class Mount {
        let place: TemporaryDirectory
        var path: String { place.path + "/fs" }

        init(_ type: String, _ options: String) throws {
            place = try TemporaryDirectory()
            try Testbed.filesystems("make", path, "--type", type, "--size", "16M", "--options", options)
            try place.shell(
                "mkdir -p fs/org/a/1.0; echo x > fs/org/a/1.0/a-1.0.pom; "
                    + "echo 'a-1.0.pom>central=' > fs/org/a/1.0/_remote.repositories")
        }

        deinit { _ = try? Testbed.filesystems("unmount", path) }

        func read() throws { try place.shell("cat fs/org/a/1.0/*") }

        func accessTimes() throws -> String { try place.shell("stat -c %x fs/org/a/1.0/*") }
    }

    @Test(arguments: ["tmpfs", "ext4"]) func noatimeGivesNoConfidenceAndNoRate(_ type: String) throws {
        let mount = try Mount(type, "noatime")
        let real = try RealVolume(.buildCache, path: mount.path)
        let baseline = try real.scan()
        #expect(baseline.result.scan.atimeTrust.confidence == .none)
        #expect(baseline.result.scan.atimeTrust.reason.contains("noatime"))
        try mount.read()
        let second = try real.scan()
        #expect(second.hits.isEmpty && second.misses.isEmpty)
        #expect(try real.index.lastScanRates(of: "v").objects == nil)
        #expect(try real.index.usage(of: "v")?.entries.map(\.confidence) == [.none])
    }

    /// Within one day relatime shows one read; each scan makes it show the next.
    @Test func relatimeShowsEveryReadThatAScanWentBefore() throws {
        let mount = try Mount("ext4", "relatime")
        let real = try RealVolume(.buildCache, path: mount.path)
        #expect(try real.scan().result.scan.atimeTrust.confidence == .high)
        for _ in 1...3 {
            try mount.read()
            let first = try mount.accessTimes()
            try mount.read()
            #expect(try mount.accessTimes() == first)
            #expect(try real.scan().hits == ["org:a:1.0"])
            #expect(try real.scan().hits.isEmpty)
        }
    }
}
