import Foundation
import TestSupport
import Testing

/// `larder doctor` where something is really wrong.
@Suite struct DoctorTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.shell("mkdir cache store sockets")
    }

    private func options(_ socket: String = "podman.sock") -> [String] {
        [
            "--state", folder.path + "/state", "--build-cache", folder.path + "/cache", "--image-root",
            folder.path + "/store", "--socket", "unix://\(folder.path)/sockets/\(socket)", "doctor",
        ]
    }

    private func doctor(_ extra: String..., socket: String = "podman.sock", status: Int32 = 4) throws -> JSON
    {
        let result = try run(Program.path, options(socket) + extra + ["--format", "json"])
        #expect(result.status == status, "\(result.output)\(result.errors)")
        return try JSON(result.output)
    }

    private func state(_ check: String, in report: JSON) -> String? {
        let found = report["findings"].array.filter { $0["check"].string == check }
        return (found.first { $0["state"].string != "ok" } ?? found.first)?["state"].string
    }

    @Test func noLineIsWiderThanItsTerminalAndEachFaultHasItsCure() throws {
        // script(1) of util-linux gives the command a terminal of its own.
        let command =
            "stty cols 80; unset COLUMNS LARDER_TESTBED; \(Program.path) \(options().joined(separator: " "))"
        let result = try run("/usr/bin/script", ["-qec", "bash -c '\(command)'", "/dev/null"])
        #expect(result.status == 4)
        let lines = result.output.replacing("\r\n", with: "\n").replacing(/\u{1b}\[[0-9;]*m/, with: "")
        for line in lines.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        let report = try doctor()
        #expect(report["schema"].string == "larder.doctor/1")
        for finding in report["findings"].array where finding["state"].string != "ok" {
            #expect(finding["cure"].string?.isEmpty == false && finding["why"].string?.isEmpty == false)
        }
        #expect(state("socket", in: report) == "problem")
        #expect(state("event-logs", in: report) == "warning")
        #expect(state("atime", in: report) == "ok")
    }

    @Test(arguments: ["hang", "500", "garbage", "nobody", "file"])
    func asocketThatIsNoPodmanIsAProblem(kind: String) throws {
        let script = """
            import socket, sys, time
            server = socket.socket(socket.AF_UNIX)
            server.bind(sys.argv[2])
            server.listen()
            sys.stdout.write("up")
            sys.stdout.flush()
            if sys.argv[1] == "nobody":
                sys.exit()
            held = []
            while True:
                peer = server.accept()[0]
                held.append(peer)
                if sys.argv[1] == "hang":
                    continue
                peer.recv(65536)
                text = b"HTTP/1.1 500 x\\r\\nContent-Length: 0\\r\\n\\r\\n" if sys.argv[1] == "500" else b"SSH-2.0-x\\r\\n"
                peer.sendall(text)
                peer.close()
            """
        let path = folder.path + "/sockets/podman.sock"
        let server = Process()
        if kind == "file" {
            try folder.write("sockets/podman.sock")
        } else {
            server.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            server.arguments = ["-c", script, kind, path]
            let output = Pipe()
            server.standardOutput = output
            try server.run()
            #expect(output.fileHandleForReading.availableData == Data("up".utf8))
        }
        defer { if server.isRunning { kill(server.processIdentifier, SIGKILL) } }
        if kind == "nobody" { server.waitUntilExit() }
        try folder.write("config.yaml", "podman_deadline: 1s\n")
        let report = try doctor("--config", folder.path + "/config.yaml")
        #expect(state("socket", in: report) == "problem")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can mount"), arguments: ["noatime", "ro"])
    func mountOptionsAreSeen(option: String) throws {
        let mount =
            option == "noatime"
            ? "mount -t tmpfs -o noatime none \(folder.path)/cache"
            : "mount --bind \(folder.path)/cache \(folder.path)/cache "
                + "&& mount -o remount,bind,ro \(folder.path)/cache"
        let command = ([Program.path] + options() + ["--format", "json"]).joined(separator: " ")
        let result = try run("/usr/bin/unshare", "-m", "sh", "-c", "\(mount) && exec \(command)")
        let report = try JSON(result.output)
        #expect(state(option == "ro" ? "read-only" : "atime", in: report) == "problem")
        #expect(report["findings"].array.contains { $0["seen"].string?.contains(option) == true })
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become another user"))
    func theTierAndItsObstacleFollowThePermissions() throws {
        // The program may lie where only root can read; the descriptors stay open.
        try folder.shell(
            "cp \(Program.path) larder && chmod 755 . larder && mkdir home && chown -R 1001 cache store home")
        func tier(_ setpriv: String...) throws -> JSON {
            let arguments =
                setpriv + ["env", "HOME=\(folder.path)/home", folder.path + "/larder"] + options()
                + ["--state", folder.path + "/home/state", "--format", "json"]
            return try JSON(run("/usr/bin/setpriv", arguments).output)
        }
        let restricted = try tier(
            "--reuid=1001", "--regid=1001", "--clear-groups", "--no-new-privs", "--bounding-set=-all")
        #expect(state("no-new-privs", in: restricted) == "warning")
        #expect(state("capabilities", in: restricted) == "warning")
        #expect(restricted["obstacle"]["cure"].string?.isEmpty == false)
        let other = try tier("--reuid=1002", "--regid=1002", "--clear-groups")
        #expect(state("writable", in: other) == "problem")
        // uid 1002 has no line in /etc/subuid.
        #expect(other["obstacle"]["seen"].string?.contains("no subordinate IDs") == true)
    }

    @Test func theRunnersConfigurationIsLinted() throws {
        try folder.write("config.toml", "[[runners]]\n  [runners.kubernetes]\n    privileged = true\n")
        let report = try doctor("--runner-config", folder.path + "/config.toml")
        #expect(
            report["findings"].array.contains {
                $0["area"].string == "runner" && $0["state"].string == "problem"
            })
        let absent = try run(Program.path, options() + ["--runner-config", "/nowhere"])
        #expect(absent.status == 1)
    }
}

/// `larder doctor` beside two real Podmans on one store.
@Suite(.enabled(if: Testbed.withImages != nil, "\(Testbed.absence)"))
struct DoctorOnTheTestbedTests {
    private func report(socket: String) throws -> JSON {
        let testbed = try #require(Testbed.withImages)
        let state = try TemporaryDirectory()
        let result = try run(
            Program.path, "--state", state.path, "--build-cache", "/nowhere", "--image-root",
            testbed.setting("STORAGE"), "--socket", "unix://\(testbed.setting(socket))", "doctor", "--format",
            "json")
        #expect(result.status == 4)
        return try JSON(result.output)
    }

    private func states(_ check: String, _ report: JSON) -> [String?] {
        report["findings"].array.filter { $0["check"].string == check }.map { $0["state"].string }
    }

    @Test func theSafeSidecarIsToldFromTheUnsafeService() throws {
        let safe = try report(socket: "LARDER_SOCKET")
        #expect(states("private-records", safe) == ["ok"])
        #expect(safe["tier"].string == "B" && safe["obstacle"].isNull)
        // The job's own Podman was started with --root, and keeps its records in the store.
        #expect(states("shared-records", safe) == ["problem"])
        #expect(states("private-records", try report(socket: "JOB_SOCKET")) == ["problem"])
        #expect(states("version", safe) == ["warning"])
        #expect(states("user-ids", safe) == ["ok"])
    }
}
