import CacheModel
import Foundation

/// A record of `images.json` (containers/storage v1.43.0, images.go, type Image).
///
/// Keys that Larder does not need are left out; later versions add some and rename none.
struct ImageRecord: StoreRecord {
    var id: String
    var digest: String
    var names: [String]
    var namesHistory: [String]
    var layer: String
    var mappedLayers: [String]
    var created: Timestamp
    /// The digests of all manifests that the store keeps of it: its own, and those of lists that it came by.
    var manifestDigests: [String]
    var bigData: [ImageStore.BigData]

    init(fields: RecordFields) throws {
        id = try fields.id()
        digest = try fields.text("digest")
        // The names of big data (containers/image v5.23.1, storage/storage_image.go, manifestBigDataKey).
        manifestDigests = try fields.texts("big-data-names").filter { $0.hasPrefix("manifest-sha256:") }
            .map { String($0.dropFirst("manifest-".count)) }
        let sizes = fields.map("big-data-sizes", of: Int64.self)
        let digests = fields.map("big-data-digests", of: String.self)
        bigData = try fields.texts("big-data-names")
            .sorted { ($0 == "manifest" ? "" : $0) < ($1 == "manifest" ? "" : $1) }
            .map { ImageStore.BigData(name: $0, size: sizes[$0], digest: digests[$0]) }
        names = try fields.texts("names")
        namesHistory = try fields.texts("names-history")
        layer = try fields.text("layer")
        mappedLayers = try fields.texts("mapped-layers")
        created = try fields.time("created")
    }
}

/// A record of `layers.json` or `volatile-layers.json` (containers/storage v1.43.0, layers.go, type Layer).
struct LayerRecord: StoreRecord {
    var id: String
    var parent: String
    var created: Timestamp
    /// The length of the layer's uncompressed tar stream; zero where the store does not know it, as for a
    /// container's layer.
    var diffSize: Int64
    /// The digest and the length of what the registry sent; empty and zero where it came otherwise.
    var compressedDigest: String
    /// The digest of the uncompressed tar stream.
    var diffDigest: String
    var compressedSize: Int64
    var incomplete: Bool

    /// Any job may write a record: no layer has more than 4 TiB, and sums of as many as there can be do not overflow.
    private static let largest: Int64 = 1 << 42

    init(fields: RecordFields) throws {
        id = try fields.id()
        parent = try fields.text("parent")
        created = try fields.time("created")
        diffSize = min(max(0, try fields.integer("diff-size")), Self.largest)
        compressedDigest = try fields.text("compressed-diff-digest")
        diffDigest = try fields.text("diff-digest")
        compressedSize = min(max(0, try fields.integer("compressed-size")), Self.largest)
        incomplete = try fields.flag("incomplete", in: "flags")
    }
}

/// A record of `containers.json` or `volatile-containers.json` (containers/storage v1.43.0, containers.go, type
/// Container).
struct ContainerRecord: StoreRecord {
    var id: String
    var image: String
    var layer: String
    var created: Timestamp
    /// From `metadata`, a text that holds JSON where Podman wrote it (v4.3.1, libpod/storage.go,
    /// RuntimeContainerMetadata) and is another tool's own business elsewhere.
    var imageName: String

    init(fields: RecordFields) throws {
        id = try fields.id()
        image = try fields.text("image")
        layer = try fields.text("layer")
        created = try fields.time("created")
        let metadata = try? JSONDecoder().decode(Metadata.self, from: Data(fields.text("metadata").utf8))
        imageName = metadata?.imageName ?? ""
    }

    private struct Metadata: Decodable {
        var imageName: String?

        enum CodingKeys: String, CodingKey { case imageName = "image-name" }
    }
}
