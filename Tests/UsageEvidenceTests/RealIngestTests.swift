import CacheIndex
import CacheModel
import Foundation
import Maintenance
import TestSupport
import Testing
import UsageEvidence

/// Logs of real builds, against what the repository's server says it sent.
@Suite(
    .enabled(if: RealVolume.settings != nil, "needs builds: bring up Tests/Testbed and set LARDER_TESTBED"),
    .serialized)
struct RealIngestTests {
    private let settings = RealVolume.settings ?? [:]

    /// A part of a file that grows: what came since it had that many bytes.
    private func part(of file: String, after bytes: Int) throws -> String {
        let path = try #require(settings["LOG"]) + "/" + file
        let all = FileManager.default.contents(atPath: path) ?? Data()
        return String(decoding: all.dropFirst(bytes), as: UTF8.self)
    }

    /// `group:artifact:version` of what the server sent, with the number of files.
    private func sent(_ log: String) -> [String: Int] {
        var files: [String: Int] = [:]
        for line in log.split(separator: "\n") where line.contains(" 200 ") {
            guard let get = line.range(of: "\"GET /") else { continue }
            let path = line[get.upperBound...].prefix { $0 != " " }
            let parts = path.split(separator: "/").map(String.init)
            guard parts.count >= 4, !path.contains("maven-metadata"), !path.hasSuffix(".sha1") else {
                continue
            }
            let group = parts.dropLast(3).joined(separator: ".")
            files["\(group):\(parts[parts.count - 3]):\(parts[parts.count - 2])", default: 0] += 1
        }
        return files
    }

    /// A home for one test's builds, owned by the job's user.
    private func place() throws -> String {
        let path = try #require(settings["CACHE"]) + "/ingest-\(UUID().uuidString.prefix(8))"
        try run("/bin/mkdir", "-p", "\(path)/repository").checked()
        try run("/bin/chown", "-R", try #require(settings["JOB_UID"]), path).checked()
        return path
    }

    /// Runs a build; gives what it wrote to its log, and what the server sent meanwhile.
    private func build(_ tool: String, _ arguments: [String]) throws -> (log: String, sent: [String: Int]) {
        let log = "\(tool)-\(arguments[0]).log"
        let (own, server) = (
            try part(of: log, after: 0).utf8.count, try part(of: "maven-access.log", after: 0)
        )
        _ = try RealVolume.testbed(tool, arguments)
        return (
            try part(of: log, after: own), sent(try part(of: "maven-access.log", after: server.utf8.count))
        )
    }

    private func ingest(
        _ log: String, _ kind: JobLogKind, _ real: RealVolume, job: String, before: Span = .zero
    ) throws -> JobLogIngestion.Result {
        let directory = try TemporaryDirectory()
        try directory.write("log", log)
        return try JobLogIngestion(index: real.index, regretWindow: .days(14))
            .run(kind, path: directory.path + "/log", volume: "v", job: job, now: RealVolume.now() - before)
    }

    private func files(_ result: JobLogIngestion.Result) -> [String: Int] {
        Dictionary(result.entries.map { ($0.key, Int($0.files)) }, uniquingKeysWith: +)
    }

    private func misses(_ real: RealVolume) throws -> Int64 {
        try real.index.hitRates(
            of: "v", since: Timestamp(nanoseconds: 0), until: RealVolume.now()
        ).values.reduce(0) { $0 + $1.misses }
    }

    @Test func theLogOfAMavenBuildAddsWhatNoScanSaw() throws {
        let cache = try place()
        defer { _ = try? run("/bin/rm", "-rf", cache) }
        let real = try RealVolume(.buildCache, path: cache)
        _ = try real.scan(before: .hours(3))
        let arguments = ["alpha", "--repo", "\(cache)/repository"]

        let first = try build("maven", arguments)
        try run("/bin/bash", "-ec", "find '\(cache)/repository' -exec touch -d '2 hours ago' {} +").checked()
        let early = try ingest(first.log, .maven, real, job: "1", before: .hours(2))
        #expect(Set(early.entries.map(\.result)) == [.waiting])
        let scan = try real.scan(before: .hours(1))
        #expect(scan.misses.count > 20)
        let again = try ingest(first.log, .maven, real, job: "1", before: .hours(2))
        #expect(Set(again.entries.map(\.result)) == [.known])
        #expect(files(again) == first.sent)
        #expect(files(again).keys.sorted() == scan.misses)
        #expect(try misses(real) == Int64(scan.misses.count))
        let other = try ingest(first.log, .maven, real, job: "2", before: .hours(2))
        #expect(Set(other.entries.map(\.result)) == [.seen])
        #expect(try misses(real) == Int64(scan.misses.count))

        // A jar that went and came again to the same size: a scan sees nothing but a read.
        let key = "commons-io:commons-io:2.11.0"
        try run("/bin/rm", "\(cache)/repository/commons-io/commons-io/2.11.0/commons-io-2.11.0.jar").checked()
        let second = try build("maven", arguments)
        #expect(second.sent == [key: 1])
        let read = try real.scan()
        #expect((read.misses, read.hits.contains(key)) == ([], true))
        let late = try ingest(second.log, .maven, real, job: "3")
        #expect(late.entries.map(\.key) == [key])
        #expect(late.entries.map(\.result) == [.recorded])
        #expect(try misses(real) == Int64(scan.misses.count) + 1)
        let entry = try #require(try real.index.entries(matching: key).first?.entry)
        let accesses = try real.index.accesses(of: entry.id, limit: 10)
        #expect(accesses.map(\.kind) == [.miss, .miss])
        #expect(accesses.map(\.evidence) == [.jobLog, .firstSeen])
        #expect(accesses.map(\.jobs) == [["3"], ["1", "2"]])
        let length =
            try FileManager.default.attributesOfItem(
                atPath: "\(cache)/repository/commons-io/commons-io/2.11.0/commons-io-2.11.0.jar")[.size]
            as? Int64
        #expect(abs((accesses.first?.bytes.bytes ?? 0) - (length ?? 0)) <= 5000)
    }

    @Test func theLogOfAGradleBuildNamesWhatItFetched() throws {
        let home = try place()
        defer { _ = try? run("/bin/rm", "-rf", home) }
        let real = try RealVolume(.buildCache, path: home)
        _ = try real.scan()
        for (number, level) in ["--info", "--debug"].enumerated() {
            try run("/bin/bash", "-ec", "rm -rf '\(home)/caches'").checked()
            let gone = try real.scan()
            #expect(gone.misses.isEmpty)
            let build = try build("gradle", ["gamma", "--", "-g", home, level])
            let scan = try real.scan()
            let result = try ingest(build.log, .gradle, real, job: "\(number)")
            #expect(files(result) == build.sent)
            #expect(Set(result.entries.map(\.result)) == [.seen])
            #expect(result.entries.map(\.key).sorted() == scan.misses.filter { !$0.contains("/") })
        }
    }
}
