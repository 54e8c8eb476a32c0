import Foundation
import TestSupport
import Testing

/// The file that CronJobs leave for a node exporter, by the program as a user would run it.
@Suite struct MetricsFileTests {
    private func volume() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for number in 1...5 {
            let path = "cache/.m2/repository/g/a\(number)/1"
            try directory.write("\(path)/a\(number)-1.jar", bytes: number * 50_000)
            try directory.write("\(path)/_remote.repositories", "a\(number)-1.jar>central=\n")
        }
        try directory.shell("find cache -exec touch -d '40 days ago' {} +")
        return directory
    }

    private func value(_ name: String, _ labels: String, in text: String) throws -> Int64 {
        let line = text.split(separator: "\n").first { $0.hasPrefix("\(name){") && $0.contains(labels) }
        let found = try #require(line)
        return try #require(found.split(separator: " ").last.flatMap { Int64($0) })
    }

    @Test func scanAndPruneLeaveWhatDuCounts() throws {
        let directory = try volume()
        let larder = Program(cache: directory.path + "/cache")
        let file = directory.path + "/larder.prom"
        #expect(try larder("scan", "--textfile", file).status == 0)
        var text = try directory.shell("cat larder.prom")
        let du = try directory.shell("du -s -B1 cache | cut -f1")
        let used = try value("larder_volume_used_bytes", "volume=\"build\"", in: text)
        #expect(try used == #require(Int64(du.trimmingCharacters(in: .whitespacesAndNewlines))))
        #expect(try value("larder_pool_entries", "pool=\"maven\"", in: text) == 5)

        #expect(try larder("prune", "--to", "400k", "--textfile", file, "--force-limit").status == 0)
        text = try directory.shell("cat larder.prom")
        let gone = try Int64(directory.shell("ls -d cache/.m2/repository/g/*/1 | wc -l").filter(\.isNumber))
        #expect(try value("larder_pool_entries", "pool=\"maven\"", in: text) == gone)
        #expect(try value("larder_evictions_total", "pool=\"maven\"", in: text) == 5 - (gone ?? 5))
        #expect(try value("larder_evictions_total", "pool=\"maven\"", in: text) > 0)
        #expect(try directory.shell("ls | sort | tr '\\n' ' '") == "cache larder.prom ")
        #expect(try directory.shell("stat -c %a larder.prom") == "644\n")
    }

    @Test func theEnvironmentNamesThePlaceAndTheFile() throws {
        let directory = try volume()
        let state = try TemporaryDirectory()
        let result = try run(
            Program.path,
            ["--build-cache", directory.path + "/cache", "--image-root", "/nowhere", "--state", state.path]
                + ["scan"],
            environment: [
                "LARDER_CLUSTER": "east", "LARDER_NODE": "node-1.example",
                "LARDER_TEXTFILE": directory.path + "/larder.prom",
            ])
        #expect(result.status == 0, "\(result.errors)")
        let text = try directory.shell("cat larder.prom")
        let place = "cluster=\"east\",node=\"node-1.example\""
        for line in text.split(separator: "\n") where !line.hasPrefix("#") { #expect(line.contains(place)) }
    }

    @Test func aFileThatCannotBeWrittenIsSaidAndStopsNothing() throws {
        let directory = try volume()
        let larder = Program(cache: directory.path + "/cache")
        let result = try larder("scan", "--textfile", "/nowhere/larder.prom")
        #expect(result.status == 0)
        #expect(result.errors.contains("the metrics cannot be written to /nowhere/larder.prom"))
        #expect(try larder("metrics", "--textfile", "/nowhere/larder.prom").status == 1)
        #expect(try larder("metrics").output.contains("larder_build_info{version=\"0.1.0\"} 1"))
        #expect(try larder("metrics", "--format", "openmetrics").output.hasSuffix("# EOF\n"))
    }
}
