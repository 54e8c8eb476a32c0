import CacheModel
import FileAccess
import Foundation
import TestSupport
import Testing

@testable import Caches

/// Who is at work on a store, and what was left behind in it.
@Suite struct StoreActivityTests {
    private let fixture: StoreFixture
    private let now = Timestamp(rfc3339: "2026-12-01T12:00:00Z") ?? Timestamp(nanoseconds: 0)
    private let layer = hex("a1")
    private let container = hex("c1")

    init() throws { fixture = try StoreFixture() }

    private func use(images: [JSON] = [], layers: [JSON] = [], containers: [JSON] = []) throws -> String? {
        try write(images: images, layers: layers, containers: containers)
        return StoreActivity(root: try root).use(of: try fixture.reader.read(), now: now)
    }

    private func write(images: [JSON] = [], layers: [JSON] = [], containers: [JSON] = []) throws {
        try fixture.write(.images, images)
        try fixture.write(.layers, layers)
        try fixture.write(.containers, containers)
    }

    private var root: OpenDirectory { get throws { try OpenDirectory.open(root: fixture.root) } }

    private func orphans() throws -> [Orphan] {
        try StoreOrphans(root: try root).find(in: try fixture.reader.read(), now: now) {
            try fixture.reader.read()
        }
    }

    @Test func aQuietStoreIsNotInUse() throws {
        #expect(try use() == nil)
        #expect(try use(layers: [.layer(layer, created: "2026-12-01T10:59:00Z")]) == nil)
    }

    @Test(arguments: ["2026-12-01T11:01:00Z", "2026-12-02T00:00:00Z"])
    func aStoreWrittenToWithinTheHourIsInUse(created: String) throws {
        #expect(try use(layers: [.layer(layer, created: created)])?.contains("was written to") == true)
        let new = JSON.container(container, image: "", layer: "", created: created)
        #expect(try use(containers: [new])?.contains("was written to") == true)
    }

    @Test func aContainerLivesWhileItsMonitorReadsItsPipe() throws {
        let record = JSON.container(
            container, image: hex("b1"), layer: layer, created: "2026-11-01T00:00:00Z")
        try write(containers: [record])
        let found = try #require(try fixture.reader.read().containers.first)
        let activity = StoreActivity(root: try root)
        #expect(activity.life(of: found) == .ended)
        let folder = "\(fixture.root)/vfs-containers/\(container)/userdata"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(activity.life(of: found) == .ended)
        mkfifo(folder + "/ctl", 0o600)
        #expect(activity.life(of: found) == .ended)
        // What other tests start must not get it.
        let monitor = open(folder + "/ctl", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        #expect(activity.life(of: found) == .alive)
        #expect(activity.use(of: try fixture.reader.read(), now: now)?.contains("is running") == true)
        #expect(try orphans().isEmpty)
        close(monitor)
        // A program that another test starts at this moment has the pipe until it is executed.
        let deadline = ContinuousClock.now + .seconds(30)
        while activity.life(of: found) == .alive, ContinuousClock.now < deadline { sched_yield() }
        #expect(activity.life(of: found) == .ended)
        #expect(try orphans().map(\.kind) == [.deadContainer])
        try Data().write(to: URL(fileURLWithPath: folder + "/buildah.json"))
        #expect(try orphans().map(\.kind) == [.workingContainer])
        unlink(folder + "/buildah.json")
        unlink(folder + "/ctl")
        try Data().write(to: URL(fileURLWithPath: folder + "/ctl"))
        guard case .unknown = activity.life(of: found) else {
            Issue.record("a file in the pipe's place must not pass for an ended container")
            return
        }
        #expect(activity.use(of: try fixture.reader.read(), now: now)?.contains("cannot be told") == true)
    }

    @Test func aWriteLockOfAnotherProcessIsSeenAndAReadLockIsNot() throws {
        try write(layers: [.layer(layer, created: "2026-11-01T00:00:00Z")])
        let path = "\(fixture.root)/vfs-layers/layers.lock"
        let script = """
            import fcntl, sys
            file = open(sys.argv[1], "r+")
            fcntl.lockf(file, fcntl.LOCK_EX if sys.argv[2] == "w" else fcntl.LOCK_SH)
            sys.stdout.write("held")
            sys.stdout.flush()
            sys.stdin.read()
            """
        try Data().write(to: URL(fileURLWithPath: path))
        for (mode, expected) in [("w", "layers.lock"), ("r", nil)] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
            process.arguments = ["-c", script, path, mode]
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            #expect(output.fileHandleForReading.availableData == Data("held".utf8))
            #expect(StoreActivity(root: try root).heldLock == expected)
            try input.fileHandleForWriting.close()
            process.waitUntilExit()
            #expect(StoreActivity(root: try root).heldLock == nil)
        }
    }

    @Test func directoriesWithoutARecordAreMeasuredAndThoseWithOneAreNot() throws {
        try write(images: [.image(hex("b1"), layer: layer)], layers: [.layer(layer, size: 10)])
        let folder = "\(fixture.root)/vfs/dir"
        for name in [layer, hex("d1")] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)/sub", withIntermediateDirectories: true)
            try Data(repeating: 1, count: 100_000).write(to: URL(fileURLWithPath: "\(folder)/\(name)/sub/f"))
            link("\(folder)/\(name)/sub/f", "\(folder)/\(name)/sub/same")
        }
        let found = try orphans()
        #expect(found.map(\.kind) == [.directory] && found.map(\.name) == [hex("d1")])
        let du = try run("/usr/bin/du", "-s", "-B1", "\(folder)/\(hex("d1"))").checked().output
        #expect(du.hasPrefix("\(found.first?.bytes.bytes ?? 0)\t"))
        #expect(found.first?.isLowerBound == false)
    }
}
