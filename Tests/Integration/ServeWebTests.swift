import Foundation
import TestSupport
import Testing

/// The daemon as a process, asked with curl: what it serves is what the commands say.
@Suite struct ServeWebTests {
    private static let token = "0123456789abcdefXYZ"
    private static let isPromtoolThere = (try? run("/usr/bin/env", "promtool", "--version"))?.status == 0

    private let schedules =
        "daemon:\n  pressure_interval: 1h\n  schedules: {scan: none, prune: none, warm: none, report: none}\n  token_file: TOKEN\n"

    private func directory(_ entries: Int) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for number in 0..<entries {
            let path = "cache/.m2/repository/g/e\(number)/1"
            try directory.write("\(path)/e\(number)-1.jar", bytes: 200_000)
            try directory.write("\(path)/_remote.repositories", "e\(number)-1.jar>central=\n")
        }
        // Each was used a day before the next, so that their order is no matter of chance.
        try directory.shell(
            """
            for n in $(seq 0 \(entries - 1)); do
                find cache/.m2/repository/g/e$n -depth -exec touch -d "$((40 + n)) days ago" {} +
            done
            """)
        try directory.write("token", Self.token)
        try directory.shell("chmod 0400 token")
        return directory
    }

    private func configuration(_ directory: TemporaryDirectory) -> String {
        schedules.replacing("TOKEN", with: directory.path + "/token") + "idle_floor: 0s\n"
            + "volumes:\n- name: build\n  kind: build-cache\n  path: \(directory.path)/cache\n  limit: 2600Ki\n"
    }

    /// Asks the daemon for a path; gives its body.
    private func ask(_ daemon: ServeProcess, _ path: String, _ options: String...) throws -> String {
        let listening = try daemon.wait(for: "listening")["address"]
        let address = try #require(listening.string)
        var place = ["http://\(address)\(path)"]
        if address.hasPrefix("unix:") {
            place = ["--unix-socket", String(address.dropFirst(5)), "http://localhost\(path)"]
        }
        return try run("/usr/bin/env", ["curl", "-s", "--max-time", "20"] + options + place).checked().output
    }

    private func command(_ daemon: ServeProcess, _ arguments: String...) throws -> JSON {
        let result = try run(
            Program.path,
            ["--config", daemon.directory.path + "/larder.yaml"] + arguments + ["--format", "json"])
        return try JSON(result.output)
    }

    /// A value as text with its keys in order; two are equal where these are.
    private func text(_ json: JSON) throws -> String {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .fragmentsAllowed]
        let bytes = try JSONSerialization.data(withJSONObject: json.value, options: options)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func expectCommandsAnswers(_ daemon: ServeProcess) throws {
        try daemon.waitUntil("status is the command's") {
            try text(JSON(ask(daemon, "/api/v1/status"))) == text(command(daemon, "status"))
        }
        let list = try JSON(ask(daemon, "/api/v1/entries?limit=1000"))["entries"]
        #expect(try text(list) == text(command(daemon, "list", "--limit", "1000")["entries"]))
    }

    /// A chat server that takes the connection and never answers holds up no activity of the volume.
    @Test func aWebhookThatHangsKeepsNoVolumeBusy() throws {
        let directory = try directory(12)
        let silence = Process()
        silence.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        silence.arguments = [
            "-c",
            "import socket, time; s = socket.create_server((\"127.0.0.1\", 0)); print(s.getsockname()[1], flush=True); "
                + "time.sleep(1000)",
        ]
        let output = Pipe()
        silence.standardOutput = output
        try silence.run()
        defer { kill(silence.processIdentifier, SIGKILL) }
        let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let daemon = try ServeProcess(
            in: directory,
            configuration(directory) + "notifications:\n  webhooks:\n  - url: http://127.0.0.1:\(port)/\n")
        func order(_ activity: String) throws -> String {
            try ask(
                daemon, "/api/v1/runs", "-H", "Authorization: Bearer \(Self.token)", "-H",
                "Content-Type: application/json", "-d", #"{"activity": "\#(activity)"}"#)
        }
        try daemon.wait(for: "scan of build: 12 entries")
        try daemon.waitUntil("the first scan is over") { try order("prune").contains("larder.run-request/1") }
        let pruned = try daemon.wait(for: "prune of build: run")
        #expect(pruned["evicted"].integer ?? 0 > 0)
        // Nobody was told yet, as nobody answers, and the volume is free.
        let before = try daemon.events().count
        try daemon.waitUntil("the volume is free") { try order("scan").contains("larder.run-request/1") }
        try daemon.wait(for: "scan of build:", after: before)
        #expect(
            try daemon.events().allSatisfy {
                $0["message"].string?.contains("notifications.webhooks") == false
            })
    }

    /// The report is made anew once a minute at most: this is for the first one.
    private func expectReport(_ daemon: ServeProcess) throws {
        try daemon.waitUntil("the report is made") {
            try ask(daemon, "/api/v1/report").contains("larder.report/1")
        }
        let served = try JSON(ask(daemon, "/api/v1/report"))["volumes"][0]
        let told = try command(daemon, "report")["volumes"][0]
        for key in ["name", "used_bytes", "limit_bytes", "inodes", "pools", "curve", "working_set"] {
            #expect(try text(served[key]) == text(told[key]), "\(key)")
        }
    }

    @Test(arguments: ["127.0.0.1:0", nil])
    func whatItServesIsWhatTheCommandsSay(listen: String?) throws {
        let directory = try directory(12)
        let daemon = try ServeProcess(in: directory, configuration(directory), listen: listen)
        try daemon.wait(for: "scan of build: 12 entries")
        #expect(try ask(daemon, "/healthz") == "ok\n")
        try daemon.waitUntil("it is ready") { try ask(daemon, "/readyz") == "ready\n" }
        try daemon.waitUntil("the figures are read") {
            try ask(daemon, "/metrics").contains("larder_pool_entries{pool=\"maven\"")
                || ask(daemon, "/metrics").contains("pool=\"maven\"} 12")
        }
        try expectCommandsAnswers(daemon)
        try expectReport(daemon)

        let wish = [
            "-X", "POST", "-H", "Content-Type: application/json", "-d",
            #"{"activity":"prune","volume":"build"}"#,
        ]
        let refused = try ask(daemon, "/api/v1/runs", wish[0], wish[1], wish[2], wish[3], wish[4], wish[5])
        #expect(refused.contains("a run needs the token"))
        let authorization = "Authorization: Bearer \(Self.token)"
        let taken = try ask(
            daemon, "/api/v1/runs", wish[0], wish[1], wish[2], wish[3], wish[4], wish[5], "-H", authorization)
        #expect(taken.contains("larder.run-request/1"))
        let prune = try daemon.wait(for: "prune of build: run ")
        let evicted = try #require(prune["evicted"].integer)
        #expect(evicted > 0)
        try daemon.waitUntil("the run is served") {
            try JSON(ask(daemon, "/api/v1/runs"))["runs"][0]["kind"].string == "prune"
        }
        let run = try JSON(ask(daemon, "/api/v1/runs"))["runs"][0]
        let id = try #require(run["run"].string)
        #expect(run["volumes"][0]["evicted_entries"].integer == evicted)
        let reason = try #require(run["volumes"][0]["evicted"][0]["reason"].string)
        #expect(reason.hasPrefix("least recently used: "))
        let first = "SELECT key || reason FROM run_entries WHERE run = '\(id)' AND position = 0"
        #expect(try daemon.sql(first) == (run["volumes"][0]["evicted"][0]["key"].string ?? "") + reason)
        try daemon.waitUntil("the dashboard shows it") { try ask(daemon, "/").contains("/runs/\(id)") }
        #expect(try ask(daemon, "/runs/\(id)").contains(reason))
        let undo = "larder trash restore \(id)"
        #expect(try ask(daemon, "/").contains(undo))
        try expectCommandsAnswers(daemon)
        // The hint is the command that does it, for what there was room to keep.
        let restored = try command(daemon, "trash", "restore", id)["restored"].array
        let bytes = restored.compactMap { $0["bytes"].integer }.reduce(0, +)
        #expect(bytes > 0 && bytes == run["volumes"][0]["trashed_bytes"].integer)

        #expect(daemon.stop() == 0)
        #expect(!directory.exists("http.sock"))
        #expect(try daemon.events().last?["message"].string == "stopped")
    }

    @Test(.enabled(if: isPromtoolThere, "needs promtool: apt-get install prometheus"))
    func promtoolFindsNothingInWhatTheProcessServes() throws {
        let directory = try directory(2)
        let daemon = try ServeProcess(in: directory, configuration(directory))
        try daemon.wait(for: "scan of build: 2 entries")
        try daemon.waitUntil("the figures are read") {
            try ask(daemon, "/metrics").contains("larder_report_")
        }
        try directory.write("metrics", ask(daemon, "/metrics"))
        #expect(try directory.shell("promtool check metrics < metrics 2>&1").isEmpty)
        #expect(daemon.stop() == 0)
    }

    @Test func aVolumeThatAReloadAddsIsOnTheDashboard() throws {
        let directory = try directory(2)
        // A volume that is new is looked at when the others are.
        let configuration = configuration(directory).replacing("interval: 1h", with: "interval: 1s")
        let daemon = try ServeProcess(in: directory, configuration)
        try daemon.waitUntil("the first volume is shown") { try ask(daemon, "/").contains("<h3>build ") }
        #expect(try !ask(daemon, "/").contains("<h3>other "))
        try directory.shell("mkdir -p other/.m2/repository")
        let other = "- name: other\n  kind: build-cache\n  path: \(directory.path)/other\n"
        try daemon.configure("cluster: west\n" + configuration + other)
        daemon.signal(SIGHUP)
        try daemon.wait(for: "change at the next start only")
        try daemon.waitUntil("the second volume is shown") { try ask(daemon, "/").contains("<h3>other ") }
        try daemon.configure(configuration)
        daemon.signal(SIGHUP)
        try daemon.waitUntil("it is gone again") { try !ask(daemon, "/").contains("<h3>other ") }
        #expect(daemon.stop() == 0)
    }
}
