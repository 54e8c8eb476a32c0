import CacheModel
import Foundation

/// Whom Larder trusts for single registries, and who it is to them, in Podman's files: `certs.d/HOST:PORT` with
/// the authorities in `*.crt`, and a client certificate `NAME.cert` with its key `NAME.key`
/// (containers-certs.d(5)).
///
/// Of several directories the first that has one for the registry counts, for all three kinds of files
/// (containers/image v5.23.1, docker/docker_client.go, dockerCertDir). Authorities are trusted beside the system's
/// own. Of several client certificates the first by name is shown, where Podman would choose the first whose
/// authority the registry names; a certificate without a key and a key without a certificate are errors
/// (pkg/tlsclientconfig/tlsclientconfig.go, SetupCertificates).
///
/// A key that others may change is refused, as an auth file is; one that everyone may read is used with a warning.
package struct RegistryCertificates: Sendable {
    private let folders: [String]

    /// Looks in directories of that kind, in that order.
    package init(folders: [String]) { self.folders = folders }

    /// Where Podman looks: below the home directory, then below `/etc`.
    package static func podmans(home: String? = ProcessInfo.processInfo.environment["HOME"]) -> Self {
        let own = home.map { ["\($0)/.config/containers/certs.d"] } ?? []
        return Self(folders: own + ["/etc/containers/certs.d", "/etc/docker/certs.d"])
    }

    /// What should be changed about keys, a sentence each, whatever registry they are for.
    package var warnings: [String] {
        var hosts: Set<String> = []
        var warnings: [String] = []
        for folder in folders {
            for host in Self.names(in: folder) where hosts.insert(host).inserted {
                for name in Self.names(in: "\(folder)/\(host)") where name.hasSuffix(".key") {
                    let path = "\(folder)/\(host)/\(name)"
                    var status = stat()
                    guard stat(path, &status) == 0, status.st_mode & 0o004 != 0 else { continue }
                    warnings.append(
                        "the key \(escaped(path.utf8)) can be read by every user: chmod 600 it, or set the "
                            + "secret's defaultMode to 0440")
                }
            }
        }
        return warnings
    }

    /// The files for a registry, HOST or HOST:PORT; empty where there are none.
    ///
    /// - Throws: `RegistryFailure` for a file that cannot be used.
    func trust(for host: String) throws(RegistryFailure) -> RegistryTrust {
        guard !host.contains("/"), host != "..", host != ".", let folder = folder(for: host) else {
            return RegistryTrust()
        }
        let names = Self.names(in: folder)
        var trust = RegistryTrust()
        for name in names where name.hasSuffix(".crt") {
            trust.authorities.append(try Self.text(of: "\(folder)/\(name)", for: host, .certificate))
        }
        for name in names where name.hasSuffix(".key") {
            let other = name.dropLast(4) + ".cert"
            guard names.contains(String(other)) else {
                throw Self.failure("\(folder)/\(name)", "its certificate \(other) is missing", host)
            }
        }
        for name in names where name.hasSuffix(".cert") {
            let key = name.dropLast(5) + ".key"
            guard names.contains(String(key)) else {
                throw Self.failure(
                    "\(folder)/\(name)", "its key \(key) is missing (an authority's file ends in .crt)", host)
            }
            guard trust.identity == nil else { continue }
            trust.identity = RegistryIdentity(
                certificate: try Self.text(of: "\(folder)/\(name)", for: host, .clientCertificate),
                key: try Self.text(of: "\(folder)/\(key)", for: host, .clientCertificate, isKey: true),
                path: "\(folder)/\(name)")
        }
        return trust
    }

    private func folder(for host: String) -> String? {
        folders.lazy.map { "\($0)/\(host)" }.first { folder in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory)
                && isDirectory.boolValue
        }
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private static func text(
        of path: String, for host: String, _ cause: RegistryFailure.Cause, isKey: Bool = false
    ) throws(RegistryFailure) -> String {
        let file: MountedFile
        do { file = try MountedFile(path) } catch { throw failure(path, error.reason, host, cause) }
        if isKey, file.mode & 0o022 != 0 {
            throw failure(path, "others than its owner may write it: chmod 600 it", host, cause)
        }
        return String(decoding: file.data, as: UTF8.self)
    }

    private static func failure(
        _ path: String, _ reason: String, _ host: String, _ cause: RegistryFailure.Cause = .clientCertificate
    ) -> RegistryFailure {
        RegistryFailure(cause: cause, subject: host, reason: "\(path): \(reason)")
    }
}

/// What is known of one registry's TLS beforehand.
struct RegistryTrust: Sendable, Hashable {
    /// PEM texts of authorities, in the order of their files' names.
    var authorities: [String] = []
    /// Who Larder is to the registry; nil where it is nobody.
    var identity: RegistryIdentity?
}

/// A client certificate with its key.
///
/// It prints as nothing, so that no log can hold it.
struct RegistryIdentity: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// PEM, with those that lead to its authority behind it.
    var certificate: String
    /// PEM.
    var key: String
    /// The certificate's file.
    var path: String

    var description: String { "(client certificate)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}
