import CacheModel
import Foundation
import TestSupport
import Testing

@testable import Caches

/// The store that a real Podman wrote, against what Podman and `du` say of it.
///
/// Needs a testbed with images (Tests/Testbed) whose directory is in `LARDER_TESTBED`, and root for `du`.
@Suite(.enabled(if: Testbed.withImages != nil, "needs Podman: bring up Tests/Testbed and set LARDER_TESTBED"))
struct RealStoreTests {
    let testbed: Testbed
    let reader: ImageStoreReader

    init() throws {
        testbed = try #require(Testbed.withImages)
        reader = ImageStoreReader(root: try #require(testbed.settings["STORAGE"]))
    }

    @Test func entriesAgreeWithPodman() throws {
        let entries = try reader.read().entries()
        var compared = 0
        for listed in try testbed.podman(["images", "--all", "--format", "json"], as: [ListedImage].self) {
            // Another test may remove an image in between.
            guard let entry = entries.first(where: { $0.image?.id == listed.id }) else { continue }
            guard
                let details = try? testbed.podman(["image", "inspect", listed.id], as: [ImageDetails].self)
                    .first
            else { continue }
            compared += 1
            #expect(entry.image?.names == listed.names)
            #expect(entry.key == listed.names?.first)
            #expect(entry.image?.layers.count == details.rootFS.layers.count)
            // Podman's size is the sum of the layers' differences and of the manifest and configuration.
            let layers = try reader.read().layers
            let differences = (entry.image?.layers ?? []).reduce(ByteCount.zero) { sum, id in
                sum + (layers.first { $0.id == id }?.diffBytes ?? .zero)
            }
            #expect((differences.bytes...differences.bytes + 10_000).contains(details.size))
            // What was extracted lies after what was built.
            #expect(entry.fetched > (Timestamp(rfc3339: details.created) ?? Timestamp(nanoseconds: .max)))
        }
        #expect(compared >= 3)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can walk other users' files: run the tests as root"))
    func bytesAgreeWithDu() throws {
        let storage = try #require(testbed.settings["STORAGE"])
        for layer in try reader.read().layers where !layer.incomplete {
            let output = try run(
                "/usr/bin/du", "--summarize", "--block-size=1", "\(storage)/vfs/dir/\(layer.id)"
            ).output
            guard let measured = output.split(separator: "\t").first.flatMap({ Int64($0) }) else { continue }
            // Tar headers and padding on the one side, directories and block sizes on the other.
            let tolerance = max(layer.storedBytes.bytes / 20, 200_000)
            #expect(abs(layer.storedBytes.bytes - measured) < tolerance, "layer \(layer.id)")
        }
    }

    @Test func aContainerShowsAsUse() throws {
        let reference = try #require(testbed.settings["IMAGE_BASE"])
        let before = Timestamp(seconds: Int64(Date().timeIntervalSince1970) - 1)
        let container = try testbed.podman(["create", reference, "true"])
        defer { _ = try? testbed.podman(["rm", container]) }
        let store = try reader.read()
        let entry = try #require(store.entries().first { $0.image?.names.contains(reference) == true })
        #expect(entry.protections == [Protections(.inUse)])
        #expect(entry.accessed > before)
        #expect(store.containers.first { $0.id == container }?.imageName == reference)
        let layer = try #require(
            store.layers.first { $0.id == store.containers.first { $0.id == container }?.layerID })
        #expect(layer.diffBytes == .zero)
        #expect(layer.storedBytes == store.layers.first { $0.id == entry.image?.layers.first }?.storedBytes)
    }

    private struct ListedImage: Decodable {
        var id: String
        var names: [String]?

        enum CodingKeys: String, CodingKey {
            case id = "Id"
            case names = "Names"
        }
    }

    private struct ImageDetails: Decodable {
        struct RootFS: Decodable {
            var layers: [String]

            enum CodingKeys: String, CodingKey { case layers = "Layers" }
        }

        var created: String
        var size: Int64
        var rootFS: RootFS

        enum CodingKeys: String, CodingKey {
            case created = "Created"
            case size = "Size"
            case rootFS = "RootFS"
        }
    }
}

extension Testbed {
    /// What the Podman client prints as JSON.
    fileprivate func podman<Answer: Decodable>(_ arguments: [String], as type: Answer.Type) throws -> Answer {
        try JSONDecoder().decode(type, from: Data(podman(arguments).utf8))
    }
}
