import TOMLSettings

/// What concerns a runner as a whole, or several of them: executor, feature flags, slots.
enum RunnerRules {
    /// The findings of all runners of a file.
    static func check(_ runners: [Setting], version: RunnerVersion?) -> [Finding] {
        runners.flatMap { executor($0) + flags($0, version: version) } + slots(runners)
    }

    /// How many jobs run at once: the runner's own default is one.
    static func concurrent(_ document: Setting, _ file: RunnerDocument) -> [Finding] {
        let setting = document["concurrent"] ?? file.concurrent
        // The values of a chart have a line of their own, which is none of the TOML text's.
        var place = setting ?? Setting(path: "concurrent", line: 1, value: .other)
        if document["concurrent"] == nil, setting != nil { place.line -= file.lineOffset }
        guard let setting else {
            guard !file.isTemplate else { return [] }
            return [
                Finding(
                    .warning, "concurrent", at: place, problem: "concurrent is not set",
                    reason: "The runner then runs one job at a time, whatever the runners below may have.",
                    cure: "Write concurrent = 4 at the top of the file: no more than the caches' node takes.")
            ]
        }
        guard let number = setting.integer ?? setting.text.flatMap({ Int($0) }) else { return [] }
        if number < 1 {
            return [
                Finding(
                    .error, "concurrent", at: place, problem: "concurrent = \(number)",
                    reason: "The runner takes no job, or runs one at a time.",
                    cure: "Write how many jobs the caches' node takes at once.")
            ]
        }
        return []
    }

    /// `register` takes a template with one runner (`commands/register.go`, 19.4).
    static func template(_ runners: [Setting], _ file: RunnerDocument) -> [Finding] {
        guard file.isTemplate else { return [] }
        return runners.dropFirst().map {
            Finding(
                .error, "one-runner", at: $0, problem: "a second [[runners]] in a template",
                reason:
                    "Registration ends with \"configuration template must contain exactly one [[runners]] entry\", and "
                    + "the runner never starts.",
                cure: "Install the chart a second time for it, as for a second pool.")
        }
    }

    private static func executor(_ runner: Setting) -> [Finding] {
        guard let executor = runner["executor"], let name = executor.text else { return [] }
        switch (name, runner["kubernetes"]) {
        case ("kubernetes", nil):
            return [
                Finding(
                    .error, "executor", at: executor, problem: "there is no [runners.kubernetes]",
                    reason: "Jobs run as their image's user, often root, and without any volume.",
                    cure: "Take over deploy/gitlab-runner/config.toml.")
            ]
        case ("kubernetes", _), (_, nil): return []
        case (_, _):
            return [
                Finding(
                    .error, "executor", at: executor, problem: "the executor is \(name)",
                    reason: "The runner then reads nothing of [runners.kubernetes].",
                    cure: "Write executor = \"kubernetes\".")
            ]
        }
    }

    /// The runner takes any name for a flag, and ignores what it does not know.
    private static func flags(_ runner: Setting, version: RunnerVersion?) -> [Finding] {
        let parent = "runners[].feature_flags"
        let known = RunnerKeys.known.names(below: parent).filter { $0.hasPrefix("FF_") }
        let environment = runner["environment"]
        let inEnvironment = (environment?.texts ?? []).map { String($0.prefix { $0 != "=" }) }
            .filter { $0.hasPrefix("FF_") }
        let inTable = runner["feature_flags"]?.members ?? []
        let used = inTable.map { ($0.key, $0.setting) } + inEnvironment.map { ($0, environment ?? runner) }
        return used.compactMap { name, place in
            guard known.contains(name) else {
                let nearest = KeyRules.nearest(to: name, among: known, within: max(2, name.count / 5))
                return Finding(
                    .error, "unknown-flag", at: place, problem: "the feature flag \(name) does not exist",
                    reason: "The runner ignores it without a word.",
                    cure: nearest.map { "Did you mean \($0)?" } ?? "Take it out.")
            }
            // One in the table is a key, whose release is checked as that of any other.
            guard let version, let since = RunnerKeys.known.find(name, below: parent)?.key.since,
                since > version, runner["feature_flags"]?[name] == nil
            else { return nil }
            return Finding(
                .error, "newer-flag", at: place, problem: "\(name) came with GitLab Runner \(since)",
                reason: "Release \(version) ignores it without a word.",
                cure: "Update the runner, or leave the flag out.")
        }
    }

    /// `$CI_CONCURRENT_ID` tells the jobs of one runner apart, and not those of two.
    private static func slots(_ runners: [Setting]) -> [Finding] {
        var seen: [String: (runner: Int, line: Int)] = [:]
        var findings: [Finding] = []
        for (number, runner) in runners.enumerated() {
            for claim in runner.at("kubernetes", "volumes", "pvc")?.elements ?? [] {
                guard let name = claim["name"], let text = name.text, text.contains("CI_CONCURRENT_ID") else {
                    continue
                }
                if let first = seen[text], first.runner != number {
                    findings.append(
                        Finding(
                            .error, "slots-shared", at: name,
                            problem: "the claims \(text) are those of the runner on line \(first.line) too",
                            reason:
                                "The number counts the jobs of one runner: two jobs get the same slot, and one "
                                + "of them waits, or both change its store.",
                            cure: "Give each runner claims of its own."))
                }
                seen[text] = seen[text] ?? (number, runner.line)
            }
        }
        return findings
    }
}
