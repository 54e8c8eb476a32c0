import Foundation
import TestSupport
import Testing

/// What a command shows and what the daemon shows of the same thing is the same value.
///
/// The configuration gives every key of `report` another value than its default: one that only one of them
/// reads makes them differ.
@Suite struct AgreementTests {
    private static let isPossible = (try? run("/bin/bash", "-c", "command -v faketime").status) == 0
    private static let days = 16

    private let directory: TemporaryDirectory
    private let configuration: String

    init() throws {
        directory = try TemporaryDirectory()
        configuration = """
            idle_floor: 0s
            limits: {bytes_share: 100%}
            report: {distance: 4%, review: 33d, headroom: 40Mi, fetch_speed: 7Mi}
            daemon:
              pressure_interval: 1h
              schedules: {scan: none, prune: none, warm: none, verify: none, report: none}
            volumes:
            - {name: build, kind: build-cache, path: \(directory.path)/cache, limit: 300Mi, keep: ["g:e1:*"]}
            """
        let begin = Int(Date().timeIntervalSince1970) - Self.days * 86_400
        for number in 0..<12 {
            let path = "cache/.m2/repository/g/e\(number)/1"
            // Some are of one size and of one age, so that only the order of keys tells them apart.
            try directory.write("\(path)/e\(number)-1.jar", bytes: 20_000_000 + number / 3 * 1_000_000)
            try directory.write("\(path)/_remote.repositories", "e\(number)-1.jar>central=\n")
        }
        try directory.shell("find cache -depth -exec touch -d @\(begin - 40 * 86_400) {} +")
        try directory.write("larder.yaml", "state: \(directory.path)/state\n" + configuration)
        for day in 0..<Self.days {
            let now = begin + day * 86_400
            if day > 0 {
                try directory.shell(
                    "touch -a -d @\(now - 40_000) cache/.m2/repository/g/e\(day % 6)/1/* cache/.m2/repository/g/e7/1/*"
                )
            }
            _ = try run(
                "/usr/bin/faketime",
                ["@\(now)", Program.path, "--config", directory.path + "/larder.yaml", "scan"],
                environment: ["TZ": "UTC"]
            ).checked()
        }
    }

    private func command(_ arguments: String...) throws -> JSON {
        try JSON(
            run(
                Program.path,
                ["--config", directory.path + "/larder.yaml"] + arguments + ["--format", "json"]
            ).output)
    }

    private func ask(_ daemon: ServeProcess, _ path: String) throws -> String {
        _ = try daemon.wait(for: "listening")
        return try run(
            "/usr/bin/env", "curl", "-s", "--max-time", "20", "--unix-socket", directory.path + "/http.sock",
            "http://localhost\(path)"
        ).checked().output
    }

    private func text(_ json: JSON) throws -> String {
        String(
            decoding: try JSONSerialization.data(
                withJSONObject: json.value, options: [.sortedKeys, .fragmentsAllowed]), as: UTF8.self)
    }

    @Test(.enabled(if: isPossible, "needs faketime"))
    func commandsAndDaemonSayTheSame() throws {
        let daemon = try ServeProcess(in: directory, configuration)
        try daemon.waitUntil("the report is made") {
            try ask(daemon, "/api/v1/report").contains("larder.report/1")
        }
        let served = try JSON(ask(daemon, "/api/v1/report"))["volumes"][0]
        let told = try command("report")["volumes"][0]
        let recommended = try #require(told["recommendation"]["bytes"].integer)
        // Whatever is a matter of the instant at which it was asked differs; the sizes must not.
        for key in ["used_bytes", "limit_bytes", "pools", "curve", "working_set", "recommendation"] {
            #expect(try text(served[key]) == text(told[key]), "\(key)")
        }
        let metrics = try ask(daemon, "/metrics")
        let line = "larder_report_recommended_bytes{volume=\"build\"} \(recommended)"
        #expect(
            metrics.contains(line), "\(metrics.split(separator: "\n").filter { $0.contains("recommended") })")
        let ownMetrics = try run(
            Program.path, "--config", directory.path + "/larder.yaml", "metrics"
        ).checked().output
        #expect(ownMetrics.contains(line))
        let quantity = try #require(told["recommendation"]["quantity"].string)
        #expect(try ask(daemon, "/report").contains(quantity))

        #expect(try text(JSON(ask(daemon, "/api/v1/status"))) == text(command("status")))
        for sort in ["used", "bytes", "key"] {
            let list = try JSON(ask(daemon, "/api/v1/entries?limit=1000&sort=\(sort)"))["entries"]
            #expect(try text(list) == text(command("list", "--sort", sort)["entries"]), "\(sort)")
        }
        // What the pages say of an entry's fate is what the plan does with it.
        let evicted = try command("plan")["volumes"][0]["evict"].array.compactMap { $0["key"].string }
        for number in 0..<12 {
            let key = "g:e\(number):1"
            let page = try JSON(ask(daemon, "/api/v1/entries/\(key)"))
            let verdict = try text(page["verdict"])
            #expect(verdict == (try text(command("explain", key)["verdict"])), "\(key)")
            #expect(verdict.contains("evict") == evicted.contains(key), "\(key): \(verdict)")
        }
        #expect(daemon.stop() == 0)
    }
}
