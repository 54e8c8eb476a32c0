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
    /// A file that is no TOML has that one finding.
    package func check(_ text: String) -> [Finding] {
        let document: Setting
        do { document = try Setting(document: text) } catch {
            let place = Setting(path: "", line: error.line, value: .other)
            return [
                Finding(
                    .error, "syntax", at: place, problem: "no TOML: \(error.description)",
                    reason: "The runner does not start.", cure: "Correct the line; the rest was not checked.")
            ]
        }
        let runners = document["runners"]?.elements ?? []
        let rules = SecurityRules.all + AccessRules.all + PodmanRules.all + PodRules.all
        let found =
            keys.check(document) + RunnerRules.check(runners, version: version)
            + runners.compactMap(JobPod.init).flatMap { pod in rules.flatMap { $0(pod) } }
        return found.enumerated().sorted {
            ($0.element.line, $0.offset) < ($1.element.line, $1.offset)
        }.map(\.element)
    }
}
