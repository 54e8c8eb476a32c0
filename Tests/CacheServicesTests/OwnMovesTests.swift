import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// What Larder moves out of a SNAPSHOT, or back into it, is no fetch.
@Suite struct OwnMovesTests {
    enum Shape: String, CaseIterable { case maven, gradle }

    /// A SNAPSHOT with so many builds, all but the last replaced, the last of them that many days old.
    private func snapshot(_ shape: Shape, builds: Int, days: Int = 40) throws -> (
        bench: BuildVolume, path: String, newest: String
    ) {
        let bench = try BuildVolume()
        let path: String
        var newest = ""
        switch shape {
        case .maven:
            path = ".m2/repository/g/s/1-SNAPSHOT"
            var tracking = ""
            for number in 1...builds {
                let stem = "s-1-2026090\(number).000000-\(number)"
                for file in ["\(stem).jar", "\(stem).pom"] {
                    try bench.directory.write("\(path)/\(file)", bytes: 5000)
                    tracking += "\(file)>snapshots=\n"
                }
                newest = "\(path)/\(stem).jar"
            }
            try bench.directory.write("\(path)/_remote.repositories", tracking)
            try bench.directory.shell("touch -d '\(days) days ago' \(path)/* \(path)")
        case .gradle:
            path = ".gradle/caches/modules-2/files-2.1/g/s/1-SNAPSHOT"
            for number in 1...builds {
                let build = "\(path)/" + String(repeating: "\(number)", count: 40)
                newest = "\(build)/s-1-SNAPSHOT.jar"
                try bench.directory.write(newest, bytes: 5000)
                try bench.directory.shell(
                    "touch -d '\(days + builds - number) days ago' \(build)/* \(build)")
            }
            try bench.directory.shell("touch -d '\(days) days ago' \(path)")
        }
        return (bench, path, newest)
    }

    private static let shapes = Shape.allCases.flatMap { shape in [2, 6].map { (shape, $0) } }

    @Test(arguments: shapes)
    func anIdleSnapshotGoesInOnePrune(shape: Shape, builds: Int) throws {
        let (bench, path, _) = try snapshot(shape, builds: builds)
        let outcome = try bench.prune()
        #expect(outcome.refused.map(\.reason) == [])
        #expect(outcome.evicted.count == builds)
        #expect(!bench.directory.exists(path))
    }

    /// The directory keeps the time of its last fetch, so that the idle floor of a later prune is not moved.
    @Test(arguments: shapes)
    func whatStaysIsNotFetchedByTheMovesOfTheRest(shape: Shape, builds: Int) throws {
        let (bench, path, newest) = try snapshot(shape, builds: builds)
        let before = try bench.directory.shell("stat -c %y \(path)")
        try bench.directory.shell("touch -a -d '1 hour ago' \(newest)")
        let outcome = try bench.prune()
        #expect(outcome.evicted.count == builds - 1 && outcome.refused.isEmpty)
        #expect(try bench.directory.shell("stat -c %y \(path)") == before)
        let left = try #require(try bench.usage().entries.first { $0.key == "g:s:1-SNAPSHOT" })
        #expect(left.found.fetched < BuildVolume.now() - .days(39))
    }

    /// A job fetches a new build while the replaced ones go: the whole stays, and the fetch shows afterwards.
    @Test(arguments: Shape.allCases, [2, 4, 6])
    func whatAJobFetchesMeanwhileStaysAndShows(shape: Shape, call: Int) throws {
        let (bench, path, _) = try snapshot(shape, builds: 3)
        let root = bench.directory.path
        let outcome = try bench.prune(
            atTime: call,
            do: {
                let script =
                    shape == .maven
                    ? "echo new > x; mv x s-1-20261001.000000-9.jar"
                    : "d=\(String(repeating: "9", count: 40)); mkdir $d; echo new > $d/s-1-SNAPSHOT.jar"
                _ = try? run("/bin/bash", "-ec", "cd '\(root)/\(path)'; \(script)").checked()
            })
        #expect(outcome.evicted.count == 2)
        #expect(
            outcome.refused.map { "\($0.key): \($0.reason)" }
                == ["g:s:1-SNAPSHOT: something was fetched into it since the scan"])
        let age = try bench.directory.shell("echo $(($(date +%s) - $(stat -c %Y \(path))))")
        #expect(try #require(Int(age.dropLast())) < 3600)
    }

    /// Without any trace in the directory's time, as `touch -r` leaves it: the names tell.
    @Test(arguments: Shape.allCases) func whatCameWithAnOldTimeMeanwhileKeepsTheWhole(shape: Shape) throws {
        let (bench, path, _) = try snapshot(shape, builds: 3)
        let root = bench.directory.path
        let outcome = try bench.prune(
            atTime: 3,
            do: {
                _ = try? run(
                    "/bin/bash", "-ec",
                    "cd '\(root)/\(path)'; m=$(stat -c %y .); mkdir mine; echo x > mine/notes; touch -d \"$m\" ."
                ).checked()
            })
        #expect(outcome.refused.map(\.key) == ["g:s:1-SNAPSHOT"])
        #expect(bench.directory.exists("\(path)/mine/notes"))
    }

    /// Where a part stays for a reason of its own, so does what it lies in.
    @Test(arguments: Shape.allCases) func aWholeStaysWithItsPart(shape: Shape) throws {
        let (bench, path, _) = try snapshot(shape, builds: 3)
        let file = shape == .maven ? "s-1-20260901.000000-1.jar" : String(repeating: "1", count: 40) + "/*"
        let outcome = try bench.prune {
            try bench.directory.shell("cd \(path); cat \(file) > /dev/null; touch -d '40 days ago' .")
        }
        #expect(outcome.refused.map(\.reason) == ["a job used it since the scan", "a part of it stays"])
        #expect(bench.directory.exists(path))
    }

    /// Parts and whole come back to what they were, and neither counts as fetched by that.
    @Test(arguments: shapes)
    func aRestoreBringsAllBackAsItWas(shape: Shape, builds: Int) throws {
        let (bench, path, newest) = try snapshot(shape, builds: builds)
        let listing = "find \(path) -printf '%p %y %s %T@\\n' | sed '/ d /s/ d [0-9]*/ d/' | sort"
        let before = try bench.directory.shell(listing)
        let run = "20260101T000000Z-0001"
        // All of it, and then the replaced builds alone.
        for isWhole in [true, false] {
            if !isWhole { try bench.directory.shell("touch -a -d '1 hour ago' \(newest)") }
            let outcome = try bench.prune(run: run)
            #expect(outcome.evicted.count == (isWhole ? builds : builds - 1) && outcome.refused.isEmpty)
            let result = try Trash(try bench.locked().folder.get()).restore(run: run)
            #expect(result.refused.map(\.1) == [])
            #expect(result.restored.map(\.key) == outcome.evicted.map(\.key))
            #expect(try bench.directory.shell(listing) == before)
            #expect(!bench.directory.exists(".larder/trash/\(run)"))
        }
    }

    /// Builds and whole went with two runs: they come back in whatever order these are restored.
    @Test(arguments: Shape.allCases, [true, false])
    func twoRunsAreRestoredInAnyOrder(shape: Shape, partsFirst: Bool) throws {
        let (bench, path, newest) = try snapshot(shape, builds: 3)
        let listing = "find \(path) -type f -printf '%p %s %T@\\n' | sort"
        let before = try bench.directory.shell(listing)
        let runs = ["20260101T000000Z-0001", "20260101T000000Z-0002"]
        try bench.directory.shell("touch -a -d '1 hour ago' \(newest)")
        #expect(try bench.prune(run: runs[0]).evicted.count == 2)
        try bench.directory.shell("touch -a -d '40 days ago' \(newest)")
        #expect(try bench.prune(run: runs[1]).evicted.map(\.key) == ["g:s:1-SNAPSHOT"])
        let trash = Trash(try bench.locked().folder.get())
        for run in partsFirst ? runs : runs.reversed() {
            #expect(try trash.restore(run: run).refused.map(\.1) == [])
        }
        #expect(try bench.directory.shell(listing) == before)
        #expect(try trash.runs().isEmpty)
    }

    /// What a job fetched again is not mixed with what comes back.
    @Test func aSnapshotThatAJobFetchedAgainStaysAsItIs() throws {
        let (bench, path, _) = try snapshot(.maven, builds: 2)
        let run = "20260101T000000Z-0001"
        _ = try bench.prune(run: run)
        try bench.directory.write("\(path)/s-1-20261001.000000-9.jar")
        try bench.directory.write("\(path)/_remote.repositories", "s-1-20261001.000000-9.jar>snapshots=\n")
        let result = try Trash(try bench.locked().folder.get()).restore(run: run, key: "g:s:1-SNAPSHOT")
        #expect(result.refused.allSatisfy { $0.1.hasPrefix("it is there already") })
        #expect(result.refused.count == 1)
        #expect(
            try bench.directory.shell("ls -A \(path)") == "_remote.repositories\ns-1-20261001.000000-9.jar\n")
    }
}

/// What uses up the allowance of a run.
@Suite struct RunAllowanceTests {
    private func outcome(
        entries: Int, share: Int64 = 10_000, after change: (BuildVolume) throws -> Void
    ) throws -> EvictionOutcome {
        let bench = try BuildVolume()
        for (name, days) in [("a", 60), ("b", 50), ("c", 40)] { try bench.add(name, daysAgo: days) }
        let locked = try bench.locked()
        var usage = try bench.usage()
        usage.scan.identity = locked.identity
        let plan = bench.plan(usage)
        try change(bench)
        return try BuildPruner(
            locked, quietSince: usage.scan.startedAt - .minutes(1), clock: BuildVolume.now
        ).apply(
            plan, run: "20260101T000000Z-0000", scan: usage.scan,
            limits: .init(bytesShare: .share(basisPoints: share), entries: entries))
    }

    /// What cannot be moved takes no other's turn, be it by number or by size.
    @Test(arguments: [(1, 10_000), (3, 3_500)] as [(Int, Int64)])
    func aRefusedEntryCountsForNothing(entries: Int, share: Int64) throws {
        let outcome = try outcome(entries: entries, share: share) { bench in
            try bench.directory.shell("cat \(bench.path("a"))/a-1.jar > /dev/null")
        }
        #expect(outcome.evicted.map(\.key) == ["g:b:1"])
        #expect(outcome.refused.map(\.key) == ["g:a:1", "g:c:1"])
        #expect(outcome.refused[1].reason.hasPrefix("beyond what one run may evict"))
    }

    /// What others removed is in nobody's way, and keeps nothing.
    @Test func whatIsGoneCountsForNothing() throws {
        let outcome = try outcome(entries: 2) { try $0.directory.shell("rm -r \($0.path("a"))") }
        #expect(outcome.evicted.map(\.key) == ["g:b:1", "g:c:1"])
        #expect(outcome.refused.map(\.isGone) == [true])
    }
}
