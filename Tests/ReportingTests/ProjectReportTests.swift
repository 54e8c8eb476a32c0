import CacheModel
import Foundation
import Testing

@testable import Reporting

/// Use by project in reports: what is not known is named with its amount, and names from jobs are only shown.
@Suite struct ProjectReportTests {
    private static let evil = "<script>alert(1)</script>\u{1b}[2J"

    /// A volume on which 30 days saw 120 accesses to what was there, each of 1 GiB.
    private func report(_ shares: [ProjectUse.Share], kind: Volume.Kind = .imageStore) throws
        -> CapacityReport
    {
        var report = roundOfJobs(days: 60)
        report.volumes[0].kind = kind
        #expect(report.volumes[0].rate.hits == 120)
        report.volumes[0].projectShares = shares
        return report
    }

    private func share(_ project: String, hits: Int64 = 0, misses: Int64 = 0) -> ProjectUse.Share {
        ProjectUse.Share(
            project: project,
            rate: HitRate(
                hits: hits, misses: misses, hitBytes: gibibytes(Double(hits)),
                missBytes: gibibytes(Double(misses))))
    }

    private func projects(_ report: CapacityReport) throws -> [[String: Any]]? {
        (try parsed(report)["volumes"] as? [[String: Any]])?.first?["projects"] as? [[String: Any]]
    }

    @Test func whereNothingNamesProjectsThereIsNothing() throws {
        let report = try report([])
        #expect(try projects(report) == nil)
        #expect(!report.text(color: false, now: now).contains("by project"))
        #expect(!report.html().contains("by project") && !report.csv(now: now).contains("/projects"))
    }

    @Test func theSharesAndWhatIsNotKnownAddUp() throws {
        let report = try report([share("7", hits: 30), share("42", hits: 50)])
        let rows = try #require(try projects(report))
        #expect(rows.map { $0["project"] as? String } == [nil, "42", "7"])
        #expect(rows.map { $0["hits"] as? Int64 } == [40, 50, 30])
        #expect(rows.map { $0["hit_bytes"] as? Int64 }.compactMap { $0 }.reduce(0, +) == 120 * gib)
        let text = report.text(width: 100, color: false, now: now)
        #expect(text.contains("Use by project, in 30 days, by the names of event logs"))
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("100.0 % 40 0 40.0 GiB 0 B not known"))
        #expect(lines.contains("100.0 % 50 0 50.0 GiB 0 B 42"))
        #expect(report.csv(now: now).contains("# build/projects\r\n"))
        #expect(report.csv(now: now).contains("\r\n1.0,50,0,\(50 * gib),0,42\r\n"))
        let cells = ["100.0 %", "50", "0", "50.0 GiB", "0 B"].map { "<td class=\"n\">\($0)</td>" }.joined()
        #expect(report.html().contains("\(cells)<td>42</td>"))
    }

    /// Of what is read in a build cache nobody knows who did: hits are null, and no column has them.
    @Test func artifactsHaveFetchesOnly() throws {
        let report = try report([share("42", misses: 3)], kind: .buildCache)
        let rows = try #require(try projects(report))
        #expect(rows.allSatisfy { $0["hits"] is NSNull && $0["hit_bytes"] is NSNull })
        #expect(rows.map { $0["misses"] as? Int64 } == [0, 3])
        let text = report.text(width: 100, color: false, now: now)
        #expect(text.contains("Fetches by project, in 30 days, by ingested logs"))
        #expect(
            text.split(separator: "\n").contains { $0.split(separator: " ") == ["3", "3.0", "GiB", "42"] })
    }

    @Test func manyProjectsAreCutOnATerminalAndSaidToBe() throws {
        let shares = (1...30).map { share("p\($0)", hits: 1) }
        let report = try report(shares)
        let text = report.text(width: 80, color: false, now: now)
        #expect(text.contains("not known") && text.contains("… and 21 more (--format json lists all)"))
        #expect(try projects(report)?.count == 31)
        let whole = report.text(width: unboundedWidth, color: false, now: now)
        #expect((1...30).allSatisfy { whole.contains(" p\($0)\n") })
    }

    @Test func namesOfProjectsAreShownAndNeverRun() throws {
        let report = try report([share(Self.evil, hits: 1), share("=1+1", hits: 1)])
        let (html, text) = (report.html(), report.text(color: false, now: now))
        #expect(!html.contains("<script") && html.contains("&lt;script&gt;alert(1)"))
        #expect(!html.contains("\u{1b}") && !text.contains("\u{1b}"))
        #expect(report.csv(now: now).contains(",'=1+1\r\n"))
        let explained = Samples.explainProjects
        #expect(!explained.text(color: false, now: now).contains("\u{1b}"))
        let page = EntrySection(report: explained, number: 0, commandOptions: "").html(now: now)
        #expect(!page.contains("<b>") && !page.contains("\u{1b}"))
        #expect(page.contains("&lt;b&gt;") && page.contains("42: 1,200 hits, 0 misses"))
    }

    @Test func explainNamesWhoseAccessesTheyWere() throws {
        let text = Samples.explainProjects.text(color: false, now: now)
        #expect(text.contains("used by project 42\n"))
        #expect(text.contains("downloaded by jobs 8, 9 of project <b>"))
        #expect(
            text.split(separator: "\n").contains {
                $0.split(separator: " ").joined(separator: " ")
                    == "1,200 0 \(Figures.ago(ago(hours: 1), now: now)) 42"
            })
        let document = try parsed(Samples.explainProjects)
        let uses = document["accesses"] as? [[String: Any]] ?? []
        #expect(uses.first?["project"] as? String == "42")
        let projects = document["projects"] as? [[String: Any]] ?? []
        #expect(projects.map { $0["hits"] as? Int64 } == [1200, 0])
        #expect(projects.map { $0["misses"] as? Int64 } == [0, 1])
        #expect(projects.first?["last_used"] as? String == ago(hours: 1).description)
        // The key is there where nothing is known, too.
        #expect((try parsed(Samples.explain)["projects"] as? [Any])?.isEmpty == true)
    }
}
