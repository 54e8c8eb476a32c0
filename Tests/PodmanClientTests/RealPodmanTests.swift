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

    /// An image with a name and contents of its own, and without any other name; its ID.
    private func image(_ name: String) throws -> String {
        let folder = try TemporaryDirectory()
        try folder.write("mark", name)
        try folder.shell("tar -cf image.tar mark")
        _ = try testbed.podman("import", "--quiet", folder.path + "/image.tar", name)
        return try testbed.podman("image", "inspect", "--format", "{{.Id}}", name)
    }

    private func forget(_ names: String...) {
        for name in names { _ = try? testbed.podman("rmi", "--force", name) }
    }

    private static func ownName() -> String { "example.test/own/\(UUID().uuidString.lowercased()):1" }

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
        let name = Self.ownName()
        let id = try image(name)
        defer { forget(name) }
        let container = try testbed.podman("create", name, "true")
        defer { _ = try? testbed.podman("rm", container) }
        let seen = try #require(try await sidecar.containers().first { $0.id == container })
        #expect(seen.image == name)
        guard case .refused(let reason) = try await sidecar.removeImage(name) else {
            Issue.record("the image of a job's container was not refused")
            return
        }
        #expect(reason.contains(container))
        #expect(try await sidecar.imageExists(name))
        #expect(seen.imageID == id)
    }

    @Test func oneNameAfterTheOtherAndThenTheImage() async throws {
        let (name, other) = (Self.ownName(), Self.ownName())
        let id = try image(name)
        defer { forget(name, other) }
        _ = try testbed.podman("tag", name, other)
        // By its ID, an image of two names is an error in Podman 4.3 and no refusal.
        let error = await #expect(throws: PodmanError.self) { try await sidecar.removeImage(id) }
        #expect(error.map(String.init(describing:))?.contains("status 500") == true)
        #expect(try await sidecar.removeImage(name) == .untagged)
        #expect(try await sidecar.imageExists(name) == false)
        #expect(try await sidecar.imageExists(id))
        #expect(try await sidecar.removeImage(other) == .removed)
        #expect(try await sidecar.imageExists(id) == false)
        #expect(throws: ProcessFailure.self) { try testbed.podman("image", "inspect", id) }
    }
}
