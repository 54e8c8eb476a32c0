import CacheModel
import Digests
import Foundation

/// What a registry says of an image: of one platform's, or of a list of them.
///
/// The formats are those of the OCI image specification v1.1 (manifest.md, image-index.md) and Docker's
/// distribution v2.8.1 (manifest-v2-2.md), which use the same keys.
package struct RegistryManifest: Sendable, Hashable {
    /// An image of a list.
    struct Instance: Sendable, Hashable {
        var digest: String
        var platform: String
    }

    /// Its own digest, `sha256:…`.
    package var digest: String
    /// The image ID as Podman has it; nil for a list.
    package var image: String?
    /// The layers, the base first; empty for a list.
    package var layers: [AnnouncedLayer]
    /// The images of a list; empty for an image.
    var instances: [Instance]

    /// The digests of a list's images.
    package var instanceDigests: [String] { instances.map(\.digest) }

    /// No registry takes larger ones (distribution v2.8.1, registry/handlers/manifests.go, maxManifestBodySize).
    static let sizeLimit = 4 << 20

    /// Reads a manifest; nil for what is none, or has implausible sizes.
    init?(_ body: Data) {
        guard body.count <= Self.sizeLimit,
            let document = try? JSONDecoder().decode(Document.self, from: body),
            document.schemaVersion == 2
        else { return nil }
        digest = "sha256:" + DigestFunction.sha256.hex(of: body)
        image = document.config.map { String($0.digest.dropFirst("sha256:".count)) }
        let given = document.layers ?? []
        // No image has more layers than a file system can stack, and none is larger than a pebibyte.
        guard given.count <= 1000, given.allSatisfy({ (0...(1 << 50)).contains($0.size ?? -1) }) else {
            return nil
        }
        layers = given.map { layer in
            let type = layer.mediaType ?? ""
            return AnnouncedLayer(
                digest: layer.digest, bytes: ByteCount(layer.size ?? 0),
                isCompressed: !type.hasSuffix(".tar"))
        }
        instances = (document.manifests ?? []).map { item in
            let parts = [item.platform?.os, item.platform?.architecture, item.platform?.variant]
            return Instance(digest: item.digest, platform: parts.compactMap { $0 }.joined(separator: "/"))
        }
        guard document.config != nil || document.manifests != nil else { return nil }
    }

    /// The image of a list that Podman takes for a platform; nil where there is none.
    ///
    /// Of several variants of an architecture the first counts where none is asked for.
    func instance(for platform: ImagePlatform) -> String? {
        let name = platform.description
        let exact = instances.first { $0.platform == name }
        return (exact ?? instances.first { $0.platform.hasPrefix(name + "/") })?.digest
    }

    private struct Document: Decodable {
        struct Descriptor: Decodable {
            struct Platform: Decodable {
                var os: String?
                var architecture: String?
                var variant: String?
            }
            var digest: String
            var size: Int64?
            var mediaType: String?
            var platform: Platform?
        }
        var schemaVersion: Int?
        var config: Descriptor?
        var layers: [Descriptor]?
        var manifests: [Descriptor]?
    }
}

extension ImagePlatform {
    /// The platform of this machine, which is Podman's too: they share a store.
    static var ofThisMachine: ImagePlatform? {
        #if arch(arm64)
            ImagePlatform("linux/arm64")
        #else
            ImagePlatform("linux/amd64")
        #endif
    }
}
