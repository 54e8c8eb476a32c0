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
        pod.podSpec.flatMap { patch -> [Finding] in
            if let fault = patch.fault {
                return [
                    Finding(
                        .error, "patch", at: patch.setting,
                        problem: "the patch is no YAML: \(fault.description) (its line \(fault.line))",
                        reason: "The runner starts no job's pod.", cure: "Correct the patch.")
                ]
            }
            let switches = ["privileged", "hostNetwork", "hostPID", "hostIPC"].filter { key in
                patch.values(of: key).contains { $0.boolean == true }
            }
            let hostPaths = patch.values(of: "hostPath").isEmpty ? [] : ["hostPath"]
            return (switches + hostPaths).map { word in
                Finding(
                    .error, "patch", at: patch.setting, problem: "the patch gives jobs the node: \(word)",
                    reason: "Jobs can take the node over; Pod Security \"baseline\" refuses the pod.",
                    cure: "Take \(word) out of the patch.")
            } + strangers(patch, pod)
        }
    }

    /// A strategic patch merges containers by name, and adds the one that has no counterpart.
    private static func strangers(_ patch: PodPatch, _ pod: JobPod) -> [Finding] {
        let services = pod.kubernetes["services"]?.elements ?? []
        let known =
            ["build", "helper"] + services.indices.map { "svc-\($0)" } + services.flatMap(JobPod.aliases)
        return patch.containers.filter { !known.contains($0) }.map { name in
            Finding(
                .error, "patch-target", at: patch.setting, problem: "no container is called \(name)",
                reason: "The patch adds a container without an image, and Kubernetes refuses the pod.",
                cure: "Give the service alias = \"\(name)\" (GitLab Runner 17.9), or name one of: "
                    + "\(known.joined(separator: ", ")).")
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
