import TOMLSettings

/// Keys that the runner does not know, has elsewhere, reads as another kind, or knows only in a later release.
struct KeyRules: Sendable {
    var keys = RunnerKeys.known
    /// The release in use, if it was named.
    var version: RunnerVersion?

    /// The findings of a table whose path in the list of keys is `parent`.
    func check(_ table: Setting, parent: String = "") -> [Finding] {
        table.members.flatMap { key, setting -> [Finding] in
            guard let (path, known) = keys.find(key, below: parent) else {
                return [unknown(key, setting, parent: parent)]
            }
            if let version, known.since > version {
                // What is below a table that is not read is not read either.
                return [
                    Finding(
                        .error, "newer-key", at: setting,
                        problem: "\(key) came with GitLab Runner \(known.since)",
                        reason: "Release \(version) ignores it without a word.",
                        cure: "Update the runner, or leave the key out.")
                ]
            }
            guard fits(setting, known.kind) else { return [wrongKind(key, setting, known.kind)] }
            switch known.kind {
            case "table": return check(setting, parent: path)
            case "tables": return setting.elements.flatMap { check($0, parent: path + "[]") }
            default: return []
            }
        }
    }

    private func fits(_ setting: Setting, _ kind: String) -> Bool {
        switch (kind, setting.value) {
        case ("string", .text), ("strings", .text), ("list", .list),
            ("integer", .integer),
            ("number", .number), ("number", .integer), ("boolean", .boolean), ("duration", .text),
            ("duration", .integer), ("table", .table), ("any", _):
            true
        case ("strings", .list(let elements)):
            elements.allSatisfy { $0.text != nil }
        case ("tables", .list(let elements)):
            elements.allSatisfy { if case .table = $0.value { true } else { false } }
        default: false
        }
    }

    private func wrongKind(_ key: String, _ setting: Setting, _ kind: String) -> Finding {
        let expected = [
            "string": "a string", "strings": "an array of strings", "list": "an array",
            "integer": "an integer",
            "number": "a number", "boolean": "true or false", "duration": "a duration such as \"10m\"",
            "table": "a table [\(key)]", "tables": "an array of tables [[\(key)]]",
        ]
        return Finding(
            .error, "wrong-kind", at: setting, problem: "\(key) holds \(setting.kind)",
            reason: "The runner refuses the whole file.", cure: "Write \(expected[kind] ?? kind).")
    }

    private func unknown(_ key: String, _ setting: Setting, parent: String) -> Finding {
        let reason = "The runner ignores it without a word."
        if parent == "runners[].kubernetes", key == "security_context" {
            return Finding(
                .error, "misplaced-key", at: setting,
                problem: "the table security_context does not exist",
                reason:
                    "The runner ignores it without a word: every container runs as its image's user, often root.",
                cure: "Name it pod_security_context, and add run_as_non_root = true.")
        }
        if parent == "runners[]", Self.keptByGitLab.contains(key) {
            return Finding(
                .error, "unknown-key", at: setting, problem: "the key \(key) does not exist", reason: reason,
                cure: "Remove it, and set it in GitLab, on the runner's page: no file holds it.")
        }
        let key = Self.snakeCase(key)
        let names = keys.names(below: parent)
        if let nearest = Self.nearest(to: key, among: names, within: max(1, key.count / 4)) {
            return Finding(
                .error, "unknown-key", at: setting, problem: "the key \(setting.name) does not exist",
                reason: reason,
                cure: "Did you mean \(nearest)?" + since(nearest, parent))
        }
        if let place = keys.paths(endingIn: key, near: parent).first {
            let table = place.split(separator: ".").dropLast().joined(separator: ".")
                .split(separator: "[]").joined()
            return Finding(
                .error, "misplaced-key", at: setting, problem: "the key \(setting.name) does not belong here",
                reason: reason,
                cure: (table.isEmpty ? "Move it to the top of the file." : "Move it to [\(table)].")
                    + (key == setting.name ? "" : " It is called \(key) there.")
                    + since(key, place.split(separator: ".").dropLast().joined(separator: ".")))
        }
        let known = keys.release.map { ", which knows GitLab Runner up to \($0)" } ?? ""
        // A runner that is newer than the list may well have it.
        let isNewer = version.flatMap { mine in keys.release.map { mine > $0 } } == true
        return Finding(
            isNewer ? .warning : .error, "unknown-key", at: setting,
            problem: "the key \(setting.name) is not known to this version\(known)",
            reason: isNewer
                ? "It may have come later; if not, the runner ignores it without a word."
                : "Unless it came later, the runner ignores it without a word.",
            cure: (names.isEmpty
                ? "Remove it"
                : "Remove it (the nearest table has \(names.prefix(4).joined(separator: ", ")), …)")
                + ", or update Larder if your runner is newer.")
    }

    /// What GitLab keeps of a runner with a token of its own (`gitlab-runner register --help`, 16.0 and later).
    private static let keptByGitLab: Set = [
        "tags", "tag_list", "tag-list", "run_untagged", "locked", "access_level", "maximum_timeout", "paused",
    ]

    /// In which release a key came: for a sentence that names the right one.
    private func since(_ key: String, _ parent: String) -> String {
        keys.find(key, below: parent).map { " It came with GitLab Runner \($0.key.since)." } ?? ""
    }

    /// `runAsUser` as `run_as_user`: Kubernetes writes the first, the runner reads the second.
    private static func snakeCase(_ key: String) -> String {
        guard key.first?.isLowercase == true else { return key }
        return key.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
    }

    /// The name that a wrong one was most likely meant to be; nil where none is as close as that.
    static func nearest(to name: String, among names: [String], within most: Int) -> String? {
        names.map { (name: $0, distance: distance($0, name)) }.filter { $0.distance <= most }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?.name
    }

    /// The number of changed, added and removed characters between two words (Levenshtein 1966).
    private static func distance(_ first: String, _ second: String) -> Int {
        let (first, second) = (Array(first.utf8), Array(second.utf8))
        var row = Array(0...second.count)
        for (place, byte) in first.enumerated() {
            var diagonal = row[0]
            row[0] = place + 1
            for column in second.indices {
                let changed = diagonal + (byte == second[column] ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, diagonal + 1, row[column] + 1)
            }
        }
        return row[second.count]
    }
}
