import CacheIndex
import CacheModel
import CacheServices
import Caches
import Foundation
import TestSupport
import Testing

/// Logs of real builds, against what the repository's server says it sent.
extension RealUseTests {
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

    /// Runs a build of a copy of the project as the job's user; gives what it printed, and what the server sent
    /// meanwhile, to others too.
    private func build(
        _ tool: String, _ project: String, in place: String, _ command: [String]
    ) throws -> (log: String, sent: [String: Int]) {
        let (user, home) = (
            try #require(settings["JOB_UID"]), try #require(settings["LARDER_TESTBED"]) + "/home"
        )
        let source = try #require(settings["PROJECTS"]) + "/\(tool)/\(project)"
        try run(
            "/bin/bash", "-ec",
            "[ -e '\(place)/project' ] || cp -r '\(source)' '\(place)/project'; chown -R \(user) '\(place)'"
        ).checked()
        let before = try serverLog().utf8.count
        let printed = try run(
            "/usr/bin/env",
            ["-C", "\(place)/project", "setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
                + command,
            environment: [
                "HOME": home, "MIRROR_URL": settings["MIRROR_URL"], "JAVA_OPTS": "-Duser.home=\(home)",
                "MAVEN_OPTS": "-Duser.home=\(home)",
            ]
        ).checked().output
        return (printed, sent(String(decoding: Array(try serverLog().utf8.dropFirst(before)), as: UTF8.self)))
    }

    private func serverLog() throws -> String {
        try String(contentsOfFile: try #require(settings["LOG"]) + "/maven-access.log", encoding: .utf8)
    }

    private func isCovered(_ files: [String: Int], by sent: [String: Int]) -> Bool {
        files.allSatisfy { $0.value > 0 && sent[$0.key, default: 0] >= $0.value }
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
        let command = [
            "mvn", "--batch-mode", "--settings", try #require(settings["MAVEN_SETTINGS"]),
            "-Dmaven.repo.local=\(cache)/repository", "package",
        ]

        let first = try build("maven", "alpha", in: cache, command)
        try run("/bin/bash", "-ec", "find '\(cache)/repository' -exec touch -d '2 hours ago' {} +").checked()
        let early = try ingest(first.log, .maven, real, job: "1", before: .hours(2))
        #expect(Set(early.entries.map(\.result)) == [.waiting])
        let scan = try real.scan(before: .hours(1))
        #expect(scan.misses.count > 20)
        let again = try ingest(first.log, .maven, real, job: "1", before: .hours(2))
        #expect(Set(again.entries.map(\.result)) == [.known])
        #expect(isCovered(files(again), by: first.sent))
        #expect(files(again).keys.sorted() == scan.misses)
        #expect(try misses(real) == Int64(scan.misses.count))
        let other = try ingest(first.log, .maven, real, job: "2", before: .hours(2))
        #expect(Set(other.entries.map(\.result)) == [.seen])
        #expect(try misses(real) == Int64(scan.misses.count))

        // A jar that went and came again to the same size: a scan sees nothing but a read.
        let key = "commons-io:commons-io:2.11.0"
        try run("/bin/rm", "\(cache)/repository/commons-io/commons-io/2.11.0/commons-io-2.11.0.jar").checked()
        let second = try build("maven", "alpha", in: cache, command)
        #expect(second.sent[key, default: 0] >= 1)
        // Maven tells its end to the second.
        let read = try real.scan(before: .seconds(-5))
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
            let made = try build(
                "gradle", "gamma", in: home,
                ["gradle", "--no-daemon", "--console=plain", "-g", home, level, "build"])
            let scan = try real.scan()
            let result = try ingest(made.log, .gradle, real, job: "\(number)")
            #expect(isCovered(files(result), by: made.sent))
            #expect(Set(result.entries.map(\.result)) == [.seen])
            #expect(result.entries.map(\.key).sorted() == scan.misses.filter { !$0.contains("/") })
        }
    }
}
