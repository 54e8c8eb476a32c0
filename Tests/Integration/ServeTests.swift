import Foundation
import TestSupport
import Testing

/// The daemon as a process: signals, schedules, volumes that go and come, and what it makes of a full one.
@Suite struct ServeTests {
    private let never =
        "daemon:\n  pressure_interval: 1s\n  schedules: {scan: none, prune: none, warm: none, report: none}\n"

    private func volume(_ entries: Int = 2) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try add(0..<entries, to: directory)
        return directory
    }

    private func add(_ numbers: Range<Int>, to directory: TemporaryDirectory) throws {
        for number in numbers {
            let path = "cache/.m2/repository/g/e\(number)/1"
            try directory.write("\(path)/e\(number)-1.jar", bytes: 200_000)
            try directory.write("\(path)/_remote.repositories", "e\(number)-1.jar>central=\n")
        }
        guard !numbers.isEmpty else { return }
        try directory.shell("find cache/.m2 -depth -exec touch -d '40 days ago' {} +")
    }

    private func build(_ directory: TemporaryDirectory, _ more: String = "") -> String {
        "volumes:\n- name: build\n  kind: build-cache\n  path: \(directory.path)/cache\n\(more)"
    }

    @Test func scansAVolumeThatIsNewAndEndsAtSIGTERM() throws {
        let directory = try volume()
        let daemon = try ServeProcess(in: directory, never + build(directory))
        let scan = try daemon.wait(for: "scan of build: 2 entries")
        // Work steps back by 10, and no further from one thread to the next.
        func levels(_ option: String) throws -> [Int] {
            try directory.shell("ps \(option) -o ni= -p \(daemon.pid)").split { $0.isWhitespace }.compactMap {
                Int($0)
            }
        }
        let (own, all) = try (levels(""), levels("-L"))
        #expect(own.count == 1 && all.max() == own[0] + 10, "\(all)")
        #expect(scan["entries"].integer == 2 && scan["result"].string == "done")
        #expect(scan["activity"].string == "scan" && scan["volume"].string == "build")
        try daemon.waitUntil("it is kept") {
            try daemon.sql("SELECT count(*) FROM activities WHERE succeeded_at IS NOT NULL") == "1"
        }
        #expect(daemon.stop() == 0)
        #expect(try daemon.events().last?["message"].string == "stopped")
        // One line for an activity's end, and none for a file.
        #expect(try daemon.events().count { $0["result"].string != nil } == 1)
        let complaints = try daemon.events().filter { !["info", "notice"].contains($0["level"].string) }
        #expect(complaints.map { $0["message"].string } == [])
    }

    @Test func aReloadIsTakenAndAWrongOneRefused() throws {
        let directory = try volume()
        let daemon = try ServeProcess(in: directory, never + build(directory))
        try daemon.wait(for: "scan of build: 2 entries")
        try daemon.configure(never + build(directory, "  limit: 20GB\n"))
        daemon.signal(SIGHUP)
        let refusal = try daemon.wait(for: "refused, and the old one stays")
        #expect(refusal["message"].string?.contains("larder.yaml:9:10: volumes[0].limit") == true)
        try directory.shell("mkdir -p other/.m2/repository")
        try daemon.configure(
            never + build(directory)
                + "- name: other\n  kind: build-cache\n  path: \(directory.path)/other\n")
        daemon.signal(SIGHUP)
        try daemon.wait(for: "was reloaded")
        try daemon.wait(for: "scan of other: 0 entries")
        #expect(daemon.stop() == 0)
    }

    @Test func whatWasMissedIsDoneOnceAfterTheStart() throws {
        let directory = try volume()
        let schedules = "daemon:\n  schedules: {scan: none, prune: \"@hourly\", warm: none, report: none}\n"
        let first = try ServeProcess(in: directory, schedules + build(directory))
        try first.wait(for: "scan of build: 2 entries")
        #expect(first.stop() == 0)
        try directory.shell(
            """
            sqlite3 state/larder.db "INSERT OR REPLACE INTO activities VALUES ('prune', 'build', 0, 0, 0, '')"
            """)
        let second = try ServeProcess(in: directory, schedules + build(directory))
        #expect(try second.wait(for: "prune of build: run ")["reason"].string == "missed")
        #expect(second.stop() == 0)
        #expect(try second.events().count { $0["result"].string != nil } == 1)
    }

    @Test func aVolumeThatGoesIsNotTakenForAnEmptyOne() throws {
        let directory = try volume()
        let daemon = try ServeProcess(in: directory, never + build(directory))
        try daemon.wait(for: "scan of build: 2 entries")
        try directory.shell("mv cache gone")
        try daemon.wait(for: "is unavailable: cannot open")
        // What an unmounted volume leaves: an empty directory.
        try directory.shell("mkdir cache; mv gone cache.real")
        try daemon.wait(for: "is not what was scanned last")
        #expect(try daemon.sql("SELECT count(*) FROM entries") == "2")
        try directory.shell("rmdir cache; mv cache.real cache")
        try daemon.wait(for: "volume build is available again")
        #expect(try daemon.sql("SELECT count(*) FROM entries") == "2")
        #expect(daemon.stop() == 0)
    }

    @Test func aVolumeThatGoesBetweenTwoLooksIsNotScanned() throws {
        let directory = try volume()
        try directory.write("token", "0123456789abcdef0123456789abcdef")
        try directory.shell("chmod 600 token")
        let rarely = never.replacing(
            "interval: 1s", with: "interval: 1h\n  token_file: \(directory.path)/token")
        let daemon = try ServeProcess(in: directory, rarely + build(directory))
        try daemon.wait(for: "scan of build: 2 entries")
        try directory.shell("mv cache gone; mkdir cache")
        let wish = """
            curl -sf --unix-socket http.sock -H "Authorization: Bearer $(cat token)" \
                -H 'Content-Type: application/json' -d '{"activity":"scan"}' http://larder/api/v1/runs
            """
        try directory.shell(wish)
        try daemon.wait(for: "scan of build: held: volume build: it went away")
        #expect(try directory.shell("ls -A cache") == "")
        try directory.shell("rmdir cache; mv gone cache")
        // It is tried again by itself.
        try daemon.wait(for: "KiB; 0 new, 0 used, 0 gone")
        #expect(try daemon.sql("SELECT count(*), sum(baseline) FROM scans") == "2|1")
        #expect(daemon.stop() == 0)
    }

    /// To look at the dashboard changes nothing, however full the volume and however long ago its last prune.
    @Test func whatIsOnlyShownIsLeftAlone() throws {
        let directory = try volume(6)
        let settings = """
            daemon: {pressure_interval: 1s, schedules: {scan: "* * * * *", prune: "* * * * *"}}
            idle_floor: 0s

            """
        let small = build(directory, "  limit: 1100Ki\n")
        try directory.write(
            "larder.yaml", "state: \(directory.path)/state\n" + settings + small)
        let larder = Program.path
        try directory.shell(
            "\(larder) --config larder.yaml scan; \(larder) --config larder.yaml prune --to 900Ki")
        func all() throws -> String { try directory.shell("find cache -newermt @0 | sort; ls -A state") }
        let before = try all()
        let daemon = try ServeProcess(
            in: directory, settings + small.replacing("1100Ki", with: "500Ki"), options: ["--read-only"])
        try daemon.wait(for: "listening")
        let page = try directory.shell(
            "curl -sf --unix-socket http.sock -H 'Accept: text/html' http://larder/")
        #expect(page.contains("build") && page.contains("500"), "\(page)")
        #expect(try directory.shell("curl -sf --unix-socket http.sock http://larder/healthz") != "")
        let refused = try directory.shell(
            """
            curl -s -o /dev/null -w '%{http_code}' --unix-socket http.sock -X POST http://larder/api/v1/runs \
                -H 'Content-Type: application/json' -d '{"activity":"prune"}'
            """)
        #expect(refused == "405")
        #expect(daemon.stop() == 0)
        #expect(try all() == before)
        #expect(try daemon.events().allSatisfy { $0["activity"].string == nil })
    }

    /// What is copied from a page works in a terminal that knows nothing of the daemon's configuration.
    @Test(arguments: [
        "--config larder.yaml", "--state $PWD/state --build-cache $PWD/cache --image-root /nonexistent",
    ])
    func aCommandOfThePageWorksAnywhere(options: String) throws {
        let directory = try volume()
        try directory.write(
            "larder.yaml", "state: \(directory.path)/state\nidle_floor: 0s\n" + build(directory))
        let larder = Program.path
        try directory.shell(
            """
            \(larder) --config larder.yaml scan
            \(larder) --config larder.yaml prune --to 0 --force-limit || test $? = 3
            """)
        #expect(try directory.shell("find cache/.m2 -name '*.jar'") == "")
        let said = try directory.shell(
            """
            \(larder) serve --read-only --listen unix:$PWD/http.sock \(options) 2> log & daemon=$!
            until test -S http.sock; do kill -0 $daemon; sleep 0.05; done
            curl -sf --unix-socket http.sock --retry 9 --retry-all-errors http://larder/; kill $daemon; wait $daemon
            """)
        let command = try #require(said.firstMatch(of: /<code>larder (trash restore [^<]*)<\/code> undoes/)).1
        try directory.shell("cd /; \(larder) \(command)")
        #expect(try directory.shell("find cache/.m2 -name '*.jar' | wc -l") == "2\n")
    }

    @Test func anAddressThatIsTakenIsNamed() throws {
        let directory = try volume()
        let first = try ServeProcess(in: directory, never + build(directory), listen: "127.0.0.1:0")
        let address = try #require(try first.wait(for: "listening")["address"].string)
        let other = try volume()
        let second = try ServeProcess(in: other, never + build(other), listen: address)
        let complaint = try second.wait(for: "cannot listen at \(address): Address already in use")
        #expect(complaint["level"].string == "error")
        #expect(second.waitForEnd() == 1)
        #expect(first.stop() == 0)
    }

    @Test func aScanIsGivenUpAtSIGTERM() throws {
        let directory = try volume()
        try directory.shell("cd cache/.m2/repository/g; mkdir -p {1..200}/{1..100}")
        let daemon = try ServeProcess(in: directory, never + build(directory))
        try daemon.wait(for: "scan of build: begins")
        #expect(daemon.stop() == 0)
        try daemon.expect("scan of build: stopped: given up before it changed anything")
        #expect(try daemon.sql("SELECT count(*) FROM scans") == "0")
    }

    @Test func aHeldVolumeIsTriedAgain() throws {
        let directory = try volume()
        let holder = try LockHolder(ofDirectory: directory.path + "/cache")
        let daemon = try ServeProcess(in: directory, never + build(directory))
        let held = try daemon.wait(for: "scan of build: held: volume build is held by another Larder")
        #expect(held["message"].string?.contains("; again at 20") == true)
        try holder.release()
        try daemon.wait(for: "scan of build: 2 entries")
        #expect(daemon.stop() == 0)
    }

    @Test func aDamagedIndexIsRebuilt() throws {
        let directory = try volume()
        try directory.write("state/larder.db", String(repeating: "no database\n", count: 400))
        let daemon = try ServeProcess(in: directory, never + build(directory))
        try daemon.wait(for: "was damaged")
        try daemon.wait(for: "scan of build: 2 entries")
        #expect(daemon.stop() == 0)
        #expect(try directory.shell("cat state/larder.db.damaged-* | head -c 11") == "no database")
    }

    @Test(.enabled(if: geteuid() == 0, "needs root for a mount"))
    func aVolumeThatFillsIsPrunedWithoutASchedule() throws {
        let directory = try volume(0)
        let cache = directory.path + "/cache"
        try Testbed.filesystems("make", cache, "--type", "tmpfs", "--size", "8M")
        defer { _ = try? Testbed.filesystems("unmount", cache) }
        try add(0..<10, to: directory)
        let daemon = try ServeProcess(in: directory, never + "idle_floor: 0s\n" + build(directory))
        try daemon.wait(for: "scan of build: 10 entries")
        let before = try daemon.events().count
        try add(10..<40, to: directory)
        try daemon.wait(for: "above the critical level", after: before)
        let prune = try daemon.wait(for: "run ", after: before)
        #expect(prune["reason"].string == "pressure")
        #expect(prune["evicted"].integer ?? 0 > 0, "\(prune["message"].string ?? "")")
        try daemon.wait(for: "back below the high level", after: before)
        #expect(daemon.stop() == 0)
        #expect(try daemon.events().count { $0["reason"].string == "pressure" && !$0["result"].isNull } == 1)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root for a mount"))
    func aVolumeThatRunsOutOfInodesIsPrunedWithoutASchedule() throws {
        let directory = try volume(0)
        let cache = directory.path + "/cache"
        try Testbed.filesystems("make", cache, "--type", "ext4", "--size", "64M", "--inodes", "512")
        defer { _ = try? Testbed.filesystems("unmount", cache) }
        try add(0..<119, to: directory)
        let daemon = try ServeProcess(
            in: directory, never + "idle_floor: 0s\n" + build(directory, "  trash: 0s\n"))
        try daemon.wait(for: "inodes used, above the critical level")
        let prune = try daemon.wait(for: "run ")
        #expect(prune["reason"].string == "pressure")
        #expect(prune["evicted"].integer ?? 0 > 0, "\(prune["message"].string ?? "")")
        try daemon.wait(for: "back below the high level")
        #expect(daemon.stop() == 0)
        let used = try directory.shell("df --output=iused cache | tail -1")
        #expect(Int(used.filter(\.isNumber)).map { $0 <= 435 } == true, "\(used)")
    }

    @Test(.enabled(if: geteuid() == 0, "needs root for a mount"))
    func aNeighboursFileIsNoReasonToPrune() throws {
        let directory = try TemporaryDirectory()
        let disk = directory.path + "/cache"
        try Testbed.filesystems("make", disk, "--type", "tmpfs", "--size", "40M")
        defer { _ = try? Testbed.filesystems("unmount", disk) }
        try add(0..<20, to: directory)
        let volume = "volumes:\n- name: build\n  kind: build-cache\n  path: \(disk)/.m2\n  limit: 8M\n"
        let daemon = try ServeProcess(in: directory, never + "idle_floor: 0s\n" + volume)
        try daemon.wait(for: "scan of build: 20 entries")
        try directory.write("cache/neighbour", bytes: 20_000_000)
        let guess = try daemon.wait(for: "if all that its file system gained")
        #expect(guess["level"].string == "notice")
        try daemon.waitUntil("the scan is done") {
            try daemon.events().contains {
                $0["reason"].string == "pressure" && $0["result"].string == "done"
            }
        }
        // Between two absences the volume's fill was read.
        for words in ["build is unavailable", "build is available again", "build is unavailable"] {
            let before = try daemon.events().count
            try directory.shell("cd cache; if [ -e .m2 ]; then mv .m2 m; else mv m .m2; fi")
            try daemon.wait(for: words, after: before)
        }
        #expect(try !daemon.events().contains { $0["activity"].string == "prune" })
        #expect(daemon.stop() == 0)
    }

    @Test func theUseOfAnImageIsKnownWithoutAScan() throws {
        let directory = try TemporaryDirectory()
        try FakeStore(in: directory).write(images: 2)
        try directory.write("events/other.log", "")
        let daemon = try ServeProcess(
            in: directory,
            never + "volumes:\n- name: images\n  kind: image-store\n  path: \(directory.path)/storage\n")
        try daemon.wait(for: "scan of images: 2 entries")
        let uses =
            "SELECT uses FROM entries WHERE key = 'example.test/image:1' AND last_used > 1780000000000000000"
        #expect(try daemon.sql(uses).isEmpty || daemon.sql(uses) == "0")
        func event(_ number: Int) -> String {
            #"{"ID":"c\#(number)","Image":"example.test/image:1","Name":"n","Status":"create","#
                + #""Time":"\#(ISO8601DateFormatter().string(from: Date()))","Type":"container"}"# + "\n"
        }
        try directory.shell("echo -n '\(event(1))' >> events/job.log")
        try daemon.waitUntil("the use is known") { try daemon.sql(uses) == "1" }
        // Podman's rotation: the newest lines in a new file under the old name.
        try directory.shell(
            """
            cp events/job.log events/.new; mv events/.new events/job.log
            echo -n '\(event(2))' >> events/job.log
            """)
        try daemon.waitUntil("the next use is known") { try daemon.sql(uses) == "2" }
        #expect(try daemon.sql("SELECT count(*) FROM scans") == "1")
        #expect(daemon.stop() == 0)
        // The next scan counts no use a second time.
        try run(
            Program.path, "--config", directory.path + "/larder.yaml", "scan"
        ).checked()
        #expect(try daemon.sql(uses) == "2")
        #expect(try daemon.sql("SELECT count(*) FROM followed_uses") == "0")
    }
}
