import Foundation
import TestSupport
import Testing

/// What really killed pulls leave in a real store that two Podmans share, and what becomes of it.
///
/// Two days pass for Larder by faketime: Podman's clock and the store stay as they are.
@Suite(.serialized, .enabled(if: Testbed.withImages != nil, "\(Testbed.absence)"))
struct OrphanTests {
    private static let own = Testbed.withImages == nil ? nil : try? OwnTestbed("--no-builds")
    private let testbed: Testbed
    private let state = "/tmp/larder-orphans-\(UUID().uuidString.prefix(8))"

    init() throws { testbed = try #require(Self.own?.testbed) }

    @Test func whatIsYoungerThanADayIsRefused() throws {
        defer { finish() }
        try testbed.run("kill-pull").checked()
        let before = try records()
        let report = try prune(later: "+20h", status: 4)
        let refused = report.volume("images")["refused"].array
        #expect(refused.compactMap { $0["kind"].string }.contains("unreferenced-layer"))
        #expect(refused.allSatisfy { $0["reason"].string?.contains("younger than 1d") == true })
        #expect(report.volume("images")["evicted"].array.isEmpty)
        #expect(try records() == before)
    }

    @Test func aKilledPullIsReclaimed() throws {
        defer { finish() }
        let (images, usage) = (try images(), try testbed.podman("system", "df"))
        let clean = try disk()
        try testbed.run("kill-pull").checked()
        let full = try disk()
        #expect(full - clean > 70 << 20)
        let planned = try prune("--dry-run").volume("images")
        #expect(try disk() == full)
        let pruned = try prune().volume("images")
        let kinds = Set(pruned["evicted"].array.compactMap { $0["kind"].string })
        #expect(kinds == ["incomplete-layer", "unreferenced-layer"])
        #expect(
            planned["evicted"].array.map { $0["key"].string }
                == pruned["evicted"].array.map { $0["key"].string })
        // By du, which knows nothing of records or of what Larder says; other tests write to the disk meanwhile.
        #expect(abs(try disk() - clean) < 1 << 20)
        #expect(try #require(pruned["freed_bytes"].integer) > (full - clean) / 2)
        #expect(try self.images() == images)
        #expect(try testbed.podman("system", "df") == usage)
        #expect(try testbed.podman("run", "--rm", testbed.setting("IMAGE_APP_A"), "true").isEmpty)
        #expect(try larder("report", "--format", "json").output.contains(#""orphans": []"#))
        #expect(try prune().volume("images")["evicted"].array.isEmpty)
    }

    /// Without how long ago they were made, which changes while one looks.
    private func images() throws -> String {
        try testbed.podman(
            "images", "--all", "--no-trunc", "--format",
            "{{.ID}} {{.Repository}}:{{.Tag}} {{.Size}} {{.Digest}}")
    }

    @Test func aReportNamesWhatWasLeftAndTheCommand() throws {
        defer { finish() }
        try testbed.run("kill-pull").checked()
        try larder("scan").checked()
        let text = try larder("report").output
        #expect(text.contains("images: left behind") && text.contains("larder prune --orphans"))
        let items = try JSON(larder("report", "--format", "json").output)["orphans"][0]["items"].array
        let layer = try #require(items.first { $0["kind"].string == "unreferenced-layer" })
        #expect((layer["bytes"].integer ?? 0) > 70 << 20)
        #expect(items.contains { $0["kind"].string == "incomplete-layer" })
        #expect(try larder("report", "--format", "html").output.contains("larder prune --orphans"))
    }

    @Test func aRunningContainerOfAnotherPodmanProtectsTheStore() throws {
        defer { finish() }
        try testbed.run("kill-pull").checked()
        let container = try testbed.podman("run", "-d", testbed.setting("IMAGE_BASE"), "sleep", "1000")
        let before = try records()
        let refused = try prune(status: 4).volume("images")["refused"].array
        #expect(!refused.isEmpty)
        #expect(refused.allSatisfy { $0["reason"].string?.contains("is running") == true })
        #expect(try records() == before)
        #expect(try testbed.podman("inspect", "--format", "{{.State.Status}}", container) == "running")
    }

    @Test func aContainerOfADeadPodIsRemovedAndItsImageStays() throws {
        defer { finish() }
        let reference = try testbed.setting("IMAGE_APP_B")
        let container = try testbed.podman("create", reference, "true")
        #expect(try prune(later: "+20h").volume("images")["evicted"].array.isEmpty)
        let gone = try prune().volume("images")["evicted"][0]
        #expect(gone["name"].string == container && gone["pins"].string == reference)
        #expect(try !records().contains(container))
        #expect(try testbed.podman("run", "--rm", reference, "true").isEmpty)
    }

    @Test func aPullUnderWayProtectsTheStore() throws {
        defer { finish() }
        // Of a killed pull Podman 4.3.1 takes an incomplete layer for a finished one, drops it at its next write, and
        // fails the pull that stands on it. So what that one left goes first, and what looks left is this pull's own.
        try testbed.run("kill-pull").checked()
        _ = try prune()
        let pull = Process()
        pull.executableURL = URL(fileURLWithPath: "/usr/bin/podman")
        let url = "unix://\(try testbed.setting("JOB_SOCKET"))"
        pull.arguments = ["--remote", "--url", url, "pull", "--quiet", try testbed.setting("IMAGE_HUGE")]
        pull.standardOutput = FileHandle.nullDevice
        try pull.run()
        let services = try podmans()
        defer { services.forEach { kill($0, SIGCONT) } }
        var isHeld = false
        while !isHeld, pull.isRunning {
            services.forEach { kill($0, SIGSTOP) }
            isHeld = try isWriteLocked() && records().contains(#""incomplete":true"#)
            if !isHeld { services.forEach { kill($0, SIGCONT) } }
        }
        try #require(isHeld, "the pull ended before it could be stopped while it wrote")
        let refused = try prune(status: 4).volume("images")["refused"].array
        #expect(!refused.isEmpty)
        #expect(refused.allSatisfy { $0["reason"].string?.contains("a Podman is writing") == true })
        services.forEach { kill($0, SIGCONT) }
        pull.waitUntilExit()
        #expect(pull.terminationStatus == 0)
        #expect(try testbed.podman("run", "--rm", testbed.setting("IMAGE_BASE"), "true").isEmpty)
    }

    @Test func adoptionThatWasInterruptedIsFinished() throws {
        defer { finish() }
        try testbed.run("kill-pull").checked()
        let clean = "localhost/larder/orphan:left"
        _ = try testbed.podman("tag", testbed.setting("IMAGE_APP_A"), "localhost/job/own:1")
        // What a run leaves that is killed between the two requests: the image, and its layers with it.
        _ = try run(
            "/usr/bin/python3", Testbed.packageRoot + "/Tests/Integration/adopt.py",
            testbed.setting("STORAGE"), testbed.setting("LARDER_SOCKET"), clean
        ).checked()
        #expect(try testbed.podman("images").contains("larder/orphan"))
        _ = try prune()
        #expect(try !testbed.podman("images").contains("larder/orphan"))
        #expect(try disk() < 60 << 20)
        #expect(try testbed.podman("images").contains("localhost/job/own"))
    }

    /// Leaves the store as it was: containers away, orphans reclaimed, and nothing of `huge`.
    private func finish() {
        for container in (try? testbed.podman("ps", "--all", "--quiet").split(separator: "\n")) ?? [] {
            _ = try? testbed.podman("rm", "--force", "--time", "0", String(container))
        }
        _ = try? testbed.podman("rmi", testbed.setting("IMAGE_HUGE"))
        _ = try? prune()
        _ = try? run("/bin/rm", "-rf", state)
    }

    private func prune(_ options: String..., later: String = "+2d", status: Int32 = 0) throws -> JSON {
        // A directory of its own: the clock of one must not be before the last scan of another.
        defer { _ = try? run("/bin/rm", "-rf", state + later) }
        let arguments = ["prune", "--orphans", "--format", "json"] + options
        let result = try run(
            "/usr/bin/timeout",
            // Without its guard, a prune would wait for the lock of a Podman that a test has stopped.
            ["--signal=KILL", "60", "/usr/bin/faketime", "-f", later, Program.path, "--state", state + later]
                + (try volumes()) + arguments,
            environment: ["FAKETIME_DONT_FAKE_MONOTONIC": "1"])
        #expect(result.status == status, "\(result.output)\(result.errors)")
        return try JSON(result.output)
    }

    private func larder(_ arguments: String...) throws -> ProcessResult {
        if arguments.first == "report" {
            try run(Program.path, ["--state", state] + (try volumes()) + ["scan"]).checked()
        }
        return try run(Program.path, ["--state", state] + (try volumes()) + arguments)
    }

    private func volumes() throws -> [String] {
        [
            "--build-cache", "/nowhere", "--image-root", try testbed.setting("STORAGE"),
            "--socket", "unix://\(try testbed.setting("LARDER_SOCKET"))",
        ]
    }

    /// All records of the store as they are.
    private func records() throws -> String {
        try ["vfs-layers/layers.json", "vfs-images/images.json", "vfs-containers/containers.json"].map {
            let path = "\(try testbed.setting("STORAGE"))/\($0)"
            return FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
                ?? ""
        }.joined(separator: "\n")
    }

    /// What lies below `vfs/dir`, by du.
    private func disk() throws -> Int64 {
        let path = try testbed.setting("STORAGE") + "/vfs/dir"
        let output = try run("/usr/bin/du", "-s", "-B1", path).checked().output
        return try #require(output.split(separator: "\t").first.flatMap { Int64($0) })
    }

    /// The processes of the job's Podman.
    private func podmans() throws -> [pid_t] {
        let socket = try testbed.setting("JOB_SOCKET")
        let output = try run("/usr/bin/pgrep", "-f", "^podman .*system service .*unix://\(socket)").output
        return output.split(separator: "\n").compactMap { pid_t($0) }
    }

    /// Whether somebody holds the layers' lock for writing, by the kernel's own list.
    private func isWriteLocked() throws -> Bool {
        var stat = stat()
        guard lstat(try testbed.setting("STORAGE") + "/vfs-layers/layers.lock", &stat) == 0 else {
            return false
        }
        let locks = try String(contentsOfFile: "/proc/locks", encoding: .utf8)
        return locks.split(separator: "\n").contains {
            $0.contains(" WRITE ") && $0.contains(":\(stat.st_ino) ") && !$0.contains("->")
        }
    }
}
