import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// The logs of pods that ended long ago go, once every line of them is known.
@Suite struct EventLogRemovalTests {
    private let fixture: EventFixture
    private let needed = Timestamp(seconds: Int64(Date().timeIntervalSince1970) - 31 * 86400)

    init() throws { fixture = try EventFixture() }

    private func age(_ name: String) throws {
        try fixture.directory.shell("touch -d '60 days ago' \(name)")
    }

    private func remove() -> Int {
        PodmanEventLogs(directory: fixture.directory.path).removeOld(fixture.last)
    }

    @Test func whatIsOldAndReadGoesAndNothingIsMissed() throws {
        try fixture.append(0..<3, to: "old.log")
        try fixture.append("", to: "old.log.lock")
        try fixture.append(3..<5, to: "new.log")
        try age("old.log")
        #expect(fixture.read(needed: needed) == fixture.ids(0..<5))
        #expect(fixture.last.logs.kept == 1)
        #expect(remove() == 1)
        #expect(!fixture.directory.exists("old.log") && !fixture.directory.exists("old.log.lock"))
        #expect(fixture.directory.exists("new.log"))
        #expect(fixture.read(needed: needed).isEmpty)
        #expect(fixture.last.isWhole && fixture.last.notices.isEmpty)
    }

    /// A process that dies before it removes a log, or before it records what it read, counts nothing twice.
    @Test func aDeathBetweenReadingAndRemovingCountsNothingTwice() throws {
        try fixture.append(0..<3, to: "old.log")
        try age("old.log")
        #expect(fixture.read(dying: true, needed: needed) == fixture.ids(0..<3))
        #expect(fixture.read(needed: needed) == fixture.ids(0..<3))
        #expect(fixture.read(needed: needed).isEmpty)
        #expect(remove() == 1)
    }

    @Test func whatWasWrittenToMeanwhileStays() throws {
        try fixture.append(0..<3, to: "old.log")
        try age("old.log")
        _ = fixture.read(needed: needed)
        try fixture.append(3..<4, to: "old.log")
        #expect(remove() == 0)
        #expect(fixture.read(needed: needed) == fixture.ids(3..<4))
    }

    /// Only what is an event log through and through is Podman's.
    @Test(arguments: ["no event\n", "", "{\"Type\":\"container\"", "{\"a\":1}\n"])
    func whatIsNoEventLogStays(text: String) throws {
        try fixture.append(text, to: "notes.txt")
        try age("notes.txt")
        _ = fixture.read(needed: needed)
        #expect(remove() == 0 && fixture.directory.exists("notes.txt"))
    }

    /// A job can put a link to any place of its own in the directory's stead.
    @Test func nothingIsRemovedThroughALinkInTheDirectorysPlace() throws {
        try fixture.append(0..<3, to: "old.log")
        try age("old.log")
        _ = fixture.read(needed: needed)
        let path = fixture.directory.path
        try FileManager.default.moveItem(atPath: path, toPath: path + "-elsewhere")
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: path + "-elsewhere")
        #expect(remove() == 0)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + "-elsewhere", toPath: path)
        #expect(fixture.directory.exists("old.log") && remove() == 1)
    }

    @Test func aLinkAndItsTargetStay() throws {
        try fixture.append(0..<3, to: "old.log")
        try age("old.log")
        try fixture.directory.shell("ln old.log other.log; ln -s old.log link.log")
        _ = fixture.read(needed: needed)
        #expect(remove() == 0 && fixture.directory.exists("old.log"))
    }

    @Test func withoutANeedToRemoveAllStay() throws {
        try fixture.append(0..<3, to: "old.log")
        try age("old.log")
        _ = fixture.read()
        #expect(remove() == 0)
    }
}
