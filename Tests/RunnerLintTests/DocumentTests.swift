import RunnerLint
import Testing

/// The architecture document's `config.toml` has exactly the faults that are known of it.
@Suite struct DocumentTests {
    /// Rule, severity, and a text on the line that the finding must name.
    static let expected: [(rule: String, severity: Finding.Severity, place: String)] = [
        ("cache-dir", .warning, "[[runners]]"),
        ("home", .warning, "[[runners]]"),
        ("registration", .warning, "[[runners]]"),
        ("concurrent", .warning, "# In /etc/gitlab-runner/config.toml"),
        ("resources", .warning, "[runners.kubernetes]"),
        ("network-label", .warning, "[runners.kubernetes]"),
        ("node-selector", .warning, "[[runners.kubernetes.volumes.pvc]]"),
        ("runs-as-root", .error, "[runners.kubernetes]"),
        ("privilege-escalation", .warning, "[runners.kubernetes]"),
        ("capabilities", .warning, "[runners.kubernetes]"),
        ("seccomp", .warning, "[runners.kubernetes]"),
        ("token", .warning, "[runners.kubernetes]"),
        ("namespace", .warning, "[runners.kubernetes]"),
        ("misplaced-key", .error, "[runners.kubernetes.security_context]"),
        ("socket", .warning, "[[runners.kubernetes.volumes.empty_dir]]"),
        ("seccomp", .warning, "[[runners.kubernetes.services]]"),
        ("socket-wait", .warning, "[[runners.kubernetes.services]]"),
        ("service-environment", .warning, "[[runners.kubernetes.services]]"),
        ("image-not-pinned", .warning, "quay.io/podman/stable"),
        ("shared-store", .error, "command = ["),
    ]

    @Test func hasItsFindings() throws {
        let file = try RunnerFiles.document()
        let findings = RunnerLint().check(file)
        let expected = Self.expected.map {
            "\(RunnerFiles.line(of: $0.place, in: file)) \($0.severity.rawValue) \($0.rule)"
        }
        #expect(findings.short.sorted() == expected.sorted())
        #expect(findings.map(\.line) == findings.map(\.line).sorted())
    }

    /// The library would end the process at these, where it checks what it takes for granted.
    @Test(arguments: ["[=]", "[[ =", "[#x]", "[[é]]", "a = 'b[='\n[\n]", "[x]\na = [\n[1],\n[2] ]\n[.]"])
    func aHeaderWithoutAKeyIsNamed(text: String) {
        let findings = RunnerLint().check(text)
        #expect(findings.map(\.rule) == ["syntax"])
        #expect(findings.first?.line == (text.hasPrefix("[x]") ? 5 : text.hasPrefix("a") ? 2 : 1))
    }

    /// Where the library takes its document apart, the stack would overflow.
    @Test(arguments: [
        ("a", ".a", " = 1"), ("\n[[a", " . \"]\"", "]]"),
        ("[a.\"]#\"]\nb = [1.5, 2, {c = {d", ".d", " = 1}}]"), ("a = {b.c = [{d = {", "e.e.e.e={", ""),
    ])
    func whatIsNestedTooDeepIsNamed(start: String, again: String, end: String) {
        let findings = RunnerLint().check(start + String(repeating: again, count: 200_000) + end)
        #expect(findings.map(\.rule) == ["syntax"])
        #expect(findings.first?.line == (start.hasPrefix("a") ? 1 : 2))
        #expect(findings.first?.problem.contains("nested more than 128 deep") == true)
    }

    @Test func dotsThatNestNothingAreNotCounted() {
        let numbers = repeatElement("1.5", count: 2000).joined(separator: ", ")
        let tables = repeatElement("{a.b = '...'}", count: 2000).joined(separator: ",\n")
        let text =
            "x = [\(numbers)]\n# \(String(repeating: ".", count: 2000))\ny = [\(tables)]\n\"z...\" = \"\"\"\n"
            + String(repeating: ".[{", count: 2000)
            + "\"\"\"\n[a.\"\(String(repeating: ".", count: 2000))\"]\n"
        #expect(!RunnerLint().check(text).contains { $0.rule == "syntax" })
    }

    @Test(arguments: [
        "a = [\n[\"=\"]]", "[]", "[a]\nb = \"\"\"\n[=]\n\"\"\"", "\"a[\\\"=\" = \"\"\"\n[=]\"\"\"", "['=']",
        "[[ \"=\" ]]",
    ])
    func whatIsNoHeaderIsNotTakenForOne(text: String) {
        #expect(!RunnerLint().check(text).contains { $0.problem.contains("after `[`") })
    }

    @Test func oneSlotMayHaveARootOfItsOwn() throws {
        let slots = try RunnerFiles.document().replacing(
            "gitlab-podman-cache-pvc", with: "gitlab-podman-cache-pvc-$CI_CONCURRENT_ID")
        #expect(!RunnerLint().check(slots).map(\.rule).contains("shared-store"))
    }
}
