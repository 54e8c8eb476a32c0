import CacheModel
import Glibc

/// The text of a configuration file, and where its characters stand.
struct ConfigurationDocument: Sendable {
    /// The file's name, as given.
    var name: String
    /// The text, without a byte order mark.
    var text: String

    /// The most bytes that a configuration may have.
    static let maximumSize = 1_048_576
    /// How many brackets may be open at once.
    static let maximumDepth = 32
    /// How many columns a line may be indented.
    static let maximumIndentation = 100

    /// Takes a text.
    init(name: String, text: String) {
        self.name = name
        self.text = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
    }

    /// Reads a file.
    ///
    /// Throws where there is none, where it is no regular file, longer than a mebibyte, or not UTF-8.
    init(contentsOf name: String) throws(ConfigurationError) {
        let bytes = try Self.bytes(of: name)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
            let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
            throw Self.refusal(
                .file(name, line: (bad ?? 0) + 1, column: 1), "not UTF-8; accepted: YAML in UTF-8")
        }
        self.init(name: name, text: text)
    }

    private static func bytes(of name: String) throws(ConfigurationError) -> [UInt8] {
        func refused(_ text: String) -> ConfigurationError { refusal(.wholeFile(name), text) }
        let wanted = "accepted: the path of a YAML file"
        // Without O_NONBLOCK, opening a FIFO would wait for its writer.
        let descriptor = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            let cause = String(cString: strerror(code))
            let reason = code == ENOENT ? "does not exist" : "cannot be read: \(cause)"
            throw refused("\(reason); \(wanted)")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            throw refused("is \(isDirectory ? "a directory" : "not a regular file"); \(wanted)")
        }
        var all: [UInt8] = []
        while all.count <= maximumSize {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw refused("cannot be read: " + String(cString: strerror(errno))) }
            if count == 0 { return all }
            all += chunk.prefix(count)
        }
        throw refused("longer than \(ByteCount(Int64(maximumSize))); accepted: at most that much YAML")
    }

    /// Throws for what no configuration needs and a parser may choke on: aliases, and nesting without bounds.
    func checkShape() throws(ConfigurationError) {
        var depth = 0
        var indentation: Int? = 0
        var anchor = false
        var alias: (line: Int, column: Int)?
        var before: Unicode.Scalar = "\n"
        var beforeThat: Unicode.Scalar = "\n"
        try walk { scalar, line, column throws(ConfigurationError) in
            if scalar == "[" || scalar == "{" { depth += 1 }
            if scalar == "]" || scalar == "}" { depth = max(0, depth - 1) }
            if column == 1 { indentation = 0 }
            if let columns = indentation {
                let indents = scalar == " " || scalar == "-" || scalar == "?" || scalar == ":"
                indentation = indents ? columns + 1 : nil
            }
            if depth > Self.maximumDepth || indentation ?? 0 > Self.maximumIndentation {
                throw Self.refusal(
                    .file(name, line: line, column: column),
                    "nested too deeply; accepted: at most \(Self.maximumDepth) open brackets and "
                        + "\(Self.maximumIndentation) columns of indentation")
            }
            // A token begins after one of these only. What looks like an alias may as well stand in a comment
            // or in quotes: both together are the sign.
            if isNameCharacter(scalar), tokenBorders.contains(beforeThat) {
                anchor = anchor || before == "&"
                if before == "*", alias == nil { alias = (line, column - 1) }
            }
            (beforeThat, before) = (before, scalar)
        }
        if anchor, let alias {
            throw Self.refusal(
                .file(name, line: alias.line, column: alias.column),
                "an alias (`*name` for a value marked `&name`); accepted: the value itself, written out")
        }
    }

    /// Calls `body` for each scalar with its line and column, counted from 1 as libYAML does.
    func walk(
        _ body: (Unicode.Scalar, _ line: Int, _ column: Int) throws(ConfigurationError) -> Void
    ) throws(ConfigurationError) {
        var line = 1
        var column = 1
        var before: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            if scalar == "\n", before == "\r" {
                // The second half of a line break that was counted.
            } else if lineBreaks.contains(scalar) {
                try body(scalar, line, column)
                (line, column) = (line + 1, 1)
            } else {
                try body(scalar, line, column)
                column += 1
            }
            before = scalar
        }
    }

    /// The error for one problem of this file.
    static func refusal(_ origin: ConfigurationOrigin, _ text: String) -> ConfigurationError {
        ConfigurationError(problems: [ConfigurationProblem(origin: origin, key: "", text: text)])
    }
}

private let lineBreaks: Set<Unicode.Scalar> = ["\r", "\n", "\u{85}", "\u{2028}", "\u{2029}"]
private let tokenBorders: Set<Unicode.Scalar> = lineBreaks.union([" ", "\t", "[", "{", ",", ":", "?"])

// libYAML's `IS_ALPHA` (`yaml_private.h`), of which the names of anchors consist.
private func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
    default: false
    }
}
