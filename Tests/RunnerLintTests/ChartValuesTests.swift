import Foundation
import Testing

@testable import RunnerLint

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
        [("registryCredentials: \"\"", "registryCredentials: mine"), ("cpuLimit: \"\"", "cpuLimit: \"3\"")],
        [("imageStore: claim", "imageStore: pod"), ("registryCa: \"\"", "registryCa: registry-ca")],
    ]) func eachChoiceIsFaultless(_ changes: [(String, String)]) throws {
        var text = try values()
        for (old, new) in changes {
            let place = try #require(text.range(of: old))
            text.replaceSubrange(place, with: new)
        }
        #expect(RunnerLint().check(text) == [])
    }

    /// With the account's secrets alone no image of a job would be pulled.
    @Test func aSecretOfPodmansIsThePodsToo() throws {
        let named = "        image_pull_secrets = [\"{{ .Values.larder.registryCredentials }}\"]\n"
        let text = try values(("registryCredentials: \"\"", "registryCredentials: mine"), (named, ""))
        let findings = RunnerLint().check(text)
        #expect(findings.map(\.rule) == ["pull-secret"])
        #expect(findings.first?.cure.contains("image_pull_secrets = [\"mine\"]") == true)
        // Where the runner gives its pods none, those of the account count.
        let own = text.replacing(
            "        privileged = false\n",
            with: "        privileged = false\n        use_service_account_image_pull_secrets = true\n")
        #expect(RunnerLint().check(own) == [])
        // A secret that Podman has not is one that some jobs may not use.
        let other = RunnerLint().check(
            text.replacing(
                "        privileged = false\n",
                with: "        privileged = false\n        image_pull_secrets = [\"mine\", \"other\"]\n"))
        #expect(other.map(\.rule) == ["pull-policy"])
    }

    /// What Helm would end with, at the line that says so.
    @Test func aSettingThatThereIsNotIsRefused() throws {
        let text = try values(("  nodeTolerations: \"\"\n", "  nodeToleration: \"a:NoSchedule\"\n"))
        let findings = RunnerLint().check(text).filter { $0.rule == "template" }
        #expect(findings.map(\.severity) == [.error])
        #expect(findings.first?.problem.contains("larder-runner has no setting") == true)
        #expect(findings.first?.line == RunnerFiles.line(of: "{{- fail (printf \"larder-runner", in: text))
    }

    /// The functions that the shipped template uses, each against what Helm 4.1 made of it.
    @Test(arguments: [
        (
            "regexReplaceAll `^[a-z]+://([^:/]+):([0-9]+).*$` \"http://p.example:3128/\" `${1} ${2}`",
            "p.example 3128"
        ),
        ("regexReplaceAll `([.]0){3}/8|([.]0){2}/16` \"10.0.0.0/8,10.0.0.0/16,a\" `.*`", "10.*,10.0.*,a"),
        ("printf \",%s=%d\" \"a\" 3 | replace \",\" \"|\"", "|a=3"),
    ]) func aFunctionGivesWhatHelmGives(_ action: String, _ wanted: String) throws {
        let text = try values(
            (
                "\"ci-cache/network\" = \"registries\"",
                "\"a/b\" = \"{{ \(action) }}\"\n          \"ci-cache/network\" = \"registries\""
            ))
        #expect(RunnerLint().check(text) == [])
        // The same text as a pull policy, which a finding shows.
        let shown = try values(
            (
                "pull_policy = [\"if-not-present\"]\n        allowed",
                "pull_policy = [\"{{ \(action) }}\"]\n        allowed"
            ))
        #expect(RunnerLint().check(shown).map(\.problem).contains { $0.contains("\"\(wanted)\"") })
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
            (
                "          read_only = true\n\n        # The job's own",
                "          read_onli = true\n\n        # The job's own"
            ))
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

    /// What a `range` makes is not known, nor are its lines; a value that is not known has no word of its own.
    @Test(arguments: [
        (
            "        [runners.kubernetes.node_selector]\n",
            [
                "{{- range $k, $v := .Values.sel }}", "{{ $k }} = \"{{ $v }}\"", "{{ $v }} = \"{{ $k }}\"",
                "{{- end }}",
            ], 1
        ),
        (
            "        helper_cpu_request = \"100m\"\n",
            ["{{ include \"a\" . }} = \"1\"", "{{ include \"b\" . }} = \"2\""], 2
        ),
        ("        helper_cpu_request = \"100m\"\n", ["{{ include \"more\" . | nindent 4 }}"], 1),
        ("        helper_cpu_request = \"100m\"\n", ["cpu_limit = \"{{ include \"cpu\" . }}\""], 1),
    ])
    func noFindingIsAboutWhatWasNotRun(_ place: String, _ lines: [String], _ count: Int) throws {
        let added = lines.map { "        \($0)\n" }.joined()
        let findings = RunnerLint().check(try values((place, place + added)))
        #expect(findings.map(\.rule) == Array(repeating: "template", count: count))
        #expect(findings.allSatisfy { !"\($0)".contains("helm-value") })
    }

    @Test func aTemplateHasOneRunner() throws {
        let one = try values()
        let config = try #require(one.range(of: "    [[runners]]\n")).lowerBound
        let findings = RunnerLint().check(one + "\n" + one[config...])
        #expect(findings.map(\.rule).contains("one-runner"))
        #expect(findings.first { $0.rule == "one-runner" }?.severity == .error)
        // In config.toml there may be as many as you like.
        let bare = "concurrent = 1\n[[runners]]\n[[runners]]\n"
        #expect(!RunnerLint().check(bare).map(\.rule).contains("one-runner"))
        #expect(RunnerLint().check(bare, isTemplate: true).map(\.rule).contains("one-runner"))
    }

    /// A bare `config.template.toml` holds no global key, and its chart or registration adds the rest.
    @Test func aBareTemplateNeedsNeitherAddressNorNumberOfJobs() throws {
        let runner =
            "[[runners]]\n  executor = \"kubernetes\"\n  [runners.kubernetes]\n    namespace = \"ci\"\n"
        let rules = RunnerLint().check(runner).map(\.rule)
        #expect(rules.contains("concurrent") && rules.contains("registration"))
        let ofTemplate = RunnerLint().check(runner, isTemplate: true).map(\.rule)
        #expect(!ofTemplate.contains("concurrent") && !ofTemplate.contains("registration"))
    }

    /// What Helm merges by `<<` is there: own keys first, then the maps in their order.
    @Test func mergeKeysAreApplied() {
        let config =
            "  config: |\n    [[runners]]\n      executor = \"kubernetes\"\n      [runners.kubernetes]\n"
        let privileged = RunnerLint().check(
            "base: &b\n\(config)        privileged = true\nrunners:\n  <<: *b\n  secret: x\n", isYAML: true)
        #expect(privileged.first { $0.rule == "privileged" }?.line == 6)
        let pinned = RunnerLint().check(
            "a: &a {image: alpine}\nb: &b {image: \"alpine:1\", other: x}\nmine:\n  <<: [*b, *a]\n  other: y\nrunners:\n"
                + config
                + "        image = \"{{ .Values.mine.image }}\"\n        namespace = \"{{ .Values.mine.other }}\"\n",
            isYAML: true)
        #expect(!pinned.map(\.rule).contains("image-not-pinned"))
        #expect(!pinned.map(\.rule).contains("namespace"))
    }

    /// What `helm template` prints, as the cure of what could not be run tells to check.
    @Test func theConfigMapIsFoundAmongOtherDocuments() {
        let account = "---\n# Source: a\nkind: ServiceAccount\nmetadata:\n  name: r\n"
        let map =
            "---\nkind: ConfigMap\ndata:\n  config.template.toml: |\n    [[runners]]\n      executor = \"kubernetes\"\n"
            + "      [runners.kubernetes]\n        privileged = true\n"
        let findings = RunnerLint().check(account + map + account, isYAML: true)
        #expect(findings.first { $0.rule == "privileged" }?.line == 13)
        #expect(!findings.map(\.rule).contains("registration"))
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

    /// Yams compares keys by all that is in them: without bounds each of these would take it for ever.
    @Test(arguments: ["? *a30\n: x\n", "[*a30]: x\n", "*a30 : x\n", "b: {[*a30]:x}\n", "- ? {*a30: x}\n"])
    func aliasesOfAliasesAreNoKeys(_ end: String) {
        let aliases = (1...30).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()
        let findings = RunnerLint().check("a0: &a0 x\n\(aliases)\(end)", isYAML: true)
        #expect(findings.map(\.rule) == ["syntax"])
        #expect(findings.first?.line == 2)
    }

    /// An alias may stand beside brackets that are no keys.
    @Test func anAliasBesideBracketsIsRead() {
        let findings = RunnerLint().check(
            "a: &a {x: y}\nh: \"${HOST}:80\"\nb: *a\nc: [*a, *a]\nd: {e: *a, f: *a}\nlink: http://[::1]:80\n",
            isYAML: true)
        #expect(findings.map(\.rule) == ["empty"])
    }

    /// What actions enclose is run by recursion, so that what is nested without bounds is not run.
    @Test(arguments: [
        "{{ " + String(repeating: "(", count: 100_000) + ".Values.a" + String(repeating: ")", count: 100_000)
            + " }}",
        "{{ " + String(repeating: "(", count: 17) + ".Values.a" + String(repeating: ")", count: 17) + " }}",
        "{{ if " + String(repeating: "not ", count: 100_000) + ".Values.a }}{{ end }}",
        "{{ if " + String(repeating: "(and ", count: 50_000) + ".Values.a"
            + String(repeating: ")", count: 50_000)
            + " }}{{ end }}",
    ])
    func anActionThatIsNestedTooDeepIsNotRun(_ action: String) throws {
        let template = HelmTemplate("a\n\(action)\nb", values: try .init(yaml: "a: x"))
        #expect(template.unknown.map(\.line) == [2])
        #expect(template.text.split(separator: "\n").map(String.init) == ["a", "b"])
    }

    @Test func whatIsNestedAsPeopleDoIsRun() throws {
        let parentheses = String(repeating: "(", count: 16) + ".Values.a" + String(repeating: ")", count: 16)
        let template = HelmTemplate(
            String(repeating: "{{ if .Values.a }}", count: 2000) + "{{ \(parentheses) }}"
                + String(repeating: "{{ end }}", count: 2000) + "{{ if not .Values.a }}y{{ end }}",
            values: try .init(yaml: "a: x"))
        #expect(template.text == "x")
        #expect(template.unknown.isEmpty)
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
