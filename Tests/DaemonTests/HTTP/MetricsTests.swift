import CacheIndex
import CacheModel
import Foundation
import Reporting
import TestSupport
import Testing

@testable import Daemon

@Suite struct MetricsTests {
    private static let isParserThere =
        (try? run("/usr/bin/env", "python3", "-c", "import prometheus_client"))?.status == 0
    private static let isPromtoolThere = (try? run("/usr/bin/env", "promtool", "--version"))?.status == 0

    /// The value of a sample, by its name and what its labels hold.
    private func value(_ name: String, _ labels: [String] = [], in text: String) throws -> Double {
        let line = text.split(separator: "\n").first { line in
            line.hasPrefix(name + "{") && labels.allSatisfy { line.contains($0) }
        }
        let found = try #require(line)
        return try #require(found.split(separator: " ").last.flatMap { Double($0) })
    }

    @Test func theNumbersAreThoseOfTheIndex() async throws {
        let bed = try await WebFixture()
        let text = try await bed.ask("/metrics").body
        func sql(_ query: String) throws -> Double {
            let answer = try bed.sql("SELECT \(query)").first
            return try #require(answer.flatMap { Double($0) })
        }
        let figures: [(String, [String], String)] = [
            ("larder_volume_used_bytes", [], "used_bytes FROM volumes"),
            ("larder_volume_trash_bytes", [], "trash_bytes FROM volumes"),
            ("larder_volume_inodes_free", [], "free_inodes FROM capacity_samples ORDER BY at DESC LIMIT 1"),
            ("larder_pool_entries", ["maven"], "count(*) FROM entries"),
            ("larder_pool_bytes", ["maven"], "sum(bytes) FROM entries"),
            ("larder_hits_total", ["maven"], "count(*) FROM accesses WHERE hit"),
            ("larder_misses_total", ["maven"], "count(*) FROM accesses WHERE NOT hit"),
            ("larder_hit_bytes_total", ["maven"], "sum(bytes) FROM accesses WHERE hit"),
            ("larder_fetched_bytes_total", ["maven"], "sum(bytes) FROM accesses WHERE NOT hit"),
            ("larder_regrets_total", ["maven"], "count(*) FROM accesses WHERE regret"),
            ("larder_regret_bytes_total", ["maven"], "sum(bytes) FROM accesses WHERE regret"),
            ("larder_evictions_total", ["maven"], "count(*) FROM run_entries WHERE evicted"),
            ("larder_evicted_bytes_total", ["maven"], "sum(bytes) FROM run_entries WHERE evicted"),
            ("larder_freed_bytes_total", [], "sum(freed_bytes) FROM run_volumes"),
            ("larder_volume_over_quota", [], "over_quota FROM run_volumes"),
            ("larder_scan_duration_seconds", [], "5"), ("larder_evidence_level", [], "3"),
            ("larder_last_success_timestamp_seconds", ["\"prune\""], "max(finished_at) / 1e9 FROM runs"),
            ("larder_last_success_timestamp_seconds", ["\"scan\""], "max(finished_at) / 1e9 FROM scans"),
            ("larder_activity_running", ["\"verify\""], "1"), ("larder_volume_limit_bytes", [], "80000"),
        ]
        for (name, labels, query) in figures {
            #expect(try value(name, ["volume=\"build\""] + labels, in: text) == sql(query), "\(name)")
        }
        #expect(try value("larder_regrets_total", in: text) == 1)
        #expect(try value("larder_build_info", ["version=\"0.1.0\"", "cluster=\"east\""], in: text) == 1)
        try await bed.stop()
    }

    @Test func noKeyIsEverALabel() async throws {
        let bed = try await WebFixture()
        #expect(try await !bed.ask("/metrics").body.contains("org.example"))
        try await bed.stop()
    }

    @Test(.enabled(if: isPromtoolThere, "needs promtool: apt-get install prometheus"))
    func promtoolFindsNothing() async throws {
        let bed = try await WebFixture()
        try bed.directory.write("metrics", await bed.ask("/metrics", "-H", "Accept: text/plain").body)
        #expect(try bed.directory.shell("promtool check metrics < metrics 2>&1").isEmpty)
        try await bed.stop()
    }

    @Test(.enabled(if: isParserThere, "needs apt-get install python3-prometheus-client"))
    func theParsersOfPrometheusReadBothTextsAlike() async throws {
        let bed = try await WebFixture()
        let open = try await bed.ask("/metrics", "-H", "Accept: application/openmetrics-text")
        #expect(
            open.headers["content-type"]?.hasPrefix("application/openmetrics-text; version=1.0.0") == true)
        try bed.directory.write("open", open.body)
        try bed.directory.write("plain", await bed.ask("/metrics").body)
        let counts = try bed.directory.shell(
            """
            python3 - <<'END'
            from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_text
            from prometheus_client.parser import text_string_to_metric_families as plain_text
            def samples(parse, name):
                return {(s.name, tuple(sorted(s.labels.items()))): s.value
                        for family in parse(open(name).read()) for s in family.samples}
            a, b = samples(open_text, "open"), samples(plain_text, "plain")
            print(a == b, len(a) > 30)
            END
            """)
        #expect(counts == "True True\n")
        try await bed.stop()
    }

    @Test func foldingTakesNothingFromTheCounters() async throws {
        let bed = try await WebFixture()
        let index = try CacheIndex.open(stateDirectory: bed.directory.path, now: WebFixture.now)
        let before = try index.figures()
        #expect(try index.foldAccesses(before: hour(4)) > 0)
        #expect(try index.figures() == before)
        #expect(before.first?.pools.first?.rates.hits ?? 0 > 0)
        try await bed.stop()
    }

    @Test(arguments: [
        (nil, Metrics.Format.prometheus), ("*/*", .prometheus), ("text/plain", .prometheus),
        ("application/openmetrics-text", .openMetrics),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", .openMetrics),
        ("application/openmetrics-text;version=2.0.0", .prometheus),
        ("application/openmetrics-text;q=0", .prometheus), ("application/*", .openMetrics),
        ("text/plain;version=0.0.4;q=0.3,application/openmetrics-text;version=1.0.0;q=0.5", .openMetrics),
        ("application/openmetrics-text;q=0.2, text/*;q=0.7", .prometheus),
        ("text/html;q=x,;;,=", .prometheus),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1",
            .openMetrics
        ),
    ])
    func theFormatIsTheOneWantedMost(header: String?, format: Metrics.Format) {
        #expect(AcceptHeader(header).metrics == format)
    }
}
