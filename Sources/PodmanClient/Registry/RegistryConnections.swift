import AsyncHTTPClient
import NIOSSL
import Synchronization

/// The HTTP clients towards registries, one for each set of authorities and each client certificate.
///
/// Kept for the life of the process; no redirect is followed, so credentials go to no other host.
enum RegistryConnections {
    private struct Key: Hashable {
        var insecure: Bool
        var trust: RegistryTrust
    }

    private static let trusting = client(HTTPClient.Configuration(certificateVerification: .none))
    private static let strict = client(HTTPClient.Configuration(certificateVerification: .fullVerification))
    private static let own = Mutex<[Key: HTTPClient]>([:])

    /// The client for a registry with these files.
    ///
    /// - Parameter insecure: whether nobody has to vouch for it; the client certificate is shown all the same.
    /// - Throws: `RegistryFailure` where the files hold no certificates, or no key that fits.
    static func client(
        insecure: Bool, trust: RegistryTrust, host: String
    ) throws(RegistryFailure) -> HTTPClient {
        if insecure, trust.identity == nil { return trusting }
        if trust == RegistryTrust() { return strict }
        return try own.withLock { clients throws(RegistryFailure) in
            let key = Key(insecure: insecure, trust: trust)
            if let known = clients[key] { return known }
            var configuration = TLSConfiguration.makeClientConfiguration()
            if insecure {
                configuration.certificateVerification = .none
            } else {
                configuration.additionalTrustRoots = [.certificates(try roots(trust.authorities, host))]
            }
            if let identity = trust.identity { try add(identity, to: &configuration, host) }
            let made = client(HTTPClient.Configuration(tlsConfiguration: configuration))
            clients[key] = made
            return made
        }
    }

    private static func roots(
        _ texts: [String], _ host: String
    ) throws(RegistryFailure) -> [NIOSSLCertificate] {
        do {
            return try texts.flatMap { try NIOSSLCertificate.fromPEMBytes(Array($0.utf8)) }
        } catch {
            throw RegistryFailure(
                cause: .certificate, subject: host, reason: "a file in its certs.d holds no certificate")
        }
    }

    private static func add(
        _ identity: RegistryIdentity, to configuration: inout TLSConfiguration, _ host: String
    ) throws(RegistryFailure) {
        func refused(_ reason: String) -> RegistryFailure {
            RegistryFailure(
                cause: .clientCertificate, subject: host, reason: "\(identity.path): \(reason)")
        }
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMBytes(Array(identity.certificate.utf8)) } catch {
            throw refused("it holds no certificate")
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(bytes: Array(identity.key.utf8), format: .pem) } catch {
            throw refused("its key file holds no key without a password")
        }
        configuration.certificateChain = chain.map { .certificate($0) }
        configuration.privateKey = .privateKey(key)
        // The first connection would do it otherwise, and its error names neither file.
        do { _ = try NIOSSLContext(configuration: configuration) } catch {
            throw refused("its key file is another certificate's")
        }
    }

    private static func client(_ given: HTTPClient.Configuration) -> HTTPClient {
        var configuration = given
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }
}
