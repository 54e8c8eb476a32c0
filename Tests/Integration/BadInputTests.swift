import Foundation
import TestSupport
import Testing

/// What the program says and does when what it is given is broken: a clear error, the contract's exit code, and
/// nothing lost.
@Suite struct BadInputTests {
    private func volume() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for name in ["old", "new"] {
            let path = "cache/.m2/repository/g/\(name)/1"
            try directory.write("\(path)/\(name)-1.jar", bytes: 200_000)
            try directory.write("\(path)/_remote.repositories", "\(name)-1.jar>central=\n")
        }
        try directory.shell(
            "touch -d '40 days ago' cache/.m2/repository/g/old/1/* cache/.m2/repository/g/old/1")
        return directory
    }

    @Test func noVolumeAtAllIsAnError() throws {
        let error = try Program().json("scan", status: 1)
        #expect(error["schema"].string == "larder.error/1")
        #expect(error["hint"].string?.contains("--build-cache") == true)
    }

    /// `larder metrics > larder.prom` on a full disk must not leave a cut file and succeed.
    @Test(arguments: ["list", "plan", "metrics", "status --format json", "report --format html", "doctor"])
    func aFullStandardOutputIsAFailure(command: String) throws {
        let directory = try volume()
        let options =
            "--build-cache \(directory.path)/cache --image-root /nowhere --state \(directory.path)/state"
        try directory.shell("'\(Program.path)' scan \(options)")
        let status = try directory.shell(
            "'\(Program.path)' \(command) \(options) 2>errors >/dev/full || echo $?")
        #expect(status == "1\n")
        #expect(try directory.shell("cat errors").contains("standard output cannot be written"))
    }

    @Test func aVolumeThatIsNotMountedIsNamedAndSkipped() throws {
        let directory = try volume()
        let result = try Program(cache: directory.path + "/cache")("scan")
        #expect(result.status == 0)
        #expect(result.output.contains("Skipped images (/nowhere/storage): nothing is mounted there"))
    }

    /// A link to `/`, so that the check is made on what the path leads to.
    @Test func wrongUsageAndWrongConfigurationHaveTheirCodes() throws {
        let directory = try volume()
        let larder = Program(cache: directory.path + "/cache")
        #expect(try larder("scan", "--nonsense").status == 64)
        _ = try larder.json("frobnicate", status: 64)
        try directory.write(
            "larder.yaml",
            "volumes:\n  - name: build\n    kind: build-cache\n    path: /cache\n    limit: 20GB\n")
        let wrong = try run(Program.path, "--config", directory.path + "/larder.yaml", "scan")
        #expect(wrong.status == 78)
        #expect(wrong.errors.contains("larder.yaml:5:12: volumes[0].limit"))
    }

    @Test func aDatabaseThatIsNoneIsSetAsideAndRebuilt() throws {
        let directory = try volume()
        let larder = Program(cache: directory.path + "/cache")
        let state = try #require(larder.state)
        try state.write("state/larder.db", String(repeating: "no database\n", count: 400))
        let result = try larder("scan")
        #expect(result.status == 0)
        #expect(result.errors.contains("larder.db.damaged-"))
        #expect(try state.shell("cat state/larder.db.damaged-* | head -c 11") == "no database")
        #expect(try larder.json("list")["entries"].array.count == 2)
    }

    /// The build cache is pruned all the same.
    @Test func aSocketThatIsNotThereStopsOnlyTheImages() throws {
        let directory = try volume()
        try FakeStore(in: directory).write(images: 2)
        let larder = Program(cache: directory.path + "/cache", store: directory.path + "/storage")
        let run = try larder.json(
            "prune", "--key", "g:old:1", "--key", "example.test/image:*", "--force-limit", status: 4)
        #expect(run.volume("build")["evicted"].array.compactMap { $0["key"].string } == ["g:old:1"])
        let refused = run.volume("images")["refused"].array
        #expect(!refused.isEmpty)
        #expect(refused.first?["reason"].string?.contains("/nowhere.sock") == true)
    }

    @Test(arguments: ["{\"truncated", "[]]", "\u{0}\u{1}\u{2}", "[{\"id\": 7}]"])
    func garbageInTheStoreStopsOnlyTheImages(garbage: String) throws {
        let directory = try volume()
        try FakeStore(in: directory).write(images: 2)
        try directory.write("storage/vfs-layers/layers.json", garbage)
        let larder = Program(cache: directory.path + "/cache", store: directory.path + "/storage")
        let result = try larder("scan")
        #expect(result.status == 4)
        #expect(result.output.contains("layers.json"))
        #expect(try larder.json("list")["entries"].array.count == 2)
    }

    @Test func anImageWhoseLayerIsGoneIsKept() throws {
        let directory = try volume()
        try FakeStore(in: directory).write(images: 2)
        try directory.write("storage/vfs-layers/layers.json", "[]")
        let larder = Program(store: directory.path + "/storage")
        #expect(try larder("scan").status == 0)
        let images = try larder.json("list")["entries"].array
        #expect(images.compactMap { $0["protected"].string } == ["damaged", "damaged"])
    }

    @Test func aSecondLarderExitsWith75() throws {
        let directory = try volume()
        let holder = try LockHolder(ofDirectory: directory.path + "/cache")
        let larder = Program(cache: directory.path + "/cache")
        _ = try larder.json("scan", status: 75)
        _ = try larder.json("prune", status: 75)
        try holder.release()
        _ = try larder.json("scan")
    }

    @Test(.enabled(if: geteuid() == 0, "needs root for a mount"))
    func aReadOnlyVolumeIsScannedAndNotPruned() throws {
        let directory = try volume()
        try directory.shell("mount --bind cache cache; mount -o remount,bind,ro cache")
        defer { _ = try? directory.shell("umount cache") }
        let larder = Program(cache: directory.path + "/cache")
        #expect(try larder("scan").status == 0)
        #expect(try larder.json("list")["entries"].array.count == 2)
        let error = try larder.json("prune", "--to", "250k", status: 1)
        #expect(error["error"].string?.contains("mounted read-only") == true)
        #expect(directory.exists("cache/.m2/repository/g/old/1/old-1.jar"))
    }

    @Test func beforeTheFirstScanThereIsAHint() throws {
        let directory = try volume()
        let larder = Program(cache: directory.path + "/cache")
        for command in ["status", "list", "plan"] {
            let result = try larder(command)
            #expect(result.status == 1)
            #expect(result.errors.contains("larder scan"), "\(command): \(result.errors)")
        }
    }

    @Test func aScanThatCouldNotReadEverythingForbidsAPrune() throws {
        let directory = try volume()
        // A name longer than the walk can open stands for what cannot be read; root reads all modes.
        try directory.shell(
            "mkdir -p cache/secret/inner; chmod 000 cache/secret; chown -R 1001 .; chmod 755 .")
        let larder = Program(cache: directory.path + "/cache")
        let state = try #require(larder.state)
        try state.shell("chmod 777 .")
        let result = try run(
            "/usr/bin/setpriv",
            [
                "--reuid=1001", "--regid=1001", "--clear-groups", Program.path, "--state",
                state.path + "/state",
            ] + larder.options + ["scan"])
        #expect(result.status == 4, "\(result.errors)")
        #expect(result.output.contains("secret"))
        let prune = try run(
            "/usr/bin/setpriv",
            [
                "--reuid=1001", "--regid=1001", "--clear-groups", Program.path, "--state",
                state.path + "/state",
            ] + larder.options + ["prune", "--to", "250k"])
        #expect(prune.status == 1)
        #expect(prune.errors.contains("could not be read"))
        #expect(directory.exists("cache/.m2/repository/g/old/1/old-1.jar"))
    }
}

/// A vfs store of made-up records: as many images as wanted, each with a layer of its own.
struct FakeStore {
    let directory: TemporaryDirectory

    init(in directory: TemporaryDirectory) { self.directory = directory }

    func write(images count: Int) throws {
        var images: [String] = []
        var layers: [String] = []
        for number in 1...count {
            let id = String(repeating: "\(number)", count: 64)
            images.append(
                #"{"id":"\#(id)","digest":"sha256:\#(id)","names":["example.test/image:\#(number)"],"layer":"\#(id)","created":"2026-01-01T00:00:00Z"}"#
            )
            layers.append(
                #"{"id":"\#(id)","created":"2026-0\#(number)-01T00:00:00Z","diff-digest":"sha256:\#(id)","diff-size":1000000}"#
            )
        }
        try directory.write("storage/vfs-images/images.json", "[\(images.joined(separator: ","))]")
        try directory.write("storage/vfs-layers/layers.json", "[\(layers.joined(separator: ","))]")
        try directory.write("storage/vfs-containers/containers.json", "[]")
    }
}
