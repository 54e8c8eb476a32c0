import CacheModel
import Caches
import Digests
import Foundation

/// An image that stands on layers which no image needs, so that removing it removes them.
///
/// Podman before 5.2 has no command for a killed pull's finished layers, but it removes an image together with
/// all of its layers that nothing else needs, under its own locks. So one is made that needs them: an OCI archive
/// with a manifest, a configuration and none of the layers, since Podman reads no layer whose contents' digest
/// it has in the store (containers/image v5.23.1, storage/storage_dest.go, TryReusingBlob; seen with Podman 4.3.1).
struct AdoptionImage {
    /// Its name: no registry has it.
    let name: String
    /// The OCI archive, a tar.
    let archive: Data

    /// An image that stands on that layer, or on none for an empty ID: removing that one makes Podman write to
    /// the layers' records, and so drop those that a killed pull left incomplete.
    ///
    /// Nil where the layer's ID does not follow from its contents, as of layers that a build made here.
    init?(on layer: String, in store: ImageStore) {
        var layers: [(digest: String, bytes: ByteCount)] = []
        if !layer.isEmpty {
            guard let contents = store.contents(ofLayer: layer, chainID: Self.chainID) else { return nil }
            layers = contents
        }
        name = StoreActivity.adoptionPrefix + (layer.isEmpty ? "none" : String(layer.prefix(64)))
        let digests = layers.map { "\"\($0.digest)\"" }.joined(separator: ",")
        // The name is part of the configuration so that no two adoptions, and no job's image, have one ID.
        let configuration = Self.blob(
            """
            {"architecture":"amd64","os":"linux","author":"\(name)","config":{},\
            "rootfs":{"type":"layers","diff_ids":[\(digests)]}}
            """)
        let type = "application/vnd.oci.image"
        let parts = layers.map {
            #"{"mediaType":"\#(type).layer.v1.tar","digest":"\#($0.digest)","size":\#($0.bytes.bytes)}"#
        }
        let manifest = Self.blob(
            """
            {"schemaVersion":2,"mediaType":"\(type).manifest.v1+json","config":{"mediaType":\
            "\(type).config.v1+json","digest":"sha256:\(configuration.digest)",\
            "size":\(configuration.data.count)},"layers":[\(parts.joined(separator: ","))]}
            """)
        let index = Data(
            """
            {"schemaVersion":2,"manifests":[{"mediaType":"\(type).manifest.v1+json","digest":\
            "sha256:\(manifest.digest)","size":\(manifest.data.count),"annotations":\
            {"org.opencontainers.image.ref.name":"\(name)"}}]}
            """.utf8)
        archive =
            Self.member("oci-layout", Data(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
            + Self.member("index.json", index)
            + Self.member("blobs/sha256/\(configuration.digest)", configuration.data)
            + Self.member("blobs/sha256/\(manifest.digest)", manifest.data) + Data(count: 1024)
    }

    /// The ID of a layer on another one.
    private static func chainID(below: String, digest: String) -> String {
        DigestFunction.sha256.hex(of: "\(below)+\(digest)".utf8)
    }

    private static func blob(_ text: String) -> (digest: String, data: Data) {
        let data = Data(text.utf8)
        return (DigestFunction.sha256.hex(of: data), data)
    }

    /// A file in a tar (POSIX.1-2017, pax, "ustar Interchange Format").
    private static func member(_ name: String, _ content: Data) -> Data {
        func field(_ text: String, _ length: Int) -> [UInt8] {
            Array(text.utf8.prefix(length)) + [UInt8](repeating: 0, count: max(0, length - text.utf8.count))
        }
        func octal(_ number: Int, _ length: Int) -> [UInt8] {
            let digits = String(number, radix: 8)
            return field(String(repeating: "0", count: max(0, length - 1 - digits.count)) + digits, length)
        }
        var header = field(name, 100) + octal(0o644, 8) + octal(0, 8) + octal(0, 8)
        header += octal(content.count, 12) + octal(0, 12) + field("        ", 8) + [UInt8(ascii: "0")]
        header += field("", 100) + field("ustar", 6) + field("00", 2) + field("", 247)
        let sum = header.reduce(0) { $0 + Int($1) }
        header.replaceSubrange(148..<156, with: octal(sum, 7) + [32])
        return Data(header) + content + Data(count: (512 - content.count % 512) % 512)
    }
}
