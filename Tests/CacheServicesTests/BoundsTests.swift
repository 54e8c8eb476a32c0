import CacheIndex
import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// Files in the trash that any job may write: what they may cost, and that they are read as they were written.
@Suite struct BoundsTests {
    private static let head =
        #""schema":"larder.trash/1","run":"20260101T000000Z-abcd","created_at":"2026-01-01T00:00:00Z""#
    private static let line =
        #"{"id":1,"pool":"maven","key":"k","path":"a/b","inode":1,"bytes":1,"last_used":"2026-01-01T00:00:00Z"}"#

    private func read(_ text: String) throws -> TrashJournal {
        let directory = try TemporaryDirectory()
        try directory.write("journal.json", text)
        return try TrashJournal.read(from: try OpenDirectory.open(root: directory.path))
    }

    @Test func whatIsWrittenIsRead() throws {
        let directory = try TemporaryDirectory()
        let folder = try OpenDirectory.open(root: directory.path)
        let keys = ["g:a:1", #"quo"te\back"#, "tab\tnew\nline", "ünï", "a/b/c", #"\/"#, "", "\u{1f600}\u{0}"]
        let journal = TrashJournal(
            run: "20260101T000000Z-abcd", kind: "verify", createdAt: Timestamp(seconds: 1_700_000_000),
            entries: keys.enumerated().map { number, key in
                TrashJournal.Line(
                    id: Int64(number), pool: Pool.allCases[number % 4], key: key, path: key + "/x",
                    inode: .max,
                    bytes: ByteCount(1 << 42), lastUsed: Timestamp(seconds: -5))
            })
        try journal.write(into: folder)
        #expect(try TrashJournal.read(from: folder) == journal)
        // As Foundation reads it.
        let data = try Data(contentsOf: URL(fileURLWithPath: directory.path + "/journal.json"))
        #expect(try JSONDecoder().decode(TrashJournal.self, from: data) == journal)
    }

    @Test(arguments: [
        "{}", "[]", "", "null", "{\(head)}", "{\(head),\"entries\":{}}", "{\(head),\"entries\":[}",
        "{\(head),\"entries\":[\(line)", "{\(head),\"entries\":[\(line)\(line)]}",
        "{\(head),\"entries\":[,\(line)]}",
        "{\(head),\"entries\":[{}]}", "{\(head),\"entries\":[\(line.replacing(":1,", with: ":-1,"))]}",
        "{\(head),\"entries\":[\(line.replacing("\"bytes\":1", with: "\"bytes\":9223372036854775807"))]}",
        "{\(head),\"entries\":[\(line.replacing("maven", with: "No Pool"))]}",
        "{\(head),\"entries\":[\(line)]} x",
    ])
    func whatIsNoJournalIsRefused(text: String) throws {
        #expect(throws: SystemError.self) { try read(text) }
    }

    @Test func spacesAndUnknownKeysAreNoMatter() throws {
        let spaced =
            "{ \(Self.head) , \"new\": [1, {\"a\": \"]\"}], \"entries\": [ \(Self.line) , \(Self.line) ] } "
        #expect(try read(spaced).entries.count == 2)
        #expect(try read("{\(Self.head),\"entries\":[ ]}").entries.isEmpty)
    }

    /// Before a single entry is kept that nobody could have written.
    @Test func aForgedJournalTakesNoMemory() throws {
        let many = String(repeating: Self.line + ",", count: TrashJournal.mostEntries) + Self.line
        #expect(throws: SystemError(code: EFBIG)) { try read("{\(Self.head),\"entries\":[\(many)]}") }
        let directory = try TemporaryDirectory()
        try directory.shell("truncate -s 65M journal.json")
        #expect(throws: SystemError(code: EFBIG)) {
            try TrashJournal.read(from: try OpenDirectory.open(root: directory.path))
        }
    }

    @Test func noRunPlansMoreThanAJournalHolds() throws {
        let state = try TemporaryDirectory()
        let bench = try BuildVolume()
        try bench.add("a", daysAgo: 40)
        var plan = bench.plan(try bench.usage())
        plan.evict = Array(repeating: try #require(plan.evict.first), count: TrashJournal.mostEntries + 5)
        let pruner = Pruner(
            index: try CacheIndex.open(stateDirectory: state.path, now: BuildVolume.now()), limits: nil,
            idleFloor: .zero, clock: BuildVolume.now)
        let (limited, beyond) = pruner.limited(plan)
        #expect(limited.evict.count == TrashJournal.mostEntries && beyond.count == 5)
    }
}
