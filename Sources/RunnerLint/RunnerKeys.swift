/// The keys that GitLab Runner reads from `config.toml`.
///
/// They come from `runner-keys.txt`, which `Tests/deploy/runner_keys.py` writes from the runner's own sources.
struct RunnerKeys: Sendable {
    /// A key that exists.
    struct Key: Sendable, Hashable {
        /// string, strings, integer, number, boolean, duration, list, table, tables or any.
        var kind: String
        /// The first release that had it: `15.10`.
        var since: RunnerVersion
    }

    /// The keys of the release that the list was made from.
    static let known = RunnerKeys(list: String(decoding: PackageResources.runner_keys_txt, as: UTF8.self))

    /// The release that the list was made from: of what came later nothing is known.
    let release: RunnerVersion?

    private let keys: [String: Key]
    /// The paths by what they are without capitals: the runner reads keys in any case.
    private let spellings: [String: String]

    init(list: String) {
        // The first line says it: "# The keys of GitLab Runner 19.3.0, …".
        let head = list.prefix { $0 != "\n" }.split(separator: " ")
        release = head.firstIndex(of: "Runner").flatMap { place in
            place + 1 < head.count ? RunnerVersion(String(head[place + 1].filter { $0 != "," })) : nil
        }
        var keys: [String: Key] = [:]
        for line in list.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: " ")
            guard parts.count == 3, let since = RunnerVersion(String(parts[2])) else { continue }
            keys[String(parts[0])] = Key(kind: String(parts[1]), since: since)
        }
        self.keys = keys
        spellings = Dictionary(keys.keys.map { ($0.lowercased(), $0) }, uniquingKeysWith: min)
    }

    /// The path of a member: `runners[].kubernetes` and `image`.
    static func path(_ parent: String, _ key: String) -> String { parent.isEmpty ? key : "\(parent).\(key)" }

    /// The key at a path, and that path as the list has it: where any key may stand, it ends in `*`.
    func find(_ key: String, below parent: String) -> (path: String, key: Key)? {
        let path = Self.path(parent, key)
        for path in [path, spellings[path.lowercased()], Self.path(parent, "*")].compactMap({ $0 }) {
            if let found = keys[path] { return (path, found) }
        }
        return nil
    }

    /// The keys right below a path.
    func names(below parent: String) -> [String] {
        let prefix = parent.isEmpty ? "" : parent + "."
        return keys.keys.filter { path in
            path.hasPrefix(prefix) && !path.dropFirst(prefix.count).contains(".") && !path.hasSuffix("[]")
        }.map { String($0.dropFirst(prefix.count)) }.sorted()
    }

    /// The paths elsewhere that end in that key, those nearest to `parent` first.
    func paths(endingIn key: String, near parent: String) -> [String] {
        keys.keys.filter { $0.hasSuffix("." + key) || $0 == key }
            .sorted {
                let (first, second) = (Self.shared($0, parent), Self.shared($1, parent))
                return first != second ? first > second : ($0.utf8.count, $0) < ($1.utf8.count, $1)
            }
    }

    private static func shared(_ path: String, _ other: String) -> Int {
        zip(path.split(separator: "."), other.split(separator: ".")).prefix { $0 == $1 }.count
    }
}

/// A release of GitLab Runner.
package struct RunnerVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The two numbers that tell releases apart.
    package let major: Int, minor: Int

    /// Reads `17.4`, `v17.4.1` or `17`; nil where it is none.
    package init?(_ text: String) {
        let numbers = (text.hasPrefix("v") ? text.dropFirst() : text[...])
            .split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...3).contains(numbers.count), let major = numbers[0], major >= 0 else { return nil }
        guard numbers.allSatisfy({ ($0 ?? -1) >= 0 }) else { return nil }
        self.major = major
        minor = numbers.count > 1 ? numbers[1] ?? 0 : 0
    }

    /// By major, then by minor number.
    package static func < (first: RunnerVersion, second: RunnerVersion) -> Bool {
        (first.major, first.minor) < (second.major, second.minor)
    }

    /// `17.4`.
    package var description: String { "\(major).\(minor)" }
}
