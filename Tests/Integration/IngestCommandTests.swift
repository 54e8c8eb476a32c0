import Foundation
import TestSupport
import Testing

/// `larder ingest` as a user runs it, on logs that are none as well.
@Suite struct IngestCommandTests {
    private static let line =
        "[INFO] Downloaded from central: http://m/maven2/g/a/1/a-1.jar (4.7 kB at 1 kB/s)\n"
    private let directory: TemporaryDirectory
    private let larder: Program

    init() throws {
        directory = try TemporaryDirectory()
        larder = Program(cache: directory.path + "/cache")
        try directory.shell("mkdir cache")
        try larder("scan").checked()
        try directory.write("build.log", Self.line)
    }

    private func path(_ name: String) -> String { directory.path + "/" + name }

    @Test func theLogsJobIsNamedByExplainAndNothingCountsTwice() throws {
        try directory.write("cache/.m2/repository/g/a/1/a-1.jar", bytes: 4700)
        try directory.write("cache/.m2/repository/g/a/1/_remote.repositories", "a-1.jar>central=\n")
        try larder("scan").checked()
        for result in ["seen", "known"] {
            let report = try larder.json("ingest", "maven-log", path("build.log"), "--job", "4711")
            #expect(report["schema"].string == "larder.ingest/1")
            #expect(report["job"].string == "4711")
            #expect(report["entries"][0]["key"].string == "g:a:1")
            #expect(report["entries"][0]["result"].string == result)
            #expect(report["misses"].integer == 0)
        }
        let explained = try larder.json("explain", "g:a:1")
        #expect(explained["accesses"].array.count == 1)
        #expect(explained["accesses"][0]["jobs"][0].string == "4711")
        #expect(explained["traces"].array.count == 3)
        #expect(try larder("explain", "g:a:1").output.contains("downloaded by job 4711"))
    }

    @Test func whatIsNoFileIsRefusedAndNotWaitedFor() throws {
        try directory.shell("mkfifo fifo; mkdir folder; ln -s nowhere link; ln -s build.log good")
        for name in ["fifo", "folder", "/dev/null"] {
            let error = try larder.json(
                "ingest", "maven-log", name.hasPrefix("/") ? name : path(name), status: 1)
            #expect(error["error"].string?.contains("is not a file") == true)
            #expect(error["hint"].string?.contains("standard input") == true)
        }
        for name in ["link", "missing"] {
            let error = try larder.json("ingest", "gradle-log", path(name), status: 1)
            #expect(error["error"].string?.contains("No such file") == true)
        }
        #expect(try larder("ingest", "maven-log", path("good")).status == 0)
    }

    @Test func standardInputIsALogToo() throws {
        let state = try #require(larder.state).path + "/state"
        let command = ([Program.path, "--state", state] + larder.options).map { "'\($0)'" }.joined(
            separator: " ")
        let piped = try directory.shell("cat build.log | \(command) ingest maven-log - --format json")
        #expect(try JSON(piped)["lines"]["all"].integer == 1)
        let empty = try directory.shell("\(command) ingest gradle-log - < /dev/null")
        #expect(empty.contains("names no downloads"))
        let folder = try run("/bin/bash", "-c", "\(command) ingest maven-log - < '\(directory.path)'")
        #expect(folder.status == 1)
        #expect(folder.errors.contains("Is a directory"))
    }

    @Test func usageIsChecked() throws {
        for arguments in [
            ["maven-log", path("build.log"), "--job", ""],
            ["maven-log", path("build.log"), "--job", "a\u{1b}b"],
            ["maven-log", path("build.log"), "--volume", "images"], ["maven-log"], ["ant-log", "-"],
        ] {
            let state = try #require(larder.state).path + "/state"
            let result = try run(
                Program.path, ["--state", state] + larder.options + ["ingest"] + arguments)
            #expect(result.status == 64, "\(arguments)")
        }
        let unscanned = Program(cache: directory.path + "/cache")
        let error = try unscanned.json("ingest", "maven-log", path("build.log"), status: 1)
        #expect(error["hint"].string?.contains("larder scan") == true)
    }
}
