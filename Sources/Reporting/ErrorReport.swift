import CacheModel

/// A command that failed: what is wrong, and what to do.
package struct ErrorReport: Report, Hashable {
    /// The exit code.
    package var code: Int32
    /// What is wrong: the subject, and what was expected.
    package var error: String
    /// What to do; nil where nothing is known.
    package var hint: String?

    /// Makes a report from a code and two texts.
    package init(code: Int32, error: String, hint: String? = nil) {
        self.code = code
        self.error = error
        self.hint = hint
    }

    /// The error and the hint in paragraphs.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        // Several errors are several paragraphs, each of which says whose it is.
        for part in error.split(separator: "\n") {
            page.paragraph("larder: \(part)", hanging: 2, tone: .bad)
        }
        if let hint { page.paragraph(hint, indent: 2) }
        return page.text
    }

    /// The error as a problem (RFC 9457) for the web API, with the members of `larder.error/1` beside its own.
    ///
    /// - Parameters:
    ///   - status: the HTTP status.
    ///   - title: what that status is called.
    package func problem(status: Int, title: String) throws -> String {
        let document: JSONValue = [
            "type": "about:blank", "title": .text(title), "status": .integer(Int64(status)),
            "detail": .text([error, hint].compactMap { $0 }.joined(separator: "; ")),
            "schema": "larder.error/1", "code": .integer(Int64(code)), "error": .text(error),
            "hint": .optional(hint),
        ]
        return try document.document()
    }

    /// The error as `larder.error/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.error/1", "code": .integer(Int64(code)), "error": .text(error),
            "hint": .optional(hint),
        ]
        return try document.document()
    }
}

extension JSONValue: ExpressibleByStringLiteral {
    init(stringLiteral text: String) { self = .text(text) }
}

extension JSONValue {
    static func bytes(_ size: ByteCount) -> JSONValue { .integer(size.bytes) }

    static func time(_ time: Timestamp) -> JSONValue { .text(time.description) }

    static func optional(_ time: Timestamp?) -> JSONValue { time.map { .time($0) } ?? .null }
}
