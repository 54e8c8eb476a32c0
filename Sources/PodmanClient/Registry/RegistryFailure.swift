import CacheModel

/// Why a registry did not tell what it was asked.
///
/// It quotes no header of a request, so it holds no credentials.
package struct RegistryFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    package enum Cause: Sendable, Hashable {
        /// A file that should hold the certificate of its authority cannot be used.
        case certificate
        /// A client certificate or its key cannot be used, or the registry wants one or another.
        case clientCertificate
        /// Nobody answered, or not in time.
        case unreachable
        /// It wants other credentials, or any.
        case unauthorized
        /// It has no such image.
        case unknownManifest
        /// It gives no more for now.
        case rateLimited
        /// It answered with another status.
        case status(Int)
        /// Its answer is none that a registry would give.
        case unreadable
        /// There is no registry to ask: a short name, or one that the registries file blocks.
        case noRegistry

        var remedy: String {
            switch self {
            case .certificate: "put the PEM file of its authority there, named *.crt"
            case .clientCertificate:
                "put the PEM files NAME.cert and NAME.key into its directory in certs.d"
            case .unreachable: "is it up? Registries without TLS stand in warm.registries_file"
            case .unauthorized: "put credentials for it into the auth file (warm.auth_file)"
            case .unknownManifest: "check the name and the tag"
            case .rateLimited: "try later"
            case .status: "see the registry's log"
            case .unreadable: "is it a registry?"
            case .noRegistry: "write the name with its registry"
            }
        }
    }

    /// What kind of failure it is.
    package var cause: Cause
    /// The registry's HOST:PORT; the image's name where none was asked.
    package var subject: String
    /// What happened.
    package var reason: String

    /// What happened and what to do, in one line that is safe to print.
    package var description: String {
        "\(escaped(subject.utf8)): \(escaped(reason.utf8)); \(cause.remedy)"
    }
}
