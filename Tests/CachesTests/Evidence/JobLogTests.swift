import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Lines as the real tools, GitLab's runner and broken pipes write them.
@Suite struct JobLogTests {
    private static let end = Timestamp(seconds: 1_800_000_000)
    private static let jar = "http://mirror/maven2/org/example/lib/1.0/lib-1.0.jar"

    private func read(
        _ log: String, _ kind: JobLogKind = .maven, job: String? = nil
    ) throws -> JobLog.Reading { try read(Data(log.utf8), kind, job: job) }

    private func read(_ log: Data, _ kind: JobLogKind, job: String? = nil) throws -> JobLog.Reading {
        let directory = try TemporaryDirectory()
        try log.write(to: URL(fileURLWithPath: directory.path + "/log"))
        let file = open(directory.path + "/log", O_RDONLY)
        defer { close(file) }
        return try JobLog(kind).read(file, job: job, endedAt: Self.end)
    }

    struct Line: Sendable, CustomTestStringConvertible {
        var kind = JobLogKind.maven
        var text: String
        var bytes: Int64?
        var testDescription: String { text.debugDescription }
    }

    static let downloads = [
        Line(text: "[INFO] Downloaded from central: \(jar) (4.7 kB at 128 kB/s)", bytes: 4700),
        Line(text: "Downloaded from my repo: \(jar) (675 B at 84 kB/s)", bytes: 675),
        Line(text: "[INFO] Downloaded from central: \(jar) (1.2 MB)", bytes: 1_200_000),
        Line(text: "Downloaded: \(jar) (4 KB at 10.0 KB/sec)", bytes: 4000),
        Line(
            text: "Progress (1): 4.1/6.4 kB\rProgress (1): 6.4 kB    \r           \rDownloaded from central: "
                + "\(jar) (6.4 kB at 62 kB/s)\r", bytes: 6400),
        Line(
            text:
                "[\u{1b}[1;34mINFO\u{1b}[m] Downloaded from \u{1b}[0;1mcentral\u{1b}[m: \(jar) (2 GB at 1 kB/s)",
            bytes: 2_000_000_000),
        Line(
            text: "2027-01-15T07:59:00.123456Z 00O [INFO] Downloaded from central: \(jar) (9 kB at 1 kB/s)",
            bytes: 9000),
        Line(
            text: "2027-01-15T07:59:00.123456Z 01O+Downloaded from central: \(jar) (9 kB at 1 kB/s)",
            bytes: 9000),
        Line(text: "12:30:01,123 [main] [INFO] Downloaded from central: \(jar) (0 B)", bytes: 0),
        Line(kind: .gradle, text: "Download \(jar)", bytes: 0),
        Line(kind: .gradle, text: "Downloading \(jar) to /tmp/gradle_download12bin", bytes: 0),
        Line(
            kind: .gradle,
            text: "15:13:23.645 [DEBUG] [org.gradle.internal.Accessor] Downloading \(jar) to /tmp/g/d 1bin",
            bytes: 0),
        Line(
            kind: .gradle, text: "15:13:23.644 [LIFECYCLE] [org.gradle.A$B] Download \(jar)?x=1#y", bytes: 0),
    ]

    @Test(arguments: downloads) func aDownload(_ line: Line) throws {
        let reading = try read(line.text + "\n", line.kind)
        let download = try #require(reading.downloads.first)
        #expect(reading.downloads.count == 1)
        #expect(download.directory.suffix(4) == ["org", "example", "lib", "1.0"])
        #expect((download.file, download.bytes.bytes) == ("lib-1.0.jar", line.bytes))
        #expect(download.pool == line.kind.pool)
        #expect(reading.damaged == 0)
    }

    static let others = [
        Line(text: "[INFO] Downloading from central: \(jar)"),
        Line(text: "[INFO] Uploaded to central: \(jar) (4.7 kB at 128 kB/s)"),
        Line(text: "he said: Downloaded from central: \(jar) (4.7 kB at 128 kB/s)"),
        Line(text: "Downloaded from central: http://m/org/example/lib/maven-metadata.xml (1 kB at 1 kB/s)"),
        Line(text: "Downloaded from central: http://m/o/lib/1.0/lib-1.0.jar.sha1 (40 B at 1 kB/s)"),
        Line(text: "Downloaded from central: http://m/o/../lib/lib-1.0.jar (40 B at 1 kB/s)"),
        Line(kind: .gradle, text: "Resource missing. [HTTP GET: \(jar)]"),
        Line(kind: .gradle, text: "Cached resource \(jar) is up-to-date (lastModified: now)."),
        Line(kind: .gradle, text: "Downloading http://services.example/distributions/gradle-8.5-bin.zip"),
        Line(kind: .gradle, text: "Build operation 'Download \(jar)' started"),
        Line(kind: .gradle, text: "Download the manual from \(jar)"),
    ]

    @Test(arguments: others) func noDownload(_ line: Line) throws {
        let reading = try read(line.text + "\n", line.kind)
        #expect(reading.downloads.isEmpty)
        #expect((reading.lines, reading.damaged) == (1, 0))
    }

    static let damaged = [
        Line(text: "[INFO] Downloaded from central: \(jar) (4.7 kB at 1"),
        Line(text: "[INFO] Downloaded from central: \(jar)\n"), Line(text: "Downloaded from central\n"),
        Line(text: "Downloaded from central: \(jar) (many kB at 1 kB/s)\n"),
        Line(text: "Downloaded from central: \(jar) (9999999999 TB at 1 kB/s)\n"),
        Line(text: "Downloaded from central: http://m/o/ä/1/ä-1.jar\u{7f} (4 kB at 1 kB/s)\n"),
        Line(kind: .gradle, text: "Download http://mirror/maven2/org/example/lib/1.0/lib-1.0.j"),
        Line(text: String(repeating: "x", count: 70_000) + "\n"),
        Line(text: "Downloaded from central: http://" + String(repeating: "x/", count: 900_000) + "\n"),
    ]

    @Test(arguments: damaged) func aLineThatIsBrokenCountsForNothing(_ line: Line) throws {
        let reading = try read("first\n" + line.text, line.kind)
        #expect(reading.downloads.isEmpty)
        #expect((reading.lines, reading.damaged, reading.firstDamaged) == (2, 1, 2))
    }

    @Test func binaryIsPassedOver() throws {
        var generator = SeededGenerator(seed: 7)
        var bytes = Data()
        for _ in 0..<300_000 { bytes.append(UInt8.random(in: 0...255, using: &generator)) }
        bytes.append(Data("\nDownloaded from central: \(Self.jar) (4.7 kB at 128 kB/s)\n".utf8))
        for kind in JobLogKind.allCases {
            let reading = try read(bytes, kind)
            #expect(reading.downloads.count == (kind == .maven ? 1 : 0))
            #expect(reading.lines > 1000)
        }
    }

    @Test func everyPrefixOfALogIsReadAndTheSameLinesAreKnownAgain() throws {
        let log = Self.downloads.filter { $0.kind == .maven }.map(\.text).joined(separator: "\n") + "\n"
        let whole = try read(log)
        #expect(whole.downloads.count == 9)
        #expect(Set(whole.downloads.map(\.id)).count == 9)
        let bytes = Data(log.utf8)
        for length in 0..<bytes.count {
            let part = try read(bytes.prefix(length), .maven)
            #expect(part.downloads.map(\.id) == whole.downloads.prefix(part.downloads.count).map(\.id))
        }
        #expect(try read(log, job: "a").downloads.map(\.id) != whole.downloads.map(\.id))
        #expect(try read("[INFO] other\n" + log).downloads.first?.id != whole.downloads.first?.id)
    }

    @Test func gradleSaysItTwiceWithDebugAndMavenFetchesTwice() throws {
        let gradle = Self.downloads.suffix(2).map(\.text).joined(separator: "\n") + "\n"
        let twice = try read(gradle.replacingOccurrences(of: "?x=1#y", with: ""), .gradle)
        #expect((twice.downloads.count, twice.others) == (1, 1))
        let line = Self.downloads[0].text + "\n"
        #expect(try read(line + line).downloads.count == 2)
    }

    @Test func timesComeFromTheLog() throws {
        let line = Self.downloads[0].text + "\n"
        let blind = try #require(try read(line).downloads.first)
        #expect((blind.earliest, blind.latest) == (Self.end - .days(1), Self.end))

        let maven = try #require(
            try read(
                line + "[INFO] Total time:  01:30 min\n[INFO] Finished at: 2027-01-15T08:30:00+01:00\n"
            ).downloads.first)
        let finished = try #require(Timestamp(rfc3339: "2027-01-15T07:30:00Z"))
        #expect(maven.latest == finished + .seconds(1))
        #expect(maven.earliest == finished - .seconds(91 + 10))

        let sections = try #require(
            try read(
                "\u{1b}[0Ksection_start:1799990000:step_script\r\u{1b}[0Kscript\n\(line)"
                    + "section_end:1799990060:step_script\r\u{1b}[0K\n"
            ).downloads.first)
        #expect(sections.earliest.seconds == 1_799_990_000)
        #expect(sections.latest.seconds == 1_799_990_061)

        let stamped = try #require(try read("2027-01-15T07:59:00.5Z 00O \(line)").downloads.first)
        #expect((stamped.earliest, stamped.latest) == (stamped.latest, stamped.earliest))
        #expect(stamped.latest.seconds == (Timestamp(rfc3339: "2027-01-15T07:59:00Z") ?? Self.end).seconds)

        let future = try #require(try read("2099-01-15T07:59:00.5Z 00O \(line)").downloads.first)
        #expect((future.earliest, future.latest) == (Self.end, Self.end))
    }

    /// With times before its lines, a runner writes a line in as many pieces as came of it.
    @Test func aLineInPiecesIsOne() throws {
        let stamp = "2027-01-15T07:59:00.123456Z"
        let (front, back) = (Self.jar.prefix(20), Self.jar.dropFirst(20))
        let pieces = [
            "first", "\(stamp) 00O [INFO] Downloaded from central: \(front)", "\(stamp) 00O+\(back)",
            "\(stamp) 00O+ (4.7 kB at 128 kB/s)", "\(stamp) 00O next",
        ]
        let whole = try read(pieces.joined(separator: "\n") + "\n")
        #expect(whole.downloads.map(\.bytes.bytes) == [4700])
        #expect(whole.downloads.first?.file == "lib-1.0.jar")
        #expect((whole.lines, whole.damaged) == (5, 0))
        // At the end of the log, too, and the same one once it has grown.
        let end = try read(pieces.prefix(4).joined(separator: "\n") + "\n")
        #expect(end.downloads == whole.downloads)
        // Of another stream it is another line, and what is cut is damaged where it stands.
        let crossed = try read(
            pieces.joined(separator: "\n").replacing("00O+", with: "01E+") + "\n")
        #expect(crossed.downloads.isEmpty)
        #expect((crossed.lines, crossed.damaged, crossed.firstDamaged) == (5, 1, 2))
        let long = Array(repeating: "\(stamp) 00O+" + String(repeating: "x", count: 9000), count: 20)
        let tooLong = try read((pieces.prefix(2) + long).joined(separator: "\n") + "\n")
        #expect((tooLong.lines, tooLong.damaged, tooLong.firstDamaged) == (22, 1, 2))
    }

    /// A job can make its log as long as it likes: what is beyond the bound is said not to have been read.
    @Test func noMoreOfALogIsReadThanAnyJobWrites() throws {
        let directory = try TemporaryDirectory()
        try directory.write("log", "Downloaded from central: \(Self.jar) (4.7 kB at 128 kB/s)\n")
        let bound = JobLog.sizeLimit
        // A download at the end of what is read, and one behind it.
        try directory.shell(
            """
            truncate -s \(bound - 200) log; printf '\\nDownloaded from central: \(Self.jar.replacing("1.0", with: "2.0"))\\n' >> log
            truncate -s \(bound) log; cp --sparse=always log whole; truncate -s 200G log
            """)
        for (name, readUpTo) in [("whole", nil), ("log", ByteCount(bound))] {
            let file = open("\(directory.path)/\(name)", O_RDONLY)
            defer { close(file) }
            let reading = try JobLog(.maven).read(file, job: nil, endedAt: Self.end)
            #expect(reading.readUpTo == readUpTo)
            #expect(reading.downloads.map(\.file).first == "lib-1.0.jar")
        }
    }

    static let durations: [(String, Int64?)] = [
        ("0.123 s", 1), ("6 s", 6), ("01:23 min", 84), ("02:03 h", 7440), ("1 d 02:03 h", 93_840), ("s", nil),
        ("-1 s", nil), ("1 d", nil), ("999999999999999 s", nil),
    ]

    @Test(arguments: durations) func aDuration(_ text: String, _ seconds: Int64?) {
        #expect(JobLogLineReader.duration(Array(text.utf8)[...])?.seconds == seconds)
    }

    static let jobs: [(String, String?)] = [
        ("CI_JOB_ID=4711", "4711"), ("CI_JOB_ID='4711'", "4711"), ("CI_JOB_ID=x", nil),
        (
            "Uploading artifacts as \"archive\" to coordinator... 201 Created  id=4711 responseStatus=201",
            "4711"
        ),
        ("Downloading artifacts for compile (42)...", nil),
    ]

    @Test(arguments: jobs) func theJobIsTheOneThatTheLogNames(_ line: String, _ job: String?) throws {
        for kind in JobLogKind.allCases {
            #expect(try read("2027-01-15T07:59:00.5Z 00O \(line)\n", kind).job == job)
        }
    }
}
