import AsyncHTTPClient
import CacheModel
import Foundation
import NIOCore
import NIOHTTP1

extension RegistryClient {
    /// Everything that Podman takes too (containers/image v5.23.1, manifest/manifest.go).
    static let accepted = [
        "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ].joined(separator: ", ")

    /// Sends a request for an image to a registry, again with what its challenge asks for.
    func send(
        _ method: HTTPMethod, _ target: String, to place: RegistriesFile.Place, for reference: ImageReference
    ) async throws -> PodmanConnection.Answer {
        // docker.io is a name only; the registry is elsewhere (containers/image v5.23.1, docker/docker_client.go).
        let host = place.host == "docker.io" ? "registry-1.docker.io" : place.host
        func answer(_ scheme: String, _ authorization: String?) async throws -> PodmanConnection.Answer {
            var request = HTTPClientRequest(url: "\(scheme)://\(host)/v2/\(place.repository)/\(target)")
            request.method = method
            request.headers.add(name: "Accept", value: Self.accepted)
            if let authorization { request.headers.add(name: "Authorization", value: authorization) }
            return try await execute(request, to: place)
        }
        var scheme = "https"
        var first: PodmanConnection.Answer
        do {
            first = try await answer(scheme, nil)
        } catch  where place.insecure && !Task.isCancelled {
            scheme = "http"
            first = try await answer(scheme, nil)
        }
        if first.status == 401 {
            let challenge = first.headers["WWW-Authenticate"].compactMap(RegistryChallenge.init).first
            let credentials = auth?.credentials(for: reference)
            if let challenge,
                let value = try await authorization(
                    challenge, credentials, place, scope: "repository:\(place.repository):pull")
            {
                first = try await answer(scheme, value)
            }
        }
        try check(first, place.host)
        return first
    }

    /// What to send as `Authorization`; nil where there is nothing.
    func authorization(
        _ challenge: RegistryChallenge, _ credentials: RegistryCredentials?, _ place: RegistriesFile.Place,
        scope: String
    ) async throws -> String? {
        let basic = credentials.flatMap(\.basic)
        switch challenge {
        case .basic: return basic
        case .bearer(let realm, let service, let given):
            // A password goes to no server without TLS unless the registry itself is one.
            // Credentials go over plain HTTP to nobody but the registry itself.
            func host(_ text: some StringProtocol) -> String {
                String(text.prefix { $0 != ":" && $0 != "/" })
            }
            let isOwn = host(realm.dropFirst("http://".count)) == host(place.host)
            guard realm.hasPrefix("https://") || place.insecure && realm.hasPrefix("http://") && isOwn else {
                return nil
            }
            var query = ["scope=\(encoded(given ?? scope))"]
            if let service { query.append("service=\(encoded(service))") }
            var request = HTTPClientRequest(
                url: realm + (realm.contains("?") ? "&" : "?") + query.joined(separator: "&"))
            if let token = credentials?.identityToken, !token.isEmpty {
                // distribution v2.8.1, docs/spec/auth/oauth.md
                query += ["grant_type=refresh_token", "client_id=larder", "refresh_token=\(encoded(token))"]
                request = HTTPClientRequest(url: realm)
                request.method = .POST
                request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
                request.body = .bytes(ByteBuffer(string: query.joined(separator: "&")))
            } else if let basic {
                request.headers.add(name: "Authorization", value: basic)
            }
            let answer = try await execute(request, to: place)
            try check(answer, place.host)
            struct Token: Decodable {
                var token: String?
                var accessToken: String?

                enum CodingKeys: String, CodingKey {
                    case token
                    case accessToken = "access_token"
                }
            }
            let token = try? JSONDecoder().decode(Token.self, from: answer.body)
            guard let text = token?.token ?? token?.accessToken,
                text.utf8.allSatisfy({ $0 > 32 && $0 < 127 })
            else {
                throw RegistryFailure(
                    cause: .unreadable, subject: place.host, reason: "its token server gave no token")
            }
            return "Bearer \(text)"
        }
    }

    private func execute(
        _ given: HTTPClientRequest, to place: RegistriesFile.Place
    ) async throws -> PodmanConnection.Answer {
        var request = given
        request.headers.add(name: "User-Agent", value: "larder")
        request.headers.add(name: "Connection", value: "close")
        let client = try RegistryConnections.client(
            insecure: place.insecure, trust: try certificates.trust(for: place.host), host: place.host)
        let response = try await client.execute(request, deadline: .distantFuture)
        // A registry that says more than it may is not read to its end.
        let body =
            request.method == .HEAD
            ? ByteBuffer() : try await response.body.collect(upTo: RegistryManifest.sizeLimit)
        try Task.checkCancellation()
        return PodmanConnection.Answer(
            status: Int(response.status.code), headers: response.headers, body: Data(body.readableBytesView))
    }

    private func check(_ answer: PodmanConnection.Answer, _ host: String) throws {
        let cause: RegistryFailure.Cause
        switch answer.status {
        case 200...299: return
        case 401, 403: cause = .unauthorized
        case 404: cause = .unknownManifest
        case 429: cause = .rateLimited
        default: cause = .status(answer.status)
        }
        let wait = answer.headers.first(name: "Retry-After").flatMap { Int64($0) }.map {
            ", and to come back after \(Span.seconds(max(0, min($0, 864_000))))"
        }
        throw RegistryFailure(
            cause: cause, subject: host, reason: "it answered with status \(answer.status)\(wait ?? "")")
    }
}

extension RegistryCredentials {
    /// For `Authorization`, as in RFC 7617; nil where there is only a token.
    var basic: String? {
        user.isEmpty ? nil : "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
}

/// How a registry wants to know who asks (RFC 7235; distribution v2.8.1, docs/spec/auth/token.md).
enum RegistryChallenge: Hashable {
    case basic
    case bearer(realm: String, service: String?, scope: String?)

    /// Reads a `WWW-Authenticate`; nil for a scheme that registries do not use.
    init?(_ header: String) {
        let scheme = header.prefix { $0 != " " }
        var fields: [String: String] = [:]
        var rest = header.dropFirst(scheme.count)
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].drop { $0 == " " || $0 == "," }.lowercased()
            rest = rest[rest.index(after: equals)...]
            let isQuoted = rest.first == "\""
            if isQuoted { rest = rest.dropFirst() }
            let value = rest.prefix { isQuoted ? $0 != "\"" : $0 != "," }
            rest = rest.dropFirst(value.count + (isQuoted ? 1 : 0))
            fields[name] = String(value)
        }
        switch scheme.lowercased() {
        case "basic": self = .basic
        case "bearer":
            guard let realm = fields["realm"] else { return nil }
            self = .bearer(realm: realm, service: fields["service"], scope: fields["scope"])
        default: return nil
        }
    }
}
