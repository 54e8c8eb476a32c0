import CacheModel
import Foundation

/// Which Podman answers at a socket.
package struct PodmanVersion: Sendable, Hashable {
    /// Podman's version, which is also that of its API: `4.3.1`.
    package var version: String
    /// The server's own name for itself: `Libpod/4.3.1 (linux)`.
    package var server: String

    /// Makes a version from its two texts.
    package init(version: String, server: String) {
        self.version = version
        self.server = server
    }
}

/// An image as Podman lists it (v4.3.1, pkg/domain/entities/images.go, ImageSummary).
package struct PodmanImage: Sendable, Hashable, Decodable {
    /// The image ID: 64 hexadecimal digits.
    package var id: String
    /// Its references; empty for an image without a name.
    package var names: [String]
    /// The digest of its manifest, `sha256:…`.
    package var digest: String
    /// The sum of its layers' differences, without parents' copies.
    package var size: ByteCount
    /// How many of this Podman's own containers use it; others on the same store are not counted.
    package var containers: Int

    /// Reads Podman's JSON; absent keys and nulls give empty values.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(String.self, forKey: .id)
        names = try fields.decodeIfPresent([String].self, forKey: .names) ?? []
        digest = try fields.decodeIfPresent(String.self, forKey: .digest) ?? ""
        size = try fields.decodeIfPresent(ByteCount.self, forKey: .size) ?? .zero
        containers = try fields.decodeIfPresent(Int.self, forKey: .containers) ?? 0
    }

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case names = "Names"
        case digest = "Digest"
        case size = "Size"
        case containers = "Containers"
    }
}

/// A container as Podman lists it (v4.3.1, pkg/domain/entities/container_ps.go, ListContainer).
///
/// That it exists means that its image is in use. Its state is not kept: on a store that several Podmans share,
/// each tells the state of its own containers only, and calls the others' `storage`.
package struct PodmanContainer: Sendable, Hashable, Decodable {
    /// The container ID: 64 hexadecimal digits.
    package var id: String
    /// The image's ID; empty where it was made from none.
    package var imageID: String
    /// The reference it was made by.
    package var image: String
    /// Its names.
    package var names: [String]

    /// Reads Podman's JSON; absent keys and nulls give empty values.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(String.self, forKey: .id)
        imageID = try fields.decodeIfPresent(String.self, forKey: .imageID) ?? ""
        image = try fields.decodeIfPresent(String.self, forKey: .image) ?? ""
        names = try fields.decodeIfPresent([String].self, forKey: .names) ?? []
    }

    private enum CodingKeys: String, CodingKey {
        case id = "Id"
        case imageID = "ImageID"
        case image = "Image"
        case names = "Names"
    }
}

/// What became of an image, or of one of its names, that was to be removed.
package enum RemovalResult: Sendable, Hashable {
    /// The image is gone, and its layers as far as nothing else needs them.
    case removed
    /// The name is gone; the image has others and stays.
    case untagged
    /// There was no such image.
    case notFound
    /// A container uses it: Podman's own words.
    case refused(String)
}

/// Podman's own words in an answer that is an error (v4.3.1, pkg/errorhandling, ErrorModel).
func reason(of answer: PodmanConnection.Answer) -> String {
    struct ErrorModel: Decodable {
        var cause: String?
        var message: String?
    }
    let error = try? JSONDecoder().decode(ErrorModel.self, from: answer.body)
    guard let error, let message = error.message else {
        let text = String(decoding: answer.body.prefix(200), as: UTF8.self)
        return text.isEmpty ? "no message" : text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
    guard let cause = error.cause, !cause.isEmpty, !message.contains(cause) else { return message }
    return "\(message): \(cause)"
}
