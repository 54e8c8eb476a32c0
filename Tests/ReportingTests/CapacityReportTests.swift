import CacheModel
import Foundation
import Testing

@testable import Reporting

/// Jobs that use the same 8 artifacts of 1 GiB in turn, four a day, for that many days.
func roundOfJobs(days: Int64, hostile: Bool = false) -> CapacityReport {
    let began = now - .days(days)
    let contents = (1...8).map {
        VolumeHistory.Content(entry: $0, bytes: gibibytes(1), lastUsed: began - .hours($0))
    }
    let accesses = (0..<(days * 4)).map { turn in
        VolumeHistory.Access(
            at: began + .hours(turn * 6 + 3), entry: turn % 8 + 1, bytes: gibibytes(1), isHit: true)
    }
    let samples = (0...days).map {
        VolumeHistory.Sample(at: began + .days($0), used: gibibytes(8), inodes: 1000, usedInodes: 100)
    }
    let past = VolumeHistory(
        beganAt: began, lastScanAt: now, contents: contents, accesses: accesses, samples: samples,
        evictions: [.init(at: began + .hours(1), entries: 1, bytes: gibibytes(1))])
    let entries = (1...8).map {
        artifact($0, key: hostile ? "<script>alert(\($0))</script>:=x,\"\n:1" : nil, hoursIdle: $0)
    }
    let volume = Volume(name: "build", kind: .buildCache, path: "/cache", limit: gibibytes(20))
    return CapacityReport(
        generatedAt: now, window: .days(30),
        volumes: [
            .init(
                volume, usage(entries, used: gibibytes(8)), past, window: .days(30), simulates: true, now: now
            )
        ], images: CapacityReport.ImageTax([layer("a", stored: gibibytes(3))]))
}

struct CapacityReportTests {
    private func decoded(_ report: CapacityReport) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(try report.json().utf8))
        return try #require(object as? [String: Any])
    }

    @Test func theRecommendationLandsOnTheKnownOptimum() throws {
        // A round of 8 GiB is hit in full from 8 GiB on where entries go one by one, and never below: LRU's worst
        // case. Below a high watermark of 85 % they fit into 9.42 GiB.
        let report = roundOfJobs(days: 365)
        let sizing = report.volumes[0].sizing
        #expect(sizing.recommendation?.bytes == gibibytes(10))
        #expect(sizing.recommendation?.rateAdvised == 1)
        #expect(sizing.recommendation?.enough == gibibytes(8))
        #expect(sizing.ideal?.rate(at: gibibytes(7.99)).hits == 0)
        #expect(sizing.ideal?.rate(at: gibibytes(8)).objects == 1)
        #expect(sizing.curve?[gibibytes(10)]?.avoidable == 0)
        #expect(sizing.calibration?.objects == 0 && sizing.calibration?.bytes == 0)
        #expect(sizing.weeklySet?.p50 == gibibytes(8))
        #expect(sizing.bytesForecast?.growth.perDay == 0 && sizing.bytesForecast?.fullAt == nil)
        let text = report.text(color: false, now: now)
        #expect(
            text.replacing(/\s+/, with: " ").hasPrefix(
                "Build cache: keep 20Gi. 10 GiB is enough for 100.0 % of accesses, with no avoidable fetches a day"
            ))
        #expect(text.replacing(/\s+/, with: " ").contains("a PVC cannot shrink"))
    }

    @Test func theJSONKeepsTheContract() throws {
        let report = try decoded(roundOfJobs(days: 60))
        #expect(report["schema"] as? String == "larder.report/1" && report["window_days"] as? Int == 30)
        let volume = try #require((report["volumes"] as? [[String: Any]])?.first)
        let pool = try #require((volume["pools"] as? [[String: Any]])?.first)
        let rate = try #require(pool["hit_rate"] as? [String: Any])
        #expect(Set(rate.keys) == ["objects", "bytes", "hits", "misses", "hit_bytes", "miss_bytes"])
        #expect(rate["hits"] as? Int == 120 && rate["objects"] as? Double == 1)
        let growth = try #require(volume["growth"] as? [String: Any])
        #expect(Set((growth["bytes_per_day"] as? [String: Any] ?? [:]).keys) == ["low", "median", "high"])
        #expect(growth["full_at"] is NSNull)
        let advice = try #require(volume["recommendation"] as? [String: Any])
        #expect(advice["quantity"] as? String == "10Gi" && advice["object_hit_rate"] as? Double == 1)
        let curve = try #require(volume["curve"] as? [[String: Any]])
        // It ends where nothing is gained any more: with the smallest size of which 70 % are 8 GiB.
        #expect(curve.last?["bytes"] as? Int64 == 12_271_335_133)
        #expect(curve.last?["object_hit_rate"] as? Double == 1)
        for key in ["name", "capacity_bytes", "used_bytes", "limit_bytes", "inodes", "working_set"] {
            #expect(volume[key] != nil)
        }
        #expect((report["images"] as? [String: Any])?["tax"] as? Double == 1)
    }

    @Test func aShortHistorySaysWhatIsMissing() throws {
        let report = roundOfJobs(days: 5)
        #expect(report.text(color: false, now: now).contains("5 of 7 days of history"))
        let volume = try #require((try decoded(report)["volumes"] as? [[String: Any]])?.first)
        let advice = try #require(volume["recommendation"] as? [String: Any])
        #expect(advice["quantity"] is NSNull)
        #expect((advice["reason"] as? String)?.contains("2 days") == true)
        #expect((volume["working_set"] as? [String: Any])?["p50_bytes"] is NSNull)
        #expect(report.html().contains("outcome missing"))
    }

    @Test func namesAreShownAndNeverRun() {
        let report = roundOfJobs(days: 20, hostile: true)
        let html = report.html()
        #expect(!html.contains("<script"))
        #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(!html.contains("http:") && !html.contains("https:") && !html.contains("src=\""))
        for line in report.text(color: false, now: now).split(separator: "\n") {
            #expect(DisplayWidth.columns(line) <= 80)
        }
        #expect(report.csv(now: now).contains("\"<script>alert(1)</script>:=x,\"\"\n:1\""))
    }

    @Test func cellsOfASpreadsheetAreNoFormulas() {
        #expect(ReportTable.Cell.text("=1+1").csv == "'=1+1")
        #expect(ReportTable.Cell.text("a,b").csv == "\"a,b\"")
        #expect(ReportTable.Cell.rate(nil).csv.isEmpty)
        #expect(ReportTable.Cell.size(ByteCount(-5)).csv == "-5")
    }

    @Test func theHTMLHasTheNumbersOfTheJSON() throws {
        let report = roundOfJobs(days: 60)
        let html = report.html()
        let volume = try #require((try decoded(report)["volumes"] as? [[String: Any]])?.first)
        let curve = try #require(volume["curve"] as? [[String: Any]])
        #expect(curve.contains { $0["fits"] as? Bool == false })
        for point in curve where point["fits"] as? Bool == true {
            let size = ByteCount(try #require(point["bytes"] as? Int64))
            let rate = Figures.rate(point["object_hit_rate"] as? Double)
            #expect(html.contains("<tr><td class=\"n\">\(size)</td><td class=\"n\">\(rate)</td>"))
        }
        #expect(html.contains("<html lang=\"en\">") && html.contains("prefers-color-scheme:dark"))
        let drawings = html.components(separatedBy: "role=\"img\"").count - 1
        #expect(drawings == 6 && html.components(separatedBy: "<desc id").count - 1 == drawings)
        // Each has its data; what else is known, sizes, rules, pools, days, space and entries are folded.
        #expect(html.components(separatedBy: "<details>").count - 1 == drawings)
        #expect(html.components(separatedBy: "<details class=\"fold\">").count - 1 == 7)
    }

    @Test func theHTMLIsWellFormed() {
        let html = roundOfJobs(days: 60, hostile: true).html()
            .replacing("<!DOCTYPE html>", with: "").replacing(/<meta [^>]*>/, with: "")
        let names = html.matches(of: /<(\/?)([a-z0-9]+)[^<>]*?(\/?)>/)
        var open: [Substring] = []
        for name in names where name.3.isEmpty {
            if name.1.isEmpty { open.append(name.2) } else { #expect(open.popLast() == name.2) }
        }
        #expect(open.isEmpty)
    }

    @Test func openMetricsEndsAndNamesUnits() {
        let text = roundOfJobs(days: 60).openMetrics()
        #expect(text.hasSuffix("# EOF\n"))
        #expect(text.contains("larder_report_recommended_bytes{volume=\"build\"} 10737418240\n"))
        #expect(text.contains("# UNIT larder_report_recommended_bytes bytes\n"))
    }

    @Test func valuesAreToldOnHoverAndAxesShowTheRangeThereIs() {
        let html = roundOfJobs(days: 60).html()
        #expect(html.contains("<circle class=\"value\"") && html.contains("avoidable fetches a day</title>"))
        #expect(
            Plot.range(of: [0.95, 0.99]).lowerBound > 0.9 && Plot.range(of: [0.95, 0.99]).upperBound <= 1)
        #expect(Plot.range(of: []) == 0...1 && Plot.range(of: [1]).upperBound == 1)
        for id in ["build", "build-sizes", "build-space", "build-entries"] {
            #expect(html.contains("href=\"#\(id)\"") && html.contains("id=\"\(id)\""))
        }
    }

    @Test func longTablesShowTenRowsAndTheirSum() {
        let rows = (1...13).map { [ReportTable.Cell.text("g\($0)"), .count($0), .size(ByteCount($0))] }
        let table = ReportTable(
            name: "t", title: "T", columns: [("group", "g"), ("entries", "n"), ("size", "b")], rows: rows,
            summed: [1, 2])
        let html = HTMLText.table(table, folded: false, id: "v")
        #expect(html.contains("<summary>3 more</summary>"))
        #expect(
            html.contains(
                "<tfoot><tr><td>all 13</td><td class=\"n\">91</td><td class=\"n\">91 B</td></tr></tfoot>"))
        #expect(html.components(separatedBy: "<tfoot>").count == 2)
    }

    @Test func sizesInATreemapAreWholeOrAbsent() {
        let shares = (1...30).map {
            SpaceUse.Share(
                name: "org.example.group\($0)", entries: 1, bytes: ByteCount(Int64(1_234_567_890 / $0)),
                age: $0 % 6)
        }
        let body = Treemap.body(shares)
        for text in body.matches(of: /<text[^>]*>([^<]*)<\/text>/).map({ String($0.1) })
        where text.contains("iB") {
            #expect(!text.contains("…") && text.contains(/^[0-9.]+ [KMG]iB$/))
        }
        #expect(body.contains("class=\"cell a1\"") && body.contains("last used 1 to 7 days ago</title>"))
    }

    @Test func narrowBoxesAreWrittenUpwards() {
        // Seven of one size beside a large one: each is 43 wide at most, and three lines high.
        let shares = (0..<8).map {
            SpaceUse.Share(
                name: "org.example.group\($0)", entries: 1, bytes: ByteCount(($0 == 0 ? 30 : 2) << 30), age: 0
            )
        }
        let body = Treemap.body(shares)
        let sizes = body.matches(of: />([0-9.]+ GiB)</).map { String($0.1) }
        #expect(sizes.sorted() == (["30.0 GiB"] + Array(repeating: "2.0 GiB", count: 7)).sorted())
        #expect(body.contains("rotate(-90)"))
    }

    @Test func labelsLieAboveLines() throws {
        var plot = Plot(x: (0...10, .bytes), y: (0...1, .bytes))
        plot.mark(5, "today", kind: "today", row: 0)
        plot.mark(6, "recommended", kind: "advised", row: 1)
        let svg = plot.svg(id: "p", title: "T", description: "D")
        let label = try #require(svg.range(of: ">today<")).lowerBound
        #expect(label > (try #require(svg.range(of: "<line class=\"advised\""))).lowerBound)
        // No label of an axis stands there twice.
        let ticks = svg.matches(of: /class="tick"[^>]*y="([^"]*)"[^>]*>([^<]*)</).map { "\($0.1) \($0.2)" }
        #expect(Set(ticks).count == ticks.count && ticks.filter { $0.hasSuffix(" 0 B") }.count == 2)
    }

    @Test func commandsAreForWhatIsIdleOnly() {
        let used = artifact(1, key: "g.a:b:1", hoursIdle: 10)
        let idle = artifact(2, key: "g.c:d:1", hoursIdle: 24 * 20)
        let usage = usage([used, idle], used: gibibytes(2))
        let space = SpaceUse(usage, ReclaimCommands(usage, EvictionPolicy(), now: now), now: now)
        #expect(space.reclaim == [2: "larder prune --volume build --key 'g.c:d:1' --pool maven"])
        #expect(
            space.groups.first { $0.name == "g.c" }?.reclaim
                == "larder prune --volume build --key 'g.c:*' --pool maven --idle-floor 7d")
        #expect(space.groups.first { $0.name == "g.a" }?.reclaim == nil)
        #expect(space.ages.compactMap(\.reclaim).count == 1)
        #expect(
            space.ages.compactMap(\.reclaim).first?.hasSuffix("--key '*' --pool maven --idle-floor 7d")
                == true)
    }
}
