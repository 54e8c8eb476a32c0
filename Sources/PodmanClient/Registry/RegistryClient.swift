import AsyncHTTPClient
import CacheModel
import Foundation
import NIOCore
import NIOHTTP1

/// Asks registries themselves what a name stands for, without pulling (OCI distribution specification v1.1).
///
/// Podman cannot be asked instead: its `manifests/NAME/json` fetches only lists from a registry, gives no digest,
/// and answers 404 for an ordinary image (seen with 4.3.1).
package struct RegistryClient: Sendable {
    let registries: RegistriesFile
    let auth: AuthFile?
    let certificates: RegistryCertificates
    let deadline: Span

    /// Makes a client; nothing is connected yet.
    ///
    /// - Parameters:
    ///   - registries: Which speak no TLS, and which have mirrors.
    ///   - auth: The registries' credentials.
    ///   - certificates: Who vouches for registries beside the authorities that the system trusts, and who Larder is
    ///     to them.
    ///   - deadline: How long one question may take, with all its requests.
    package init(
        registries: RegistriesFile, auth: AuthFile? = nil, certificates: RegistryCertificates = .podmans(),
        deadline: Span = .seconds(30)
    ) {
        self.registries = registries
        self.auth = auth
        self.certificates = certificates
        self.deadline = deadline
    }

    /// The digest that a name stands for now: of a list where it stands for one.
    ///
    /// A HEAD request, which registries that count pulls do not count.
    ///
    /// - Throws: `RegistryFailure`, `CancellationError`.
    package func digest(of reference: ImageReference) async throws -> String {
        try await asking(reference) { place in
            let target = manifestTarget(reference)
            let answer = try await send(.HEAD, target, to: place, for: reference)
            if let digest = answer.headers.first(name: "Docker-Content-Digest"), isDigest(digest) {
                return digest
            }
            return try await manifest(target, at: place, for: reference).digest
        }
    }

    /// What a name stands for now.
    ///
    /// - Throws: `RegistryFailure`, `CancellationError`.
    package func manifest(of reference: ImageReference) async throws -> RegistryManifest {
        try await asking(reference) { place in
            try await manifest(manifestTarget(reference), at: place, for: reference)
        }
    }

    /// The image that Podman would pull for a platform; where the name stands for a list, the one on it.
    ///
    /// - Parameter platform: nil for that of this machine.
    /// - Throws: `RegistryFailure`, `CancellationError`.
    package func image(
        of reference: ImageReference, platform: ImagePlatform? = nil
    ) async throws -> RegistryManifest {
        try await asking(reference) { place in
            let first = try await manifest(manifestTarget(reference), at: place, for: reference)
            guard first.image == nil else { return first }
            guard let wanted = platform ?? .ofThisMachine, let digest = first.instance(for: wanted) else {
                throw RegistryFailure(
                    cause: .unknownManifest, subject: place.host,
                    reason: "no image for \(platform?.description ?? "this platform") is on the list")
            }
            return try await manifest("manifests/\(digest)", at: place, for: reference)
        }
    }

    private func manifestTarget(_ reference: ImageReference) -> String {
        "manifests/\(reference.digest ?? reference.tag ?? "latest")"
    }

    private func manifest(
        _ target: String, at place: RegistriesFile.Place, for reference: ImageReference
    ) async throws -> RegistryManifest {
        let answer = try await send(.GET, target, to: place, for: reference)
        guard let manifest = RegistryManifest(answer.body) else {
            throw RegistryFailure(
                cause: .unreadable, subject: place.host,
                reason: "the answer of \(answer.body.count) bytes is no manifest")
        }
        let wanted = target.dropFirst("manifests/".count)
        if isDigest(String(wanted)), wanted != manifest.digest {
            throw RegistryFailure(
                cause: .unreadable, subject: place.host,
                reason: "the manifest is another than the digest says")
        }
        return manifest
    }

    /// Asks one place after the other, the mirrors first; the last one's failure counts.
    private func asking<Result: Sendable>(
        _ reference: ImageReference,
        _ question: @escaping @Sendable (RegistriesFile.Place) async throws -> Result
    ) async throws -> Result {
        var failure = RegistryFailure(
            cause: .noRegistry, subject: reference.name,
            reason: reference.isShort
                ? "a short name stands for any registry" : "the registries file blocks its registry")
        for place in registries.places(of: reference) {
            do {
                return try await within(deadline) { try await question(place) }
            } catch let error as RegistryFailure {
                failure = error
            } catch let error as CancellationError {
                throw error
            } catch {
                // A task that is cancelled ends whatever it waits for with an error of its own.
                try Task.checkCancellation()
                failure =
                    refusal(of: error, place.host)
                    ?? RegistryFailure(cause: .unreachable, subject: place.host, reason: words(error))
            }
        }
        throw failure
    }

    /// What it says to a client certificate, or to none; nil for any other error.
    ///
    /// The alerts of RFC 8446, section 6.2, as BoringSSL names those that it received. Before TLS 1.3 a server that
    /// misses a certificate has no alert of its own for it.
    private func refusal(of error: any Error, _ host: String) -> RegistryFailure? {
        guard "\(type(of: error))".contains("SSL") else { return nil }
        let text = "\(error)"
        let reason: String
        if text.contains("ALERT_CERTIFICATE_REQUIRED") {
            reason = "it wants a client certificate"
        } else if text.contains("ALERT_HANDSHAKE_FAILURE") {
            reason = "it ended the TLS handshake, as one that wants a client certificate does"
        } else if ["BAD", "REVOKED", "EXPIRED", "UNKNOWN"].contains(where: {
            text.contains("ALERT_CERTIFICATE_\($0)") || text.contains("ALERT_\($0)_C")
        }) {
            reason = "it refuses the client certificate"
        } else {
            return nil
        }
        return RegistryFailure(cause: .clientCertificate, subject: host, reason: reason)
    }

    private func words(_ error: any Error) -> String {
        switch error {
        case is DeadlinePassed: "no complete answer within \(deadline)"
        case let error as HTTPClientError: error.shortDescription
        case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
        case is NIOTooManyBytesError: "the answer is larger than any manifest"
        default: named("\(type(of: error))")
        }
    }
}

/// What the errors of NIO's other modules mean, by their names.
private func named(_ type: String) -> String {
    if type == "NIOConnectionError" { return "nobody answers there" }
    return type.contains("SSL") ? "it speaks no TLS, or its certificate is not trusted" : "no HTTP (\(type))"
}

/// Whether it is one as registries give them.
func isDigest(_ text: String) -> Bool {
    text.hasPrefix("sha256:") && text.utf8.count == 71
        && text.utf8.dropFirst(7).allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
}
