import Foundation
import RunnerLint
import Testing

/// Runners in YAML: values of GitLab's chart, and ConfigMaps.
@Suite struct ChartValuesTests {
    private static let shippedValues = RunnerFiles.shippedPath.replacing("config.toml", with: "values.yaml")

    private func values(_ changes: (String, String)...) throws -> String {
        try changes.reduce(String(contentsOfFile: Self.shippedValues, encoding: .utf8)) { text, change in
            #expect(text.contains(change.0), "\(change.0)")
            return text.replacing(change.0, with: change.1)
        }
    }

    @Test func theShippedOnesAreFaultless() throws {
        #expect(RunnerLint().check(try values()) == [])
    }

    /// Each topology and each choice that the components make, as the template makes it.
    @Test(arguments: [
        [("topology: shared", "topology: slots")], [("procMount: unmasked", "procMount: \"\"")],
        [("appArmor: ci-cache-podman", "appArmor: \"\"")], [("suffix: \"\"", "suffix: -b")],
        [
            ("topology: shared", "topology: readonly-store"), ("storage.conf", "storage.readonly.conf"),
            ("containers.conf", "containers.readonly.conf"),
        ],
        [("registries: \"\"", "registries: larder-registries"), ("proxy: \"\"", "proxy: http://proxy:3128")],
    ]) func eachChoiceIsFaultless(_ changes: [(String, String)]) throws {
        var text = try values()
        for (old, new) in changes {
            let place = try #require(text.range(of: old))
            text.replaceSubrange(place, with: new)
        }
        #expect(RunnerLint().check(text) == [])
    }

    /// A fault's line is that of the YAML file.
    @Test func aFaultHasItsLineInTheFile() throws {
        let text = try values(("privileged = false", "privileged = true"))
        let findings = RunnerLint().check(text)
        #expect(findings.map(\.rule) == ["privileged"])
        #expect(findings.first?.line == RunnerFiles.line(of: "privileged = true", in: text))
    }

    /// One that only a branch of the template has, after lines that another one leaves out.
    @Test func aFaultInABranchHasItsLineToo() throws {
        let text = try values(
            ("topology: shared", "topology: readonly-store"),
            ("          read_only = true\n", "          read_onli = true\n"))
        let findings = RunnerLint().check(text).filter { $0.rule == "unknown-key" }
        #expect(findings.map(\.line) == [RunnerFiles.line(of: "read_onli", in: text)])
    }

    @Test func theChartsNumberOfJobsCounts() throws {
        let text = try values(("concurrent: 4", "concurrent: 0"))
        let findings = RunnerLint().check(text)
        #expect(findings.map(\.rule) == ["concurrent"])
        #expect(findings.first?.line == RunnerFiles.line(of: "concurrent: 0", in: text))
    }

    @Test func whatCannotBeRunIsNamed() throws {
        let text = try values(("\"{{ .Values.larder.jobImage }}\"", "\"{{ include \"job.image\" . }}\""))
        let findings = RunnerLint().check(text)
        #expect(findings.map(\.rule) == ["template"])
        #expect(findings.first?.severity == .warning)
        #expect(findings.first?.problem.contains("include \"job.image\"") == true)
        #expect(findings.first?.line == RunnerFiles.line(of: "job.image", in: text))
    }

    /// Values as people have them: no templates, as a dependency of another chart, as a ConfigMap of the runner.
    @Test(arguments: [
        "runners:\n  config: |\n", "gitlab-runner:\n  runners:\n    config: |\n",
        "kind: ConfigMap\ndata:\n  config.toml: |\n",
    ])
    func theDocumentsFaultsAreFoundWhereverItLies(_ head: String) throws {
        let file = try RunnerFiles.document()
        let indent = head.contains("gitlab-runner") ? "      " : "    "
        let text =
            head
            + file.components(separatedBy: "\n").map { $0.isEmpty ? "" : indent + $0 }.joined(separator: "\n")
        let bare = RunnerLint().check(file)
        let found = RunnerLint().check(text, isYAML: true)
        let offset = head.count { $0 == "\n" }
        // A chart adds address, token and number of jobs.
        let added = head.hasPrefix("kind") ? [] : ["registration", "concurrent"]
        #expect(
            found.map { "\($0.line) \($0.rule)" }
                == bare.filter { !added.contains($0.rule) }.map { "\($0.line + offset) \($0.rule)" })
    }

    @Test(arguments: [
        ("runners:\n  tags: a\n", "empty", 1), ("runners: [\n", "syntax", 2), ("a: 1\na: 2\n", "syntax", 1),
        ("runners:\n  config: |\n    [[runners]\n", "syntax", 3), ("---\n", "empty", 1),
        (String(repeating: "[", count: 100_000), "syntax", 1),
        (String(repeating: "- ", count: 100_000) + "a", "syntax", 1),
        ("a: &a [1]\nb: &b [*a, *a]\nc: &c [*b, *b, *b]\n", "empty", 1),
    ]) func aFileThatHoldsNoneIsNamed(_ text: String, _ rule: String, _ line: Int) {
        let findings = RunnerLint().check(text, isYAML: true)
        #expect(findings.map(\.rule) == [rule])
        #expect(findings.first?.line == line)
    }

    /// Without a name that says so, the text does.
    @Test func yamlIsKnownByItsText() throws {
        #expect(
            RunnerLint().check("# values\nrunners:\n  config: |\n    [[runners]]\n").map(\.rule) != ["syntax"]
        )
        #expect(RunnerLint().check("concurrent = 1 # a: b\n").map(\.rule) == ["empty"])
        #expect(RunnerLint().check("\"a:b\" = 1\nconcurrent = 1\n").map(\.rule) == ["unknown-key", "empty"])
    }
}
