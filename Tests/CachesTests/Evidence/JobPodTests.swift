import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Names of pods as GitLab Runner makes them, and names that jobs make up.
@Suite struct JobPodTests {
    struct Name: Sendable, CustomTestStringConvertible {
        var name: String
        var project: String?
        var testDescription: String { name.debugDescription }
    }

    static let names = [
        Name(name: "runner-t1xyzabc-project-42-concurrent-0-k3v9x2pq", project: "42"),
        Name(name: "runner-t1xyzabc-project-42-concurrent-0-k3v9x2pq.log", project: "42"),
        Name(name: "runner-t1xyzabc-project-4393246-concurrent-11.log", project: "4393246"),
        // An older runner, and a prefix and a rotation of somebody's own.
        Name(name: "runner-c6a86aad-project-3555-concurrent-0ksvll", project: "3555"),
        Name(name: "slot-2.runner-x-project-7-concurrent-1-aaaaaaaa.log.1", project: "7"),
        Name(name: "project-5-project-6-concurrent-0.log", project: "6"),
        Name(name: "events.log"), Name(name: ""), Name(name: "job.log"),
        Name(name: "runner-x-project--concurrent-0.log"), Name(name: "runner-x-project-1-concurrent-.log"),
        Name(name: "runner-x-project-007-concurrent-0.log"),
        Name(name: "runner-x-project-0-concurrent-0.log"),
        Name(name: "runner-x-project-1"), Name(name: "runner-x-project-1-concurrent"),
        Name(name: "runner-x-project-<b>-concurrent-0.log"),
        Name(name: "runner-x-project-\u{1b}[2J1-concurrent-0.log"),
        Name(name: "runner-x-project-12345678901234567890-concurrent-0.log"),
        Name(name: "runner-x-project-1234567890123456789-concurrent-0.log", project: "1234567890123456789"),
    ]

    @Test(arguments: names) func aProjectIsAPlainNumberOrNone(_ name: Name) {
        #expect(JobPod.project(in: name.name.utf8) == name.project)
    }

    /// Lines as Podman 4.3.1 writes them into the log of a job's pod.
    @Test func aLogNamesTheProjectOfItsContainers() throws {
        let bed = try EventFixture()
        let pod = "runner-t1xyzabc-project-42-concurrent-0-k3v9x2pq.log"
        try bed.append(
            #"{"Status":"refresh","Time":"2026-11-27T12:02:15.935153637Z","Type":"system","Attributes":null}"#
                + "\n"
                + #"{"Name":"registry.test/one:1","Status":"pull","Time":"2026-11-27T12:02:16.965629293Z","#
                + #""Type":"image","Attributes":null}"# + "\n"
                + #"{"ID":"3e52","Image":"registry.test/one:1","Name":"silly_heisenberg","Status":"create","#
                + #""Time":"2026-11-27T12:02:17.591228876Z","Type":"container","Attributes":{}}"# + "\n",
            to: pod)
        try bed.append(0..<2, to: "runner-t1xyzabc-project-7-concurrent-0-aaaaaaaa.log")
        try bed.append(2..<3)
        #expect(bed.read() == ["3e52", "c0", "c1", "c2"])
        #expect(bed.last.events.map(\.project) == ["42", "7", "7", nil])
        try bed.append(3..<4, to: pod)
        #expect(bed.read() == ["c3"] && bed.last.events.map(\.project) == ["42"])
    }

    /// Podman's rotation writes the newest half into a file with a random name before it renames that.
    @Test func aCopyUnderAnotherNameIsNoSecondUse() throws {
        let bed = try EventFixture()
        try bed.append(0..<3, to: "runner-t1xyzabc-project-42-concurrent-0-k3v9x2pq.log")
        try bed.append(1..<3, to: "1234567")
        #expect(bed.read() == ["c0", "c1", "c2"])
        #expect(bed.last.events.map(\.project) == ["42", "42", "42"])
    }

    struct Log: Sendable, CustomTestStringConvertible {
        var text: String
        var project: String?
        var testDescription: String { text.debugDescription }
    }

    /// What GitLab Runner's Kubernetes and Docker executors write before a job's script begins.
    static let logs = [
        Log(
            text:
                "Waiting for pod ci/runner-t1xyzabc-project-42-concurrent-0-k3v9x2pq to be running, status is Pending",
            project: "42"),
        Log(
            text:
                "2027-01-15T07:59:00.123456Z 00O Running on runner-4e4528ca-project-4393246-concurrent-0 via "
                + "runner-4e4528ca-srm-1508088671-157c532f...", project: "4393246"),
        Log(
            text: "\u{1b}[0KRunning on runner-t1xyzabc-project-42-concurrent-0-k3v9x2pq via host...\r",
            project: "42"),
        Log(text: "CI_PROJECT_ID=42", project: "42"), Log(text: "CI_PROJECT_ID='42'", project: "42"),
        Log(text: "Running on runner-1 via project-5-concurrent-0..."), Log(text: "Running on host..."),
        Log(text: "he said: Running on runner-x-project-1-concurrent-0 via host..."),
        Log(text: "CI_PROJECT_ID=../../etc"), Log(text: "CI_PROJECT_ID=<b>"),
    ]

    @Test(arguments: logs, JobLogKind.allCases) func aJobLogNamesItsProject(_ log: Log, _ kind: JobLogKind)
        throws
    {
        // What a job's script prints comes later, and changes nothing.
        let later = log.project == nil ? "" : "\nRunning on runner-x-project-666-concurrent-0 via evil..."
        let directory = try TemporaryDirectory()
        try directory.write("log", log.text + later + "\n")
        let file = open(directory.path + "/log", O_RDONLY)
        defer { close(file) }
        let reading = try JobLog(kind).read(file, job: nil, endedAt: Timestamp(seconds: 1_800_000_000))
        #expect(reading.project == log.project)
        #expect(reading.damaged == 0 && reading.downloads.isEmpty)
    }

    private func read(_ bytes: [UInt8]) throws -> JobLog.Reading {
        let directory = try TemporaryDirectory()
        try Data(bytes).write(to: URL(fileURLWithPath: directory.path + "/log"))
        let file = open(directory.path + "/log", O_RDONLY)
        defer { close(file) }
        return try JobLog(.maven).read(file, job: nil, endedAt: Timestamp(seconds: 1_800_000_000))
    }

    @Test func aMarkOfUTF8HidesNoProject() throws {
        let text = "Running on runner-x-project-42-concurrent-0 via host...\n"
        #expect(try read([0xef, 0xbb, 0xbf] + Array(text.utf8)).project == "42")
    }

    /// `cat` of two logs: the second one's downloads are not the first one's.
    @Test func logsThatWerePutTogetherAreCounted() throws {
        func log(_ project: Int) -> String {
            "Running with gitlab-runner 18.7.0 (abcdef12)\n"
                + "Running on runner-x-project-\(project)-concurrent-0 via host...\n"
        }
        #expect(try read(Array(log(47).utf8)).jobs == 1)
        #expect(try read(Array((log(47) + log(48)).utf8)).jobs == 2)
    }

    @Test func aCompressedLogIsNoLogWithoutDownloads() throws {
        #expect(throws: JobLogError.self) { try read([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 75, 4]) }
    }
}
