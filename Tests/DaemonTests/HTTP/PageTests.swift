import CacheIndex
import CacheModel
import Foundation
import Logging
import ServiceLifecycle
import TestSupport
import Testing

@testable import Daemon
@testable import Reporting

@Suite struct PageTests {
    @Test func healthAndReadinessSayWhatIsMissing() async throws {
        let bed = try await WebFixture()
        #expect(try await bed.ask("/healthz").body == "ok\n")
        #expect(try await bed.ask("/readyz").body == "ready\n")
        bed.control.waiting.withLock { $0 = ["volume build (/cache) to be mounted"] }
        let answer = try await bed.ask("/readyz")
        #expect(answer.status == 503)
        #expect(answer.body == "waiting for volume build … to be mounted\n")
        try await bed.stop()
    }

    @Test func beforeTheFirstScanThereIsADashboardAndNoFigure() async throws {
        let bed = try await WebFixture { _ in }
        #expect(try await bed.ask("/readyz").body == "waiting for the first scan\n")
        #expect(try await bed.ask("/").status == 200)
        let report = try await bed.ask("/api/v1/report")
        #expect(report.status == 503)
        #expect(report.headers["retry-after"] == "5")
        try await bed.stop()
    }

    @Test func whoAsksFirstIsAnsweredFromTheIndex() async throws {
        let directory = try TemporaryDirectory()
        // The first look takes far longer than it takes to listen.
        let control = FakeControl(stateDirectory: directory.path, slowness: .milliseconds(200))
        try WebFixture.record(CacheIndex.open(stateDirectory: directory.path, now: WebFixture.now))
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = WebServer(
            .init(address: .tcp(host: "127.0.0.1", port: 0), stateDirectory: directory.path, tokenFile: nil),
            control: control, clock: { WebFixture.now }, logger: logger
        ) { found.yield($0 ?? 0) }
        await #expect(throws: StatsCache.Missing.unread) { try await server.figures.current() }
        let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
        let task = Task { try await group.run() }
        for await _ in ports.prefix(1) {}
        #expect(try await server.figures.current().volumes.map(\.volume.name) == ["build"])
        await group.triggerGracefulShutdown()
        try await task.value
    }

    @Test func prunesThatDidNothingStandInOneLineAndHideNone() async throws {
        let bed = try await WebFixture { index in
            try WebFixture.record(index)
            let idle = EvictionOutcome(
                volume: "build", freedBytes: .zero, trashedBytes: .zero, usedBefore: ByteCount(90_000),
                usedAfter: ByteCount(90_000), overQuota: false)
            for number in 0..<20 {
                let time = hour(4) + .minutes(Int64(number))
                try index.record(
                    idle,
                    run: RunRecord(
                        id: "idle-\(number)", kind: "prune", startedAt: time, finishedAt: time, exitCode: 0))
            }
        }
        let page = try await bed.ask("/").body
        #expect(page.contains("idle-19, took"))
        #expect(page.contains("19 runs before it, since"))
        #expect(!page.contains("idle-18"))
        #expect(page.contains("run-1, took"))
        try await bed.stop()
    }

    @Test func aSuccessOfACommandCounts() async throws {
        // The daemon knows of a verification at 2:00 only, and it is 5:00.
        let bed = try await WebFixture { index in
            try WebFixture.record(index)
            try index.record(
                EvictionOutcome(
                    volume: "build", freedBytes: .zero, trashedBytes: .zero, usedBefore: .zero,
                    usedAfter: .zero, overQuota: false),
                run: RunRecord(
                    id: "by-hand", kind: "verify", startedAt: hour(4), finishedAt: hour(4), exitCode: 0))
        }
        let activities = try await bed.ask("/api/v1/runs").json["activities"] as? [[String: Any]]
        #expect(activities?.map { $0["last_success"] as? String } == ["\(hour(4))"])
        try await bed.stop()
    }

    @Test(arguments: [
        "/", "/schedule", "/entries", "/report", "/style.css", "/live.js", "/icon.svg", "/healthz", "/readyz",
        "/metrics",
        "/api/v1/status", "/api/v1/report", "/api/v1/entries", "/api/v1/runs", "/nothing", "/../etc/passwd",
        "/entries/no:such:1", "/api/v1/entries?limit=x",
    ])
    func everyAnswerIsGuardedAndHeadIsItsHead(path: String) async throws {
        let bed = try await WebFixture()
        let answer = try await bed.ask(path)
        #expect(answer.headers["content-security-policy"]?.contains("default-src 'none'") == true)
        #expect(answer.headers["content-security-policy"]?.contains("frame-ancestors 'none'") == true)
        #expect(answer.headers["content-security-policy"]?.contains("script-src") == (path == "/"))
        #expect(answer.headers["content-security-policy"]?.contains("unsafe-inline") == (path == "/report"))
        #expect(answer.headers["x-content-type-options"] == "nosniff")
        #expect(answer.headers["referrer-policy"] == "no-referrer")
        let head = try await bed.ask(path, "--head")
        #expect(head.status == answer.status)
        #expect(head.headers["content-length"] == answer.headers["content-length"])
        #expect(head.body.isEmpty)
        let post = try await bed.ask(path, "-X", "DELETE")
        #expect(post.status == (answer.status == 404 && !path.hasPrefix("/entries/") ? 404 : 405))
        try await bed.stop()
    }

    @Test func namesAreTextWhereverTheyStand() async throws {
        let bed = try await WebFixture()
        let key = "org.example:<script>alert('x')</script>&\":1.0"
        let encoded = try #require(key.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        for path in ["/", "/entries", "/entries?q=%3Cscript", "/entries/\(encoded)", "/report"] {
            let answer = try await bed.ask(path)
            #expect(answer.status == 200)
            #expect(
                !answer.body.replacing("<script src=\"./live.js\" defer></script>", with: "").contains(
                    "<script"))
            #expect(answer.body.contains("&lt;script&gt;") || path == "/")
        }
        let explained = try await bed.ask("/api/v1/entries/\(encoded)").json
        #expect(explained["key"] as? String == key)
        #expect(try await bed.ask("/entries?q=%3Cscript").body.contains("value=\"&lt;script\""))
        try await bed.stop()
    }

    @Test func whatRunsIsToldWithHowFarItIs() async throws {
        let bed = try await WebFixture()
        let page = try await bed.ask("/schedule").body
        #expect(page.contains("running for 2 h: verifying, 1 files"))
        // Without scripts it loads itself again while something runs.
        #expect(page.contains("http-equiv=\"refresh\" content=\"5\""))
        let activities = try await bed.ask("/api/v1/runs").json["activities"] as? [[String: Any]]
        #expect(activities?.first?["progress"] as? String == "verifying, 2 files")
        try await bed.stop()
    }

    /// By a browser: the page that was loaded shows what came after it.
    @Test(
        .enabled(if: Testbed.canCheckPages, "needs chromium and the axe-core of axe-playwright-python (PyPI)")
    )
    func theScheduleFollowsWhatRuns() async throws {
        let bed = try await WebFixture()
        let place = "http://127.0.0.1:\(bed.port)/"
        let page = try await apart {
            try run(
                "/usr/bin/env", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--virtual-time-budget=7000", "--dump-dom", place
            ).checked().output
        }
        let shown = try #require(page.firstMatch(of: /verifying, ([0-9]+) files/)?.output.1)
        #expect(try #require(Int(shown)) > 1)
        #expect(bed.control.looks.load(ordering: .relaxed) >= 3)
        try await bed.stop()
    }

    @Test func theDashboardTellsWhatMatters() async throws {
        let bed = try await WebFixture()
        let page = try await bed.ask("/").body
        // It reloads for whoever asks for it, and for nobody else.
        #expect(!page.contains("http-equiv=\"refresh\""))
        #expect(try await bed.ask("/?refresh=60").body.contains("http-equiv=\"refresh\" content=\"60\""))
        #expect(page.contains("build is above its high watermark"))
        #expect(page.contains("2 entries of"))
        #expect(page.contains("larder trash restore run-1"))
        #expect(page.contains("still over quota"))
        // What is advised says what it takes from the trash, as status does; nothing is said to be worked out that is.
        let status = StatusReport.loss(try await bed.server.figures.current().status.volumes[0].purgedFirst)
        #expect(page.contains("Run: larder prune --volume build\(status)"), "\(page)")
        #expect(!page.contains("worked out anew"))
        // What comes next is what the plan has.
        let plan = try await bed.ask("/plan").body
        let coming = try #require(page.firstMatch(of: /A prune would (evict|free) ([^:<]+)/)?.output)
        #expect(plan.contains(coming.2.split(separator: " and ")[0]), "\(coming.0) \(plan)")
        #expect(page.contains("verify of build"))
        #expect(!page.contains("secret"))
        #expect(try await !bed.ask("/entries").body.contains("http-equiv=\"refresh\""))
        try await bed.stop()
    }

    @Test func entriesNameTheirVolumeWhereThereAreSeveral() async throws {
        let bed = try await WebFixture()
        let column = "<th scope=\"col\">volume</th>"
        #expect(try await !bed.ask("/entries").body.contains(column))
        bed.control.told.withLock {
            $0.volumes.append(Volume(name: "second", kind: .buildCache, path: "/second"))
        }
        let page = try await bed.ask("/entries").body
        #expect(page.contains(column) && page.contains("<td class=\"pool\">build</td>"))
        #expect(try await bed.ask("/entries?q=part").body.contains("from build"))
        try await bed.stop()
    }

    @Test func pagesOfEntriesHoldEachOnceInEveryOrder() async throws {
        let bed = try await WebFixture()
        let orders = [
            ("used", "last_used, bytes DESC, key"), ("bytes", "bytes DESC, key"),
            ("frees", "bytes DESC, key"),
            ("key", "key"),
        ]
        for (order, columns) in orders {
            var (keys, cursor): ([String], String?) = ([], nil)
            repeat {
                let next = cursor.map { "&cursor=\($0)" } ?? ""
                let json = try await bed.ask("/api/v1/entries?sort=\(order)&limit=2\(next)").json
                #expect(json["schema"] as? String == "larder.list/1")
                #expect(json["total_entries"] as? Int == 6)
                keys += (json["entries"] as? [[String: Any]] ?? []).compactMap { $0["key"] as? String }
                cursor = json["next_cursor"] as? String
            } while cursor != nil
            #expect(try keys == bed.sql("SELECT key FROM entries ORDER BY \(columns), path"))
        }
        let found = try await bed.ask("/api/v1/entries?q=PART3&pool=maven&volume=build").json
        #expect(found["total_entries"] as? Int == 1)
        #expect(try await bed.ask("/api/v1/entries?q=%25").json["total_entries"] as? Int == 0)
        try await bed.stop()
    }

    @Test(arguments: [
        "limit=0", "limit=1001", "limit=-1", "limit=99999999999999999999", "limit=x", "sort=size", "pool=all",
        "nonsense=1", "q=1&q=2", "q=%zz", "q=%ff",
    ])
    func malformedQueriesAreRefused(query: String) async throws {
        let bed = try await WebFixture()
        let answer = try await bed.ask("/api/v1/entries?\(query)")
        #expect(answer.status == 400)
        #expect(try answer.json["schema"] as? String == "larder.error/1")
        #expect(try await bed.ask("/entries?\(query)").status == 400)
        try await bed.stop()
    }

    @Test(arguments: ["cursor=x", "cursor=OjE", "before=x", "sort=bytes&cursor=NTphYmM"])
    func aPlaceThatNoPageGaveIsNotFound(query: String) async throws {
        let bed = try await WebFixture()
        let answer = try await bed.ask("/api/v1/entries?\(query)")
        #expect(answer.status == 404)
        #expect(try answer.json["schema"] as? String == "larder.error/1")
        #expect(try await bed.ask("/entries?\(query)").status == 404)
        try await bed.stop()
    }

    @Test func statusRunsAndReportAreTheContracts() async throws {
        let bed = try await WebFixture()
        let status = try await bed.ask("/api/v1/status").json
        let volume = try #require((status["volumes"] as? [[String: Any]])?.first)
        #expect(status["schema"] as? String == "larder.status/1")
        #expect(try volume["used_bytes"].map { "\($0)" } == bed.sql("SELECT used_bytes FROM volumes").first)
        #expect(volume["entries"] as? Int == 6)
        let runs = try await bed.ask("/api/v1/runs").json
        let run = try #require((runs["runs"] as? [[String: Any]])?.first)
        #expect(run["run"] as? String == "run-1")
        let part = try #require((run["volumes"] as? [[String: Any]])?.first)
        #expect(part["evicted_entries"] as? Int == 2)
        #expect(try await bed.ask("/api/v1/runs?limit=1").json["next_cursor"] is NSNull)
        #expect(try await bed.ask("/api/v1/report").json["schema"] as? String == "larder.report/1")
        try await bed.stop()
    }

    @Test func anEntryOfAVolumeThatIsNotConfiguredIsNotShown() async throws {
        let bed = try await WebFixture()
        bed.control.told.withLock { $0.volumes = [] }
        #expect(try await bed.ask("/api/v1/entries/org.example:part3:1.0").status == 404)
        #expect(try await bed.ask("/entries/org.example:part3:1.0").status == 404)
        #expect(try await bed.ask("/api/v1/entries").json["entries"] as? [String] == [])
        try await bed.stop()
    }

    @Test func whatIsForetoldFollowsTheConfiguration() async throws {
        let bed = try await WebFixture()
        // It was used three and a half hours ago.
        let path = "/entries/org.example:part6:1.0"
        #expect(try await bed.ask(path).body.contains("within the idle floor"))
        bed.control.told.withLock { $0.idleFloor = .zero }
        await bed.server.figures.refresh()
        while try await bed.ask(path).body.contains("within the idle floor") {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(try await !bed.ask("/api/v1/entries").body.contains("idle-floor"))
        try await bed.stop()
    }

    @Test func anIndexThatCannotBeReadIsNotDescribed() async throws {
        let bed = try await WebFixture()
        try bed.directory.shell("head -c 9000 /dev/zero | tr '\\0' x > other; mv other larder.db")
        for path in ["/entries", "/api/v1/entries", "/api/v1/runs", "/entries/org.example:part3:1.0"] {
            let answer = try await bed.ask(path)
            #expect(answer.status >= 500)
            #expect(!answer.body.contains(bed.directory.path) && !answer.body.contains("larder.db"))
        }
        try await bed.stop()
    }

    @Test func aNameThatWasPointedHereIsRefused() async throws {
        let bed = try await WebFixture()
        #expect(try await bed.ask("/api/v1/status", "-H", "Host: rebound.example").status == 421)
        for host in ["localhost:1", "127.0.0.1", "[::1]:9", "LOCALHOST"] {
            #expect(try await bed.ask("/api/v1/status", "-H", "Host: \(host)").status == 200)
        }
        try await bed.stop()
    }
}
