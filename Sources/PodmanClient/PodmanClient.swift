import CacheModel
import Foundation
import NIOHTTP1

/// Podman's own REST API (libpod) over a Unix socket.
///
/// The paths begin with `/v4.0.0/libpod`, which Podman 4.0 and all later versions answer (v5.8.2,
/// version/version.go). Nothing is retried, and nothing is ever forced.
package struct PodmanClient: Sendable {
    /// The socket's address, `unix:///path`.
    package let socket: String
    /// How long one request may take, its whole answer included.
    package let deadline: Span

    /// `sockaddr_un` has room for 108 bytes, one of which is the end mark.
    static let longestPath = 107

    let connection: PodmanConnection

    /// Makes a client of the Podman that listens at that socket; nothing is connected yet.
    ///
    /// The deadline should be longer than the largest layer takes to extract: a pull keeps the store locked
    /// meanwhile, and every request waits.
    ///
    /// - Throws: `PodmanError.invalidSocket` unless the address is `unix://` and an absolute path.
    package init(socket: String, deadline: Span = .minutes(2)) throws {
        let path = String(socket.dropFirst("unix://".count))
        guard socket.hasPrefix("unix://"), path.hasPrefix("/"), !path.utf8.contains(0), path.utf8.count > 1,
            path.utf8.count <= Self.longestPath
        else { throw PodmanError.invalidSocket(socket) }
        self.socket = socket
        self.deadline = deadline
        connection = PodmanConnection(path: path, deadline: deadline)
    }

    /// Asks who is there.
    ///
    /// Podman answers without looking at its store, so also while a pull keeps that locked.
    package func ping() async throws -> PodmanVersion {
        let answer = try await connection.send(.GET, "_ping")
        try check(answer, "GET _ping")
        guard let version = answer.headers.first(name: "Libpod-API-Version"), !version.isEmpty else {
            throw unreadable("GET _ping", "the header Libpod-API-Version is missing")
        }
        return PodmanVersion(version: version, server: answer.headers.first(name: "Server") ?? "")
    }

    /// All images, those without a name and those below others included.
    ///
    /// Podman 4.3 answers 500 as long as one image of the store is damaged.
    package func images() async throws -> [PodmanImage] {
        try await list(PodmanImage.self, "images/json?all=true")
    }

    /// All containers in whatever state, those of other tools and other Podmans on the same store included.
    package func containers() async throws -> [PodmanContainer] {
        try await list(PodmanContainer.self, "containers/json?all=true&external=true")
    }

    /// Whether an image has that name or ID.
    package func imageExists(_ reference: String) async throws -> Bool {
        let target = "images/\(encoded(reference))/exists"
        let answer = try await connection.send(.GET, target)
        if answer.status == 404 { return false }
        try check(answer, "GET \(target)")
        return true
    }

    /// Removes a name from its image, and the image with its last name, unless a container uses it.
    ///
    /// No other image goes with it: only the request for several images can be told to leave an image's nameless
    /// parents alone (v4.3.1, pkg/api/handlers/libpod/images.go, ImagesBatchRemove). That one answers 200 whatever
    /// happened, and puts what did into a code.
    ///
    /// - Parameters:
    ///   - name: a full reference. An ID removes an image that has no name; where it has several, Podman answers
    ///     with an error.
    ///   - isList: whether the name is a manifest list's, which otherwise stands for the image in it that runs here.
    package func removeImage(_ name: String, isList: Bool = false) async throws -> RemovalResult {
        let target =
            "images/remove?images=\(encoded(name))&noprune=true" + (isList ? "&lookupManifest=true" : "")
        let answer = try await connection.send(.DELETE, target)
        switch answer.status {
        case 404: return .notFound
        case 409: return .refused(reason(of: answer))
        default: try check(answer, "DELETE \(target)")
        }
        let removal = try decoded(Removal.self, answer, "DELETE \(target)")
        let errors = (removal.errors ?? []).joined(separator: "; ")
        switch removal.exitCode ?? 0 {
        case 0: return removal.deleted?.isEmpty ?? true ? .untagged : .removed
        case 1: return .notFound
        case 2: return .refused(errors)
        default:
            throw PodmanError.status(
                path: connection.path, request: "DELETE \(target)", code: 500, message: errors)
        }
    }

    private struct Removal: Decodable {
        var deleted: [String]?
        var exitCode: Int?
        var errors: [String]?

        enum CodingKeys: String, CodingKey {
            case deleted = "Deleted"
            case exitCode = "ExitCode"
            case errors = "Errors"
        }
    }

    /// The names or IDs of the images that containers of this Podman mount, started or not.
    ///
    /// The store's records do not tell (v4.3.1, libpod/container_inspect.go, GetInspectMounts).
    package func mountedImages() async throws -> Set<String> {
        struct Inspection: Decodable {
            struct Mount: Decodable {
                var type: String?
                var source: String?

                enum CodingKeys: String, CodingKey {
                    case type = "Type"
                    case source = "Source"
                }
            }
            var mounts: [Mount]?

            enum CodingKeys: String, CodingKey { case mounts = "Mounts" }
        }
        var images: Set<String> = []
        for container in try await list(PodmanContainer.self, "containers/json?all=true") {
            let target = "containers/\(encoded(container.id))/json"
            let answer = try await connection.send(.GET, target)
            // It may have gone meanwhile.
            if answer.status == 404 { continue }
            try check(answer, "GET \(target)")
            let inspection = try decoded(Inspection.self, answer, "GET \(target)")
            images.formUnion((inspection.mounts ?? []).filter { $0.type == "image" }.compactMap(\.source))
        }
        return images
    }

    private func list<Record: Decodable>(_ type: Record.Type, _ target: String) async throws -> [Record] {
        let answer = try await connection.send(.GET, target)
        try check(answer, "GET \(target)")
        // Go writes an empty list that was never made as null.
        return try decoded([Record]?.self, answer, "GET \(target)") ?? []
    }

    func decoded<Value: Decodable>(
        _ type: Value.Type, _ answer: PodmanConnection.Answer, _ request: String
    ) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: answer.body)
        } catch DecodingError.keyNotFound(let key, _) {
            throw unreadable(request, "\(key.stringValue) is missing")
        } catch DecodingError.typeMismatch(_, let context) {
            let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
            throw unreadable(request, "\(path.joined(separator: ".")): \(context.debugDescription)")
        } catch {
            throw unreadable(request, "no valid JSON, \(answer.body.count) bytes long")
        }
    }

    func check(_ answer: PodmanConnection.Answer, _ request: String) throws {
        guard !(200...299).contains(answer.status) else { return }
        throw PodmanError.status(
            path: connection.path, request: request, code: answer.status, message: reason(of: answer))
    }

    private func unreadable(_ request: String, _ reason: String) -> PodmanError {
        .unreadableAnswer(path: connection.path, request: request, reason: reason)
    }
}
