import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

@Suite struct PodmanEventTests {
    @Test func followsFromWhereItStopped() throws {
        let bed = try EventFixture()
        try bed.append(0..<3)
        #expect(bed.read() == bed.ids(0..<3))
        #expect(bed.read().isEmpty)
        try bed.append(3..<5)
        try bed.append(5..<6, to: "other.log")
        #expect(bed.read() == bed.ids(3..<6))
        #expect(bed.last.isWhole && bed.last.files == 2)
    }

    @Test func whatWasNotRecordedIsReadAgain() throws {
        let bed = try EventFixture()
        try bed.append(0..<3)
        #expect(bed.read(dying: true) == bed.ids(0..<3))
        #expect(bed.read() == bed.ids(0..<3))
        #expect(bed.read().isEmpty)
    }

    @Test func aHalfWrittenLineWaits() throws {
        let bed = try EventFixture()
        let line = EventFixture.create(1)
        try bed.append(0..<1)
        try bed.append(String(line.prefix(30)))
        #expect(bed.read() == ["c0"])
        #expect(bed.last.isWhole)
        try bed.append(String(line.dropFirst(30)))
        #expect(bed.read() == ["c1"])
    }

    @Test func podmansRotationKeepsTheNewestHalfInANewInode() throws {
        let bed = try EventFixture()
        try bed.append(0..<10)
        #expect(bed.read().count == 10)
        try bed.append(10..<12)
        try bed.directory.shell("tail -n 7 job.log > .new; mv .new job.log")
        #expect(bed.read() == bed.ids(10..<12))
        #expect(bed.last.isWhole)
        try bed.append(12..<30)
        try bed.directory.shell("tail -n 5 job.log > .new; mv .new job.log")
        #expect(bed.read() == bed.ids(25..<30))
        #expect(!bed.last.isWhole)
        #expect(bed.read().isEmpty)
        #expect(bed.last.isWhole)
    }

    @Test func renamedCopiedAndEmptiedLogs() throws {
        let bed = try EventFixture()
        try bed.append(0..<4)
        _ = bed.read()
        try bed.append(4..<6)
        try bed.directory.shell("mv job.log job.log.1")
        try bed.append(6..<7)
        #expect(bed.read() == bed.ids(4..<7))
        try bed.append(7..<8)
        try bed.directory.shell("cp job.log job.log.2; truncate -s 0 job.log")
        try bed.append(8..<9)
        #expect(bed.read() == bed.ids(7..<9))
        #expect(bed.last.isWhole)
        try bed.directory.shell("mkdir ../aside-$$; mv job.log.1 ../aside-$$; echo $$ > .pid")
        #expect(bed.read().isEmpty)
        try bed.directory.shell("mv ../aside-$(cat .pid)/job.log.1 .; rmdir ../aside-$(cat .pid)")
        #expect(bed.read().isEmpty)
    }

    @Test func badLinesAreCountedAndNamedOnce() throws {
        let bed = try EventFixture()
        try bed.append(0..<1)
        let offset = EventFixture.create(0).utf8.count
        try bed.append(
            "not json\n\u{0}\u{1}\n{\"Type\":\"container\"\n" + String(repeating: "x", count: 3_000_000)
                + "\n")
        try bed.append(#"{"Type":"container","Status":"create","Image":"a","Time":"yesterday"}"# + "\n")
        try bed.append(1..<2)
        #expect(bed.read() == ["c0", "c1"])
        #expect(!bed.last.isWhole)
        #expect(bed.last.notices.count == 1)
        #expect(bed.last.notices.first?.contains("5 lines") == true)
        #expect(bed.last.notices.first?.contains("byte \(offset)") == true)
        #expect(bed.read().isEmpty)
        #expect(bed.last.notices.isEmpty)
    }

    @Test func whatIsNoFileNeitherBlocksNorIsFollowed() throws {
        let bed = try EventFixture()
        try bed.append(0..<1)
        try bed.directory.shell(
            "mv job.log .real; ln -s .real job.log; mkfifo pod.log; mkdir dir.log; touch job.log.lock")
        #expect(bed.read().isEmpty)
        #expect(bed.last.notices.count == 3)
        #expect(bed.last.files == 0)
        let nowhere = PodmanEventLogs(directory: bed.directory.path + "/none").read(after: [])
        #expect(nowhere == PodmanEventLogs.Reading())
    }

    @Test(arguments: [
        ("2026-11-23T13:35:43.894179631Z", "2026-11-23T13:35:43.894179631Z"),
        ("2026-11-23T15:05:43.5+01:30", "2026-11-23T13:35:43.5Z"),
        ("2026-11-23T10:35:43-03:00", "2026-11-23T13:35:43Z"),
    ])
    func timesWithOffsets(_ written: String, _ meant: String) {
        #expect(PodmanEventLine.instant(written) == Timestamp(rfc3339: meant))
        #expect(PodmanEventLine.instant(meant) != nil)
    }

    @Test(arguments: [
        "", "+01:00", "2026-11-23T10:35:43", "2026-11-23T10:35:43+99:00", "2026-11-23T10:35:43+aa:00",
    ])
    func noTimes(_ text: String) { #expect(PodmanEventLine.instant(text) == nil) }

    @Test(arguments: [
        ("alpine", "docker.io/library/alpine:latest"), ("alpine:3", "docker.io/library/alpine:3"),
        ("testcontainers/ryuk:0.8", "docker.io/testcontainers/ryuk:0.8"),
        ("docker.io/alpine", "docker.io/library/alpine:latest"),
        ("app", "localhost/app:latest"), ("registry:5000/a/b", "registry:5000/a/b:latest"),
        ("quay.io/a/b:1@sha256:aa", "quay.io/a/b@sha256:aa"),
        ("index.docker.io/redis:7", "docker.io/library/redis:7"),
    ])
    func referencesAsPodmanNormalisesThem(_ reference: String, _ full: String) {
        #expect(ImageUses.names(for: reference).contains(full))
    }
}
