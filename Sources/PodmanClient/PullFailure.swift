import CacheModel

/// Why Podman could not pull an image.
///
/// Podman tells it in words only, so the cause is read from those of containers/image (v5.23.1), of registries
/// (distribution v2.8.1, registry/api/errcode) and of Go (1.19, net and syscall).
package struct PullFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the words mean.
    package enum Cause: Sendable, Hashable {
        /// The registry has no such image, or none for the platform.
        case unknownManifest
        /// The registry wants other credentials, or any.
        case unauthorized
        /// Podman can do nothing with the name: a short one that its configuration does not resolve.
        case unresolvedName
        /// The store's volume is full.
        case noSpace
        /// The registry gives no more for now; the time after which it will, where it said so.
        case rateLimited(after: Span?)
        /// The registry, the network or another Podman on the store: it may pass.
        case transient
        /// A killed pull left a layer behind, which Podman deleted from the disk and not from its records.
        ///
        /// A service that has read the records keeps it in them; only one that begins to run removes it (seen with
        /// Podman 4.3.1). Where another Podman writes at the right moment, it passes by itself.
        case leftoverLayer
        /// Anything else.
        case other

        /// Whether another attempt may succeed.
        package var mayPass: Bool {
            switch self {
            case .rateLimited, .transient, .leftoverLayer: true
            case .unknownManifest, .unauthorized, .unresolvedName, .noSpace, .other: false
            }
        }

        /// What to do.
        var remedy: String {
            switch self {
            case .unknownManifest: "check the name and the tag, or take it off the list"
            case .unauthorized: "put credentials for the registry into the auth file (warm.auth_file)"
            case .unresolvedName: "write the name with its registry"
            case .noSpace: "free space with larder prune, or enlarge the volume"
            case .rateLimited: "warm less at once (warm.per_registry), or later"
            case .transient: "is the registry up? See its log, and try again"
            case .leftoverLayer:
                "a killed pull left this layer: restart the podman sidecar, which removes it as it starts"
            case .other: "see the log of the podman sidecar"
            }
        }
    }

    /// The image's name.
    package var reference: String
    /// Podman's words.
    package var message: String

    /// What they mean.
    package var cause: Cause {
        let text = message.lowercased()
        func says(_ phrases: [String]) -> Bool { phrases.contains { text.contains($0) } }
        if says(Self.full) { return .noSpace }
        if says(["toomanyrequests", "too many requests", " 429 "]) {
            return .rateLimited(after: retryAfter(in: text))
        }
        // A 5xx page may hold any words, so the status goes before them.
        if says(Self.serverErrors) { return .transient }
        if says([
            "unauthorized", "authentication required", "access to the resource is denied",
            "invalid username/password", "403 (forbidden)", "denied:",
        ]) {
            return .unauthorized
        }
        if says([
            "manifest unknown", "name unknown", "repository name not known", "404 (not found)",
            "no image found in manifest list",
        ]) {
            return .unknownManifest
        }
        if says(["invalid reference format", "short-name"]) { return .unresolvedName }
        if says(["/vfs/dir/", "/overlay/"]), says(["no such file or directory"]) { return .leftoverLayer }
        return says(Self.passing) ? .transient : .other
    }

    /// Makes a failure from Podman's words.
    package init(reference: String, message: String) {
        self.reference = reference
        self.message = message
    }

    /// Podman's words and what to do, in one line that is safe to print.
    package var description: String { "\(escaped(message.utf8)); \(cause.remedy)" }

    private static let full = ["no space left on device", "disk quota exceeded"]
    private static let serverErrors = [
        "500 internal server error", "500 (internal server error)", "502 bad gateway", "502 (bad gateway)",
        "503 service unavailable", "503 (service unavailable)", "504 gateway timeout",
        "504 (gateway timeout)",
        "received unexpected http status: 5", "status code 5",
    ]
    // The last four are the store's: another Podman holds its lock, or removed or left behind a layer.
    private static let passing = [
        "timeout", "timed out", "deadline exceeded", "connection refused", "connection reset", "broken pipe",
        "unexpected eof", ": eof", "digest did not match", "no such host",
        "temporary failure in name resolution", "no route to host",
        "network is unreachable", "server misbehaving", "resource temporarily unavailable", "layer not known",
        "file exists", "image not known",
    ]

    private func retryAfter(in text: String) -> Span? {
        guard let range = text.firstRange(of: "retry-after") ?? text.firstRange(of: "retry after") else {
            return nil
        }
        let digits = text[range.upperBound...].drop { !$0.isASCII || !$0.isNumber }.prefix { $0.isNumber }
        return Int64(digits).flatMap { (0...3600).contains($0) ? .seconds($0) : nil }
    }
}
