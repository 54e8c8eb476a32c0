import CacheModel
import Foundation
import TestSupport
import Testing

/// Real builds, against counts that others make: the Maven repository's access log, the files that strace saw
/// opened.
///
/// One after the other, for all builds share one server and its log.
@Suite(
    .enabled(
        if: RealVolume.settings != nil,
        "needs builds and Podman: bring up Tests/Testbed and set LARDER_TESTBED"),
    .serialized)
struct RealUseTests {
    let settings = RealVolume.settings ?? [:]

    /// `group:artifact:version` of the directories below a repository that hold those files.
    private func keys(_ files: some Sequence<String>) -> [String] {
        let keys = files.compactMap { file -> String? in
            let parts = file.split(separator: "/").map(String.init)
            guard parts.count >= 4 else { return nil }
            return
                "\(parts.dropLast(3).joined(separator: ".")):\(parts[parts.count - 3]):\(parts[parts.count - 2])"
        }
        return Set(keys).sorted()
    }

    /// The entries that the mirror sent files of, since its log had that many lines.
    private func downloads(after lines: Int) throws -> [String] {
        let log = try String(
            contentsOfFile: try #require(settings["LOG"]) + "/maven-access.log", encoding: .utf8)
        return keys(
            log.split(separator: "\n").dropFirst(lines).compactMap { line -> String? in
                guard let get = line.range(of: "\"GET /"), line.contains(" 200 ") else { return nil }
                let path = String(line[get.upperBound...].prefix { $0 != " " })
                return path.contains("maven-metadata") ? nil : path
            })
    }

    @Test func mavenBuildsMissFirstAndHitThen() throws {
        let cache = try #require(settings["CACHE"]) + "/real-use-\(UUID().uuidString.prefix(8))"
        defer { _ = try? run("/bin/rm", "-rf", cache) }
        try run("/bin/mkdir", "-p", "\(cache)/repository").checked()
        try run("/bin/chown", "-R", try #require(settings["JOB_UID"]), cache).checked()
        let real = try RealVolume(.buildCache, path: cache)
        #expect(try real.scan().result.recorded.baseline)
        let log = try #require(settings["LOG"]) + "/maven-access.log"
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").count
        let build = ["alpha", "--repo", "\(cache)/repository"]

        _ = try RealVolume.testbed("maven", build[0], build[1], build[2])
        let first = try real.scan()
        #expect(first.hits.isEmpty)
        #expect(first.misses == (try downloads(after: lines)))
        #expect(first.misses.count > 20)

        // Armed by the scan before, every read shows within the same hour, and again after the next scan.
        for attempt in 1...2 {
            let trace = cache + ".trace"
            defer { unlink(trace) }
            try run(
                "/usr/bin/env", "strace", "-f", "-qq", "-e", "trace=openat,open", "-o", trace, "python3",
                Testbed.program, "maven", try #require(settings["LARDER_TESTBED"]), build[0],
                build[1],
                build[2]
            ).checked()
            let opened = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n").compactMap
            {
                line -> String? in
                guard let start = line.range(of: "\(cache)/repository/"), !line.contains(" = -1 "),
                    !line.contains("O_DIRECTORY"), !line.contains("O_WRONLY")
                else { return nil }
                return String(line[start.upperBound...].prefix { $0 != "\"" })
            }.filter {
                // strace splits the line of a call that another thread's interrupts: its result stands apart.
                ($0 as NSString).pathExtension != "xml"
                    && FileManager.default.fileExists(atPath: "\(cache)/repository/\($0)")
            }
            let second = try real.scan()
            #expect(second.misses.isEmpty)
            #expect(second.hits == keys(opened), "build \(attempt)")
            #expect(second.hits.count > 20)
        }
        let status = try real.index.lastScanRates(of: "v")
        #expect(status.objects == 1)
        #expect(try real.index.usage(of: "v")?.scan.atimeTrust.confidence == .high)
    }
}
