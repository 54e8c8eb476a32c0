import Foundation
import TestSupport
import Testing

/// A volume of small files on a real file system with few inodes, which runs out of them long before its bytes.
@Suite(.enabled(if: geteuid() == 0, "needs root for a mount")) struct InodeTests {
    private func inodes(_ cache: String) throws -> (used: Int64, all: Int64) {
        let text = try run("/usr/bin/df", "--output=iused,itotal", cache).checked().output
        let numbers = text.split { !$0.isNumber }.compactMap { Int64($0) }
        return (try #require(numbers.first), try #require(numbers.last))
    }

    /// What statfs says is what everything tells, and a prune brings it down to the low watermark.
    @Test func aPruneWorksForInodesWhereTheyRunOut() throws {
        let directory = try TemporaryDirectory()
        let cache = directory.path + "/cache"
        try Testbed.filesystems("make", cache, "--type", "ext4", "--size", "64M", "--inodes", "2048")
        defer { _ = try? Testbed.filesystems("unmount", cache) }
        let larder = Program(cache: cache)
        _ = try larder("scan")
        // Files until none can be made any more: the last one fails.
        try directory.shell(
            """
            mkdir -p cache/.m2/repository/g; cd cache/.m2/repository/g; n=0
            while mkdir -p a$n/1 2>/dev/null && echo x > a$n/1/a$n-1.jar 2>/dev/null \\
                && echo "a$n-1.jar>central=" > a$n/1/_remote.repositories 2>/dev/null; do n=$((n + 1)); done
            test $n -gt 400; rm -rf a$n
            find . -depth -exec touch -d '40 days ago' {} +
            """)
        let full = try inodes(cache)
        #expect(full.all == 2048 && full.used > 2040)
        let scan = try larder.json("scan")["volumes"][0]["inodes"]
        #expect(scan["used"].integer == full.used && scan["limit"].integer == 2048)
        let status = try larder.json("status").volume("build")
        #expect(status["inodes"]["used"].integer == full.used && status["over_quota"].bool == true)
        let plan = try larder.json("plan", "--idle-floor", "0s").volume("build")
        #expect(
            plan["inodes"]["over"].bool == true
                && plan["used_bytes"].integer ?? 0 < plan["low_bytes"].integer ?? 0)
        let after = try #require(plan["inodes"]["used_after"].integer)
        #expect(after <= 1433 && after > 1433 - 5)
        #expect(try larder("plan", "--idle-floor", "0s").output.contains("works for inodes, not for bytes"))
        let metrics = try larder("metrics").output
        #expect(metrics.contains("larder_volume_inodes_used{volume=\"build\"} \(full.used)\n"))
        #expect(metrics.contains("larder_volume_inodes_high{volume=\"build\"} 1740\n"))
        let prune = try larder.json("prune", "--idle-floor", "0s", status: 4).volume("build")
        let evicted = try #require(prune["evicted_inodes"].integer)
        // Not even the run's folder in the trash could be made, so that all of it came free at once, but for what Larder
        // itself made.
        let now = try inodes(cache)
        #expect(
            now.used <= 1433 && abs(full.used - now.used - evicted) <= 2,
            "\(full.used) \(now.used) \(evicted)")
        #expect(prune["over_quota"].bool == false)
        #expect(try larder.json("status").volume("build")["over_quota"].bool == false)
        try directory.write("cache/again")
        // A size that is asked for is one in bytes.
        #expect(try larder.json("plan", "--to", "60Mi").volume("build")["inodes"].isNull)
    }

    /// On a file system that the volume shares, inodes are others' as well: no quota.
    @Test func aSharedFileSystemHasNoQuotaInInodes() throws {
        let directory = try TemporaryDirectory()
        let disk = directory.path + "/disk"
        try Testbed.filesystems("make", disk, "--type", "ext4", "--size", "64M", "--inodes", "512")
        defer { _ = try? Testbed.filesystems("unmount", disk) }
        try directory.shell("mkdir -p disk/cache disk/other; cd disk/other; touch $(seq 1 480)")
        let larder = Program(cache: disk + "/cache")
        #expect(try larder.json("scan")["volumes"][0]["inodes"].isNull)
        #expect(try larder.json("plan", "--idle-floor", "0s").volume("build")["inodes"].isNull)
    }
}
