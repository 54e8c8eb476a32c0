import CacheModel
import RunnerLint

/// What is wrong with a runner's configuration.
package struct LintRunnerReport: Report {
    /// The file's path, as it was given.
    package var file: String
    /// What was found, in the order of the lines.
    package var findings: [Finding]

    /// Makes a report of a file's findings.
    package init(file: String, findings: [Finding]) {
        self.file = file
        self.findings = findings
    }

    /// How many findings are errors.
    package var errors: Int { findings.count { $0.severity == .error } }

    /// How many findings are warnings.
    package var warnings: Int { findings.count - errors }

    /// Each finding with its line, its reason and its cure, then their number.
    package func text(width: Int, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        for finding in findings {
            let place = finding.key.isEmpty ? "" : " (\(finding.key))"
            page.paragraph(
                "line \(finding.line): \(finding.severity.rawValue): \(finding.problem)\(place)", hanging: 2,
                tone: finding.severity == .error ? .bad : .warning)
            page.paragraph(finding.reason, indent: 2)
            page.paragraph("→ \(finding.cure)", indent: 2, hanging: 2)
            page.blank()
        }
        page.paragraph(
            findings.isEmpty
                ? "\(file): no problems found"
                : "\(file): \(Self.count(errors, "error")), \(Self.count(warnings, "warning"))")
        return page.text
    }

    private static func count(_ number: Int, _ word: String) -> String {
        "\(number) \(word)\(number == 1 ? "" : "s")"
    }

    /// The findings as `larder.lint-runner/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.lint-runner/1", "file": .text(file), "errors": .integer(Int64(errors)),
            "warnings": .integer(Int64(warnings)),
            "findings": .array(
                findings.map {
                    [
                        "rule": .text($0.rule), "severity": .text($0.severity.rawValue),
                        "line": .integer(Int64($0.line)), "key": .text($0.key), "problem": .text($0.problem),
                        "reason": .text($0.reason), "cure": .text($0.cure),
                    ]
                }),
        ]
        return try document.document()
    }
}
