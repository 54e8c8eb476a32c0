import Reporting

/// Watches the bytes of one connection go by and says when a request is larger than it may be.
///
/// It stands before the parser, which would take 80 KB of headers, wait for them for ever, and answer 400 to
/// all that is wrong. It follows the framing of HTTP/1.1 only as far as it needs to know where a head ends
/// (RFC 9112); what it lets pass, the parser still judges.
struct RequestScanner {
    /// What one request may have.
    struct Limits: Sendable {
        /// The bytes of the request line.
        var line = 8192
        /// The bytes of the whole head.
        var head = 16_384
        /// The number of header fields.
        var fields = 64
        /// The bytes of the body.
        var body = 4096
    }

    /// Why a request is refused, with the status that says so.
    enum Refusal: Int, Error, Equatable {
        case timeout = 408
        case lengthRequired = 411
        case bodyTooLarge = 413
        case lineTooLong = 414
        case headTooLarge = 431
        case malformed = 400
        case crowded = 503

        /// The whole answer, after which the connection ends.
        var response: String {
            let reason =
                switch self {
                case .timeout: "Request Timeout"
                case .lengthRequired: "Length Required"
                case .bodyTooLarge: "Content Too Large"
                case .lineTooLong: "URI Too Long"
                case .headTooLarge: "Request Header Fields Too Large"
                case .malformed: "Bad Request"
                case .crowded: "Service Unavailable"
                }
            let later = self == .crowded ? "Retry-After: 2\r\n" : ""
            let (text, hint) = words
            let report = ErrorReport(code: self == .crowded ? 75 : 64, error: text, hint: hint)
            let body = (try? report.problem(status: rawValue, title: reason)) ?? "{}\n"
            return "HTTP/1.1 \(rawValue) \(reason)\r\nConnection: close\r\n\(later)"
                + "Content-Type: application/problem+json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }

        /// What is wrong, and what to do.
        private var words: (text: String, hint: String) {
            let limits = Limits()
            return switch self {
            case .timeout: ("the request did not arrive in time", "send it at once")
            case .lengthRequired:
                ("the length of the body must be known", "send Content-Length in place of Transfer-Encoding")
            case .bodyTooLarge: ("the body is too large", "send at most \(limits.body) bytes")
            case .lineTooLong: ("the address is too long", "send at most \(limits.line) bytes")
            case .headTooLarge:
                (
                    "the header is too large",
                    "send at most \(limits.fields) fields and \(limits.head) bytes"
                )
            case .malformed: ("the request cannot be read", "send one valid Content-Length")
            case .crowded: ("too many connections are open", "try again in 2 seconds")
            }
        }
    }

    private enum Place {
        case line
        case fields
        case body(left: Int)
    }

    let limits: Limits
    private var place = Place.line
    private var headBytes = 0
    private var lineBytes: [UInt8] = []
    private var fields = 0
    private var length = 0
    /// How many requests have passed as a whole.
    private(set) var requests = 0

    init(limits: Limits = Limits()) { self.limits = limits }

    /// Whether a request has begun and not ended.
    var isInRequest: Bool {
        if case .line = place { return headBytes > 0 }
        return true
    }

    /// Takes the next bytes of the connection.
    mutating func take(_ bytes: some Sequence<UInt8>) throws(Refusal) {
        for byte in bytes {
            if case .body(let left) = place {
                place = .body(left: left - 1)
                if left == 1 { end() }
                continue
            }
            headBytes += 1
            if case .line = place, headBytes > limits.line { throw .lineTooLong }
            if headBytes > limits.head { throw .headTooLarge }
            if byte != UInt8(ascii: "\n") {
                lineBytes.append(byte)
                continue
            }
            if lineBytes.last == UInt8(ascii: "\r") { lineBytes.removeLast() }
            try endLine()
            lineBytes.removeAll(keepingCapacity: true)
        }
    }

    private mutating func endLine() throws(Refusal) {
        switch place {
        case .line:
            // Empty lines before a request are to be ignored (RFC 9112, 2.2).
            if lineBytes.isEmpty { headBytes = 0 } else { place = .fields }
        case .fields where lineBytes.isEmpty:
            if length > 0 { place = .body(left: length) } else { end() }
        case .fields:
            fields += 1
            if fields > limits.fields { throw .headTooLarge }
            try readField()
        case .body: break
        }
    }

    private mutating func readField() throws(Refusal) {
        guard let colon = lineBytes.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = String(decoding: lineBytes[..<colon], as: UTF8.self).lowercased()
        if name == "transfer-encoding" { throw .lengthRequired }
        guard name == "content-length" else { return }
        let value = lineBytes[(colon + 1)...].filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
        guard !value.isEmpty, value.allSatisfy({ (48...57).contains($0) }), length == 0 else {
            throw .malformed
        }
        guard value.count <= 9, let number = Int(String(decoding: value, as: UTF8.self)),
            number <= limits.body
        else { throw .bodyTooLarge }
        length = number
    }

    private mutating func end() {
        place = .line
        (headBytes, fields, length) = (0, 0, 0)
        requests += 1
    }
}
