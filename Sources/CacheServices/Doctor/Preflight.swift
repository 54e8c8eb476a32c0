import CacheModel

/// What `larder doctor --preflight` looks at: a node, through a pod that is what a job's pod will be.
struct PreflightFacts: Sendable, Equatable {
    /// A volume of the pod.
    struct MountedVolume: Sendable, Equatable {
        var path: String
        /// Nil where nothing is mounted there.
        var mount: DoctorFacts.Mount?
        var isWritable = true
    }

    /// Whether a network policy of the pod's namespace holds, tried on the one server that every pod could reach.
    enum Network: Sendable, Equatable {
        /// The Kubernetes API could be reached although nothing allows it.
        case open(String)
        /// It could not.
        case closed(String)
        /// There is no cluster around this process.
        case noCluster
    }

    var process = DoctorFacts.Process()
    var kernel = DoctorFacts.Kernel()
    /// The lines of `/proc/self/uid_map` as first ID within, first ID without, count.
    var userMap: [[Int64]] = [[0, 65536, 65536]]
    /// The AppArmor profile or SELinux context of this process; nil where there is neither.
    var label: String? = "cri-containerd.apparmor.d (enforce)"
    var hasAppArmor = true
    var hasSELinux = false
    var volumes: [MountedVolume] = []
    var socket: DoctorFacts.Socket
    var network = Network.closed("10.96.0.1:443")
}

/// Judges whether job pods run on a node: from facts to findings, without looking at anything itself.
struct Preflight {
    let facts: PreflightFacts

    /// The oldest kernel on which the kubelet gives a pod a user namespace: idmapped mounts of tmpfs came with it
    /// (KEP-127).
    private static let oldestKernel = (6, 3)

    /// What was looked at, with the tier that a job's Podman reaches.
    func diagnosis() -> Diagnosis {
        let findings =
            [userNamespace(), kernel(), seccomp(), mandatoryAccess(), tun(), network(), podman()]
            + facts.volumes.map(volume)
        let areas = Diagnosis.Area.allCases
        let sorted = findings.enumerated().sorted { first, second in
            let (one, other) = (
                areas.firstIndex(of: first.element.area) ?? 0, areas.firstIndex(of: second.element.area) ?? 0
            )
            return (one, first.offset) < (other, second.offset)
        }.map(\.element)
        let obstacle = sorted.first { $0.state == .problem }.map {
            Diagnosis.Obstacle(to: .full, $0.seen, cure: $0.cure)
        }
        return Diagnosis(tier: obstacle == nil ? .full : .observe, obstacle: obstacle, findings: sorted)
    }

    private func userNamespace() -> Diagnosis.Finding {
        let map = facts.userMap
        guard let first = map.first, first.count == 3 else {
            return .init(
                .process, "pod-users", .unknown, "/proc/self/uid_map cannot be read",
                why: "Whether the pod has users of its own is not known.", cure: "mount /proc in the pod")
        }
        if first[0] == first[1] {
            return .init(
                .process, "pod-users", .problem, "the pod has the node's users",
                why:
                    "hostUsers: false was not asked for, or was ignored: uid 1001 of a job is the node's 1001.",
                cure:
                    "Kubernetes 1.33 (feature UserNamespacesSupport), containerd 2.0 or CRI-O 1.25, runc 1.2 or "
                    + "crun 1.9")
        }
        let count = map.reduce(Int64(0)) { $0 + $1[2] }
        guard count >= 65536 else {
            return .init(
                .process, "pod-users", .problem, "the pod has \(count) users",
                why: "Images with a second user do not unpack.",
                cure: "give pods 65,536 each (the kubelet's userNamespaces.idsPerPod)")
        }
        return .init(.process, "pod-users", ok: "users of its own, \(first[1]) and up on the node")
    }

    private func kernel() -> Diagnosis.Finding {
        let release = facts.kernel.release
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        guard numbers.count == 2 else {
            return .init(
                .kernel, "kernel", .unknown, "Linux \(release)", why: "Its version cannot be read from that.",
                cure: "compare it with 6.3")
        }
        guard (numbers[0], numbers[1]) >= Self.oldestKernel else {
            return .init(
                .kernel, "kernel", .problem, "Linux \(release)",
                why:
                    "User namespaces of pods need 6.3: idmapped mounts of tmpfs, which a pod's secrets are on.",
                cure: "take nodes with Linux 6.3 or later")
        }
        if facts.kernel.maxUserNamespaces == 0 {
            return .init(
                .kernel, "kernel", .problem, "user.max_user_namespaces = 0",
                why: "Podman cannot make the namespace of its containers.",
                cure: "sysctl user.max_user_namespaces=15000 on the node")
        }
        return .init(.kernel, "kernel", ok: "Linux \(release)")
    }

    private func seccomp() -> Diagnosis.Finding {
        switch facts.process.seccomp {
        case 2: return .init(.process, "seccomp", ok: "a seccomp filter is in force")
        case nil:
            return .init(
                .process, "seccomp", .unknown, "/proc/self/status cannot be read",
                why: "Whether a filter is in force is not known.", cure: "mount /proc in the pod")
        default:
            return .init(
                .process, "seccomp", .problem, "no seccomp filter, though the pod asks for RuntimeDefault",
                why: "Jobs could make every system call.", cure: "take a kernel and a runtime with seccomp")
        }
    }

    private func mandatoryAccess() -> Diagnosis.Finding {
        let label = facts.label ?? "no label"
        if facts.hasSELinux {
            guard label.hasSuffix(":s0") || !label.contains(":c") else {
                return .init(
                    .process, "selinux", ok: "SELinux: \(label); every pod of a claim needs this level")
            }
            return .init(
                .process, "selinux", .warning, "SELinux: \(label), a context without categories",
                why: "Pods with other categories cannot share a ReadWriteOnce claim with it.",
                cure: "take deploy/components/selinux, which gives all pods one level")
        }
        guard facts.hasAppArmor else {
            return .init(.process, "apparmor", ok: "neither AppArmor nor SELinux on this node")
        }
        guard facts.kernel.apparmorRestrict != 1 || facts.socket.version != nil else {
            return .init(
                .process, "apparmor", .problem,
                "AppArmor: \(label); unprivileged user namespaces are refused",
                why: "Ubuntu 24.04 and later give them to profiles that say `userns,` only.",
                cure: "load the profile of deploy/node, and see its DaemonSet's log")
        }
        return .init(.process, "apparmor", ok: "AppArmor: \(label)")
    }

    private func tun() -> Diagnosis.Finding {
        guard facts.kernel.hasTun else {
            return .init(
                .kernel, "tun", .problem, "no /dev/net/tun that can be opened",
                why: "Podman has no network of its own then, and Testcontainers no mapped ports.",
                cure:
                    "apply deploy/node; the pod asks for squat.ai/tun, or CRI-O gives the device to every pod"
            )
        }
        return .init(.kernel, "tun", ok: "/dev/net/tun can be opened")
    }

    private func network() -> Diagnosis.Finding {
        switch facts.network {
        case .closed(let server):
            return .init(.process, "network-policy", ok: "network policies hold: \(server) cannot be reached")
        case .open(let server):
            return .init(
                .process, "network-policy", .problem,
                "network policies do not hold: \(server) can be reached",
                why: "Jobs would reach the Kubernetes API, the metadata service and all of your networks.",
                cure: "take a network plugin that enforces policies (Calico, Cilium, …)")
        case .noCluster:
            return .init(
                .process, "network-policy", .unknown, "no cluster around this process",
                why: "Whether network policies hold can only be seen in a pod.", cure: "run it in the pod")
        }
    }

    private func podman() -> Diagnosis.Finding {
        let socket = facts.socket
        guard let version = socket.version else {
            return .init(
                .podman, "podman", .problem, "no Podman answers at \(socket.path)",
                why: (socket.failure.map { $0 + ". " } ?? "")
                    + "It did not start under the profiles of this node.",
                cure: "see its log: kubectl -n ci logs job/preflight -c podman")
        }
        if let info = socket.info, info.userIDs < 65535 {
            return .init(
                .podman, "podman", .problem, "Podman \(version) has \(info.userIDs) user IDs for containers",
                why: "Images with a second user do not unpack: newuidmap was refused.",
                cure: "allowPrivilegeEscalation: true, and SETUID and SETGID, for the Podman container alone")
        }
        return .init(
            .podman, "podman", ok: "Podman \(version) answers, with a user namespace of its own")
    }

    private func volume(_ volume: PreflightFacts.MountedVolume) -> Diagnosis.Finding {
        guard let mount = volume.mount else {
            return .init(
                .mounts, "volume", .unknown, "nothing is mounted at \(volume.path)",
                why: "The claims' file system could not be looked at.", cure: "mount a claim there")
        }
        if let network = mount.network {
            return .init(
                .mounts, "volume", .problem, "\(volume.path) is on \(network)",
                why: "The kernel maps no user IDs there, and Podman keeps no store on it.",
                cure: "take a storage class of local disks or block storage, with ext4 or XFS")
        }
        let hasOwnUsers = facts.userMap.first.map { $0.count == 3 && $0[0] != $0[1] } == true
        if hasOwnUsers, !mount.options.contains("idmapped") {
            return .init(
                .mounts, "volume", .problem, "\(volume.path) (\(mount.type)) is mounted without mapped IDs",
                why: "Its files belong to nobody in a pod with users of its own.",
                cure: "take a storage class with ext4 or XFS, and runc 1.2 or crun 1.9")
        }
        guard volume.isWritable else {
            return .init(
                .mounts, "volume", .problem, "\(volume.path) cannot be written by uid \(facts.process.uid)",
                why: "Neither Podman nor Larder could keep anything there.",
                cure: "fsGroup: 1001 in the pod; the storage class must support it (fsType)")
        }
        return .init(
            .mounts, "volume",
            ok:
                "\(volume.path): \(mount.type)\(hasOwnUsers ? ", with mapped IDs" : ""), \(mount.capacity.total)"
        )
    }
}
