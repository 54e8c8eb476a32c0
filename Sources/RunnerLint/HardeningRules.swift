import TOMLSettings

/// What a job could undo or use up, since its variables, services and claims are its own words.
enum HardeningRules {
    static let all: [Rule<JobPod>] = [services, pullPolicy, resources, claims, mavenLocks]

    /// Rights of services go to every service that a job names, unless the list says which it may name.
    @Sendable private static func services(_ pod: JobPod) -> [Finding] {
        guard let list = pod.kubernetes["allowed_services"], !list.texts.isEmpty else {
            guard let context = pod.kubernetes["service_container_security_context"] else { return [] }
            return [
                Finding(
                    .warning, "allowed-services", at: context,
                    problem: "the rights of services go to any service that a job names",
                    reason: "A job with `services: [any/image]` runs that image with what Podman needs.",
                    cure: "In [runners.kubernetes]: allowed_services = [\(names(pod))].")
            ]
        }
        return (pod.kubernetes["services"]?.elements ?? []).compactMap { service in
            guard let name = service["name"], let image = name.text,
                !list.texts.contains(where: { matches(image, $0) })
            else { return nil }
            return Finding(
                .error, "allowed-services", at: name, problem: "\(image) is not among the allowed_services",
                reason: "The list holds for the runner's own services too: every job is refused.",
                cure: "Add it to allowed_services, written as here.")
        }
    }

    private static func names(_ pod: JobPod) -> String {
        let images = (pod.kubernetes["services"]?.elements ?? []).compactMap { $0["name"]?.text }
        return images.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    /// Whether an image is meant by a pattern: `*` within a part of its name, `**` over several (doublestar 4).
    static func matches(_ image: String, _ pattern: String) -> Bool {
        matches(Array(image.utf8)[...], Array(pattern.utf8)[...])
    }

    private static func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        // Where to go on when a star has to stand for one more.
        var (text, pattern) = (text, pattern)
        var again: (text: ArraySlice<UInt8>, pattern: ArraySlice<UInt8>, crosses: Bool)?
        while true {
            if let star = pattern.first, star == UInt8(ascii: "*") {
                let crosses = pattern.dropFirst().first == star
                pattern = pattern.drop { $0 == star }
                again = (text, pattern, crosses)
                continue
            }
            if let byte = text.first, let wanted = pattern.first,
                wanted == byte || wanted == UInt8(ascii: "?") && byte != UInt8(ascii: "/")
            {
                text = text.dropFirst()
                pattern = pattern.dropFirst()
                continue
            }
            if text.isEmpty && pattern.isEmpty { return true }
            guard let place = again, let byte = place.text.first,
                place.crosses || byte != UInt8(ascii: "/")
            else { return false }
            again = (place.text.dropFirst(), place.pattern, place.crosses)
            (text, pattern) = (place.text.dropFirst(), place.pattern)
        }
    }

    /// An image that is on the node already is run without a question to its registry.
    @Sendable private static func pullPolicy(_ pod: JobPod) -> [Finding] {
        guard let secrets = pod.kubernetes["image_pull_secrets"], !secrets.texts.isEmpty else { return [] }
        let policy = pod.kubernetes["pull_policy"]
        let allowed = pod.kubernetes["allowed_pull_policies"]?.texts ?? []
        let all = (policy?.texts ?? ["if-not-present"]) + allowed
        guard let loose = all.first(where: { $0 != "always" }),
            // What each job's Podman has too, no job brought.
            !secrets.texts.allSatisfy(DesignRules.registrySecrets(pod).map(\.name).contains)
        else { return [] }
        return [
            Finding(
                .warning, "pull-policy", at: policy ?? pod.kubernetes,
                problem: "private images, and the pull policy \(loose)",
                reason:
                    "A job can run what another one's credentials brought to the node, if it knows the name.",
                cure: "Where jobs do not trust each other: pull_policy = [\"always\"] and "
                    + "allowed_pull_policies = [\"always\"].")
        ]
    }

    @Sendable private static func resources(_ pod: JobPod) -> [Finding] {
        let wanted = ["", "helper_", "service_"].flatMap { ["\($0)memory_request", "\($0)memory_limit"] }
        let missing = wanted.filter { pod.kubernetes[$0] == nil }
        guard !missing.isEmpty else { return [] }
        return [
            Finding(
                .warning, "resources", at: pod.kubernetes,
                problem: "no \(missing.joined(separator: ", "))",
                reason:
                    "Without requests the scheduler puts any number of jobs on the caches' one node; without limits "
                    + "one job takes the memory of the others, and of their databases.",
                cure: "Take the sizes of deploy/gitlab-runner/config.toml, and change them to yours.")
        ]
    }

    /// The name of a claim is expanded with a job's variables, which come after the runner's own.
    @Sendable private static func claims(_ pod: JobPod) -> [Finding] {
        (pod.kubernetes.at("volumes", "pvc")?.elements ?? []).compactMap { claim in
            guard let setting = claim["name"], let name = setting.text, name.contains("$") else { return nil }
            let fixed = name.prefix { $0 != "$" }
            let variables = name.split(separator: "$").dropFirst(name.hasPrefix("$") ? 0 : 1)
            let isSlot = variables.allSatisfy {
                $0.hasPrefix("CI_CONCURRENT_ID") || $0.hasPrefix("{CI_CONCURRENT_ID}")
            }
            let isGuarded = pod.kubernetes["pod_labels"]?["ci-cache/claims"] != nil
            guard fixed.isEmpty || !isSlot || !isGuarded else { return nil }
            return Finding(
                fixed.isEmpty || !isSlot ? .error : .warning, "claim-choice", at: setting,
                problem: "a job can choose the claim \(name)",
                reason: isSlot && !fixed.isEmpty
                    ? "It can set CI_CONCURRENT_ID, and mount any claim of that pattern: another slot's, or another "
                        + "runner's."
                    : "It can set the variable, and mount any claim of the namespace.",
                cure: fixed.isEmpty || !isSlot
                    ? "Begin the name with words of its own, and take no variable but $CI_CONCURRENT_ID."
                    : "Take deploy/components/job-policy, and the label that it goes by: \"ci-cache/claims\" in "
                        + "[runners.kubernetes.pod_labels].")
        }
    }

    /// Maven waits 30 s for another job's lock unless told otherwise, which a slow download outlasts (maven#9049).
    @Sendable private static func mavenLocks(_ pod: JobPod) -> [Finding] {
        let variables = pod.environment(pod.runner)
        let options = ["MAVEN_OPTS", "MAVEN_ARGS", "JAVA_TOOL_OPTIONS"].compactMap { variables[$0] }.joined(
            separator: " ")
        guard options.contains("aether.syncContext.named.factory=file-lock") else { return [] }
        let missing = [
            "-Daether.syncContext.named.time=300", "-Daether.named.file-lock.deleteLockFiles=false",
        ].filter { !options.contains($0.prefix { $0 != "=" }) }
        guard !missing.isEmpty else { return [] }
        return [
            Finding(
                .warning, "maven-locks", at: pod.runner["environment"] ?? pod.runner,
                problem: "Maven's file locks without \(missing.joined(separator: " and "))",
                reason:
                    "A job gives up after 30 s in which another one downloads; and a lock whose file is unlinked as it "
                    + "is opened locks nobody out.",
                cure: "Add \(missing.joined(separator: " ")).")
        ]
    }
}

/// What this design's volumes and policies need of a job's pod.
enum DesignRules {
    static let all: [Rule<JobPod>] = [
        selector, network, readOnlyCache, nestedMount, readOnlyStore, pullSecret,
    ]

    /// Claims that jobs and Larder share.
    private static func sharedClaims(_ pod: JobPod) -> [JobPod.Mount] {
        pod.mounts.filter { $0.kind == "pvc" }
    }

    @Sendable private static func selector(_ pod: JobPod) -> [Finding] {
        guard let claim = sharedClaims(pod).first,
            pod.kubernetes["node_selector"]?.members.isEmpty != false, pod.kubernetes["affinity"] == nil
        else { return [] }
        return [
            Finding(
                .warning, "node-selector", at: claim.setting,
                problem: "a claim at \(claim.path), and no node_selector",
                reason:
                    "A ReadWriteOnce claim is one node's: the pod that comes to another one hangs in Multi-Attach.",
                cure:
                    "In [runners.kubernetes.node_selector]: \"ci-cache/pool\" = \"a\", the label of Larder's "
                    + "pods.")
        ]
    }

    @Sendable private static func network(_ pod: JobPod) -> [Finding] {
        guard !sharedClaims(pod).isEmpty, pod.kubernetes["pod_labels"]?["ci-cache/network"] == nil else {
            return []
        }
        return [
            Finding(
                .warning, "network-label", at: pod.kubernetes["pod_labels"] ?? pod.kubernetes,
                problem: "the pod has no label ci-cache/network",
                reason:
                    "The policies of deploy/base deny everything to pods without it: neither GitLab nor a registry "
                    + "is reached.",
                cure: "In [runners.kubernetes.pod_labels]: \"ci-cache/network\" = \"registries\".")
        ]
    }

    /// The secrets with which something in the pod pulls, each with where it is given.
    static func registrySecrets(_ pod: JobPod) -> [(name: String, setting: Setting)] {
        let patched = pod.podSpec.flatMap { patch in
            patch.values(of: "secret").filter { secret in
                secret.exactly("items")?.elements.contains { $0.exactly("key")?.text == ".dockerconfigjson" }
                    == true
            }.compactMap { $0.exactly("secretName")?.text }.map { ($0, patch.setting) }
        }
        let mounted = (pod.kubernetes.at("volumes", "secret")?.elements ?? []).filter {
            $0["items"]?[".dockerconfigjson"] != nil
        }.compactMap { volume in volume["name"]?.text.map { ($0, volume) } }
        return patched + mounted
    }

    /// Kubernetes takes the secrets of the account where a pod has none, and the runner gives its pods one.
    @Sendable private static func pullSecret(_ pod: JobPod) -> [Finding] {
        guard pod.kubernetes["use_service_account_image_pull_secrets"]?.boolean != true else { return [] }
        let given = pod.kubernetes["image_pull_secrets"]?.texts ?? []
        return registrySecrets(pod).filter { !given.contains($0.name) }.map { name, setting in
            Finding(
                .warning, "pull-secret", at: setting,
                problem:
                    "Podman pulls with the secret \(name), and the job's own images are pulled without it",
                reason:
                    "The runner adds a secret of its own to each pod, and Kubernetes then passes over those of the "
                    + "service account: a private image of a job, or of the helper, is not pulled.",
                cure: "In [runners.kubernetes]: image_pull_secrets = [\"\(name)\"].")
        }
    }

    private static func isStore(_ mount: JobPod.Mount, _ pod: JobPod) -> Bool {
        mount.path == "/podman-data" || mount.path.contains("containers/storage")
            || pod.option("--root").map { $0 == mount.path || $0.hasPrefix(mount.path + "/") } == true
    }

    @Sendable private static func readOnlyCache(_ pod: JobPod) -> [Finding] {
        sharedClaims(pod).filter { $0.setting["read_only"]?.boolean == true && !isStore($0, pod) }.map {
            Finding(
                .warning, "read-only-cache", at: $0.setting["read_only"] ?? $0.setting,
                problem: "jobs mount the cache at \($0.path) read-only",
                reason:
                    "The kernel records no access on a read-only mount: what these jobs use looks unused to Larder, "
                    + "and is evicted first.",
                cure:
                    "Mount it writable; or keep it read-only against poisoning (deploy/components/trusted-build-cache), "
                    + "and protect what jobs need by `keep` or a long idle_floor.")
        }
    }

    /// Larder removes directories that it emptied, and the kernel takes a mount off a directory that is removed in another
    /// mount namespace (Linux 3.18, fs/namespace.c, detach_mounts).
    @Sendable private static func nestedMount(_ pod: JobPod) -> [Finding] {
        let claims = sharedClaims(pod)
        return pod.mounts.compactMap { mount in
            guard let claim = claims.first(where: { mount.path.hasPrefix($0.path + "/") }) else { return nil }
            return Finding(
                .error, "nested-mount", at: mount.setting,
                problem: "\(mount.path) is mounted within the claim at \(claim.path)",
                reason:
                    "A prune that removes the directory under it takes the mount from the running job, with what a tmpfs "
                    + "holds: the kernel lets it, and Larder cannot see the mounts of other pods.",
                cure: "Mount it beside \(claim.path), or leave it out.")
        }
    }

    /// Events and locks that lie beside a store that cannot be written keep Podman from starting (rc 125).
    @Sendable private static func readOnlyStore(_ pod: JobPod) -> [Finding] {
        guard let podman = pod.podman,
            let store = sharedClaims(pod).first(where: {
                $0.setting["read_only"]?.boolean == true && isStore($0, pod)
            })
        else { return [] }
        let files = pod.environment(podman)
        let missing = [
            ("CONTAINERS_CONF", "/etc/containers/containers.readonly.conf"),
            ("CONTAINERS_STORAGE_CONF", "/etc/containers/storage.readonly.conf"),
        ].filter { files[$0.0]?.contains("readonly") != true }
        guard !missing.isEmpty else { return [] }
        return [
            Finding(
                .error, "read-only-store", at: podman["environment"] ?? podman,
                problem: "the store at \(store.path) is read-only, and Podman would write to it",
                reason:
                    "Its containers and its events would lie there: Podman ends with 125, and no use is recorded.",
                cure:
                    "Write \(missing.map { "\"\($0.0)=\($0.1)\"" }.joined(separator: " and ")), as the overlay "
                    + "readonly-store does.")
        ]
    }
}
