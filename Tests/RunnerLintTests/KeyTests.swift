import CacheModel
import Foundation
import Reporting
import RunnerLint
import Testing

/// Keys, lines and formats.
@Suite struct KeyTests {
    @Test(arguments: [
        ("[runners.kubernetes.security_context]", "pod_security_context"),
        ("[runners.kubernetes.pod_security_contexts]", "Did you mean pod_security_context?"),
        ("[runners.kubernetes]\nrun_as_user = 1", "[runners.kubernetes.pod_security_context]"),
        ("[runners.kubernetes]\ncache_dir = \"/x\"", "Move it to [runners]."),
        ("[runners.kubernetes]\nconcurrent = 1", "Move it to the top of the file."),
        ("[runners.kubernetes]\nquite_another_thing = 1", "Remove it"),
        ("tags = [\"kubernetes-podman-runner\"]", "set it in GitLab"),
        ("[runners.kubernetes]\nallowPrivilegeEscalation = false", "allow_privilege_escalation?"),
        ("[runners.kubernetes]\nrunAsUser = 1", "It is called run_as_user there."),
        ("[runners.kubernetes]\npoll_timout = 1", "It came with GitLab Runner 1.10."),
        ("[[runners.kubernetes.services]]\nnamee = \"x\"", "Did you mean name?"),
    ]) func aCureNamesTheRightPlace(_ text: String, _ cure: String) {
        let findings = RunnerLint().check("[[runners]]\n" + text)
        let found = findings.first { ["unknown-key", "misplaced-key"].contains($0.rule) }
        #expect(found?.cure.contains(cure) == true, "\(found?.cure ?? "nothing found")")
    }

    /// What the runner's own documentation has, and its sources name in ways of their own: a field without a tag, a
    /// table from another package, a key in other capitals.
    @Test(arguments: [
        "[runners.machine]\nIdleCount = 1\nMachineOptions = [\"a\"]\n[[runners.machine.autoscaling]]\nPeriods = [\"*\"]",
        "[runners.docker]\nhost = \"tcp://docker:2376\"\ntls_verify = true\ntls_cert_path = \"/certs\"",
        "[runners.kubernetes]\nNamespace = \"ci\"", "[runners.feature_flags]\nFF_USE_FASTZIP = true",
    ]) func aKeyThatExistsIsNotFound(_ text: String) {
        let rules = RunnerLint().check("[[runners]]\n" + text).map(\.rule)
        #expect(
            !rules.contains { ["unknown-key", "misplaced-key", "wrong-kind", "unknown-flag"].contains($0) })
    }

    @Test func aFlagMayBeTooNewForTheRunner() throws {
        let text = "concurrent = 1\n[[runners]]\nenvironment = [\"FF_PRINT_POD_EVENTS=true\"]"
        let old = RunnerLint(version: RunnerVersion("16.4")).check(text)
        #expect(old.map(\.rule) == ["newer-flag"])
        #expect(RunnerLint(version: RunnerVersion("16.5")).check(text).isEmpty)
    }

    @Test func twoRunnersMayNotHaveTheSameSlots() {
        let claim =
            "[[runners.kubernetes.volumes.pvc]]\nname = \"store-$CI_CONCURRENT_ID\"\nmount_path = \"/s\"\n"
        let runner = "[[runners]]\n[runners.kubernetes]\n" + claim
        #expect(!RunnerLint().check(runner).map(\.rule).contains("slots-shared"))
        let found = RunnerLint().check(runner + runner).filter { $0.rule == "slots-shared" }
        #expect(found.map(\.line) == [9])
        #expect(found.first?.problem.contains("line 1 ") == true)
    }

    @Test(arguments: [
        ("executor = \"kubernetes\"", "there is no [runners.kubernetes]"),
        ("executor = \"docker\"\n[runners.kubernetes]", "the executor is docker"),
    ]) func theExecutorAndItsTableBelongTogether(_ text: String, _ problem: String) {
        #expect(RunnerLint().check("[[runners]]\n" + text).contains { $0.problem == problem })
    }

    @Test func aKeyMayBeTooNewForTheRunner() throws {
        let file = try RunnerFiles.shipped()
        let old = try #require(RunnerVersion("15.9"))
        let findings = RunnerLint(version: old).check(file)
        #expect(Set(findings.map(\.rule)) == ["newer-key"])
        #expect(findings.contains { $0.key.hasSuffix("pod_spec") && $0.problem.contains("15.10") })
        #expect(RunnerLint(version: RunnerVersion("v19.3.0")).check(file).isEmpty)
        // A table is named, and not what is in it.
        let profiles = RunnerLint(version: RunnerVersion("18.10")).check(file)
        #expect(profiles.map(\.problem).allSatisfy { $0.contains("_profile came with GitLab Runner 18.11") })
        #expect(profiles.count == 3)
    }

    /// The linter names a line for each key of a file; a search for the text finds the same one.
    @Test func linesAreThoseOfTheText() {
        let file = """
            # a = 1 in a comment
            text = \"\"\"
            [not.a.table]
            fake = 1 \\\"\"\"
            \"\"\"
            list = [ # comment ]
              "]", 'x = 1',
              { inner = 1 },
            ]
            "quoted.key" = 'a#b'
            [[runners]]
            unknown_a = 1
            [[runners]]
            [runners.kubernetes]
            unknown_b = '''
            '''''
            unknown_c.unknown_d = { unknown_e = 1 }
            """
        let findings = RunnerLint().check(file).filter { $0.rule.hasSuffix("-key") }
        #expect(
            findings.map { "\($0.line) \($0.key)" } == [
                "2 text", "6 list", "10 quoted.key", "12 runners[0].unknown_a",
                "15 runners[1].kubernetes.unknown_b",
                "17 runners[1].kubernetes.unknown_c",
            ])
    }

    @Test(arguments: [
        "", "\n", "[", "[[runners]]", "runners = 3", "a = 1\na = 2", "\u{0}", "[[runners]]\nkubernetes = []",
    ])
    func hostileFilesEndInFindings(_ text: String) {
        for finding in RunnerLint().check(text) {
            #expect(finding.line >= 1 && !finding.cure.isEmpty)
        }
    }

    @Test func theReportSaysIt() throws {
        let findings = RunnerLint().check(try RunnerFiles.document())
        let report = LintRunnerReport(file: "config.toml", findings: findings)
        let text = report.text(width: 80, color: false, now: Timestamp(seconds: 0, nanoseconds: 0))
        #expect(text.hasSuffix("config.toml: 3 errors, 17 warnings\n"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
        let object = try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any]
        #expect(object?["schema"] as? String == "larder.lint-runner/1")
        #expect(object?["errors"] as? Int == 3)
        let first = (object?["findings"] as? [[String: Any]])?.first
        #expect(
            Set(try #require(first).keys) == ["rule", "severity", "line", "key", "problem", "reason", "cure"])
    }

    /// A key that no list has is no fault of the file's, where the runner is newer than the list.
    @Test(arguments: [(nil, Finding.Severity.error), ("19.3", .error), ("25.1", .warning)])
    func aKeyMayBeNewerThanTheList(_ version: String?, _ severity: Finding.Severity) throws {
        let text = "concurrent = 1\n[[runners]]\n[runners.kubernetes]\nquite_another_thing = 1"
        let lint = RunnerLint(version: version.flatMap { RunnerVersion($0) })
        let finding = try #require(lint.check(text).first { $0.rule == "unknown-key" })
        #expect(finding.severity == severity)
        #expect(
            finding.problem
                == "the key quite_another_thing is not known to this version, which knows GitLab Runner up to 19.3"
        )
    }

    @Test(arguments: ["", "\n\n", "# only a comment\n", "concurrent = 4\n"])
    func aFileWithoutRunnersIsNamed(_ text: String) {
        #expect(RunnerLint().check(text).map(\.rule) == ["empty"])
    }

    @Test(arguments: [
        ("docker.io/library/redis:7", "docker.io/library/*:*", true),
        ("docker.io/library/redis:7", "docker.io/*:*", false),
        ("docker.io/library/redis:7", "docker.io/**", true),
        ("redis:7", "redis:?", true), ("redis:17", "redis:?", false), ("redis:7", "redis:7", true),
        ("a/b/c", "**/c", true), ("a/b/c", "a*c", false), ("", "*", true),
    ]) func servicesAreMatchedAsTheRunnerDoes(_ image: String, _ pattern: String, _ isMeant: Bool) {
        let text = """
            concurrent = 1
            [[runners]]
            [runners.kubernetes]
            allowed_services = ["\(pattern)"]
            [[runners.kubernetes.services]]
            name = "\(image)"
            """
        #expect(RunnerLint().check(text).contains { $0.rule == "allowed-services" } != isMeant)
    }
}
