/// What lets a job reach further than its pod.
enum AccessRules {
    static let all: [Rule<JobPod>] = [overwrites, patches, dockerInDocker]

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

    @Sendable private static func patches(_ pod: JobPod) -> [Finding] {
        (pod.kubernetes["pod_spec"]?.elements ?? []).flatMap { patch -> [Finding] in
            let text = (patch["patch"]?.text ?? "").filter { !$0.isWhitespace && $0 != "\"" }
            let switches = ["privileged", "hostNetwork", "hostPID", "hostIPC"].filter {
                text.contains("\($0):true") || text.contains("/\($0)") && text.contains("value:true")
            }
            return (switches + (text.contains("hostPath") ? ["hostPath"] : [])).map { word in
                Finding(
                    .error, "patch", at: patch, problem: "the patch gives jobs the node: \(word)",
                    reason: "Jobs can take the node over; Pod Security \"baseline\" refuses the pod.",
                    cure: "Take \(word) out of the patch.")
            }
        }
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
