import TOMLSettings

/// A runner's configuration in what people keep it in: a `config.toml`, values of GitLab's chart, a ConfigMap.
struct RunnerDocument {
    /// The TOML text.
    var toml: String
    /// How many lines of the file come before its first.
    var lineOffset = 0
    /// Whether a chart adds name, url and token.
    var isTemplate = false
    /// What the file says of the number of jobs, where TOML does not.
    var concurrent: Setting?
    /// What was found on the way.
    var findings: [Finding] = []

    /// The keys that hold a runner's configuration, in a chart's values and in ConfigMaps.
    private static let places = [
        ["runners", "config"], ["gitlab-runner", "runners", "config"], ["data", "config.toml"],
        ["data", "config.template.toml"],
    ]

    /// Finds the configuration in a file.
    ///
    /// - Parameter isYAML: whether it is one of the two in YAML; nil looks at the text.
    init(_ text: String, isYAML: Bool?) {
        if isYAML ?? Self.looksLikeYAML(text) {
            self.init(yaml: text)
        } else {
            self.init(toml: text)
        }
    }

    private init(toml text: String) { toml = text }

    private init(yaml text: String) {
        toml = ""
        let documents: [Setting]
        do { documents = try Setting.documents(yaml: text) } catch {
            findings = [
                Self.finding(
                    "syntax", line: error.line, "no YAML: \(error.description)", "Helm refuses the file.",
                    "Correct the line; the rest was not checked.")
            ]
            return
        }
        // `helm template` prints all of a chart's objects, of which one is the runner's ConfigMap.
        let found = documents.lazy.compactMap {
            values -> (values: Setting, keys: [String], setting: Setting)? in
            Self.places.lazy.compactMap { keys in
                let setting = keys.reduce(values as Setting?) { $0?.exactly($1) }
                return setting?.text == nil ? nil : setting.map { (values, keys, $0) }
            }.first
        }.first
        guard let (values, keys, setting) = found, let config = setting.text else {
            findings = [
                Self.finding(
                    "empty", line: 1, "the file holds no configuration of a runner",
                    "Looked for: \(Self.places.map { $0.joined(separator: ".") }.joined(separator: ", ")).",
                    "Name a config.toml, values of the chart gitlab-runner, or a ConfigMap with one of them.")
            ]
            return
        }
        let isChart = keys[0] != "data"
        isTemplate = isChart || keys[1] == "config.template.toml"
        // In a block, the text begins on the line after its key.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let head = setting.line <= lines.count ? lines[setting.line - 1] : ""
        let isBlock = head.split(separator: ":", maxSplits: 1).last.map {
            let style = $0.drop { $0 == " " }
            return style.hasPrefix("|") || style.hasPrefix(">")
        }
        lineOffset = isBlock == true ? setting.line : setting.line - 1
        let below = keys[0] == "gitlab-runner" ? values.exactly("gitlab-runner") ?? values : values
        concurrent = below.exactly("concurrent")
        guard isChart else {
            toml = config
            return
        }
        let template = HelmTemplate(config, values: below)
        toml = template.text
        findings = template.unknown.map {
            var finding = Self.finding(
                "template", line: $0.line, "not run: {{ \($0.action) }}",
                $0.action.hasPrefix("range ")
                    ? "The lines up to its `end` are not checked."
                    : "What depends on it is not checked, or with what an `if` keeps.",
                "Check what Helm makes of it: helm template … and then the ConfigMap's config.template.toml.")
            finding.severity = .warning
            return finding
        }
        if let refusal = template.refusal {
            // Found alone, as what cannot be read is: its line is the file's.
            findings.append(
                Self.finding(
                    "template", line: refusal.line + lineOffset,
                    "the template refuses its values: \(refusal.action)",
                    "Helm ends here, and installs nothing.", "Correct the value; the rest was not checked."))
        }
    }

    private static func finding(
        _ rule: String, line: Int, _ problem: String, _ reason: String, _ cure: String
    ) -> Finding {
        Finding(
            .error, rule, at: Setting(path: "", line: line, value: .other), problem: problem, reason: reason,
            cure: cure)
    }

    /// A first line with a colon after its key is none of TOML's.
    private static func looksLikeYAML(_ text: String) -> Bool {
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            let line = line.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
            guard let first = line.first, first != "#" else { continue }
            if line == "---" || line == "---\r" { return true }
            guard first.isLetter || first == "\"" else { return false }
            let key =
                first == "\""
                ? line.dropFirst().prefix { $0 != "\"" }.count + 2
                : line.prefix { $0.isLetter || $0.isNumber || "_-.".contains($0) }.count
            let after = line.dropFirst(key).drop { $0 == " " }
            return after.hasPrefix(":")
        }
        return false
    }
}
