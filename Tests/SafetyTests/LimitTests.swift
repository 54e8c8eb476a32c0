import Foundation
import TestSupport
import Testing

/// When a prune refuses to begin at all: seen from outside, by the real executable.
@Suite struct LimitTests {
    private let root: TemporaryDirectory
    private let state: TemporaryDirectory

    init() throws {
        root = try TemporaryDirectory()
        state = try TemporaryDirectory()
        try root.write(".m2/repository/g/a/1/a-1.jar", bytes: 9000)
        try root.write(".m2/repository/g/a/1/_remote.repositories", "a-1.jar>central=\n")
        try root.shell("find .m2 -depth -exec touch -d '40 days ago' {} +")
    }

    private func larder(_ arguments: String...) throws -> ProcessResult {
        try run(
            Programs.larder,
            arguments + ["--build-cache", root.path, "--image-root", "/nonexistent", "--state", state.path])
    }

    private func prune(_ more: String...) throws -> ProcessResult {
        try run(
            Programs.larder,
            ["prune", "--force-limit", "--idle-floor", "0s", "--build-cache", root.path] + more
                + ["--image-root", "/nonexistent", "--state", state.path])
    }

    private var isThere: Bool { root.exists(".m2/repository/g/a/1/a-1.jar") }

    @Test func aClockMoreThanADayBackStopsAPrune() throws {
        try larder("scan").checked()
        try state.shell("sqlite3 larder.db 'UPDATE scans SET started_at = started_at + 2 * 86400000000000'")
        let result = try prune("--to", "1Ki")
        #expect(result.status == 1)
        #expect(result.errors.contains("set the clock"))
        #expect(isThere)
        // The scan that a person runs once the clock is right takes its time for the right one.
        try larder("scan").checked()
        _ = try prune("--to", "1Ki")
        #expect(!isThere)
    }

    @Test func anHourBackIsNoMatter() throws {
        try larder("scan").checked()
        try state.shell("sqlite3 larder.db 'UPDATE scans SET started_at = started_at + 3600000000000'")
        _ = try prune("--to", "1Ki")
        #expect(!isThere)
    }

    @Test(arguments: ["-2 days", "2 days"]) func aClockThatWasSetStopsAPrune(by: String) throws {
        try larder("scan").checked()
        // As if the last scan had been then, though the machine ran only for this long since.
        try state.shell(
            #"""
            then=$(date -ud '\#(by)' +%Y-%m-%dT%H:%M:%SZ)
            sed -i -E 's/("wall":")[^"]*/\1'$then/ clock.json; grep -q "\"$then" clock.json
            sqlite3 larder.db 'UPDATE scans SET started_at = 0'
            """#)
        let result = try prune("--to", "1Ki")
        #expect(result.status == 1)
        #expect(result.errors.contains("since the last scan it is"))
        #expect(isThere)
        try larder("scan").checked()
        _ = try prune("--to", "1Ki")
        #expect(!isThere)
    }

    /// Another node's clock: the times that the volume gives contradict it.
    @Test(
        .enabled(if: access("/usr/bin/faketime", X_OK) == 0, "needs faketime"), arguments: ["+30h", "+90m"])
    func aClockAheadOfTheVolumesStopsAPrune(by: String) throws {
        try larder("scan").checked()
        try state.shell("rm clock.json")
        let result = try run(
            "/usr/bin/faketime",
            ["-f", by, Programs.larder, "prune", "--to", "1Ki", "--force-limit", "--build-cache", root.path]
                + ["--image-root", "/nonexistent", "--state", state.path],
            environment: ["NO_FAKE_STAT": "1", "DONT_FAKE_MONOTONIC": "1"])
        #expect(result.status == 1)
        #expect(result.errors.contains("the volume's own clock"))
        #expect(isThere)
    }

    /// As on a network volume without a lock service.
    @Test(.enabled(if: Programs.hasStrace, "needs strace"), arguments: ["flock", "fcntl"])
    func aVolumeWithoutLocksNeedsAWord(call: String) throws {
        func prune(_ more: String...) throws -> ProcessResult {
            try run(
                "/usr/bin/strace",
                ["-f", "-qq", "-o", "/dev/null", "-e", "inject=\(call):error=ENOLCK", "-P", root.path]
                    + [
                        "-P", root.path + "/.larder/lock", Programs.larder, "prune", "--to", "1Ki",
                        "--force-limit",
                    ]
                    + ["--idle-floor", "0s", "--build-cache", root.path] + more
                    + ["--image-root", "/nonexistent", "--state", state.path])
        }
        try larder("scan").checked()
        let result = try prune()
        #expect(result.status == 1)
        #expect(result.errors.contains("--unlocked"))
        #expect(isThere)
        _ = try prune("--unlocked")
        #expect(!isThere)
    }

    @Test func anotherBootOrNoNoteIsNoMatter() throws {
        try larder("scan").checked()
        try state.shell(
            #"sed -i -E 's/("boot":")./\1x/; s/("wall":")20../\12020/' clock.json; grep -q '"2020' clock.json"#
        )
        _ = try prune("--to", "1Ki")
        #expect(!isThere)
    }

    @Test func oneRunMayNotEvictMoreThanItsShare() throws {
        try root.shell("cd .m2/repository/g/a/1; truncate -s 0 a-1.jar; head -c 300000 /dev/zero > a-1.jar")
        try root.shell("find .m2 -depth -exec touch -d '40 days ago' {} +")
        let result = try run(
            Programs.larder,
            ["prune", "--to", "1Ki", "--idle-floor", "0s", "--build-cache", root.path]
                + ["--image-root", "/nonexistent", "--state", state.path])
        #expect(result.output.contains("beyond what one run may evict"))
        #expect(isThere)
        _ = try prune("--to", "1Ki")
        #expect(!isThere)
    }

    @Test func oneRunMayNotEvictMoreEntriesThanItsLimit() throws {
        try root.shell(
            "cd .m2/repository/g; mkdir b; cp -a a/1 b/1; mv b/1/a-1.jar b/1/b-1.jar; sed -i s/a-1/b-1/ b/1/_*"
        )
        try root.shell("find .m2 -depth -exec touch -d '40 days ago' {} +")
        let result = try run(
            Programs.larder,
            ["prune", "--to", "1Ki", "--idle-floor", "0s", "--build-cache", root.path]
                + ["--image-root", "/nonexistent", "--state", state.path],
            environment: ["LARDER_LIMITS_ENTRIES": "1", "LARDER_LIMITS_BYTES_SHARE": "100%"])
        #expect(try root.shell("ls .m2/repository/g | wc -l") == "1\n", "\(result.output)\(result.errors)")
    }

    @Test func anOldPlanIsRefused() throws {
        try larder("scan").checked()
        let plan = state.path + "/plan.json"
        _ = try larder("plan", "--to", "1Ki", "--idle-floor", "0s", "--output", plan)
        try state.shell(
            #"sed -i -E 's/("created_at": ?")[0-9]{4}/\12020/' plan.json; grep -q '"2020-' plan.json"#)
        let result = try prune("--plan", plan)
        #expect(result.status == 1)
        #expect(result.errors.contains("the plan cannot be used"))
        #expect(isThere)
    }

    @Test(.enabled(if: Programs.isRoot, "needs root to become another user"))
    func anIncompleteScanStopsAPrune() throws {
        try root.shell("mkdir shut; chmod 0 shut; chown -R 1001 .m2; chown 1001 . ")
        try state.shell("chown 1001 .")
        let result = try run(
            "/usr/bin/setpriv",
            ["--reuid", "1001", "--regid", "1001", "--clear-groups", Programs.larder, "prune", "--to", "1Ki"]
                + ["--force-limit", "--idle-floor", "0s", "--build-cache", root.path]
                + ["--image-root", "/nonexistent", "--state", state.path])
        #expect(result.status == 1)
        #expect(result.errors.contains("could not be read"))
        #expect(isThere)
    }
}
