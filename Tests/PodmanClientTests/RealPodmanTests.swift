import CacheModel
import Foundation
import TestSupport
import Testing

@testable import PodmanClient

/// The client against two real Podmans on one store: a job's, and the sidecar that Larder talks to.
///
/// Needs a testbed with images (Tests/Testbed) whose directory is in `LARDER_TESTBED`.
@Suite(
    .serialized,
    .enabled(if: PodmanTestbed.shared != nil, "needs Podman: bring up Tests/Testbed and set LARDER_TESTBED"))
struct RealPodmanTests {
    let testbed: PodmanTestbed
    let sidecar: PodmanClient

    init() throws {
        testbed = try #require(PodmanTestbed.shared)
        sidecar = try PodmanClient(socket: "unix://\(try testbed.setting("LARDER_SOCKET"))")
    }

    @Test func pingTellsPodmansVersion() async throws {
        let version = try await sidecar.ping()
        #expect(version.version.hasPrefix("4.") || version.version.hasPrefix("5."))
        #expect(version.server.hasPrefix("Libpod/\(version.version)"))
    }

    @Test func imagesAreThoseOfTheJob() async throws {
        let names = ["IMAGE_BASE", "IMAGE_REDIS"].compactMap { testbed.settings[$0] }
        let images = try await sidecar.images()
        for name in names {
            let id = try testbed.podman("image", "inspect", "--format", "{{.Id}} {{.Digest}} {{.Size}}", name)
            let image = try #require(images.first { $0.names.contains(name) })
            #expect("\(image.id) \(image.digest) \(image.size.bytes)" == id)
            #expect(try await sidecar.imageExists(name))
            #expect(try await sidecar.imageExists(image.id))
        }
        #expect(try await sidecar.imageExists("\(names[0])-not-there") == false)
        #expect(try await sidecar.removeImage("\(names[0])-not-there") == .notFound)
    }

    /// The container belongs to the job's Podman; the sidecar sees it as external and refuses all the same.
    @Test func anImageThatAJobUsesIsRefused() async throws {
        let redis = try testbed.setting("IMAGE_REDIS")
        let container = try testbed.podman("create", redis)
        defer { _ = try? testbed.podman("rm", container) }
        let seen = try #require(try await sidecar.containers().first { $0.id == container })
        #expect(seen.image == redis)
        guard case .refused(let reason) = try await sidecar.removeImage(redis) else {
            Issue.record("the image of a job's container was not refused")
            return
        }
        #expect(reason.contains(container))
        #expect(try await sidecar.imageExists(redis))
        let id = try testbed.podman("image", "inspect", "--format", "{{.Id}}", redis)
        #expect(seen.imageID == id)
    }

    @Test func oneNameAfterTheOtherAndThenTheImage() async throws {
        let name = try testbed.setting("IMAGE_BIG")
        _ = try testbed.podman("pull", "--quiet", name)
        let id = try testbed.podman("image", "inspect", "--format", "{{.Id}}", name)
        _ = try testbed.podman("tag", name, "example.test/other/big:2")
        // By its ID, an image of two names is an error in Podman 4.3 and no refusal.
        let error = await #expect(throws: PodmanError.self) { try await sidecar.removeImage(id) }
        #expect(error.map(String.init(describing:))?.contains("status 500") == true)
        #expect(try await sidecar.removeImage(name) == .untagged)
        #expect(try await sidecar.imageExists(name) == false)
        #expect(try await sidecar.imageExists(id))
        #expect(try await sidecar.removeImage("example.test/other/big:2") == .removed)
        #expect(try await sidecar.imageExists(id) == false)
        #expect(throws: ProcessFailure.self) { try testbed.podman("image", "inspect", id) }
    }
}

/// A running testbed, as its `env` file describes it.
struct PodmanTestbed: Sendable {
    let settings: [String: String]

    static let shared: PodmanTestbed? = {
        guard let directory = ProcessInfo.processInfo.environment["LARDER_TESTBED"],
            let text = try? String(contentsOfFile: "\(directory)/env", encoding: .utf8)
        else { return nil }
        let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        let settings = Dictionary(pairs, uniquingKeysWith: { $1 })
        return settings["LARDER_SOCKET"] == nil ? nil : PodmanTestbed(settings: settings)
    }()

    func setting(_ name: String) throws -> String { try #require(settings[name]) }

    /// Runs the Podman client against the job's service; gives what it prints.
    func podman(_ arguments: String...) throws -> String {
        let url = "unix://\(try setting("JOB_SOCKET"))"
        let result = try run("/usr/bin/env", ["podman", "--remote", "--url", url] + arguments)
        return try result.checked().output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
