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
            var findings: [Finding] = []
            if let version, known.since > version {
                findings.append(
                    Finding(
                        .error, "newer-key", at: setting,
                        problem: "\(key) came with GitLab Runner \(known.since)",
                        reason: "Release \(version) ignores it without a word.",
                        cure: "Update the runner, or leave the key out."))
            }
            guard fits(setting, known.kind) else {
                return findings + [wrongKind(key, setting, known.kind)]
            }
            switch known.kind {
            case "table": findings += check(setting, parent: path)
            case "tables": findings += setting.elements.flatMap { check($0, parent: path + "[]") }
            default: break
            }
            return findings
        }
    }

    private func fits(_ setting: Setting, _ kind: String) -> Bool {
        switch (kind, setting.value) {
        case ("string", .text), ("strings", .text), ("strings", .list), ("list", .list),
            ("integer", .integer),
            ("number", .number), ("number", .integer), ("boolean", .boolean), ("duration", .text),
            ("duration", .integer), ("table", .table), ("any", _):
            true
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
        let names = keys.names(below: parent)
        let nearest = names.map { (name: $0, distance: Self.distance($0, key)) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        if let nearest, nearest.distance <= max(1, key.count / 4) {
            return Finding(
                .error, "unknown-key", at: setting, problem: "the key \(key) does not exist", reason: reason,
                cure: "Did you mean \(nearest.name)?")
        }
        if let place = keys.paths(endingIn: key, near: parent).first {
            let table = place.split(separator: ".").dropLast().joined(separator: ".")
                .split(separator: "[]").joined()
            return Finding(
                .error, "misplaced-key", at: setting, problem: "the key \(key) does not belong here",
                reason: reason,
                cure: table.isEmpty ? "Move it to the top of the file." : "Move it to [\(table)].")
        }
        return Finding(
            .error, "unknown-key", at: setting, problem: "the key \(key) does not exist", reason: reason,
            cure: "Remove it; the nearest table has \(names.prefix(4).joined(separator: ", ")), ….")
    }

    /// The number of changed, added and removed characters between two words (Levenshtein 1966).
    static func distance(_ first: String, _ second: String) -> Int {
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
