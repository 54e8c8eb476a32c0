import TOMLSettings

/// Checks a GitLab Runner `config.toml` against the keys that exist and against the design of `deploy/`.
///
/// Nothing here reads files or talks to a cluster: a text goes in, findings come out.
package struct RunnerLint: Sendable {
    private let keys: KeyRules
    private let version: RunnerVersion?

    /// Checks for a release of the runner: keys that came later are errors.
    ///
    /// Nil accepts every key that exists.
    package init(version: RunnerVersion? = nil) {
        self.version = version
        keys = KeyRules(version: version)
    }

    /// What is wrong with the file, in the order of its lines.
    ///
    /// A file that cannot be read has that one finding.
    ///
    /// - Parameters:
    ///   - isYAML: whether it holds values of GitLab's chart, or a ConfigMap; nil looks at the text.
    ///   - isTemplate: whether TOML is a `config.template.toml`, to which registration adds name, address and token.
    package func check(_ text: String, isYAML: Bool? = nil, isTemplate: Bool = false) -> [Finding] {
        var file = RunnerDocument(text, isYAML: isYAML)
        file.isTemplate = file.isTemplate || isTemplate
        guard file.findings.allSatisfy({ $0.severity == .warning }) else { return file.findings }
        // What stands in the place of a value that is not known is no fault of the file's.
        let found =
            file.findings + check(file).filter { !"\($0)".contains(HelmTemplate.placeholder) }
        return found.map { finding in
            var finding = finding
            finding.line += file.lineOffset
            return finding
        }.enumerated().sorted {
            ($0.element.line, $0.offset) < ($1.element.line, $1.offset)
        }.map(\.element)
    }

    private func check(_ file: RunnerDocument) -> [Finding] {
        let document: Setting
        do { document = try Setting(document: file.toml) } catch {
            let place = Setting(path: "", line: error.line, value: .other)
            return [
                Finding(
                    .error, "syntax", at: place, problem: "no TOML: \(error.description)",
                    reason: "The runner does not start.", cure: "Correct the line; the rest was not checked.")
            ]
        }
        let runners = document["runners"]?.elements ?? []
        guard !runners.isEmpty else {
            let place = document["runners"] ?? document
            return keys.check(document) + [
                Finding(
                    .error, "empty", at: place, problem: "the file has no [[runners]]",
                    reason: "The runner starts, and asks GitLab for nothing.",
                    cure: "Take over deploy/gitlab-runner/config.toml.")
            ]
        }
        let rules =
            SecurityRules.all + AccessRules.all + PatchRules.all + HardeningRules.all + DesignRules.all
            + ValueRules.all
            + PodmanRules.all + PodRules.all
        return keys.check(document) + RunnerRules.check(runners, version: version)
            + RunnerRules.concurrent(document, file) + RunnerRules.template(runners, file)
            + runners.compactMap { JobPod($0, isTemplate: file.isTemplate) }.flatMap { pod in
                rules.flatMap { $0(pod) }
            }
    }
}
