import AsyncHTTPClient
import CacheModel
import Foundation
import NIOCore
import NIOHTTP1

/// When a pull asks the registry (v4.3.1, vendor/github.com/containers/common/pkg/config/pull_policy.go).
package enum PullPolicy: String, Sendable, Hashable, CaseIterable {
    /// Always; layers that are there are not fetched again.
    case always
    /// Only where the image is not in the store.
    case missing
    /// Always, and the image is fetched where the registry's differs; a registry that is down is no error then.
    case newer
}

/// The platform of an image, written as in `--platform`: `linux/arm64/v8`.
package struct ImagePlatform: Sendable, Hashable, CustomStringConvertible {
    /// `linux`.
    package let system: String
    /// `amd64`.
    package let architecture: String
    /// `v8`; nil where none is named.
    package let variant: String?

    /// Reads `system/architecture` with an optional `/variant`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy {
                    (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45
                }
        }
        guard isPlain, (2...3).contains(parts.count) else { return nil }
        (system, architecture) = (parts[0], parts[1])
        variant = parts.count == 3 ? parts[2] : nil
    }

    /// As it is written.
    package var description: String {
        [system, architecture, variant].compactMap { $0 }.joined(separator: "/")
    }
}

/// How far a pull is, as Podman's lines tell.
///
/// It names a layer when it begins with it, and never says it is done.
package enum PullProgress: Sendable, Hashable {
    /// The layer with that digest is being fetched, or found to be there.
    case layer(String)
    /// All layers are there; the image's record is written.
    case storing
}

extension PodmanClient {
    /// Pulls an image and waits for its end.
    ///
    /// Podman answers 200 before it begins, so what went wrong stands in the last line of the answer. Cancelling
    /// the task closes the connection, on which Podman gives the pull up.
    ///
    /// That it succeeded does not mean that the image is still there: another Podman may have removed it.
    ///
    /// - Parameters:
    ///   - deadline: how long it may take as a whole.
    ///   - progress: is called for each line that tells something.
    /// - Returns: the image's ID.
    /// - Throws: `PullFailure` where the pull failed, `PodmanError` where the socket did.
    package func pull(
        _ reference: ImageReference, policy: PullPolicy, platform: ImagePlatform? = nil,
        credentials: RegistryCredentials? = nil, deadline: Span,
        progress: @escaping @Sendable (PullProgress) -> Void = { _ in }
    ) async throws -> String {
        var target = "images/pull?policy=\(policy.rawValue)&reference=\(encoded(reference.name))"
        if let platform {
            target += "&OS=\(encoded(platform.system))&Arch=\(encoded(platform.architecture))"
            if let variant = platform.variant { target += "&Variant=\(encoded(variant))" }
        }
        let headers = credentials.map { [("X-Registry-Auth", $0.header)] } ?? []
        let last = Box<PullLine?>(nil)
        let connection = PodmanConnection(path: connection.path, deadline: deadline)
        try await connection.lines(.POST, target, headers: headers) { bytes in
            guard let line = try? JSONDecoder().decode(PullLine.self, from: Data(bytes)) else { return }
            last.value = line
            if let step = line.progress { progress(step) }
        }
        if let error = last.value?.error { throw PullFailure(reference: reference.name, message: error) }
        guard let id = last.value?.id, !id.isEmpty else { throw connection.brokenOff("POST images/pull") }
        return id
    }

    /// The ID and the manifest's digest of an image in the store; nil where it has none of that name.
    package func image(named reference: String) async throws -> (id: String, digest: String)? {
        struct Inspection: Decodable {
            var id: String
            var digest: String?

            enum CodingKeys: String, CodingKey {
                case id = "Id"
                case digest = "Digest"
            }
        }
        let target = "images/\(encoded(reference))/json"
        let answer = try await connection.send(.GET, target)
        if answer.status == 404 { return nil }
        try check(answer, "GET \(target)")
        let image = try decoded(Inspection.self, answer, "GET \(target)")
        return (image.id, image.digest ?? "")
    }
}

/// A line of the answer to a pull (v4.3.1, pkg/domain/entities/images.go, ImagePullReport).
private struct PullLine: Decodable {
    var stream: String?
    var error: String?
    var id: String?

    // The texts of containers/image (v5.23.1, copy/copy.go).
    var progress: PullProgress? {
        guard let stream else { return nil }
        let words = stream.split(whereSeparator: \.isWhitespace)
        if stream.hasPrefix("Copying blob"), words.count > 2 { return .layer(String(words[2])) }
        return stream.hasPrefix("Writing manifest") ? .storing : nil
    }
}

/// The last line, written by the one task that reads.
private final class Box<Value: Sendable>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}

extension PodmanConnection {
    /// No line of Podman comes near: they name a blob each.
    static let lineLimit = 1 << 20

    /// Sends a request without a body and hands out the lines of its answer as they come.
    ///
    /// - Throws: `PodmanError`, for a status other than 2xx too.
    func lines(
        _ method: HTTPMethod, _ target: String, headers: [(String, String)],
        _ body: @escaping @Sendable ([UInt8]) -> Void
    ) async throws {
        // Headers may hold credentials: nothing here may put them into an error.
        let name = "\(method.rawValue) \(target)"
        do {
            try await within(deadline) {
                var request = request(method, target)
                for (key, value) in headers { request.headers.add(name: key, value: value) }
                let response = try await Self.client.execute(request, deadline: .distantFuture)
                guard (200...299).contains(response.status.code) else {
                    let text = try await response.body.collect(upTo: Self.lineLimit)
                    let answer = Answer(
                        status: Int(response.status.code), headers: response.headers,
                        body: Data(text.readableBytesView))
                    throw PodmanError.status(
                        path: path, request: name, code: answer.status, message: reason(of: answer))
                }
                var line: [UInt8] = []
                for try await part in response.body {
                    for byte in part.readableBytesView {
                        if byte != 10 { line.append(byte) } else if !line.isEmpty { body(line) }
                        if byte == 10 { line = [] }
                        if line.count > Self.lineLimit {
                            throw NIOTooManyBytesError(maxBytes: Self.lineLimit)
                        }
                    }
                }
                // A cancelled body ends early without an error.
                try Task.checkCancellation()
                if !line.isEmpty { body(line) }
            }
        } catch let error as PodmanError {
            throw error
        } catch {
            throw explained(error, request: name)
        }
    }
}
