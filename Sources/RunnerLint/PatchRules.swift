import TOMLSettings

/// The patches of a pod's specification: what they hold, where they apply, and what they undo.
enum PatchRules {
    static let all: [Rule<JobPod>] = [contents, containers, unseen, fields, replacedLists, order]

    private static let lists = ["containers", "initContainers", "volumes"]

    @Sendable private static func contents(_ pod: JobPod) -> [Finding] {
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
            }
        }
    }

    /// A strategic patch merges containers by name, and adds the one that has no counterpart.
    @Sendable private static func containers(_ pod: JobPod) -> [Finding] {
        let services = pod.kubernetes["services"]?.elements ?? []
        let known =
            ["build", "helper"] + services.indices.map { "svc-\($0)" } + services.flatMap(JobPod.aliases)
        return pod.podSpec.flatMap { patch in
            patch.containers.filter { !known.contains($0) }.map { name in
                Finding(
                    .error, "patch-target", at: patch.setting, problem: "no container is called \(name)",
                    reason: "The patch adds a container without an image, and Kubernetes refuses the pod.",
                    cure: "Give the service alias = \"\(name)\" (GitLab Runner 17.9), or name one of: "
                        + "\(known.joined(separator: ", ")).")
            }
        }
    }

    @Sendable private static func unseen(_ pod: JobPod) -> [Finding] {
        pod.podSpec.compactMap { patch in
            patch.file.map {
                Finding(
                    .warning, "patch-unseen", at: $0, problem: "not seen: the patch in \($0.text ?? "")",
                    reason:
                        "What it gives the pod is not checked, and nothing is said to be missing that it may give: "
                        + "hostUsers, fsGroupChangePolicy.",
                    cure: "Write the patch here (patch = '''…''') to have it checked.")
            }
        }
    }

    @Sendable private static func fields(_ pod: JobPod) -> [Finding] {
        pod.podSpec.flatMap { patch in patch.strays.map { finding($0, patch) } }
    }

    private static func finding(_ stray: PodFields.Stray, _ patch: PodPatch) -> Finding {
        let key = stray.path.split(separator: ".").last.map(String.init) ?? stray.path
        if stray.path == "spec" || ["apiVersion", "kind", "metadata"].contains(stray.path) {
            return Finding(
                .error, "patch-field", at: patch.setting,
                problem: "the patch is written as a manifest: \(stray.path)",
                reason:
                    "A patch is of the pod's specification: the runner drops \(stray.path) without a word, "
                    + "with all that is below it.",
                cure: stray.path == "spec"
                    ? "Take out the line spec:, and what is below it one level to the left."
                    : "Take out \(stray.path).")
        }
        let problem =
            stray.home == nil
            ? "Kubernetes has no field \(stray.path)" : "the field \(stray.path) is in the wrong place"
        let namesake = stray.nearest.flatMap { $0.lowercased() == key.lowercased() ? $0 : nil }
        let isUnknown = stray.home == nil && stray.nearest == nil
        let users =
            key == "hostUsers"
            ? " The pod then has no user namespace, and Kubernetes refuses an unmasked /proc." : ""
        return Finding(
            isUnknown || namesake != nil ? .warning : .error, "patch-field", at: patch.setting,
            problem: problem,
            reason: isUnknown
                ? "Unless it came after 1.36, the runner drops it without a word."
                : "The runner drops it without a word." + users,
            cure: stray.home.map { "Move \(key) to \($0)." } ?? stray.nearest.map { "Did you mean \($0)?" }
                ?? "Take it out.")
    }

    /// Of two lists, a merge patch (RFC 7386) keeps the patch's.
    @Sendable private static func replacedLists(_ pod: JobPod) -> [Finding] {
        pod.podSpec.filter { $0.kind == "merge" }.flatMap { patch in
            lists.filter { patch.change?.exactly($0) != nil }.map { list in
                Finding(
                    .error, "patch-type", at: patch.setting["patch_type"] ?? patch.setting,
                    problem: "the patch replaces the pod's whole list of \(list)",
                    reason:
                        "A merge patch knows no elements (RFC 7386): what the runner put into \(list) is gone.",
                    cure: "Write patch_type = \"strategic\", which merges them by name.")
            }
        }
    }

    /// Patches apply in the order in which they stand.
    @Sendable private static func order(_ pod: JobPod) -> [Finding] {
        let saying = pod.podSpec.compactMap { patch in patch.hostUsers.map { (patch, $0) } }
        guard let last = saying.last, last.1, saying.contains(where: { !$0.1 }) else { return [] }
        return [
            Finding(
                .error, "patch-order", at: last.0.setting,
                problem: "the patch takes hostUsers: false of an earlier one back",
                reason: "The last one counts: the pod runs with the node's users.",
                cure: "Take hostUsers out of the patch.")
        ]
    }
}
