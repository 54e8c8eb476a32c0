import CacheModel
import Yams

/// A parsed configuration file.
struct ParsedDocument {
    /// The root of the tree; nil where the file holds nothing.
    var root: Node?
    /// The true names of keys that had to be renamed to get past Yams, by their place.
    var renamed: [ConfigurationOrigin: String] = [:]
    /// The file's name.
    var name: String

    /// The place of a node.
    func origin(of node: Node) -> ConfigurationOrigin {
        guard let mark = node.mark else { return .wholeFile(name) }
        return .file(name, line: mark.line, column: mark.column)
    }
}

extension ConfigurationDocument {
    /// How many duplicate keys are passed over to find what else is wrong.
    private static let mostRenamed = 16

    /// Parses the text as one YAML document.
    ///
    /// Yams' tree of nodes is read rather than `Codable`: decoding loses the lines, and errors need them.
    func parse() throws(ConfigurationError) -> ParsedDocument {
        try checkShape()
        var parsed = ParsedDocument(name: name)
        var copy = self
        while true {
            do {
                // Without an encoding Yams reads YAMS_DEFAULT_ENCODING, and prints that it did.
                parsed.root = try Parser(yaml: copy.text, encoding: .utf8).singleRoot()
                return parsed
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                // Yams stops at a duplicate and tells the first one's place only. That one gets another name of
                // the same length, and the reading goes on: whoever reads the keys sees both places.
                let key = keys.first ?? ""
                let mark = context.mark
                let origin = ConfigurationOrigin.file(name, line: mark.line, column: mark.column)
                guard parsed.renamed.count < Self.mostRenamed,
                    copy.replaceScalar(at: mark, with: 0xe000 + UInt32(parsed.renamed.count))
                else {
                    throw Self.refusal(origin, "the key `\(quotable(key))` is there twice; accepted: once")
                }
                parsed.renamed[origin] = parsed.renamed[origin] ?? key
            } catch let error as YamlError {
                throw refusal(of: error)
            } catch {
                throw Self.refusal(.wholeFile(name), "cannot be parsed: \(error)")
            }
        }
    }

    /// Writes another scalar over the first letter of the key at that place.
    ///
    /// False where the key does not begin with a letter, alone or in quotes: changing anything else would
    /// change the structure.
    private mutating func replaceScalar(at mark: Mark, with value: UInt32) -> Bool {
        guard let replacement = Unicode.Scalar(value) else { return false }
        var scalars = String.UnicodeScalarView()
        var isQuoted = false
        var isDone = false
        // The walk passes over the second half of a CR LF: libYAML takes the first for a line break.
        try? walk { scalar, line, column throws(ConfigurationError) in
            let isHere = line == mark.line && (column == mark.column || isQuoted && column == mark.column + 1)
            if isHere, !isDone, scalar.properties.isAlphabetic || scalar == "_" {
                scalars.append(replacement)
                isDone = true
            } else {
                if isHere, scalar == "\"" || scalar == "'" { isQuoted = true }
                scalars.append(scalar)
            }
        }
        text = String(scalars)
        return isDone
    }

    /// The column of the first tab before all else in a line; nil without one.
    private func tab(inIndentationOf line: Int) -> Int? {
        var found: Int?
        var isIndentation = true
        try? walk { scalar, here, column throws(ConfigurationError) in
            guard here == line, isIndentation else { return }
            if scalar == "\t", found == nil { found = column }
            isIndentation = scalar == "\t" || scalar == " " || scalar == "-"
        }
        return found
    }

    private func refusal(of error: YamlError) -> ConfigurationError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            if let column = tab(inIndentationOf: mark.line) {
                return Self.refusal(
                    .file(name, line: mark.line, column: column),
                    "not YAML: a tab character in the indentation; accepted: spaces")
            }
            let isAlias = problem.contains("alias") || context?.text.contains("alias") ?? false
            let began = context.map { " (\($0.text), which begins in line \($0.mark.line))" } ?? ""
            let cure = isAlias ? "; a pattern that begins with * must be in quotes: \"*:name:*\"" : ""
            return Self.refusal(
                .file(name, line: mark.line, column: mark.column), "not YAML: \(problem)\(began)\(cure)")
        case .reader(let problem, let offset, _, let yaml):
            let line = offset.map { yaml.prefix($0).count(where: \.isNewline) + 1 } ?? 1
            return Self.refusal(.file(name, line: line, column: 1), "not YAML: \(problem)")
        default:
            return Self.refusal(.wholeFile(name), "not YAML: \(quotable("\(error)"))")
        }
    }
}
