import CacheModel
import CacheServices
import Yams

extension ConfigurationKeys {
    /// The keys of a pool of the user's own.
    static let ownPool = ["path", "preset", "unit", "depth", "keep"] + pool

    /// What makes a pool of the user's own, in words.
    static let ownPoolHint = ", or a name of your own with `path` or `preset`"

    /// The names under `pools` that are the user's own: those of mappings with a path or a preset, mistyped or not.
    static func ownPools(in node: Node) -> [String] {
        guard case .mapping(let mapping) = node else { return [] }
        return mapping.compactMap { key, value in
            guard let name = key.string, !Pool.allCases.contains(where: { $0.rawValue == name }),
                case .mapping(let keys) = value
            else { return nil }
            return keys.contains { nearest($0.key.string ?? "", among: ["path", "preset"]) != nil }
                ? name : nil
        }
    }
}

extension MappingReader {
    /// Reads a pool of the user's own, without its quota.
    ///
    /// Nil, with problems, where it cannot be known what it consists of.
    func ownPool(_ pool: Pool) -> OwnPool? {
        let preset = value("preset", .preset)
        let keep = patterns("keep", such: "tools/keep-this*")
        guard node("path") != nil else {
            for key in ["unit", "depth"] where node(key) != nil {
                problems.add(
                    place(of: key), keyPath(key),
                    "a preset has its own; accepted: without `\(key)`, or `path` in place of `preset`")
            }
            return preset.flatMap(OwnPool.rules(ofPreset:)).map { OwnPool(pool, rules: $0, keep: keep) }
        }
        if node("preset") != nil {
            problems.add(
                place(of: "preset"), keyPath("preset"),
                "there is a `path` as well; accepted: one of both")
        }
        let unit: UnitWord? = required("unit", .word)
        let depth = value("depth", .depth)
        if let unit, unit == .file, depth != nil {
            problems.add(
                place(of: "depth"), keyPath("depth"), "files have none; accepted: with `unit: directory` only"
            )
        }
        let paths = pathPatterns()
        guard let unit, !paths.isEmpty else { return nil }
        let rules = paths.map { path in
            OwnPool.Rule(path, unit: unit == .file ? .file : .directory(depth: depth ?? 0))
        }
        return OwnPool(pool, rules: rules, keep: keep)
    }

    /// One pattern, or a list of them.
    private func pathPatterns() -> [PathPattern] {
        guard let (node, _) = node("path") else { return [] }
        if case .sequence(let nodes) = node {
            if nodes.isEmpty {
                problems.add(
                    document.origin(of: node), keyPath("path"),
                    "found an empty list; accepted: \(ValueFormat<PathPattern>.pathPattern.accepted)")
            }
            return nodes.enumerated().compactMap { index, node in
                pathPattern(node, at: "path[\(index)]")
            }
        }
        return pathPattern(node, at: "path").map { [$0] } ?? []
    }

    private func pathPattern(_ node: Node, at key: String) -> PathPattern? {
        let format = ValueFormat<PathPattern>.pathPattern
        guard case .scalar(let scalar) = node, node.tag != Tag(.null) else {
            problems.add(
                document.origin(of: node), keyPath(key),
                "found \(Self.shape(of: node)); accepted: \(format.accepted)")
            return nil
        }
        if let pattern = format.read(scalar.string) { return pattern }
        problems.add(document.origin(of: node), keyPath(key), format.refusal(of: scalar.string))
        return nil
    }
}

/// The word for what one entry of a pool is.
enum UnitWord: String, CaseIterable, Sendable {
    case file, directory
}

extension ValueFormat<Int> {
    /// How many levels below what a pattern matches.
    static var depth: Self {
        Self(
            accepted: "a whole number from 0 to 10: how many directories below what the path matches",
            read: { text in
                guard text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
                return Int(text).flatMap { (0...10).contains($0) ? $0 : nil }
            })
    }
}

extension ValueFormat<String> {
    /// The name of a pool that is ready to use.
    static var preset: Self {
        let names = OwnPool.presets.map(\.name)
        return Self(
            accepted: names.joined(separator: ", "), read: { names.contains($0) ? $0 : nil },
            guess: { nearest($0, among: names).map { "`\($0)`" } })
    }
}

extension ValueFormat<PathPattern> {
    /// A pattern over paths below a volume's root.
    static var pathPattern: Self {
        Self(
            accepted:
                "a path below the volume's root in quotes, such as \"tools/*/cache\" (* and ? within a name, "
                + "** for any number of directories, at most \(PathPattern.mostParts) names)",
            read: { PathPattern($0) },
            guess: { text in
                let relative = String(text.drop { $0 == "/" })
                return text.hasPrefix("/") && PathPattern(relative) != nil
                    ? "`\"\(quotable(relative))\"`" : nil
            },
            flaw: { $0.hasPrefix("/") ? "it begins at the file system's root" : nil })
    }
}

extension ValueFormat<String> {
    /// A pattern over the keys of a project's own builds.
    ///
    /// One that matches whatever was ever installed would let go what nobody can make again.
    static var installedPattern: Self {
        Self(
            accepted: "a pattern in quotes that names a group, such as \"com.example:*\"",
            read: { text in
                let group = text.prefix { $0 != ":" }
                return text.contains(":") && group.contains { $0 != "*" && $0 != "?" } ? text : nil
            })
    }
}

extension ValueFormat<Int> {
    /// How many versions stay: at least the newest.
    static var versions: Self {
        Self(
            accepted: "a whole number from 1 to 1000: at least the newest version stays",
            read: { text in ValueFormat<Int>.count.read(text).flatMap { $0 <= 1000 ? $0 : nil } })
    }
}
