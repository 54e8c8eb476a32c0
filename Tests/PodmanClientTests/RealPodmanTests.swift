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
    .enabled(if: Testbed.withImages != nil, "needs Podman: bring up Tests/Testbed and set LARDER_TESTBED"))
struct RealPodmanTests {
    let testbed: Testbed
    let sidecar: PodmanClient

    init() throws {
        testbed = try #require(Testbed.withImages)
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
