import Foundation
import TestSupport
import Testing

/// The main job on a real store: a job's Podman with a running container, and the safe sidecar beside it.
@Suite(.enabled(if: Testbed.shared != nil, "\(Testbed.absence)"), .serialized)
struct ImageJobTests {
    private let own: OwnTestbed
    private var testbed: Testbed { own.testbed }
    private let larder: Program

    init() throws {
        own = try OwnTestbed("--no-builds")
        larder = Program(
            store: try own.testbed.setting("STORAGE"), socket: try own.testbed.setting("LARDER_SOCKET"))
    }

    private func podman(_ arguments: String...) throws -> String {
        try run("/usr/bin/env", ["python3", Testbed.program, "podman", testbed.directory] + arguments)
            .checked().output
    }

    private func names() throws -> Set<String> {
        Set(
            try podman("images", "--format", "{{.Repository}}:{{.Tag}}").split(separator: "\n").map(
                String.init))
    }

    @Test func scanAgreesWithPodmanAndDu() throws {
        let scan = try larder.json("scan").volume("images")
        let listed = try larder.json("list")["entries"].array
        #expect(Set(listed.compactMap { $0["key"].string }) == (try names()))
        let du = try run(
            "/usr/bin/du", "-s", "--apparent-size", "-B1", try testbed.setting("STORAGE") + "/vfs/dir")
        let measured = try #require(Double(du.output.prefix { $0.isNumber }))
        let estimated = Double(scan["bytes"].integer ?? 0)
        #expect(abs(estimated - measured) / measured < 0.05, "\(estimated) against du's \(measured)")
    }

    @Test func aRunningContainerKeepsItsImageAndStaysRunning() throws {
        let app = try testbed.setting("IMAGE_APP_A")
        let container = try podman("run", "--detach", "--rm", app, "sleep", "300").trimmingCharacters(
            in: .newlines)
        try larder("scan").checked()
        let images = try larder.json("list")["entries"].array
        #expect(images.first { $0["key"].string == app }?["protected"].string == "in-use")
        let before = try names()
        let run = try larder.json("prune", "--to", "1Mi", "--idle-floor", "0s", "--force-limit", status: 3)
        let evicted = Set(run.volume("images")["evicted"].array.compactMap { $0["key"].string })
        #expect(!evicted.isEmpty && !evicted.contains(app))
        #expect(try names() == before.subtracting(evicted))
        #expect(try podman("inspect", "--format", "{{.State.Status}}", container) == "running\n")
        _ = try podman("rm", "--force", container)
    }

    @Test func theLeastRecentlyUsedImageGoesAndTheRestRuns() throws {
        let (base, appB) = (try testbed.setting("IMAGE_BASE"), try testbed.setting("IMAGE_APP_B"))
        try larder("scan").checked()
        // Every image but app-b is used by a container that is gone again; a pull counts as use, too.
        for image in try names() where image != appB { try testbed.run("pull", image).checked() }
        let used = try #require(try larder.json("status").volume("images")["used_bytes"].integer)
        let run = try larder.json(
            "prune", "--to", "\(used - 1)", "--idle-floor", "0s", "--force-limit"
        ).volume("images")
        #expect(run["evicted"].array.compactMap { $0["key"].string } == [appB])
        #expect(try names().contains(base))
        #expect(!(try names().contains(appB)))
        let scan = try larder.json("scan").volume("images")
        #expect(scan["bytes"].integer == run["used_bytes_after"].integer)
        #expect(try podman("run", "--rm", base, "echo", "fine") == "fine\n")
    }
}
