import CacheIndex
import Hummingbird
import Logging
import Reporting

/// The name of a header field (swift-http-types; Hummingbird passes on the collection and not its element).
typealias HeaderName = HTTPFields.Element.Name

/// One answer, on its way to a client.
struct WebResponse {
    var status: HTTPResponse.Status = .ok
    var type: String
    var body: String
    var policy = Self.strictPolicy
    var headers = HTTPFields()

    /// Nothing from elsewhere, no script, no style within the page, and in no other site's frame.
    static let strictPolicy =
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        + "frame-ancestors 'none'"

    static func text(_ body: String, status: HTTPResponse.Status = .ok) -> WebResponse {
        WebResponse(status: status, type: "text/plain; charset=utf-8", body: body)
    }

    static func json(_ body: String, status: HTTPResponse.Status = .ok) -> WebResponse {
        WebResponse(status: status, type: "application/json", body: body)
    }

    static func page(_ body: String, status: HTTPResponse.Status = .ok) -> WebResponse {
        WebResponse(status: status, type: "text/html; charset=utf-8", body: body)
    }

    /// A page with the daemon's own script, which asks the daemon and nobody else.
    static func livePage(_ body: String) -> WebResponse {
        var answer = page(body)
        answer.policy += "; script-src 'self'; connect-src 'self'"
        return answer
    }

    /// The capacity report is one file, with its style in it.
    static func report(_ body: String) -> WebResponse {
        var answer = page(body)
        answer.policy = strictPolicy.replacing("style-src 'self'", with: "style-src 'unsafe-inline'")
        return answer
    }

    static func asset(_ body: String, _ type: String) -> WebResponse {
        var answer = WebResponse(type: type, body: body)
        answer.headers[.cacheControl] = "max-age=3600"
        return answer
    }

    /// The page with links that start at where it is: below a proxy's path, those from the root lead elsewhere.
    ///
    /// Names on a page have their quotes escaped, so that none of them can look like a link.
    ///
    /// - Parameter path: that of the request.
    func linked(from path: String) -> WebResponse {
        guard type.hasPrefix("text/html") else { return self }
        let depth = path.utf8.count { $0 == UInt8(ascii: "/") } - 1
        let up = depth > 0 ? String(repeating: "../", count: depth) : "./"
        var page = self
        for attribute in ["href", "action", "src"] {
            page.body = page.body.replacing("\(attribute)=\"/", with: "\(attribute)=\"\(up)")
        }
        return page
    }

    var response: Response {
        var all = headers
        all[.contentType] = type
        all[.contentSecurityPolicy] = policy
        all[.xContentTypeOptions] = "nosniff"
        for (name, value) in Self.fixed { if let name = HeaderName(name) { all[name] = value } }
        if all[.cacheControl] == nil { all[.cacheControl] = "no-store" }
        return Response(
            status: status, headers: all, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }

    private static let fixed = [
        ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
    ]
}

/// Why a request gets nothing: what is told to anyone, which is nothing of the machine.
struct WebError: Error {
    var status: HTTPResponse.Status
    var text: String
    var hint: String
    var headers: [(HeaderName, String)] = []

    static let notFound = WebError(
        status: .notFound, text: "there is nothing at this address",
        hint: "see / for the pages and /api/v1 for the API")
    static let misdirected = WebError(
        status: .init(code: 421, reasonPhrase: "Misdirected Request"),
        text: "this server does not go by that name",
        hint: "use 127.0.0.1 or localhost, or let it listen at an address that others can reach")

    static func method(allow: String) -> WebError {
        WebError(
            status: .methodNotAllowed, text: "this method is not allowed here", hint: "allowed: \(allow)",
            headers: [(.allow, allow)])
    }

    static func malformed(_ text: String, _ hint: String) -> WebError {
        WebError(status: .badRequest, text: text, hint: hint)
    }

    static func later(_ text: String, seconds: Int) -> WebError {
        WebError(
            status: .serviceUnavailable, text: text, hint: "try again in \(seconds) seconds",
            headers: [(.retryAfter, "\(seconds)")])
    }

    init(
        status: HTTPResponse.Status, text: String, hint: String, headers: [(HeaderName, String)] = []
    ) {
        self.status = status
        self.text = text
        self.hint = hint
        self.headers = headers
    }

    /// What any error means to a client; what it says of files goes to the log.
    init(_ error: any Error, _ logger: Logger) {
        switch error {
        case let error as WebError: self = error
        case StatsCache.Missing.unread: self = .later("the index is being read", seconds: 2)
        case StatsCache.Missing.notYet: self = .later("no figures are available yet", seconds: 5)
        case StatsCache.Missing.held, IndexError.busy:
            self = .later("another process is writing to the index", seconds: 5)
        case IndexError.missing, IndexError.olderSchema:
            self = .later("no figures are available yet", seconds: 5)
        case is IndexReader.Crowded: self = .later("too many searches at once", seconds: 2)
        default:
            logger.error("a request failed", metadata: ["error": "\(error)"])
            self.init(
                status: .internalServerError, text: "the request failed", hint: "the daemon's log says why")
        }
    }

    func answer(forPeople: Bool) -> WebResponse {
        let code: Int32 = status.code == 503 ? 75 : status.kind == .serverError ? 1 : 64
        let report = ErrorReport(code: code, error: text, hint: hint)
        var answer = WebResponse.page(Dashboard.page(error: text, hint), status: status)
        if !forPeople {
            answer = .json(
                (try? report.problem(status: status.code, title: status.reasonPhrase)) ?? "{}\n",
                status: status)
            answer.type = "application/problem+json"
        }
        for (name, value) in headers { answer.headers[name] = value }
        return answer
    }

    /// A line of the daemon without what looks like a path.
    static func withoutPaths(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false)
            .map { $0.drop { "('\"".contains($0) }.hasPrefix("/") ? "…" : String($0) }.joined(separator: " ")
    }
}
