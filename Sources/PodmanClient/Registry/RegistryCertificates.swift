import AsyncHTTPClient
import Foundation
import NIOSSL
import Synchronization

/// The certificate authorities that Podman trusts for single registries: `certs.d/HOST:PORT/*.crt`
/// (containers-certs.d(5)).
///
/// Of several directories the first that has one for the registry counts (containers/image v5.23.1,
/// docker/docker_client.go, dockerCertDir). They are trusted beside the system's own. Client certificates
/// (`*.cert` with `*.key`) are not used: Larder only asks what a name stands for.
public struct RegistryCertificates: Sendable {
    private let folders: [String]

    private static let sizeLimit = 1 << 20

    /// Looks in directories of that kind, in that order.
    public init(folders: [String]) { self.folders = folders }

    /// Where Podman looks: below the home directory, then below `/etc`.
    public static func podmans(home: String? = ProcessInfo.processInfo.environment["HOME"]) -> Self {
        let own = home.map { ["\($0)/.config/containers/certs.d"] } ?? []
        return Self(folders: own + ["/etc/containers/certs.d", "/etc/docker/certs.d"])
    }

    /// The PEM files for a registry, HOST or HOST:PORT, in the order of their names; empty where there are none.
    ///
    /// - Throws: `RegistryFailure` for a file that cannot be used.
    func authorities(for host: String) throws(RegistryFailure) -> [String] {
        guard !host.contains("/"), host != "..", host != "." else { return [] }
        for folder in folders.map({ "\($0)/\(host)" }) {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory),
                isDirectory.boolValue
            else { continue }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            var found: [String] = []
            for name in names.sorted() where name.hasSuffix(".crt") {
                found.append(try Self.text(of: "\(folder)/\(name)", for: host))
            }
            return found
        }
        return []
    }

    private static func text(of path: String, for host: String) throws(RegistryFailure) -> String {
        // Without O_NONBLOCK, opening a FIFO would wait for its writer. Links are followed: a mounted file is one.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw failure(path, String(cString: strerror(errno)).lowercased(), host)
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= sizeLimit, let data = try? file.readToEnd() ?? Data()
        else { throw failure(path, "no regular file of at most 1 MiB", host) }
        return String(decoding: data, as: UTF8.self)
    }

    private static func failure(_ path: String, _ reason: String, _ host: String) -> RegistryFailure {
        RegistryFailure(cause: .certificate, subject: host, reason: "\(path): \(reason)")
    }
}

/// The HTTP clients towards registries, one for each set of trusted authorities.
///
/// Kept for the life of the process; no redirect is followed, so credentials go to no other host.
enum RegistryConnections {
    private static let trusting = client(HTTPClient.Configuration(certificateVerification: .none))
    private static let strict = client(HTTPClient.Configuration(certificateVerification: .fullVerification))
    private static let own = Mutex<[[String]: HTTPClient]>([:])

    /// The client for a registry that these authorities vouch for beside the system's.
    static func client(
        insecure: Bool, authorities: [String], host: String
    ) throws(RegistryFailure) -> HTTPClient {
        if insecure { return trusting }
        if authorities.isEmpty { return strict }
        return try own.withLock { clients throws(RegistryFailure) in
            if let known = clients[authorities] { return known }
            var roots: [NIOSSLCertificate] = []
            for text in authorities {
                do { roots += try NIOSSLCertificate.fromPEMBytes(Array(text.utf8)) } catch {
                    throw RegistryFailure(
                        cause: .certificate, subject: host,
                        reason: "a file in its certs.d holds no certificate")
                }
            }
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.additionalTrustRoots = [.certificates(roots)]
            let made = client(HTTPClient.Configuration(tlsConfiguration: configuration))
            clients[authorities] = made
            return made
        }
    }

    private static func client(_ given: HTTPClient.Configuration) -> HTTPClient {
        var configuration = given
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }
}
