import Foundation
import Glibc
import TestSupport
import Testing

/// Files of a user whose directories Larder may not write: plan, prune and doctor say the same of them.
@Suite(.enabled(if: geteuid() == 0)) struct ForeignOwnerTests {
    /// Runs the program as another user than the one who owns the entries.
    private func larder(_ bench: TemporaryDirectory, _ arguments: String...) throws -> ProcessResult {
        try run(
            "/usr/bin/setpriv",
            [
                "--reuid", "1001", "--regid", "1001", "--clear-groups", Program.path, "--state",
                bench.path + "/state",
            ]
                + ["--build-cache", bench.path + "/cache", "--image-root", "/nowhere/storage"]
                + ["--socket", "unix:///nowhere.sock"] + arguments)
    }

    @Test(arguments: [("1001", "755", true), ("0", "755", false), ("0", "775", false), ("0", "777", true)])
    func whatCannotBeMovedIsPromisedByNoPlan(owner: String, mode: String, goes: Bool) throws {
        let bench = try TemporaryDirectory()
        let caches = "cache/.gradle/caches"
        for name in ["a", "b"] {
            try bench.write("\(caches)/modules-2/files-2.1/org.x/\(name)/1/0a1b/\(name)-1.jar", bytes: 9000)
        }
        try bench.write("\(caches)/journal-1/file-access.bin")
        try bench.shell(
            """
            mkdir state; find cache -depth -exec touch -d '40 days ago' {} +
            find cache -mindepth 1 -type d -exec chmod \(mode) {} +
            chown -R \(owner) cache; chown 1001:1001 cache state; chmod 755 .
            """)
        _ = try larder(bench, "scan")
        let plan = try JSON(try larder(bench, "plan", "--to", "0", "--format", "json").output)
        #expect(plan.volume("build")["evict"].array.count == (goes ? 2 : 0))
        #expect(
            plan.volume("build")["kept"].array.map { $0["reason"].string } == (goes ? [] : ["not-movable"]))
        let doctor = try larder(bench, "doctor").output
        #expect(doctor.contains("cannot be moved") == !goes)
        let prune = try JSON(
            try larder(bench, "prune", "--to", "0", "--force-limit", "--format", "json").output)
        #expect(prune.volume("build")["evicted"].array.count == (goes ? 2 : 0))
        #expect(prune.volume("build")["refused"].array.isEmpty)
    }
}
