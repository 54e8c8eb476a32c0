/// What lets a job reach further than its pod.
enum AccessRules {
    static let all: [Rule<JobPod>] = [overwrites, labels, dockerInDocker]

    @Sendable private static func overwrites(_ pod: JobPod) -> [Finding] {
        let choices = [
            ("bearer_token_overwrite_allowed", "the token it acts with"),
            ("service_account_overwrite_allowed", "its service account"),
            ("namespace_overwrite_allowed", "its namespace"),
        ]
        return choices.compactMap { key, choice in
            guard let setting = pod.kubernetes[key], setting.boolean == true || setting.text?.isEmpty == false
            else { return nil }
            return Finding(
                .warning, "overwrite", at: setting, problem: "a job can choose \(choice)",
                reason:
                    "Whoever can push a pipeline gets what that one may do, and leaves the policies of ci.",
                cure: "Remove \(key).")
        }
    }

    /// The labels that network policies, `job-policy` and the caches' node go by are no job's to choose.
    @Sendable private static func labels(_ pod: JobPod) -> [Finding] {
        let choices = [
            ("pod_labels_overwrite_allowed", "the label ci-cache/claims of its pod"),
            ("node_selector_overwrite_allowed", "the label ci-cache/pool of its node"),
        ]
        return choices.compactMap { key, choice in
            guard let setting = pod.kubernetes[key], let pattern = setting.text, reachesOurs(pattern) else {
                return nil
            }
            return Finding(
                .warning, "overwrite", at: setting, problem: "a job can choose \(choice)",
                reason: "By it deploy/components/job-policy knows its pool, and lets it to the claims of it.",
                cure: "Remove \(key), or begin it with ^ and a prefix of your own, such as ^example.com/.")
        }
    }

    /// Whether a pattern (it may match anywhere in `key=value`) can match a label of this design.
    ///
    /// What begins with `^` and other letters cannot; whatever is not as plain as that is taken to.
    private static func reachesOurs(_ pattern: String) -> Bool {
        guard !pattern.isEmpty else { return false }
        guard pattern.hasPrefix("^"), !pattern.contains("|") else { return true }
        let fixed = pattern.dropFirst().prefix { $0.isLetter || $0.isNumber || "-/".contains($0) }
        let next = pattern.dropFirst(1 + fixed.count).first
        // A letter before one of these may be missing.
        let sure = next.map { "*?{".contains($0) } == true ? fixed.dropLast() : fixed
        return "ci-cache/".hasPrefix(sure) || sure.hasPrefix("ci-cache/")
    }

    @Sendable private static func dockerInDocker(_ pod: JobPod) -> [Finding] {
        let names = (pod.kubernetes["services"]?.elements ?? []).compactMap { $0["name"] }
        return names.filter { $0.text?.contains("dind") == true }.map {
            Finding(
                .error, "docker-in-docker", at: $0,
                problem: "the service \($0.text ?? "") is Docker in Docker",
                reason: "It runs privileged containers only, which are root on the node.",
                cure: "Use Podman as in deploy/gitlab-runner/config.toml.")
        }
    }
}
