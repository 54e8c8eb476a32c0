import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// What can be brought back, and what purging leaves.
@Suite struct TrashTests {
    private static let runID = "20260101T000000Z-0000"

    private func pruned() throws -> (BuildVolume, LockedVolume) {
        let bench = try BuildVolume()
        try bench.add("one", daysAgo: 50)
        try bench.add("two", daysAgo: 40)
        _ = try bench.prune(run: Self.runID)
        return (bench, try bench.locked())
    }

    @Test func aRestoreBringsBackEveryByte() throws {
        let bench = try BuildVolume()
        try bench.add("one", daysAgo: 50)
        try bench.add("two", daysAgo: 40)
        let listing = "find .m2 -type f -printf '%p %s %T@ ' -exec sha1sum {} \\; | sort"
        let before = try bench.directory.shell(listing)
        _ = try bench.prune(idleFloor: .zero, run: Self.runID)
        let trash = Trash(try bench.locked().folder.get())
        let result = try trash.restore(run: Self.runID)
        #expect(result.restored.map(\.key).sorted() == ["g:one:1", "g:two:1"])
        #expect(result.refused.isEmpty)
        #expect(try bench.directory.shell(listing) == before)
        #expect(try trash.runs().isEmpty)
    }

    @Test func aRestoreNeverOverwrites() throws {
        let (bench, locked) = try pruned()
        try bench.add("one", daysAgo: 0, bytes: 77)
        let trash = Trash(try locked.folder.get())
        let result = try trash.restore(run: Self.runID)
        #expect(result.restored.map(\.key) == ["g:two:1"])
        #expect(result.refused.allSatisfy { $0.1.hasPrefix("it is there already") })
        #expect(result.refused.count == 1)
        #expect(try bench.directory.shell("stat -c %s \(bench.path("one"))/one-1.jar") == "77\n")
        #expect(try trash.runs().first?.entries.count == 1)
    }

    @Test func oneKeyCanBeRestored() throws {
        let (bench, locked) = try pruned()
        let result = try Trash(try locked.folder.get()).restore(run: Self.runID, key: "g:two:1")
        #expect(result.restored.map(\.key) == ["g:two:1"])
        #expect(bench.exists("two"))
        #expect(!bench.exists("one"))
    }

    @Test func aPatternRestoresWhatItMatches() throws {
        let (bench, locked) = try pruned()
        let trash = Trash(try locked.folder.get())
        let result = try trash.restore(run: Self.runID, key: "g:t*:1")
        #expect(result.restored.map(\.key) == ["g:two:1"] && result.refused.isEmpty)
        #expect(bench.exists("two") && !bench.exists("one"))
        // What a pattern matches and is back already is no refusal; a key that is named is one.
        #expect(throws: MaintenanceError.self) { _ = try trash.restore(run: Self.runID, key: "g:t*:1") }
        #expect(try trash.restore(run: Self.runID, key: "g:two:1").refused.count == 1)
    }

    @Test(arguments: ["../../..", "nothing", "", "20260101T000000Z-ffff", ".", "/"])
    func anUnknownRunIsRefused(id: String) throws {
        let (bench, locked) = try pruned()
        defer { withExtendedLifetime(bench) {} }
        let trash = Trash(try locked.folder.get())
        #expect(throws: MaintenanceError.self) { _ = try trash.restore(run: id) }
    }

    @Test func purgingFreesWhatDuSaysAndKeepsTheRest() throws {
        let (bench, locked) = try pruned()
        let trash = Trash(try locked.folder.get())
        let size = try bench.directory.shell(
            "cd .larder/trash/\(Self.runID); du -s -B1 0 1 | awk '{s+=$1} END {print s}'")
        let result = try trash.purge()
        #expect("\(result.bytes.bytes)\n" == size)
        #expect(result.failures.isEmpty)
        #expect(try trash.runs().isEmpty)
        #expect(try bench.directory.shell("ls -A .larder/trash") == "")
    }

    /// Two threads share a large run: each entry goes once, hard links count with the last of them, and where only some
    /// bytes are wanted, no more than one entry goes beyond them.
    @Test func aPurgeOfManyEntriesFreesWhatDuSays() throws {
        let bench = try BuildVolume()
        let first = bench.path("e0")
        for number in 0..<200 { try bench.add("e\(number)", daysAgo: 50) }
        try bench.directory.shell(
            """
            for to in .m2/repository/g/e*/1; do
                name=$(basename "$(dirname "$to")")-1-sources.jar
                [ "$to" = '\(first)' ] || ln '\(first)/e0-1.jar' "$to/$name"
                echo "$name>central=" >>"$to/_remote.repositories"
                touch -d '50 days ago' "$to" "$to"/*
            done
            """)
        _ = try bench.prune(run: Self.runID)
        let locked = try bench.locked()
        let trash = Trash(try locked.folder.get())
        func du() throws -> Int64 {
            let text = try bench.directory.shell(
                "cd .larder/trash; du -s -B1 --exclude=journal.json . | cut -f1")
            return try #require(Int64(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        var runs = try trash.runs()
        let count = try #require(runs.first).entries.count
        #expect(count >= 150)
        let (before, largest) = (try du(), runs[0].entries.map(\.bytes).max() ?? .zero)
        let wanted = ByteCount(before / 3)
        let some = trash.purge(&runs) { $0 >= wanted }
        #expect(some.failures.isEmpty && some.bytes <= wanted + largest)
        #expect(try du() == before - some.bytes.bytes)
        #expect(
            try trash.runs().first?.entries == runs.first?.entries && (runs.first?.entries.count ?? 0) < count
        )
        let all = trash.purge(&runs)
        #expect(all.failures.isEmpty && runs.allSatisfy(\.entries.isEmpty))
        #expect(try bench.directory.shell("ls -A .larder/trash") == "")
        // What is left of the du of the trash is its own directory.
        let own = try #require(Int64(try bench.directory.shell("stat -c %b .larder/trash").dropLast())) * 512
        #expect(before - some.bytes.bytes - all.bytes.bytes <= own + 65_536)
    }

    @Test func youngRunsAreKept() throws {
        let (bench, locked) = try pruned()
        let trash = Trash(try locked.folder.get())
        _ = try trash.purge(before: BuildVolume.now() - .hours(24))
        #expect(bench.directory.exists(".larder/trash/\(Self.runID)/0"))
        #expect(try trash.runs().count == 1)
        _ = try trash.purge(before: BuildVolume.now() + .hours(1))
        #expect(try trash.runs().isEmpty)
    }

    /// What cannot be purged stays listed with its key, its size and what is in the way, until it can.
    @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
    func whatCannotBePurgedStaysListed() throws {
        let (bench, locked) = try pruned()
        let trash = Trash(try locked.folder.get())
        let key = try #require(try trash.runs().first?.entries.first).key
        let place = ".larder/trash/\(Self.runID)"
        try bench.directory.shell(
            "mkdir \(place)/0/held; mount -t tmpfs -o size=64k tmpfs \(place)/0/held; echo x > \(place)/0/held/x"
        )
        defer { _ = try? bench.directory.shell("umount \(place)/*0/held 2>/dev/null || true") }
        #expect(try trash.purge().failures.count == 1)
        let run = try #require(try trash.runs().first)
        #expect(run.createdAt != nil && run.entries.isEmpty)
        #expect(run.unpurged.map(\.key) == [key])
        #expect(run.unpurged[0].reason == "held cannot be read: another file system is mounted there")
        let size = try bench.directory.shell("du -s -x -B1 \(place)/gone-0 | cut -f1")
        #expect("\(run.bytes.bytes)\n" == size && run.bytes > .zero)
        #expect(throws: MaintenanceError.self) { _ = try trash.restore(run: Self.runID, key: "nothing") }
        try bench.directory.shell("umount \(place)/gone-0/held")
        #expect(try trash.purge().failures.isEmpty)
        #expect(try trash.runs().isEmpty)
        #expect(try bench.directory.shell("ls -A .larder/trash") == "")
    }

    @Test func nothingOutsideGoesWithAPurge() throws {
        let (bench, locked) = try pruned()
        let outside = try TemporaryDirectory()
        try outside.write("precious", bytes: 10)
        try bench.directory.shell(
            """
            cd .larder/trash/\(Self.runID)/0; ln -s '\(outside.path)' link; ln -s '\(outside.path)/precious' file
            mkfifo pipe; mkdir -p deep; ln '\(outside.path)/precious' hard; chmod 000 deep
            """)
        let result = try Trash(try locked.folder.get()).purge()
        #expect(result.failures.isEmpty)
        #expect(outside.exists("precious"))
        #expect(try bench.directory.shell("ls -A .larder/trash") == "")
    }

    @Test func aTreeOfTwoThousandLevelsGoes() throws {
        let (bench, locked) = try pruned()
        try run(
            "/usr/bin/python3", "-c",
            """
            import os, sys
            os.chdir(sys.argv[1])
            for i in range(2000):
                os.mkdir("d" * 50); os.chdir("d" * 50)
            """, "\(bench.directory.path)/.larder/trash/\(Self.runID)/0"
        ).checked()
        let result = try Trash(try locked.folder.get()).purge()
        #expect(result.failures.isEmpty)
        #expect(try bench.directory.shell("ls -A .larder/trash") == "")
    }

    /// A crash between the journal and the moves leaves a journal of entries that never went: nothing is lost,
    /// and the run goes with the next purge.
    @Test func aJournalWithoutEntriesIsHarmless() throws {
        let (bench, locked) = try pruned()
        try bench.directory.shell("mv .larder/trash/\(Self.runID)/0 .larder/trash/\(Self.runID)/kept")
        let trash = Trash(try locked.folder.get())
        #expect(try trash.runs().first?.entries.map(\.key) == ["g:two:1"])
        #expect(try trash.restore(run: Self.runID).restored.map(\.key) == ["g:two:1"])
    }
}
