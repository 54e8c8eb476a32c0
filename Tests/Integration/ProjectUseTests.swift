import Foundation
import TestSupport
import Testing

/// Use by project as a user sees it: logs of jobs' pods and of jobs go in, `report` and `explain` name the projects,
/// held against a count that Python makes of the same files.
@Suite struct ProjectUseTests {
    private let directory: TemporaryDirectory
    private let larder: Program

    init() throws {
        directory = try TemporaryDirectory()
        larder = Program(cache: directory.path + "/cache", store: directory.path + "/storage")
        try directory.shell("mkdir cache events")
    }

    private func id(_ name: String) -> String {
        name.utf8.map { String($0, radix: 16) }.joined().padding(toLength: 64, withPad: "0", startingAt: 0)
    }

    /// Writes the store's records: images on a layer of their own each, extracted at that time.
    private func store(_ images: [(name: String, extracted: String)]) throws {
        let layers = images.map {
            #"{"id":"\#(id($0.name))","created":"\#($0.extracted)","diff-size":1000000}"#
        }
        let records = images.map {
            #"{"id":"\#(id($0.name))","digest":"","names":["registry.test/\#($0.name):1"],"#
                + #""layer":"\#(id($0.name))","created":"2020-01-01T00:00:00Z"}"#
        }
        try directory.write("storage/vfs-layers/layers.json", "[\(layers.joined(separator: ","))]")
        try directory.write("storage/vfs-images/images.json", "[\(records.joined(separator: ","))]")
    }

    private func now() throws -> String {
        try directory.shell("date -u +%Y-%m-%dT%H:%M:%S.%NZ").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Appends what Podman 4.3.1 writes of a pull and of a container's making.
    private func run(_ image: String, _ container: String, in log: String) throws {
        let at = try now()
        let lines =
            #"{"Name":"registry.test/\#(image):1","Status":"pull","Time":"\#(at)","Type":"image","Attributes":null}"#
            + "\n" + #"{"ID":"\#(container)","Image":"registry.test/\#(image):1","Name":"silly_heisenberg","#
            + #""Status":"create","Time":"\#(at)","Type":"container","Attributes":{}}"# + "\n"
        try directory.write("lines", lines)
        try directory.shell("cat lines >> 'events/\(log)'")
    }

    @Test func reportAndExplainNameTheProjectsThatEventLogsAreCalledAfter() throws {
        let shop = "runner-t1xyzabc-project-42-concurrent-0-k3v9x2pq.log"
        let forge = "runner-t1xyzabc-project-7-concurrent-3.log"
        try store([("aa", "2020-01-01T00:00:00Z")])
        try run("aa", "before", in: shop)
        try larder("scan").checked()
        #expect(try larder.json("report").volume("images")["projects"].isNull)
        #expect(try !larder("report").output.contains("by project"))

        // What was there: hits. What is new: a miss of the project that ran it first.
        for number in 0..<3 { try run("aa", "shop\(number)", in: shop) }
        for number in 0..<2 { try run("aa", "forge\(number)", in: forge) }
        try run("aa", "nobody", in: "events.log")
        try store([("aa", "2020-01-01T00:00:00Z"), ("bb", try now())])
        try run("bb", "puller", in: forge)
        try run("bb", "later", in: shop)
        try larder("scan").checked()

        let report = try larder.json("report").volume("images")
        let told = report["projects"].array.map {
            "\($0["project"].string ?? "-") \($0["hits"].integer ?? -1) \($0["misses"].integer ?? -1)"
        }
        let counted = try directory.shell(
            """
            python3 - << 'END'
            import collections, json, pathlib, re
            hits, misses, pulled = collections.Counter(), collections.Counter(), False
            events = []
            for log in pathlib.Path("events").iterdir():
                project = (re.findall(r"project-(\\d+)", log.name) or ["-"])[0]
                for line in map(json.loads, log.open()):
                    if line["Status"] == "create" and line["ID"] != "before":
                        events.append((line["Time"], line["Image"], project))
            for time, image, project in sorted(events):
                isMiss = image.endswith("bb:1") and not pulled
                pulled = pulled or isMiss
                (misses if isMiss else hits)[project] += 1
            for project in sorted(hits | misses):
                print(project, hits[project], misses[project])
            END
            """)
        #expect(told.sorted() == counted.split(separator: "\n").map(String.init))
        #expect(
            told == ["- 1 0", "7 2 1", "42 4 0"], "what is not known comes first, then what fetched most")
        let rate = report["hit_rate"]
        #expect([rate["hits"].integer, rate["misses"].integer] == [7, 1])
        #expect(report["projects"][2]["hit_bytes"].integer == 4_000_000)
        #expect(report["projects"][1]["miss_bytes"].integer == 1_000_000)
        #expect(try larder("report").output.contains("Use by project"))
        #expect(try larder.json("report").volume("build")["projects"].isNull)

        let explained = try larder.json("explain", "registry.test/bb:1")
        let uses = explained["projects"].array.map {
            "\($0["project"].string ?? "-") \($0["hits"].integer ?? -1) \($0["misses"].integer ?? -1)"
        }
        #expect(uses == ["42 1 0", "7 0 1"])
        let text = try larder("explain", "registry.test/bb:1").output
        #expect(text.contains("used by project 42") && text.contains("fetched by project 7"))
    }

    /// The lines that GitLab's runner writes before a job's script, and a script that claims to be another's.
    @Test func ingestedLogsNameTheProjectOfTheirDownloads() throws {
        try larder("scan").checked()
        for name in ["a", "b", "c"] {
            try directory.write("cache/.m2/repository/g/\(name)/1/\(name)-1.jar", bytes: 4700)
            try directory.write(
                "cache/.m2/repository/g/\(name)/1/_remote.repositories", "\(name)-1.jar>central=\n")
        }
        try larder("scan").checked()
        func log(_ name: String) -> String {
            "[INFO] Downloaded from central: http://m/maven2/g/\(name)/1/\(name)-1.jar (4.7 kB at 1 kB/s)\n"
        }
        try directory.write(
            "a.log",
            "Running with gitlab-runner 17.5.0 (abc)\n  on kubernetes t1xyzabc\n"
                + "Running on runner-t1xyzabc-project-42-concurrent-0-k3v9x2pq via runner-5f9...\n"
                + "Running on runner-t1xyzabc-project-666-concurrent-0-aaaaaaaa via evil...\n" + log("a"))
        try directory.write("b.log", log("b"))
        let first = try larder.json("ingest", "maven-log", directory.path + "/a.log", "--job", "4711")
        #expect(first["project"].string == "42")
        let second = try larder.json(
            "ingest", "maven-log", directory.path + "/b.log", "--job", "12", "--project", "7")
        #expect(second["project"].string == "7")
        #expect(
            try larder("ingest", "maven-log", directory.path + "/a.log", "--job", "4711").output
                .contains("Job 4711 of project 42 downloaded"))
        let report = try larder.json("report").volume("build")
        let told = report["projects"].array.map {
            "\($0["project"].string ?? "-") \($0["hits"].isNull) \($0["misses"].integer ?? -1)"
        }
        #expect(told == ["- true 1", "42 true 1", "7 true 1"])
        #expect(report["hit_rate"]["misses"].integer == 3)
        let bytes = report["projects"].array.compactMap { $0["miss_bytes"].integer }.reduce(0, +)
        #expect(bytes == report["hit_rate"]["miss_bytes"].integer)
        #expect(try larder("explain", "g:a:1").output.contains("downloaded by job 4711 of project 42"))
        for wrong in ["", "a\u{1b}b", String(repeating: "7", count: 201)] {
            let state = try #require(larder.state).path + "/state"
            let result = try TestSupport.run(
                Program.path,
                ["--state", state] + larder.options
                    + ["ingest", "maven-log", directory.path + "/a.log", "--project", wrong])
            #expect(result.status == 64, "\(wrong)")
        }
    }
}
