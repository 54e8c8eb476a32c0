import CacheIndex
import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import CacheServices

/// What came to an entry between the plan and its move, and shows in nothing but the files themselves.
@Suite struct PreEvictionCheckTests {
    private static let installed = "it holds files that no tool put there"
    private static let origin = "installed locally, cannot be fetched again"

    /// Each script leaves the directory's and the files' own times as they were.
    @Test(arguments: [
        (
            #"printf 'kept-1.jar>=\n' > _remote.repositories; touch -r kept-1.jar _remote.repositories"#,
            origin
        ),
        (#"printf '' > _remote.repositories; touch -r kept-1.jar _remote.repositories"#, origin),
        ("mkdir mine; echo x > mine/notes; touch -d '41 days ago' mine/notes mine .", installed),
        (
            "mkdir -p a/b/c; ln -s x a/b/c/d; find a -exec touch -h -d '41 days ago' {} +; touch -d '41 days ago' .",
            installed
        ),
        ("echo x > kept-1-mine.jar; touch -d '41 days ago' kept-1-mine.jar .", origin),
        ("echo x > mine.jar; touch -d '41 days ago' mine.jar .", installed),
        ("echo x > .nfs0001; touch -d '41 days ago' .nfs0001 .", installed),
        ("rm _remote.repositories; touch -d '41 days ago' .", origin),
    ])
    func whatCannotBeFetchedAgainStays(script: String, reason: String) throws {
        let bench = try BuildVolume()
        try bench.add("kept", daysAgo: 40)
        try bench.add("gone", daysAgo: 40)
        let outcome = try bench.prune { try bench.directory.shell("cd \(bench.path("kept")); \(script)") }
        #expect(outcome.evicted.map(\.key) == ["g:gone:1"])
        #expect(outcome.refused.map(\.reason) == [reason])
        #expect(bench.exists("kept"))
    }

    /// A change of owner or mode, as by a pod's fsGroup, is no download: the plan says the same of what killed jobs left.
    @Test(arguments: ["kept-1.jar.part", "kept-1.jar.12ab.tmp", "kept-1.jar.part.lock"])
    func aNewChangeTimeAloneIsNoDownload(name: String) throws {
        let bench = try BuildVolume()
        try bench.add("kept", daysAgo: 40)
        try bench.directory.shell(
            "cd \(bench.path("kept")); echo half > \(name); touch -d '41 days ago' \(name) .; chmod 600 \(name)"
        )
        let outcome = try bench.prune()
        #expect(outcome.refused.map(\.reason) == [])
        #expect(!bench.exists("kept"))
    }

    /// The file in the way is named, wherever it lies.
    @Test(arguments: [
        (".m2/repository/g/a/1", ".nfs0001", Pool.maven), (".m2/repository/g/a/1", "sub/dir/x", .maven),
        ("files-2.1/g/a/1", "0a1b/unpacked/lib/idea.jar", .gradle), ("files-2.1/g/a/1", "notes", .gradle),
    ])
    func aForeignFileIsNamed(path: String, file: String, pool: Pool) throws {
        let directory = try TemporaryDirectory()
        try directory.write(pool == .maven ? "\(path)/a-1.jar" : "\(path)/0a1b/a-1.jar")
        if pool == .maven { try directory.write("\(path)/_remote.repositories") }
        let tools = ToolFiles(
            entry: ScannedEntry(
                pool: pool, key: "g:a:1", path: try #require(VolumePath(path)), bytes: .zero,
                apparentBytes: .zero, files: 1, accessed: Timestamp(seconds: 0),
                fetched: Timestamp(seconds: 0)))
        let root = try OpenDirectory.open(root: directory.path)
        #expect(tools.foreign(below: root) == nil)
        try directory.write("\(path)/\(file)")
        #expect(tools.foreign(below: root)?.description == "\(path)/\(file)")
    }

    /// What other tools fetch into a repository goes; a file that they never put there keeps it.
    @Test(arguments: [
        ("com/github/eirslett/node/18.8.0", ["node-18.8.0-linux-x64.tar.gz"], true),
        ("com/github/eirslett/node/18.8.0", ["node-18.8.0-linux-x64.tar.gz", "node-18.8.0.pom"], false),
        ("org/robolectric/android-all/13-r", ["android-all-13-r.jar", "android-all-13-r.pom"], true),
        ("org/robolectric/android-all/13-r", ["android-all-13-r.jar", "android-all-13-r-mine.zip"], false),
    ])
    func aDownloadOfAnotherToolGoes(path: String, files: [String], goes: Bool) throws {
        let bench = try BuildVolume()
        let entry = ".m2/repository/\(path)"
        for file in files { try bench.directory.write("\(entry)/\(file)", bytes: 5000) }
        try bench.directory.shell("touch -d '40 days ago' \(entry)/* \(entry)")
        let outcome = try bench.prune()
        #expect(outcome.refused.map(\.reason) == (goes ? [] : [Self.origin]))
        #expect(bench.directory.exists(entry) == !goes)
    }

    /// As `cp -a` and `rsync -a` leave a file or a directory: its times are those of the copied one.
    @Test(arguments: [
        "touch -r kept-1.jar ../x; head -c 9000 /dev/zero > kept-1.jar; touch -r ../x kept-1.jar; rm ../x",
        "chmod 755 .",
    ])
    func whatChangedSinceTheScanWasOverStays(script: String) throws {
        let bench = try BuildVolume()
        try bench.add("kept", daysAgo: 40)
        let locked = try bench.locked()
        var usage = try bench.usage()
        usage.scan.identity = locked.identity
        let folder = try locked.folder.get()
        let settledAt = try #require(folder.volumeTime())
        for place in usage.entries.indices { usage.entries[place].found.settledAt = settledAt }
        let plan = bench.plan(usage)
        // One tick of the kernel's clock later.
        while try #require(folder.volumeTime()) == settledAt {}
        try bench.directory.shell("cd \(bench.path("kept")); \(script); touch -d '41 days ago' .")
        let outcome = try BuildPruner(
            locked, quietSince: usage.scan.startedAt - .minutes(1), clock: BuildVolume.now
        ).apply(plan, run: "20260101T000000Z-0000", scan: usage.scan)
        #expect(outcome.refused.map(\.reason) == ["it was changed since the scan"])
        #expect(bench.exists("kept"))
    }

    /// The look after the move must not take the move itself for a change.
    @Test func aMoveIsNoChange() throws {
        let bench = try BuildVolume()
        try bench.add("gone", daysAgo: 40)
        let locked = try bench.locked()
        var usage = try bench.usage()
        usage.scan.identity = locked.identity
        let settledAt = try locked.folder.get().volumeTime()
        for place in usage.entries.indices { usage.entries[place].found.settledAt = settledAt }
        let outcome = try BuildPruner(
            locked, quietSince: usage.scan.startedAt - .minutes(1), clock: BuildVolume.now
        ).apply(bench.plan(usage), run: "20260101T000000Z-0000", scan: usage.scan)
        #expect(outcome.evicted.count == 1 && !bench.exists("gone"))
    }

    @Test func theVolumesClockIsThatOfItsFiles() throws {
        let bench = try BuildVolume()
        let folder = try bench.locked().folder.get()
        // What a job put in the place of the file is not written through.
        try bench.directory.shell("echo x > other; ln other .larder/clock; touch -d '9 days ago' other")
        let before = BuildVolume.now()
        let time = try #require(folder.volumeTime())
        #expect(time > before - .seconds(1) && time < BuildVolume.now() + .seconds(1))
        #expect(try bench.directory.shell("stat -c '%Y %h' other") < "\(before.seconds - 86_400 * 8)")
    }

    /// Wherever the repository begins by the word of a pom, the locks above the path count.
    @Test(arguments: [
        ".locks/artifact~g~held~1.lock", ".m2/.locks/artifact~repository.g~held~1.lock",
        ".m2/repository/.locks/artifact~g~held~1.lock",
    ])
    func aLockIsFoundInAnyRootThatThePathAllows(lock: String) throws {
        let bench = try BuildVolume()
        try bench.add("held", daysAgo: 40)
        try bench.add("free", daysAgo: 40)
        try bench.directory.write(lock)
        let holder = try LockHolder(ofMavenArtifact: "\(bench.directory.path)/\(lock)", shared: true)
        let outcome = try bench.prune()
        #expect(outcome.evicted.map(\.key) == ["g:free:1"])
        #expect(outcome.refused.map(\.reason) == ["a Maven is resolving it"])
        try holder.release()
    }
}

/// The limits of one run.
@Suite struct RunLimitTests {
    /// What is alone beyond the limit waits for a run without one, and keeps nothing else from going.
    @Test func anEntryTooLargeForAnyRunKeepsNoOtherFromGoing() throws {
        let bench = try BuildVolume()
        try bench.add("huge", daysAgo: 50, bytes: 900_000)
        for name in ["a", "b"] { try bench.add(name, daysAgo: 40, bytes: 50_000) }
        let plan = bench.plan(try bench.usage())
        #expect(plan.evict.map(\.entry.key).first == "g:huge:1")
        let state = try TemporaryDirectory()
        let pruner = Pruner(
            index: try CacheIndex.open(stateDirectory: state.path, now: BuildVolume.now()),
            limits: .init(bytesShare: .share(basisPoints: 5000), entries: 10),
            idleFloor: .zero, clock: BuildVolume.now)
        let (limited, beyond) = pruner.limited(plan)
        #expect(limited.evict.map(\.entry.key).sorted() == ["g:a:1", "g:b:1"])
        #expect(beyond.map(\.key) == ["g:huge:1"])
        #expect(beyond[0].reason.hasPrefix("alone beyond what one run may evict"))
    }
}
