import Foundation
import TestSupport
import Testing

/// A volume whose jobs use four artifacts of 700 MiB in turn, one a day, and two others never.
///
/// What a volume of a size serves was played with real prunes each night: 13 of 14 at 3,707 and 3,953 MiB, all at
/// 4,077 MiB and above. The history is made by scans, their clock shifted by faketime.
private struct FortnightOfJobs {
    static let days = 15
    let directory: TemporaryDirectory
    let larder: Program

    static let isPossible = (try? run("/bin/bash", "-c", "command -v faketime").status) == 0
    static let needs: Comment = "needs faketime"

    init() throws {
        directory = try TemporaryDirectory()
        larder = Program(cache: directory.path + "/cache")
        try directory.shell(
            """
            for n in 1 2 3 4 5 '<script>alert(1)<'; do
              d="cache/.m2/repository/org/example/lib$n/1"; mkdir -p "$d"
              fallocate -l 700M "$d/lib$n-1.jar"; echo '<project/>' > "$d/lib$n-1.pom"
              printf "lib$n-1.jar>central=\\nlib$n-1.pom>central=\\n" > "$d/_remote.repositories"
            done
            find cache -exec touch -d @\(Self.time(-40)) {} +
            """)
        // Before it began, the jobs went round as well: what they need next is what they used longest ago.
        for (place, name) in ["lib2", "lib3", "lib4", "lib1"].enumerated() {
            try directory.shell(
                "touch -a -d @\(Self.time(place - 5)) cache/.m2/repository/org/example/\(name)/1/*")
        }
        for day in 0..<Self.days {
            if day > 0 {
                let name = "lib\(day % 4 + 1)"
                try directory.shell(
                    "touch -a -d @\(Self.time(day) - 40_000) cache/.m2/repository/org/example/\(name)/1/\(name)-1.jar"
                )
            }
            #expect(try at(day, "scan").status == 0)
        }
    }

    /// The beginning of a day in seconds since 1970; the last one is 2026-01-15.
    static func time(_ day: Int) -> Int { 1_767_225_600 + day * 86_400 }

    /// Runs a command with its clock on that day.
    func at(_ day: Int, _ arguments: String..., environment: [String: String?] = [:]) throws -> ProcessResult
    {
        let clock = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(Self.time(day))))
            .replacingOccurrences(of: "T", with: " ").replacingOccurrences(of: "Z", with: "")
        let state = try #require(larder.state).path + "/state"
        return try run(
            "/usr/bin/faketime", [clock, Program.path, "--state", state] + larder.options + arguments,
            environment: environment.merging(["TZ": "UTC"]) { own, _ in own })
    }

    func report(_ arguments: String...) throws -> ProcessResult {
        let state = try #require(larder.state).path + "/state"
        return try run(
            "/usr/bin/faketime",
            ["2026-01-15 00:05:00", Program.path, "--state", state] + larder.options + ["report"] + arguments,
            environment: ["TZ": "UTC"])
    }
}

/// The report from end to end, on a history made by scans.
@Suite(.enabled(if: FortnightOfJobs.isPossible, FortnightOfJobs.needs))
struct ReportCommandTests {
    @Test func theKnownOptimumIsRecommendedInEveryFormat() throws {
        let jobs = try FortnightOfJobs()
        let text = try jobs.report("--window", "14d", "--simulate").checked().output
        #expect(
            text.replacing(/\s+/, with: " ").contains("5 GiB is enough for 100.0 % of accesses"), "\(text)")
        #expect(text.hasPrefix("Build cache: keep "), "\(text)")
        #expect(text.contains("Belady") && text.contains("larder prune --volume build --key"))
        // Off a terminal nothing is cut.
        #expect(!text.contains("…"))

        let json = try JSON(try jobs.report("--window", "14d", "--format", "json").checked().output)
        let build = json.volume("build")
        #expect(json["window_days"].integer == 14 && json["images"].isNull)
        #expect(build["recommendation"]["quantity"].string == "5Gi")
        #expect(build["hit_rate"]["hits"].integer == Int64(FortnightOfJobs.days - 1))
        #expect(build["hit_rate"]["misses"].integer == 0)
        for point in build["curve"].array {
            let size = try #require(point["bytes"].integer)
            let rate = try #require(point["object_hit_rate"].value as? Double)
            if size >= 4077 << 20 { #expect(rate == 1) }
            if (3700 << 20...3954 << 20).contains(size) { #expect(rate == 13.0 / 14) }
            if size <= 3290 << 20 { #expect(rate < 0.1) }
        }
        // The first day is not whole where the last scan began some milliseconds earlier than the first.
        let days = build["days"].array.filter { $0["hits"].integer == 1 }.count
        #expect(days == FortnightOfJobs.days - 1 || days == FortnightOfJobs.days - 2)

        let html = try jobs.report("--window", "14d", "--format", "html").checked().output
        #expect(html.hasPrefix("<!DOCTYPE html>") && html.contains("&lt;script&gt;alert(1)"))
        #expect(!html.contains("<script"))
        let csv = try jobs.report("--window", "14d", "--format", "csv").checked().output
        #expect(
            csv.contains(
                "# build/curve\r\nbytes,object_hit_rate,byte_hit_rate,avoidable_fetches_per_day,ideal_object_hit_rate\r\n"
            ))
        let metrics = try jobs.report("--window", "14d", "--format", "openmetrics").checked().output
        #expect(metrics.hasSuffix("# EOF\n"))
        #expect(metrics.contains("larder_report_recommended_bytes{volume=\"build\"} \(5 << 30)\n"))

        let file = jobs.directory.path + "/report.html"
        let written = try jobs.report("--window", "14d", "--format", "html", "--output", file).checked()
        #expect(written.output.isEmpty)
        // The clock goes on between the two.
        func timeless(_ page: String) -> String { page.replacing(/on [0-9T:-]+Z/, with: "") }
        #expect(timeless(try String(contentsOfFile: file, encoding: .utf8)) == timeless(html))
    }

    @Test(
        .enabled(if: Testbed.canCheckPages, "needs chromium and the axe-core of axe-playwright-python (PyPI)")
    )
    func thePagePassesAnAccessibilityCheck() throws {
        let jobs = try FortnightOfJobs()
        let file = jobs.directory.path + "/report.html"
        try jobs.report("--simulate", "--format", "html", "--output", file).checked()
        try run("/usr/bin/env", "python3", Testbed.packageRoot + "/Tests/Accessibility/check.py", file)
            .checked()
    }

    @Test func settingsAreHeardAndMistakesAreNamed() throws {
        let jobs = try FortnightOfJobs()
        let environment: [String: String?] = [
            "LARDER_REPORT_HEADROOM": "5Gi", "LARDER_REPORT_FETCH_SPEED": "10Mi",
            "LARDER_REPORT_DISTANCE": "100%",
        ]
        let refused = try jobs.at(14, "report", environment: environment)
        #expect(refused.status == 78 && refused.errors.contains("LARDER_REPORT_DISTANCE: found \"100%\""))
        let heard = try jobs.at(
            14, "report", "--format", "json",
            environment: environment.merging(["LARDER_REPORT_DISTANCE": "50%"]) { $1 })
        let advice = try JSON(heard.checked().output).volume("build")
        #expect(advice["recommendation"]["headroom_bytes"].integer == 5 << 30)
        #expect(advice["recommendation"]["quantity"].string == "10Gi")
        // 700 MiB a day that are not fetched again, at 10 MiB a second: 70 s.
        let minutes = advice["advice"].array.compactMap { $0["minutes_saved_per_day"].value as? Double }
        #expect(abs((minutes.min() ?? 0) + 70.0 / 60 * 14 / 14.0) < 0.1, "\(minutes)")

        for window in ["12h", "soon", "0d", "-3d"] {
            let result = try jobs.at(14, "report", "--window=\(window)")
            #expect(result.status == 64 && result.errors.contains("30d"), "\(result.errors)")
        }
        #expect(try jobs.at(14, "report", "--format", "pdf").status == 64)
        let foreign = try jobs.at(14, "report", "--output", jobs.directory.path + "/report.pdf")
        #expect(foreign.status == 64)
        #expect(foreign.errors.contains("end its name with .html"), "\(foreign.errors)")
        #expect(try jobs.directory.shell("ls *.pdf 2>&1 || true").contains("No such file"))
        let unwritable = try jobs.at(14, "report", "--output", "/nowhere/report")
        #expect(unwritable.status == 1 && unwritable.errors.contains("/nowhere/report"))
        #expect(try Program(cache: jobs.directory.path)("report").status == 1)
    }

    @Test func theCommandsThatItNamesDoWhatTheySay() throws {
        let jobs = try FortnightOfJobs()
        let json = try JSON(try jobs.report("--format", "json").checked().output)
        let stalest = try #require(json.volume("build")["stalest"].array.first)
        let command = try #require(stalest["reclaim"].string)
        #expect(command.hasPrefix("larder prune --volume build --key '"))
        let state = try #require(jobs.larder.state).path + "/state"
        let options = ["--state", state] + jobs.larder.options
        // As the shell reads it, the file's own clock aside.
        let plan = command.replacingOccurrences(
            of: "larder prune",
            with: "faketime '2026-01-15 00:10:00' \(Program.path) "
                + options.map { "'\($0)'" }.joined(separator: " ") + " prune --force-limit --idle-floor 0s")
        let script = "TZ=UTC " + plan + " --format json"
        let outcome = try JSON(try jobs.directory.shell(script)).volume("build")
        #expect(outcome["evicted"].array.compactMap { $0["key"].string } == [stalest["key"].string])
        #expect(outcome["refused"].array.isEmpty && outcome["over_quota"].bool == false)
        let refused = try jobs.at(14, "prune", "--key", "x", "--to", "1Gi")
        #expect(refused.status == 64)
    }
}
