import CacheModel
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import CacheServices
@testable import PodmanClient

/// The tests on the testbed's store, one after the other: they take its lock and remove each other's images.
///
/// Needs a testbed with images (Tests/Testbed) whose directory is in `LARDER_TESTBED`.
@Suite(
    .serialized,
    .enabled(if: Testbed.shared != nil, "\(Testbed.absence)"))
enum OnTheTestbed {}

/// A running testbed (Tests/Testbed), with a registry that fails on command in front of the real one.
final class WarmFixture: Sendable {
    /// One testbed for all of these tests and no others: they remove and pull the same images.
    private static let own = Testbed.shared == nil ? nil : try? OwnTestbed("--no-builds")
    static let settings: [String: String]? = own?.testbed.settings

    static let testbed = Testbed.packageRoot + "/Tests/Testbed"

    let settings: [String: String]
    let podman: PodmanClient
    let events = Mutex<[ImageWarmer.Progress]>([])
    /// The failing registry's HOST:PORT.
    let proxy: String
    private let folder: TemporaryDirectory
    private let process = Process()

    init() throws {
        settings = try #require(Self.settings)
        podman = try PodmanClient(socket: "unix://\(try #require(settings["LARDER_SOCKET"]))")
        folder = try TemporaryDirectory()
        try folder.write("mode", "pass\n")
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [
            "\(Self.testbed)/fault_proxy.py", try #require(settings["REGISTRY"]), "\(folder.path)/mode",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let address = output.fileHandleForReading.firstLine()
        proxy = try #require(address, "the failing registry did not start")
    }

    deinit { kill(process.processIdentifier, SIGKILL) }

    func setting(_ name: String) throws -> String { try #require(settings[name]) }

    /// What the failing registry does from now on.
    func registry(_ mode: String) throws { try folder.write("mode", mode + "\n") }

    /// A reference to an image of the testbed by way of the failing registry.
    func failing(_ name: String) throws -> ImageReference { try ImageReference("\(proxy)/ci/\(name)") }

    /// Short enough for a test, long enough for a real pull.
    static var limits: ImageWarmer.Limits {
        var limits = ImageWarmer.Limits()
        limits.attempts = 3
        limits.firstPause = Span(nanoseconds: 1_000_000)
        return limits
    }

    func warm(
        _ references: [ImageReference], policy: PullPolicy = .missing,
        limits: ImageWarmer.Limits = WarmFixture.limits,
        quota: Quota? = nil, expected: ByteCount? = nil, auth: AuthFile? = nil,
        podman other: PodmanClient? = nil
    ) async throws -> [WarmedImage] {
        let volume = Volume(name: "images", kind: .imageStore, path: try setting("STORAGE"))
        let locked = try LockedVolume(volume, now: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
        let tebibyte = ByteCount(1 << 40)
        let warmer = ImageWarmer(
            locked, podman: other ?? podman, limits: limits,
            quota: quota ?? Quota(limit: tebibyte, high: tebibyte, low: tebibyte), auth: auth
        ) { event in self.events.withLock { $0.append(event) } }
        return try await warmer.warm(
            references.map {
                ImageWarmer.Request(reference: $0, policy: policy, why: "named", expected: expected)
            })
    }

    /// Removes images that an earlier test may have left.
    func remove(_ references: ImageReference...) async throws {
        for reference in references { _ = try await podman.removeImage(reference.name) }
    }

    /// Removes an image under all of its names, so that none of its layers is there.
    func forget(_ repository: String) async throws {
        for name in try await podman.images().flatMap(\.names) where name.contains("/ci/\(repository):") {
            _ = try await podman.removeImage(name)
        }
    }

    /// The requests for blobs that the real registry has answered, one line each.
    func blobRequests() throws -> [Substring] {
        try String(contentsOfFile: "\(setting("LOG"))/registry.log", encoding: .utf8).split(separator: "\n")
            .filter { $0.contains("\"GET /v2/") && $0.contains("/blobs/") }
    }

    /// Starts one more Podman on the store, as a sidecar does that is restarted, and waits for its end.
    func startAnotherPodman() throws {
        try run(
            "/usr/bin/python3", "-c",
            """
            import sys
            sys.dont_write_bytecode = True
            sys.path.insert(0, sys.argv[1])
            import layout, podman_service
            bed = layout.Layout(sys.argv[2])
            sys.exit(podman_service.start_pod(bed, "killed", sys.argv[3], ["images"]).wait())
            """, Self.testbed, setting("LARDER_TESTBED"), setting("REGISTRY")
        ).checked()
    }

    /// Runs a CI job as developers write it: Testcontainers starts a real Redis, and the job talks to it.
    func testcontainersJob() throws {
        try run("/usr/bin/python3", "\(Self.testbed)/testbed.py", "job", setting("LARDER_TESTBED")).checked()
    }

    /// Runs the Podman client against the job's own service.
    func job(_ arguments: String...) throws -> String {
        let url = "unix://\(try setting("JOB_SOCKET"))"
        let result = try run("/usr/bin/env", ["podman", "--remote", "--url", url] + arguments)
        return try result.checked().output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
