import TOMLSettings

/// The pod as a whole: volumes, directories, images, flags.
enum PodRules {
    static let all: [Rule<JobPod>] = [
        mounts, hostPaths, networkFiles, cacheDirectory, buildsDirectory, home, images,
        patches, strategy,
        ownership, place, registration,
    ]

    @Sendable private static func mounts(_ pod: JobPod) -> [Finding] {
        var seen: [String: Int] = [:]
        return pod.mounts.compactMap { mount in
            defer { seen[mount.path] = seen[mount.path] ?? mount.setting.line }
            return seen[mount.path].map {
                Finding(
                    .error, "mount-twice", at: mount.setting,
                    problem: "\(mount.path) is mounted already, by line \($0)",
                    reason: "Kubernetes refuses the pod.",
                    cure: "Give each volume a path of its own.")
            }
        }
    }

    @Sendable private static func hostPaths(_ pod: JobPod) -> [Finding] {
        pod.mounts.filter { $0.kind == "host_path" }.map {
            Finding(
                .error, "host-path", at: $0.setting, problem: "a directory of the node at \($0.path)",
                reason: "Jobs can change the node; Pod Security \"baseline\" refuses the pod.",
                cure: "Use a volume claim or an empty_dir.")
        }
    }

    @Sendable private static func networkFiles(_ pod: JobPod) -> [Finding] {
        guard pod.hasUserNamespace else { return [] }
        return pod.mounts.filter { $0.kind == "nfs" }.map {
            Finding(
                .error, "nfs", at: $0.setting, problem: "an NFS volume at \($0.path), and hostUsers: false",
                reason:
                    "The kernel maps no user IDs on NFS: the pod does not start. Podman keeps no store there.",
                cure: "Use a volume claim of a local disk or of block storage.")
        }
    }

    @Sendable private static func cacheDirectory(_ pod: JobPod) -> [Finding] {
        let given = pod.runner["cache_dir"]
        let path = given?.text ?? "/cache"
        guard let mount = pod.mount(of: path), mount.kind != "empty_dir" else { return [] }
        let free = ["/tmp/runner-cache", "/var/tmp/runner-cache", "/runner-cache"].first {
            pod.mount(of: $0) == nil || pod.mount(of: $0)?.kind == "empty_dir"
        }
        return [
            Finding(
                .warning, "cache-dir", at: given ?? pod.runner,
                problem: (given == nil ? "cache_dir is /cache unless set" : "cache_dir is \(path)")
                    + ", and line \(mount.setting.line) mounts a volume at \(mount.path)",
                reason:
                    "The archives of GitLab's own cache stay on that volume, where nothing prunes them: no "
                    + "other directory of the volume would be better.",
                cure: free.map {
                    "Write cache_dir = \"\($0)\": it goes with the pod. Archives that shall stay belong into "
                        + "object storage ([runners.cache])."
                } ?? "Write a cache_dir that lies on none of the pod's volumes.")
        ]
    }

    @Sendable private static func home(_ pod: JobPod) -> [Finding] {
        let variables = pod.environment(pod.runner)
        let java = ["JAVA_TOOL_OPTIONS", "MAVEN_OPTS"].contains {
            variables[$0]?.contains("-Duser.home=") == true
        }
        let missing =
            (variables["HOME"] == nil ? ["HOME=/tmp"] : [])
            + (java ? [] : ["JAVA_TOOL_OPTIONS=-Duser.home=/tmp"])
        guard !missing.isEmpty else { return [] }
        return [
            Finding(
                .warning, "home", at: pod.runner["environment"] ?? pod.runner,
                problem: missing.count == 2
                    ? "HOME is not set" : "\(java ? "HOME" : "Java's home") is not set",
                reason:
                    "Uid 1001 has no home directory in most images: Podman does not start without one, and Java, "
                    + "which does not look at HOME, has Maven look for its settings in \"?\".",
                cure:
                    "Add \(missing.map { "\"\($0)\"" }.joined(separator: " and ")) to the runner's environment."
            )
        ]
    }

    @Sendable private static func buildsDirectory(_ pod: JobPod) -> [Finding] {
        guard let directory = pod.runner["builds_dir"], let path = directory.text,
            let mount = pod.mount(of: path), mount.kind == "pvc"
        else { return [] }
        return [
            Finding(
                .warning, "builds-dir", at: directory,
                problem: "builds_dir is \(path), on the claim mounted at \(mount.path)",
                reason: "Jobs leave their checkouts among the caches, where nothing prunes them.",
                cure: "Write builds_dir = \"/builds\".")
        ]
    }

    /// Whether a text can be an image's name: a template that was not run is none.
    private static func isKnown(_ name: String) -> Bool {
        !name.contains("$") && !name.contains(HelmTemplate.placeholder)
    }

    @Sendable private static func images(_ pod: JobPod) -> [Finding] {
        let services = pod.kubernetes["services"]?.elements ?? []
        let named = [pod.kubernetes["image"], pod.kubernetes["helper_image"]] + services.map { $0["name"] }
        return named.compactMap { $0 }.compactMap { image in
            guard let name = image.text, isKnown(name), !isPinned(name) else { return nil }
            return Finding(
                .warning, "image-not-pinned", at: image, problem: "\(name) names no release",
                reason: "What it stands for changes from one day to the next.",
                cure: "Add a version's tag, or a digest.")
        }
    }

    private static func isPinned(_ name: String) -> Bool {
        if name.contains("@sha256:") { return true }
        let last = name.split(separator: "/").last ?? ""
        let parts = last.split(separator: ":", maxSplits: 1)
        return parts.count == 2 && !["latest", "stable", "upstream", "testing"].contains(parts[1])
    }

    @Sendable private static func patches(_ pod: JobPod) -> [Finding] {
        let flag = "FF_USE_ADVANCED_POD_SPEC_CONFIGURATION"
        guard let patch = pod.podSpec.first?.setting else { return [] }
        guard pod.flag(flag) else {
            return [
                Finding(
                    .error, "pod-spec-flag", at: patch, problem: "the patches of pod_spec are switched off",
                    reason: "Without the feature flag the runner ignores them without a word.",
                    cure: "In [runners.feature_flags]: \(flag) = true.")
            ]
        }
        guard pod.runner.at("feature_flags", flag) == nil else { return [] }
        return [
            Finding(
                .error, "pod-spec-flag", at: pod.runner["environment"] ?? pod.runner,
                problem: "a job can switch the patches of pod_spec off",
                reason:
                    "A job's variables win over the runner's environment: with \(flag)=false the pod runs as the "
                    + "node's users, without hostUsers: false.",
                cure: "Move the flag to [runners.feature_flags], which no job overrides: \(flag) = true.")
        ]
    }

    @Sendable private static func strategy(_ pod: JobPod) -> [Finding] {
        guard pod.flag("FF_USE_LEGACY_KUBERNETES_EXECUTION_STRATEGY") else { return [] }
        return [
            Finding(
                .warning, "legacy-strategy", at: pod.runner,
                problem: "FF_USE_LEGACY_KUBERNETES_EXECUTION_STRATEGY is on",
                reason: "A short loss of the API server then ends the job.", cure: "Turn the flag off.")
        ]
    }

    @Sendable private static func ownership(_ pod: JobPod) -> [Finding] {
        guard let group = pod.kubernetes.at("pod_security_context", "fs_group"),
            !pod.keepsOwners, !pod.hasUnseenPatch
        else { return [] }
        return [
            Finding(
                .warning, "fs-group", at: group,
                problem: "each start changes the group and mode of every cached file",
                reason: "It takes minutes on a full volume, and spoils the modes within image layers.",
                cure:
                    "Add a [[runners.kubernetes.pod_spec]] whose patch says fsGroupChangePolicy: OnRootMismatch."
            )
        ]
    }

    @Sendable private static func place(_ pod: JobPod) -> [Finding] {
        guard pod.kubernetes["namespace"] == nil else { return [] }
        return [
            Finding(
                .warning, "namespace", at: pod.kubernetes, problem: "no namespace is named",
                reason:
                    "Pods go where the runner's credentials point, and volume claims are found in their own "
                    + "namespace only.",
                cure: "Write namespace = \"ci\", where the claims are.")
        ]
    }

    @Sendable private static func registration(_ pod: JobPod) -> [Finding] {
        let missing = pod.isTemplate ? [] : ["url", "token"].filter { pod.runner[$0] == nil }
        guard !missing.isEmpty else { return [] }
        return [
            Finding(
                .warning, "registration", at: pod.runner,
                problem: "no \(missing.joined(separator: " and no "))",
                reason: "The runner cannot ask GitLab for jobs, unless its Helm chart adds them.",
                cure: "Take both from GitLab's page of the new runner.")
        ]
    }
}
