import CacheModel
import Yams

/// One mapping of a configuration file: hands out the values of known keys, and takes note of everything else.
struct MappingReader {
    /// The mapping's key path; empty at the top.
    let path: String
    /// Where the mapping begins.
    let origin: ConfigurationOrigin
    /// Where the file came from.
    let document: ParsedDocument
    /// What is wrong so far.
    let problems: ConfigurationProblems

    private var values: [String: (node: Node, origin: ConfigurationOrigin)] = [:]

    /// Opens a mapping.
    ///
    /// Unknown and duplicate keys are problems, but for the user's own ones where there may be such; nil, with a problem, where the node is no mapping.
    init?(
        _ node: Node, path: String, known: [String], own: [String]? = nil, of document: ParsedDocument,
        _ problems: ConfigurationProblems
    ) {
        self.path = path
        self.document = document
        self.problems = problems
        origin = document.origin(of: node)
        guard case .mapping(let mapping) = node else {
            let accepted = "a mapping with the keys \(known.joined(separator: ", "))"
            problems.add(origin, path, "found \(Self.shape(of: node)); accepted: \(accepted)")
            return nil
        }
        let accepted =
            "accepted: " + known.joined(separator: ", ") + (own == nil ? "" : ConfigurationKeys.ownPoolHint)
        for (key, value) in mapping {
            let place = document.origin(of: key)
            guard case .scalar(let scalar) = key else {
                problems.add(place, path, "found \(Self.shape(of: key)) as a key; \(accepted)")
                continue
            }
            let name = document.renamed[place] ?? scalar.string
            if let first = values[name] {
                problems.add(
                    place, keyPath(name),
                    "the key is there twice, first in \(first.origin.phrase); accepted: once")
            } else if known.contains(name) || own?.contains(name) == true {
                values[name] = (value, place)
                problems.note(keyPath(name), from: document.origin(of: value))
            } else {
                let guess = problems.areEnough ? nil : nearest(name, among: known)
                let places = ConfigurationKeys.places(of: name)
                let elsewhere =
                    guess == nil && places.isEmpty && !problems.areEnough
                    ? ConfigurationKeys.nearby(name).map { "; did you mean `\($0)`, \($1)?" } : nil
                let cure =
                    places.isEmpty || guess == name
                    ? guess.map { "; did you mean `\($0)`?" } ?? elsewhere ?? ""
                    : "; `\(quotable(name))` belongs \(places.joined(separator: ", or "))"
                        + (guess.map { "; or did you mean `\($0)`?" } ?? "")
                problems.add(place, keyPath(quotable(name)), "unknown key; \(accepted)\(cure)")
            }
        }
    }

    /// The path of a key in this mapping.
    func keyPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The node of a key and the place of the key; nil where it is absent.
    func node(_ key: String) -> (node: Node, origin: ConfigurationOrigin)? { values[key] }

    /// A reader of the mapping under a key; nil where it is absent, and, with a problem, where it is none.
    func section(_ key: String, known: [String]) -> MappingReader? {
        guard let (node, _) = node(key) else { return nil }
        return MappingReader(node, path: keyPath(key), known: known, of: document, problems)
    }

    /// The text of a key's scalar and its place.
    ///
    /// Nil where the key is absent, and, with a problem, where it holds no scalar.
    func scalar(_ key: String, accepted: String) -> (text: String, origin: ConfigurationOrigin)? {
        guard let (node, _) = values[key] else { return nil }
        let place = document.origin(of: node)
        guard case .scalar(let scalar) = node, node.tag != Tag(.null) else {
            problems.add(place, keyPath(key), "found \(Self.shape(of: node)); accepted: \(accepted)")
            return nil
        }
        return (scalar.string, place)
    }

    /// The value of a key.
    ///
    /// Nil where the key is absent, and, with a problem, where its value is refused.
    func value<Value>(_ key: String, _ format: ValueFormat<Value>) -> Value? {
        guard let (text, place) = scalar(key, accepted: format.accepted) else { return nil }
        if let value = format.read(text) { return value }
        problems.add(place, keyPath(key), format.refusal(of: text))
        return nil
    }

    /// The value of a key that must be there.
    func required<Value>(_ key: String, _ format: ValueFormat<Value>) -> Value? {
        if values[key] == nil {
            problems.add(origin, keyPath(key), "missing; accepted: \(format.accepted)")
        }
        return value(key, format)
    }

    /// The nodes of a key's list.
    ///
    /// Nil where the key is absent, and, with a problem, where it holds no list.
    func list(_ key: String, accepted: String) -> [Node]? {
        guard let (node, _) = values[key] else { return nil }
        if case .sequence(let sequence) = node { return Array(sequence) }
        problems.add(
            document.origin(of: node), keyPath(key), "found \(Self.shape(of: node)); accepted: \(accepted)")
        return nil
    }

    /// What a node is, in words; the text of a scalar.
    static func shape(of node: Node) -> String {
        switch node {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        case .scalar(let scalar): node.tag == Tag(.null) ? "nothing" : "\"\(quotable(scalar.string))\""
        }
    }
}
