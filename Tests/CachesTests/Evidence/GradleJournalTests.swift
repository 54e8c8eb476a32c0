import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import Caches

@Suite struct GradleJournalTests {
    private static let begin: Int64 = 1_700_000_000_000

    @Test func tensOfThousandsAreFoundAgain() throws {
        let bed = try JournalFixture()
        let count = 30_000
        var lines = (0..<count).map { "\(Self.begin + Int64($0)) \(JournalFixture.path($0))" }
        for updated in stride(from: 0, to: count, by: 7) {
            lines.append("\(Self.begin + 1_000_000 + Int64(updated)) \(JournalFixture.path(updated))")
        }
        try bed.write(lines)
        let journal = try #require(try GradleJournal.read(home: bed.home))
        #expect(journal.count == count)
        var wrong = 0
        for number in 0..<count {
            let expected = Self.begin + Int64(number) + (number % 7 == 0 ? 1_000_000 : 0)
            let found = journal.lastUse(of: JournalFixture.path(number))
            if found != Timestamp(nanoseconds: expected * 1_000_000) { wrong += 1 }
            if journal.lastUse(of: JournalFixture.path(number, below: "/other")) != nil { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test(arguments: [
        "/c/d", "/cache/caches/transforms-3/0123456789abcdef", "/cache/caches/jars-9/ümläut",
        "/cache/caches/jars-9/😀",
        "/" + String(repeating: "long/", count: 60) + "x", "/exactly/" + String(repeating: "x", count: 54),
        "/one/less/" + String(repeating: "x", count: 52), "/one/more/" + String(repeating: "x", count: 54),
    ])
    func everyKindOfPath(_ path: String) throws {
        let bed = try JournalFixture()
        let isShort = path.utf8.count < 64 && path.utf8.allSatisfy { $0 < 128 }
        for prefix in isShort ? ["", "s:"] : [""] {
            try bed.write(["\(prefix)\(Self.begin) \(path)"])
            let journal = try GradleJournal(bed.bytes)
            #expect(journal.lastUse(of: path) == Timestamp(seconds: Self.begin / 1000))
            #expect(journal.lastUse(of: path + "/") == nil)
        }
    }

    @Test func cutAtEveryByteItNeverInventsAUse() throws {
        let bed = try JournalFixture()
        let paths = (0..<40).map { JournalFixture.path($0) }
        try bed.write(paths.enumerated().map { "\(Self.begin + Int64($0)) \($1)" })
        let whole = try bed.bytes
        var readable = 0
        for length in 0..<whole.count {
            guard let journal = try? GradleJournal(Array(whole.prefix(length))) else { continue }
            readable += 1
            #expect(journal.count == 40)
        }
        // All that may miss is the padding behind the last block.
        #expect(readable < 12 + 24 * 512)
        #expect(throws: GradleJournalError.unknownFormat) { try GradleJournal(Array(whole.prefix(4))) }
    }

    @Test func everyChangedByteIsSurvived() throws {
        let bed = try JournalFixture()
        try bed.write((0..<600).map { "\(Self.begin) \(JournalFixture.path($0))" })
        let whole = try bed.bytes
        var random = SeededGenerator(seed: 3)
        for _ in 0..<300 {
            var broken = whole
            for _ in 0..<4 {
                broken[Int.random(in: 0..<whole.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = try? GradleJournal(broken)
        }
        // A block half written: its count is not yet that of its payload.
        for block in [6169 + 5 + 10, 6169 + 19 + 5 + 16] {
            var torn = whole
            torn[block + 3] ^= 1
            #expect(throws: GradleJournalError.self) { try GradleJournal(torn) }
        }
        // An index that is its own child.
        var circle = whole
        let root = circle[6174..<6182]
        let position = root.reduce(0) { $0 << 8 | Int($1) }
        circle.replaceSubrange(position + 5 + 4 + 16..<position + 5 + 4 + 24, with: root)
        #expect(throws: GradleJournalError.damaged(offset: position)) { try GradleJournal(circle) }
    }

    @Test func anotherFormatIsIgnored() throws {
        let bed = try JournalFixture()
        try bed.directory.write("caches/journal-1/file-access.bin", "GHA2 and more")
        #expect(throws: GradleJournalError.unknownFormat) { try GradleJournal.read(home: bed.home) }
        try bed.directory.shell("rm caches/journal-1/file-access.bin")
        #expect(try GradleJournal.read(home: bed.home) == nil)
    }

    @Test func whatIsNoFileIsRefusedWithoutWaiting() throws {
        let bed = try JournalFixture()
        try bed.directory.shell("mkfifo caches/journal-1/file-access.bin")
        #expect(throws: GradleJournalError.unreadable(reason: "it is no regular file")) {
            try GradleJournal.read(home: bed.home)
        }
        try bed.directory.shell(
            "rm caches/journal-1/*; echo D > real; ln -s ../../real caches/journal-1/file-access.bin")
        #expect(throws: GradleJournalError.unreadable(reason: "it is a symbolic link")) {
            try GradleJournal.read(home: bed.home)
        }
    }

    @Test func aJournalThatChangesIsReadAgain() throws {
        let bed = try JournalFixture()
        try bed.write(["\(Self.begin) \(JournalFixture.path(1))"])
        let later = bed.directory.path + "/later"
        try bed.write(["\(Self.begin + 5000) \(JournalFixture.path(1))", "1 /more"], to: later)
        let content = try Data(contentsOf: URL(fileURLWithPath: later))
        var changes = 0
        let journal = try GradleJournal.read(home: bed.home) {
            changes += 1
            guard changes == 1 else { return }
            try? content.write(to: URL(fileURLWithPath: bed.file))
        }
        #expect(changes == 2)
        #expect(journal?.lastUse(of: JournalFixture.path(1)) == Timestamp(seconds: Self.begin / 1000 + 5))
        var appended = 0
        #expect(throws: GradleJournalError.restless) {
            try GradleJournal.read(home: bed.home) {
                appended += 1
                let handle = FileHandle(forWritingAtPath: bed.file)
                _ = try? handle?.seekToEnd()
                handle?.write(Data([0]))
            }
        }
        #expect(appended > 1)
    }

    @Test func entriesAreFoundByTheJobsPath() throws {
        let bed = try JournalFixture()
        let sha1 = ["aa", "bb"]
        let module = "caches/modules-2/files-2.1/org.example/lib/1.0"
        for name in sha1 { try bed.directory.write("home/\(module)/\(name)/lib.jar") }
        try bed.directory.write("home/caches/transforms-3/0f/out/x")
        try bed.directory.shell("mkdir -p home/caches/journal-1")
        try bed.write(
            [
                "1700000000000 /jobs/home/\(module)/aa", "1700000007000 /jobs/home/\(module)/bb",
                "1700000009000 /jobs/home/caches/transforms-3/0f",
            ], to: bed.directory.path + "/home/caches/journal-1/file-access.bin")
        func entry(_ pool: Pool, _ key: String, _ path: String) throws -> ScannedEntry {
            ScannedEntry(
                pool: pool, key: key, path: try #require(VolumePath(path)), bytes: .zero,
                apparentBytes: .zero, files: 1,
                accessed: Timestamp(seconds: 5), fetched: Timestamp(seconds: 5))
        }
        var entries = [
            try entry(.gradle, "org.example:lib:1.0", "home/\(module)"),
            try entry(.gradleOther, "caches/transforms-3/0f", "home/caches/transforms-3/0f"),
            try entry(.maven, "a:b:1", "home/caches/transforms-3/0f"),
        ]
        let volume = Volume(name: "build", kind: .buildCache, path: bed.directory.path, jobPath: "/jobs")
        #expect(GradleUses(root: try bed.home, of: volume).add(to: &entries).isEmpty)
        #expect(entries.map { $0.uses.first?.at.seconds } == [1_700_000_007, 1_700_000_009, nil])
        #expect(entries[0].uses.first?.evidence == .gradleJournal)
    }
}
