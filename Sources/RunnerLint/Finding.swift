import TOMLSettings

/// One thing that a runner's configuration has wrong.
package struct Finding: Sendable, Hashable {
    /// How much it matters.
    package enum Severity: String, Sendable, Hashable {
        /// It does not work, is ignored by the runner, or breaks what this design promises.
        case error
        /// It works, but less well or less safely than it could.
        case warning
    }

    /// The rule's name, for scripts: `unknown-key`.
    package var rule: String
    /// How much it matters.
    package var severity: Severity
    /// The line it is about, from 1; for what is missing, the line of the table it is missing from.
    package var line: Int
    /// The path of the key: `runners[0].kubernetes.privileged`.
    package var key: String
    /// What is wrong.
    package var problem: String
    /// Why that is bad.
    package var reason: String
    /// What to write instead.
    package var cure: String

    /// Makes a finding.
    package init(
        _ severity: Severity, _ rule: String, at place: Setting, problem: String, reason: String, cure: String
    ) {
        self.rule = rule
        self.severity = severity
        line = place.line
        key = place.path
        self.problem = problem
        self.reason = reason
        self.cure = cure
    }
}

/// A rule: what it finds in a part of the file.
typealias Rule<Part> = @Sendable (Part) -> [Finding]
