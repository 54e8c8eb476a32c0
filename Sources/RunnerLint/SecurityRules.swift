import TOMLSettings

/// Who the pod's containers run as, and what they may do.
enum SecurityRules {
    static let all: [Rule<JobPod>] = [user, privileged, escalation, capabilities, profile, procMount, token]

    private static let containers = ["build", "helper", "service", "init_permissions"]

    private static func context(_ pod: JobPod, _ container: String) -> Setting? {
        pod.kubernetes["\(container)_container_security_context"]
    }

    @Sendable private static func user(_ pod: JobPod) -> [Finding] {
        let context = pod.kubernetes["pod_security_context"]
        var findings: [Finding] = []
        if context?["run_as_non_root"]?.boolean != true || (context?["run_as_user"]?.integer ?? 0) == 0 {
            findings.append(
                Finding(
                    .error, "runs-as-root", at: context ?? pod.kubernetes,
                    problem: "nothing keeps the pod's containers from running as root",
                    reason:
                        "Without both keys a container runs as its image's user, and most images name none.",
                    cure:
                        "In [runners.kubernetes.pod_security_context]: run_as_non_root = true, run_as_user = 1001."
                ))
        }
        for container in containers {
            if let user = self.context(pod, container)?["run_as_non_root"], user.boolean == false {
                findings.append(
                    Finding(
                        .error, "runs-as-root", at: user,
                        problem: "the \(container) container may run as root",
                        reason: "It goes before what the pod's context says.", cure: "Remove the key."))
            }
            if let user = self.context(pod, container)?["run_as_user"], user.integer == 0 {
                findings.append(
                    Finding(
                        .error, "runs-as-root", at: user, problem: "the \(container) container runs as root",
                        reason: "It goes before what the pod's context says.", cure: "Remove the key."))
            }
        }
        return findings
    }

    @Sendable private static func privileged(_ pod: JobPod) -> [Finding] {
        let places = [pod.kubernetes] + containers.compactMap { context(pod, $0) }
        return places.compactMap { $0["privileged"] }.filter { $0.boolean == true }.map {
            Finding(
                .error, "privileged", at: $0, problem: "a privileged container",
                reason: "It is root on the node: any job can take the node over.",
                cure: "Write false; rootless Podman needs user namespaces, not privileges.")
        }
    }

    @Sendable private static func escalation(_ pod: JobPod) -> [Finding] {
        let general = pod.kubernetes["allow_privilege_escalation"]
        let own = containers.filter { $0 != "service" }.compactMap {
            context(pod, $0)?["allow_privilege_escalation"]
        }.filter { $0.boolean == true }.map {
            Finding(
                .warning, "privilege-escalation", at: $0,
                problem: "setuid programs give this container more rights",
                reason: "Only the Podman service needs that, for newuidmap.", cure: "Write false.")
        }
        guard general?.boolean != false else { return own }
        return own + [
            Finding(
                .warning, "privilege-escalation", at: general ?? pod.kubernetes,
                problem: "setuid programs give every container more rights",
                reason: "Only the Podman service needs that, for newuidmap.",
                cure: "Write allow_privilege_escalation = false here, and true in "
                    + "[runners.kubernetes.service_container_security_context].")
        ]
    }

    @Sendable private static func capabilities(_ pod: JobPod) -> [Finding] {
        var findings: [Finding] = []
        let keeping = ["build", "helper", "service"].filter { container in
            context(pod, container)?.at("capabilities", "drop")?.texts.contains("ALL") != true
        }
        if !keeping.isEmpty, pod.kubernetes["cap_drop"]?.texts.contains("ALL") != true {
            findings.append(
                Finding(
                    .warning, "capabilities", at: pod.kubernetes,
                    problem: "capabilities are kept by: \(keeping.joined(separator: ", "))",
                    reason: "The container runtime grants about a dozen, though no job needs one.",
                    cure: "Write drop = [\"ALL\"] in "
                        + "[runners.kubernetes.\(keeping[0])_container_security_context.capabilities]"
                        + (keeping.count > 1 ? ", and so on." : ".")))
        }
        let added =
            [pod.kubernetes["cap_add"]] + containers.map { context(pod, $0)?.at("capabilities", "add") }
        for list in added.compactMap({ $0 }) {
            let more = list.texts.filter { !["SETUID", "SETGID"].contains($0) }
            guard !more.isEmpty else { continue }
            findings.append(
                Finding(
                    .error, "capabilities", at: list, problem: "adds \(more.joined(separator: ", "))",
                    reason:
                        "Rootless Podman needs SETUID and SETGID at most; Pod Security refuses most others.",
                    cure: "Take \(more.count == 1 ? "it" : "them") out."))
        }
        return findings
    }

    @Sendable private static func profile(_ pod: JobPod) -> [Finding] {
        let build =
            context(pod, "build")?["seccomp_profile"]
            ?? pod.kubernetes.at("pod_security_context", "seccomp_profile")
        return podmanProfile(pod) + buildProfile(build?["type"] ?? pod.kubernetes, build?["type"]?.text)
    }

    private static func buildProfile(_ place: Setting, _ type: String?) -> [Finding] {
        guard type != "RuntimeDefault", type != "Localhost" else { return [] }
        return [
            Finding(
                type == nil ? .warning : .error, "seccomp", at: place, problem: "jobs have no seccomp filter",
                reason: type == nil
                    ? "Kubernetes runs containers without one, unless the node is told otherwise."
                    : "They can make every system call; Pod Security \"baseline\" refuses the pod.",
                cure:
                    "In [runners.kubernetes.pod_security_context.seccomp_profile]: type = \"RuntimeDefault\"."
            )
        ]
    }

    private static func podmanProfile(_ pod: JobPod) -> [Finding] {
        guard let podman = pod.podman else { return [] }
        let own = context(pod, "service")?["seccomp_profile"]
        let profile = own ?? pod.kubernetes.at("pod_security_context", "seccomp_profile")
        switch profile?["type"]?.text {
        case "Localhost": return []
        case "Unconfined":
            return [
                Finding(
                    .error, "seccomp", at: profile ?? podman,
                    problem: "the Podman service has no seccomp filter",
                    reason: "It can make every system call; Pod Security \"baseline\" refuses the pod.",
                    cure: localProfile)
            ]
        default:
            return [
                Finding(
                    .warning, "seccomp", at: profile ?? podman,
                    problem: "the Podman service has no seccomp profile of its own",
                    reason:
                        "The runtime's default refuses user namespaces, so Podman does not start; where none is "
                        + "in force, it has no filter.",
                    cure: localProfile)
            ]
        }
    }

    private static let localProfile =
        "In [runners.kubernetes.service_container_security_context.seccomp_profile]: type = \"Localhost\" with "
        + "deploy/podman-sidecar/seccomp.json on the nodes."

    @Sendable private static func procMount(_ pod: JobPod) -> [Finding] {
        guard let mount = context(pod, "service")?["proc_mount"], mount.text?.lowercased() == "unmasked",
            !pod.hasUserNamespace, !pod.hasUnseenPatch
        else { return [] }
        return [
            Finding(
                .error, "proc-mount", at: mount, problem: "an unmasked /proc without a user namespace",
                reason: "Kubernetes refuses the pod.",
                cure: "Add a [[runners.kubernetes.pod_spec]] whose patch says hostUsers: false.")
        ]
    }

    @Sendable private static func token(_ pod: JobPod) -> [Finding] {
        let mount = pod.kubernetes["automount_service_account_token"]
        guard mount?.boolean != false else { return [] }
        return [
            Finding(
                .warning, "token", at: mount ?? pod.kubernetes,
                problem: "jobs get the token of the namespace's service account",
                reason: "Whoever can push a pipeline can use it against the Kubernetes API.",
                cure: "Write automount_service_account_token = false.")
        ]
    }
}
