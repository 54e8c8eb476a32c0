import CacheModel
import Foundation

/// A name and a password for a registry.
///
/// It prints as nothing, so that no log can hold it.
package struct RegistryCredentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let user: String
    let password: String
    let identityToken: String

    /// The value of `X-Registry-Auth`: JSON in base64url (v4.3.1, pkg/auth/auth.go).
    var header: String {
        var members = ["username": user, "password": password]
        if !identityToken.isEmpty { members = ["identitytoken": identityToken] }
        let data = (try? JSONEncoder().encode(members)) ?? Data()
        return String(data.base64EncodedString().map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }

    /// Never what it holds.
    package var description: String { "(credentials)" }
    /// Never what it holds.
    package var debugDescription: String { description }
    /// Never what it holds.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The credentials in the `auths` of a Docker or Podman configuration, such as a Kubernetes secret of type
/// `kubernetes.io/dockerconfigjson` mounts.
///
/// Of several keys that a name begins with, component by component, the longest counts (containers-auth.json(5)).
/// A file that others may change is refused: they could send a password to a registry of theirs. One that
/// everyone may read is used with a warning. The group may read it: a pod's `fsGroup` needs that.
package struct AuthFile: Sendable {
    /// What should be changed, in a sentence; nil where all is well.
    package let warning: String?
    private let credentials: [String: RegistryCredentials]

    /// Reads a file.
    ///
    /// - Throws: `AuthFileError`.
    package init(contentsOf path: String) throws(AuthFileError) {
        func refused(_ reason: String, _ hint: String) -> AuthFileError {
            AuthFileError(path: path, reason: reason, hint: hint)
        }
        let file: MountedFile
        do { file = try MountedFile(path) } catch {
            throw refused(
                error.reason,
                error.isOpened
                    ? "name a Docker config.json with the key auths"
                    : "mount the secret there, readable for this user")
        }
        if file.mode & 0o022 != 0 {
            throw refused(
                "others than its owner may write it", "chmod 600 it, or set the secret's defaultMode")
        }
        warning =
            file.mode & 0o004 == 0
            ? nil : "the auth file \(path) can be read by every user: set the secret's defaultMode to 0440"
        struct Document: Decodable {
            struct Entry: Decodable {
                var auth: String?
                var username: String?
                var password: String?
                var identitytoken: String?
            }
            var auths: [String: Entry]?
        }
        // The decoder's own message may quote what it read.
        guard let document = try? JSONDecoder().decode(Document.self, from: file.data),
            let auths = document.auths
        else { throw refused("no JSON with the key auths", "name a Docker config.json with the key auths") }
        var credentials: [String: RegistryCredentials] = [:]
        for (key, entry) in auths {
            let plain = entry.auth.flatMap { Data(base64Encoded: $0) }.map {
                String(decoding: $0, as: UTF8.self)
            }
            let parts = plain?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            let user = parts?.first ?? entry.username ?? ""
            let password = parts.flatMap { $0.count == 2 ? $0[1] : nil } ?? entry.password ?? ""
            let token = entry.identitytoken ?? ""
            guard !token.isEmpty || !user.isEmpty else { continue }
            credentials[Self.normalised(key)] = RegistryCredentials(
                user: user, password: password.trimmingCharacters(in: ["\0"]), identityToken: token)
        }
        self.credentials = credentials
    }

    /// The credentials for an image; nil where the file has none, and for a short name.
    package func credentials(for reference: ImageReference) -> RegistryCredentials? {
        guard let registry = reference.registry else { return nil }
        var name = "\(registry)/\(reference.repository)"
        while true {
            if let found = credentials[name] { return found }
            guard let slash = name.lastIndex(of: "/") else { return nil }
            name = String(name[..<slash])
        }
    }

    /// Docker writes `https://index.docker.io/v1/` for docker.io, and had schemes elsewhere too.
    private static func normalised(_ key: String) -> String {
        var text = Substring(key)
        let hadScheme = text.contains("://")
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
            text = text.dropFirst(scheme.count)
        }
        while text.hasSuffix("/") { text = text.dropLast() }
        // With a scheme only the host counts: what follows is the API's version.
        if hadScheme { text = text.prefix { $0 != "/" } }
        if text == "index.docker.io/v1" { text = "docker.io" }
        return text == "index.docker.io" || text == "registry-1.docker.io" ? "docker.io" : String(text)
    }
}

/// Why an auth file cannot be used.
///
/// It quotes nothing of the file.
package struct AuthFileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file's path.
    package var path: String
    /// What is wrong.
    package var reason: String
    /// What to do.
    package var hint: String

    /// What is wrong with which file.
    package var description: String { "auth file \(escaped(path.utf8)): \(reason)" }
}
