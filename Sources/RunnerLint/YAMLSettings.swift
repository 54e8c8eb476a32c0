import TOMLSettings
import Yams

/// Why a text is no YAML that is read here.
struct YAMLFault: Error, Sendable, Hashable {
    var description: String
    /// The line, from 1.
    var line: Int
}

extension Setting {
    /// Nested deeper than this is no configuration; libYAML and the tree below recurse.
    private static let mostDepth = 64
    /// An alias stands for as much as its anchor: a small text could become a tree without end.
    private static let mostNodes = 20_000

    /// Reads one YAML document, with the same words for its values as for TOML's.
    ///
    /// - Parameter path: what its keys begin with.
    /// - Throws: `YAMLFault` where it is none, or is nested too deep.
    init(yaml text: String, path: String = "") throws(YAMLFault) {
        let documents = try Self.documents(yaml: text, path: path)
        if documents.count > 1 {
            throw YAMLFault(description: "a second document", line: documents[1].line)
        }
        self = documents.first ?? Setting(path: path, line: 1, value: .table([:]))
    }

    /// Reads the YAML documents of a text, between lines of `---`.
    ///
    /// - Throws: `YAMLFault` where one of them is none, or is nested too deep.
    static func documents(yaml text: String, path: String = "") throws(YAMLFault) -> [Setting] {
        if let line = tooDeep(text) {
            throw YAMLFault(description: "nested more than \(Self.mostDepth) deep", line: line)
        }
        if let line = aliasBesideKeys(text) {
            throw YAMLFault(description: "an alias beside keys that are lists or maps", line: line)
        }
        var roots: [Node] = []
        do {
            // Without an encoding Yams reads YAMS_DEFAULT_ENCODING, and prints that it did.
            let parser = try Parser(yaml: text, encoding: .utf8)
            while let root = try parser.nextRoot() { roots.append(root) }
        } catch let error as YamlError {
            throw fault(of: error)
        } catch {
            throw YAMLFault(description: "\(error)", line: 1)
        }
        var nodes = mostNodes
        var documents: [Setting] = []
        for root in roots {
            documents.append(try make(root, path: path, line: 1, depth: 0, nodes: &nodes))
        }
        return documents
    }

    private static func make(_ node: Node, path: String, line: Int, depth: Int, nodes: inout Int)
        throws(YAMLFault) -> Setting
    {
        let line = node.mark?.line ?? line
        nodes -= 1
        guard depth <= mostDepth, nodes > 0 else {
            throw YAMLFault(description: "nested too deep, or too large by its aliases", line: line)
        }
        switch node {
        case .scalar(let scalar):
            return Setting(path: path, line: line, value: value(of: scalar, node))
        case .sequence(let sequence):
            var elements: [Setting] = []
            for (place, element) in sequence.enumerated() {
                elements.append(
                    try make(element, path: "\(path)[\(place)]", line: line, depth: depth + 1, nodes: &nodes))
            }
            return Setting(path: path, line: line, value: .list(elements))
        case .mapping(let mapping):
            var members: [String: Setting] = [:]
            var merged: [String: Setting] = [:]
            for (key, member) in mapping {
                if let scalar = key.scalar, scalar.style == .plain, scalar.string == "<<" {
                    let made = try make(member, path: path, line: line, depth: depth + 1, nodes: &nodes)
                    // Of several maps the first goes before the others (yaml.org/type/merge).
                    for source in made.elements.isEmpty ? [made] : made.elements {
                        guard case .table(let more) = source.value else { continue }
                        merged.merge(more) { first, _ in first }
                    }
                    continue
                }
                guard let name = key.scalar?.string else { continue }
                let below = path.isEmpty ? name : "\(path).\(name)"
                var made = try make(member, path: below, line: line, depth: depth + 1, nodes: &nodes)
                // A block's own mark is where it begins, which may be a line below its key.
                made.line = key.mark?.line ?? made.line
                members[name] = made
            }
            // What stands in the map itself goes before what is merged into it.
            members.merge(merged) { own, _ in own }
            return Setting(path: path, line: line, value: .table(members))
        case .alias:
            return Setting(path: path, line: line, value: .other)
        }
    }

    private static func value(of scalar: Node.Scalar, _ node: Node) -> Value {
        guard scalar.style == .plain || scalar.style == .any else { return .text(scalar.string) }
        if let boolean = node.bool { return .boolean(boolean) }
        if let integer = node.int { return .integer(integer) }
        if let number = node.float { return .number(number) }
        return node.null == nil ? .text(scalar.string) : .other
    }

    private static func fault(of error: YamlError) -> YAMLFault {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            YAMLFault(description: problem, line: mark.line)
        case .duplicatedKeysInMapping(let keys, let context):
            YAMLFault(description: "the key \(keys.first ?? "") is there twice", line: context.mark.line)
        default: YAMLFault(description: "\(error)", line: 1)
        }
    }

    /// The line of the first alias in a text that has anchors, and lists, maps or aliases for keys; nil in any other.
    ///
    /// Yams compares the keys of a map by all that is in them: aliases of aliases in one would take it for ever. Such keys
    /// begin with `? `, or end in a bracket or an alias before their colon. No chart has any.
    private static func aliasBesideKeys(_ text: String) -> Int? {
        let blanks = [32, 9, 10, 13] as [UInt8]
        let bytes = Array(text.utf8)
        var (line, flow) = (1, 0)
        var alias: Int?
        var (hasAnchors, hasSuchKeys, isInAlias) = (false, false, false)
        // The byte before, and the last one that is no blank.
        var (before, last) = (UInt8(10), UInt8(10))
        for (place, byte) in bytes.enumerated() {
            let begins = blanks.contains(before) || "[{,:?-".utf8.contains(before)
            let next = place + 1 < bytes.count ? bytes[place + 1] : 10
            let isAlone = flow > 0 || blanks.contains(next)
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"): flow += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): flow = max(0, flow - 1)
            case UInt8(ascii: "&") where begins && isOfName(next): hasAnchors = true
            case UInt8(ascii: "*") where begins && isOfName(next):
                alias = alias ?? line
                isInAlias = true
            case UInt8(ascii: "?") where begins && isAlone: hasSuchKeys = true
            case UInt8(ascii: ":") where isAlone:
                hasSuchKeys =
                    hasSuchKeys || isInAlias || last == UInt8(ascii: "]") || last == UInt8(ascii: "}")
            case 10: line += 1
            default: break
            }
            let isName = isOfName(byte) && !blanks.contains(before)
            if byte != UInt8(ascii: "*"), byte != 32, byte != 9, !isName { isInAlias = false }
            if !blanks.contains(byte) { last = byte }
            before = byte
        }
        return hasAnchors && hasSuchKeys ? alias : nil
    }

    // libYAML's `IS_ALPHA` (`yaml_private.h`), of which the names of anchors consist.
    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The line on which a text is nested too deep, by what opens a level; nil where none is.
    private static func tooDeep(_ text: String) -> Int? {
        var flow = 0
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var inLine = 0
            for byte in line.utf8 {
                switch byte {
                case UInt8(ascii: "["), UInt8(ascii: "{"): flow += 1
                case UInt8(ascii: "]"), UInt8(ascii: "}"): flow = max(0, flow - 1)
                case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"): inLine += 1
                case UInt8(ascii: " "), UInt8(ascii: "\t"): break
                default:
                    // Words end a run of `- - -`.
                    if inLine <= mostDepth { inLine = 0 }
                }
                if flow > mostDepth || inLine > mostDepth { return number + 1 }
            }
            if line.prefix(while: { $0 == " " }).count > 4 * mostDepth { return number + 1 }
        }
        return nil
    }
}
