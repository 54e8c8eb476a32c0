import TOMLSettings

/// The Podman service: its store, its socket and its surroundings.
enum PodmanRules {
    static let all: [Rule<JobPod>] = [
        sharedStore, driver, socket, socketUser, dockerHost, waiting, entrypoint, environment,
    ]

    @Sendable private static func sharedStore(_ pod: JobPod) -> [Finding] {
        guard let podman = pod.podman, let root = pod.option("--root") else { return [] }
        guard let mount = pod.mount(of: root) else {
            return [
                Finding(
                    .warning, "store-lost", at: podman["command"] ?? podman,
                    problem: "Podman's store \(root) lies on no volume",
                    reason: "It goes with the pod: every job pulls every image again.",
                    cure: "Mount a volume claim above it.")
            ]
        }
        guard mount.kind == "pvc", let claim = mount.setting["name"],
            claim.text?.contains("$CI_CONCURRENT_ID") != true
        else { return [] }
        return [
            Finding(
                .error, "shared-store", at: podman["command"] ?? podman,
                problem: "--root on the claim \(claim.text ?? ""), which all jobs share",
                reason:
                    "Each Podman that starts takes the others' containers for leftovers of a reboot: a running "
                    + "database of another job becomes 'created' or is removed.",
                cure:
                    "Use the image of deploy/podman-sidecar and no --root, --runroot or --storage-driver; or a claim "
                    + "for each job, its name ending in $CI_CONCURRENT_ID.")
        ]
    }

    @Sendable private static func driver(_ pod: JobPod) -> [Finding] {
        guard let podman = pod.podman, let driver = pod.option("--storage-driver"),
            !["vfs", "overlay"].contains(driver)
        else { return [] }
        return [
            Finding(
                .warning, "storage-driver", at: podman["command"] ?? podman,
                problem: "the storage driver \(driver)",
                reason: "Larder reads stores of the drivers vfs and overlay: it would see no image.",
                cure: "Use vfs, or overlay on Linux 5.13 and later.")
        ]
    }

    @Sendable private static func socket(_ pod: JobPod) -> [Finding] {
        guard let podman = pod.podman, let socket = pod.socket else { return [] }
        guard let mount = pod.mount(of: socket), mount.kind == "empty_dir" else {
            return [
                Finding(
                    .error, "socket", at: pod.mount(of: socket)?.setting ?? podman,
                    problem: "the socket \(socket) lies on no empty_dir",
                    reason: "The build container cannot see it, or other pods can.",
                    cure: "Mount a [[runners.kubernetes.volumes.empty_dir]] with medium = \"Memory\" there.")
            ]
        }
        var findings: [Finding] = []
        if mount.setting["medium"]?.text != "Memory" {
            findings.append(
                Finding(
                    .warning, "socket", at: mount.setting,
                    problem: "the socket's volume is on the node's disk",
                    reason: "A full disk keeps Podman from starting.", cure: "Write medium = \"Memory\"."))
        }
        if mount.setting["size_limit"] == nil {
            findings.append(
                Finding(
                    .warning, "socket", at: mount.setting, problem: "the socket's volume has no size_limit",
                    reason: "Any container of the job can fill the node's memory through it.",
                    cure: "Write size_limit = \"16Mi\"."))
        }
        return findings
    }

    @Sendable private static func socketUser(_ pod: JobPod) -> [Finding] {
        let general = pod.kubernetes.at("pod_security_context", "run_as_user")?.integer
        let own = ["build", "service"].map {
            pod.kubernetes["\($0)_container_security_context"]?["run_as_user"]
        }
        guard pod.podman != nil, let place = own[0] ?? own[1],
            (own[0]?.integer ?? general) != (own[1]?.integer ?? general)
        else { return [] }
        return [
            Finding(
                .error, "socket-user", at: place, problem: "jobs and Podman run as different users",
                reason: "The socket is its owner's alone (mode 0600): Testcontainers finds no Docker.",
                cure: "Set run_as_user once, in [runners.kubernetes.pod_security_context].")
        ]
    }

    @Sendable private static func dockerHost(_ pod: JobPod) -> [Finding] {
        guard let socket = pod.socket, let host = pod.environment(pod.runner)["DOCKER_HOST"],
            host != "unix://\(socket)"
        else { return [] }
        return [
            Finding(
                .error, "docker-host", at: pod.runner["environment"] ?? pod.runner,
                problem: "DOCKER_HOST is \(host), and Podman serves \(socket)",
                reason: "Testcontainers finds no Docker.", cure: "Write \"DOCKER_HOST=unix://\(socket)\".")
        ]
    }

    @Sendable private static func waiting(_ pod: JobPod) -> [Finding] {
        guard let podman = pod.podman, let socket = pod.socket,
            pod.runner["pre_build_script"]?.text?.contains(socket) != true
        else { return [] }
        return [
            Finding(
                .warning, "socket-wait", at: podman, problem: "no job waits for \(socket)",
                reason:
                    "Services start after the build container, and the runner waits for TCP ports only: tests "
                    + "fail now and then.",
                cure: "Wait for the socket in pre_build_script.")
        ]
    }

    @Sendable private static func entrypoint(_ pod: JobPod) -> [Finding] {
        guard let podman = pod.podman, pod.flag("FF_KUBERNETES_HONOR_ENTRYPOINT") else { return [] }
        return [
            Finding(
                .error, "honor-entrypoint", at: podman["command"] ?? podman,
                problem: "FF_KUBERNETES_HONOR_ENTRYPOINT drops the service's command",
                reason: "The service then runs what its image says, which is no Podman API.",
                cure: "Turn the flag off for this runner.")
        ]
    }

    @Sendable private static func environment(_ pod: JobPod) -> [Finding] {
        guard let podman = pod.podman else { return [] }
        let given = pod.environment(podman)
        let open = [
            "CONTAINERS_CONF", "CONTAINERS_CONF_OVERRIDE", "CONTAINERS_STORAGE_CONF", "STORAGE_DRIVER",
            "STORAGE_OPTS", "PODMAN_USERNS",
        ]
        .filter { given[$0] == nil }
        guard !open.isEmpty else { return [] }
        return [
            Finding(
                .warning, "service-environment", at: podman["environment"] ?? podman,
                problem: "a job's variables can set \(open.joined(separator: ", "))",
                reason: "They reach the service too, and with them a job can point Podman at another store.",
                cure:
                    "Set them in the service's environment, which comes last; an empty value is enough for the "
                    + "last three.")
        ]
    }
}
