import Foundation

/// Where the HTTP server listens.
package enum ListenAddress: Sendable, Hashable {
    /// A TCP port of an address; port 0 lets the system choose one.
    case tcp(host: String, port: Int)
    /// A Unix socket, by its absolute path.
    case unix(path: String)

    /// The address without any configuration: only this machine reaches it.
    package static let standard = ListenAddress.tcp(host: "127.0.0.1", port: 9847)

    /// Reads `127.0.0.1:9847`, `[::1]:9847`, `localhost:9847` or `unix:/run/larder/http.sock`.
    ///
    /// Nil for anything else: an empty host would stand for all addresses without saying so. A Unix socket's
    /// path has at most 107 bytes (unix(7)).
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count <= 107,
                !path.utf8.contains(0)
            else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port), text[text.index(after: colon)...].allSatisfy(\.isNumber)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains(where: { "/ []".contains($0) }) else { return nil }
        self = .tcp(host: host, port: port)
    }

    /// Whether only this machine reaches it by TCP.
    package var isLoopback: Bool {
        guard case .tcp(let host, _) = self else { return false }
        return Self.isLoopback(host)
    }

    package static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1"
            || (host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." })
    }
}

extension ListenAddress: CustomStringConvertible {
    /// The address as it is configured.
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
