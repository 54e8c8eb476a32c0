import RunnerLint
import Testing

/// Patches of the pod's specification: the runner drops what Kubernetes does not have, and applies them in order.
@Suite struct PatchTests {
    private static let shipped =
        "patch = '''\nhostUsers: false\nsecurityContext:\n  fsGroupChangePolicy: OnRootMismatch\n"

    private func file(_ changes: (String, String)..., adding end: String = "") throws -> String {
        try changes.reduce(RunnerFiles.shipped()) { text, change in
            #expect(text.contains(change.0), "\(change.0)")
            return text.replacing(change.0, with: change.1)
        } + end
    }

    /// Each wrong place is named with the right one, and the pod counts as without a user namespace.
    @Test(arguments: [
        (
            "securityContext:\n  hostUsers: false\n  fsGroupChangePolicy: OnRootMismatch\n",
            "securityContext.hostUsers is in the wrong place", "top of the patch"
        ),
        (
            "spec:\n  hostUsers: false\n  securityContext:\n    fsGroupChangePolicy: OnRootMismatch\n",
            "written as a manifest: spec", "one level to the left"
        ),
    ])
    func aFieldInTheWrongPlaceIsNone(_ patch: String, _ problem: String, _ cure: String) throws {
        let findings = RunnerLint().check(try file((Self.shipped, "patch = '''\n\(patch)")))
        let field = try #require(findings.first { $0.rule == "patch-field" })
        #expect(field.severity == .error)
        #expect(field.problem.contains(problem))
        #expect(field.cure.contains(cure))
        #expect(findings.contains { $0.rule == "proc-mount" })
    }

    @Test(arguments: [
        ("hostUser: false", "no field hostUser", "Did you mean hostUsers?", Finding.Severity.error),
        ("hostUsers: false\nnodeSelektor: {a: b}", "nodeSelektor", "Did you mean nodeSelector?", .error),
        (
            "hostUsers: false\nsecurityContext: {fsGroupchangePolicy: Always}", "no field",
            "fsGroupChangePolicy?", .warning
        ),
        ("hostUsers: false\nnotYetInvented: true", "notYetInvented", "Take it out", .warning),
        (
            "hostUsers: false\ncontainers: [{name: build, procMount: Default}]", "containers[].procMount",
            "securityContext", .error
        ),
    ])
    func aFieldThatKubernetesDoesNotHaveIsNamed(
        _ patch: String, _ problem: String, _ cure: String, _ severity: Finding.Severity
    ) throws {
        let text = try file(
            (Self.shipped, "patch = '''\n\(patch)\n"),
            (
                "containers:\n  - name: podman\n    resources:\n      limits:\n        squat.ai/tun: \"1\"\n",
                ""
            ))
        let field = try #require(RunnerLint().check(text).first { $0.rule == "patch-field" })
        #expect(field.problem.contains(problem) && field.cure.contains(cure))
        #expect(field.severity == severity)
    }

    @Test func directivesAndOperationsAreNoFields() throws {
        let more = """

                [[runners.kubernetes.pod_spec]]
                  name = "more"
                  patch_type = "json"
                  patch = '''
            - {op: add, path: /priority, value: 1}
            - {op: replace, path: /securityContext, value: {fsGroupChangePolicy: OnRootMismatch}}
            '''
                [[runners.kubernetes.pod_spec]]
                  name = "directive"
                  patch = '''
            $retainKeys: [hostUsers]
            '''
            """
        #expect(RunnerLint().check(try file(adding: more)) == [])
        let wrong = try file(adding: more.replacing("path: /priority", with: "path: /spec/priority"))
        #expect(RunnerLint().check(wrong).map(\.rule) == ["patch-field"])
    }

    @Test func aMergePatchReplacesLists() throws {
        let findings = RunnerLint().check(try file(("patch_type = \"strategic\"", "patch_type = \"merge\"")))
        #expect(findings.map(\.rule) == ["patch-type"])
        #expect(findings.first?.severity == .error)
    }

    @Test func aPatchInAFileIsNotSeen() throws {
        let text = try RunnerFiles.shipped()
        let start = try #require(text.range(of: Self.shipped)).lowerBound
        let unseen = text[..<start] + "patch_path = \"/etc/gitlab-runner/userns.yaml\"\n"
        let findings = RunnerLint().check(String(unseen))
        #expect(findings.map(\.rule) == ["patch-unseen"])
        #expect(findings.first?.severity == .warning)
    }

    @Test(arguments: ["merge", "strategic"])
    func aLaterPatchGoesBeforeAnEarlierOne(_ type: String) throws {
        let later =
            "\n    [[runners.kubernetes.pod_spec]]\n      name = \"gpu\"\n      patch_type = \"\(type)\"\n      patch = \"hostUsers: true\"\n"
        let findings = RunnerLint().check(try file(adding: later))
        #expect(Set(findings.map(\.rule)) == ["patch-order", "proc-mount"])
        #expect(RunnerLint().check(try file(adding: later.replacing("true", with: "false"))) == [])
    }

    /// The labels that `job-policy` goes by; a pattern that cannot match them is nobody's business.
    @Test(arguments: [
        (".*", true), ("^ci-cache/.*", true), ("^c?x/", true), ("team|ci", true),
        ("ci-cache/claims=.*", true),
        ("^team/", false), ("^example.com/.*", false), ("", false),
    ])
    func aJobMayNotChooseItsPool(_ pattern: String, _ isFound: Bool) throws {
        for key in ["pod_labels_overwrite_allowed", "node_selector_overwrite_allowed"] {
            let text = try file(
                ("    namespace = \"ci\"\n", "    namespace = \"ci\"\n    \(key) = \"\(pattern)\"\n"))
            let findings = RunnerLint().check(text)
            #expect(findings.map(\.rule) == (isFound ? ["overwrite"] : []), "\(key)")
        }
    }
}
