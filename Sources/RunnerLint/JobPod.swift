import TOMLSettings

/// What the rules of this design look at: one runner with the Kubernetes executor.
struct JobPod: Sendable {
    /// The table `[[runners]]`.
    let runner: Setting
    /// Its table `[runners.kubernetes]`.
    let kubernetes: Setting
    /// The service that is a Podman, if there is one.
    let podman: Setting?
    /// The patches of the pod's specification.
    let podSpec: [PodPatch]

    /// Whether a chart adds what is missing of the runner's registration.
    let isTemplate: Bool

    /// Nil where the runner has another executor.
    init?(_ runner: Setting, isTemplate: Bool = false) {
        guard let kubernetes = runner["kubernetes"] else { return nil }
        self.runner = runner
        self.kubernetes = kubernetes
        self.isTemplate = isTemplate
        podSpec = (kubernetes["pod_spec"]?.elements ?? []).map(PodPatch.init)
        let services = kubernetes["services"]?.elements ?? []
        // By what it runs, then by what it is called: an image of one's own need not have Podman in its name.
        podman =
            services.first { Self.arguments($0).contains { $0 == "podman" || $0.hasSuffix("/podman") } }
            ?? services.first { $0["name"]?.text?.contains("podman") == true }
            ?? services.first { Self.aliases($0).contains { $0.contains("podman") } }
    }

    /// What a service is called beside its image: `alias` may hold several names.
    static func aliases(_ service: Setting) -> [String] {
        (service["alias"]?.text ?? "").split { $0 == " " || $0 == "," }.map(String.init)
    }

    /// A volume of the pod: its kind, and where containers see it.
    struct Mount: Sendable {
        var kind: String
        var path: String
        var setting: Setting
    }

    /// The volumes, in the order of their lines.
    var mounts: [Mount] {
        (kubernetes["volumes"]?.members ?? []).flatMap { kind, list in
            list.elements.compactMap { volume in
                volume["mount_path"]?.text.map { Mount(kind: kind, path: $0, setting: volume) }
            }
        }.sorted { $0.setting.line < $1.setting.line }
    }

    /// The volume that a path lies on: the one mounted nearest above it.
    func mount(of path: String) -> Mount? {
        mounts.filter { path == $0.path || path.hasPrefix($0.path + "/") }
            .max { $0.path.utf8.count < $1.path.utf8.count }
    }

    /// What a service is started with.
    static func arguments(_ service: Setting) -> [String] {
        (service["entrypoint"]?.texts ?? []) + (service["command"]?.texts ?? [])
    }

    /// The path of the socket that Podman serves.
    var socket: String? {
        podman.map(Self.arguments)?.first { $0.hasPrefix("unix://") }.map { String($0.dropFirst(7)) }
    }

    /// The value of an option, `--root=/x` or `--root /x`, of the Podman service.
    func option(_ name: String) -> String? {
        let arguments = podman.map(Self.arguments) ?? []
        for (place, argument) in arguments.enumerated() {
            if argument.hasPrefix(name + "=") { return String(argument.dropFirst(name.utf8.count + 1)) }
            if argument == name, place + 1 < arguments.count { return arguments[place + 1] }
        }
        return nil
    }

    /// Whether a feature flag is on, by `feature_flags` or by the environment, over which a job's variables win.
    func flag(_ name: String) -> Bool {
        if let set = runner.at("feature_flags", name)?.boolean { return set }
        return environment(runner)[name].map { ["true", "1"].contains($0) } ?? false
    }

    /// The variables of a runner or of a service.
    func environment(_ owner: Setting) -> [String: String] {
        var variables: [String: String] = [:]
        for line in owner["environment"]?.texts ?? [] {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        return variables
    }

    /// Whether the pod has a user namespace of its own: the last patch that speaks of it counts.
    var hasUserNamespace: Bool { podSpec.compactMap(\.hostUsers).last == false }

    /// Whether the kubelet changes the owner of a volume's files only where its root is another's.
    var keepsOwners: Bool {
        podSpec.compactMap { $0.value(at: "securityContext", "fsGroupChangePolicy")?.text }.last
            == "OnRootMismatch"
    }

    /// Whether a patch lies in a file, which may say what none of the others does.
    var hasUnseenPatch: Bool { podSpec.contains { $0.file != nil } }
}
