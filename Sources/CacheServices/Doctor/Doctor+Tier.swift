import CacheModel
import PodmanClient

extension Doctor {
    private typealias Obstacle = Diagnosis.Obstacle

    /// Which Podman can run, or does run, and what keeps from more.
    ///
    /// Where a Podman answers, it has shown what its pod allows. Where none does, this container's own permissions
    /// are judged, as those of the pod that would run one.
    func reachedTier() -> (Diagnosis.Tier, Diagnosis.Obstacle?) {
        let infos = facts.volumes.compactMap { $0.store?.socket?.info }
        if let least = infos.map(\.userIDs).min() {
            if least < 65536 {
                return (
                    .single,
                    Obstacle(
                        to: .full, "Podman has \(least) user ID\(least == 1 ? "" : "s")",
                        cure: "subordinate IDs, SETUID and SETGID, allowPrivilegeEscalation for its container"
                    )
                )
            }
            return (.full, nil)
        }
        if let obstacle = obstacleToAny() { return (.observe, obstacle) }
        if facts.process.uid == 0, has(.sysAdmin) { return (.full, nil) }
        let hasSubordinates = (facts.kernel.subuids ?? 0) > 0
        if let obstacle = obstacleToManyIDs() {
            guard hasSubordinates, obstacle.tier != .full else { return (.single, obstacle) }
            return (
                .observe,
                Obstacle(
                    to: .sharedProc,
                    "\(obstacle.seen); and as there are subordinate IDs, Podman does not fall back to one",
                    cure: "\(obstacle.cure); or, for tier R, no line in /etc/subuid")
            )
        }
        guard facts.kernel.proc != 0 else { return (.full, nil) }
        return (
            .sharedProc,
            Obstacle(
                to: .full, "parts of /proc are masked",
                cure: "hostUsers: false and procMount: Unmasked for Podman's container")
        )
    }

    /// What keeps any rootless Podman from running.
    private func obstacleToAny() -> Obstacle? {
        let kernel = facts.kernel
        guard let code = kernel.userNamespace, code != 0 else {
            guard let mount = kernel.mount, mount > 0 else { return nil }
            return Obstacle(
                to: .single, "mounts in an own namespace are refused (\(name(mount)))",
                cure:
                    "AppArmor: a profile that allows mount and userns, as deploy/podman-sidecar/apparmor.profile"
            )
        }
        if kernel.maxUserNamespaces == 0 {
            return Obstacle(
                to: .single, "the node allows no user namespace",
                cure: "sysctl user.max_user_namespaces=15000")
        }
        if kernel.unprivilegedClone == 0 {
            return Obstacle(
                to: .single, "the node forbids user namespaces to ordinary users",
                cure: "sysctl kernel.unprivileged_userns_clone=1")
        }
        if kernel.apparmorRestrict == 1 {
            return Obstacle(
                to: .single, "the node's AppArmor restricts user namespaces",
                cure: "an AppArmor profile with `userns,`, as deploy/podman-sidecar/apparmor.profile")
        }
        if facts.process.seccomp == 2 {
            return Obstacle(
                to: .single, "seccomp refuses a user namespace (\(name(code)))",
                cure: "seccompProfile: Localhost, with deploy/podman-sidecar/seccomp.json")
        }
        return Obstacle(
            to: .single, "a user namespace is refused (\(name(code)))", cure: "see the node's kernel settings"
        )
    }

    /// What keeps from a full map of user IDs, the first in the order in which they fail.
    private func obstacleToManyIDs() -> Obstacle? {
        let (process, kernel) = (facts.process, facts.kernel)
        func obstacle(_ seen: String, _ cure: String) -> Obstacle {
            Obstacle(to: .sharedProc, seen, cure: cure)
        }
        guard let uids = kernel.subuids, let gids = kernel.subgids, uids > 0, gids > 0 else {
            return obstacle(
                "uid \(process.uid) has no subordinate IDs",
                "a line for it in /etc/subuid and in /etc/subgid: USER:100000:65536")
        }
        if let line = kernel.absentSubordinates {
            return obstacle(
                "the subordinate IDs \(line) do not exist here",
                "a pod with hostUsers: false has 65536 IDs: for uid 1001, lines USER:1:1000 and USER:1002:64534"
            )
        }
        if process.hasNoNewPrivileges {
            return obstacle(
                "no_new_privs is set: newuidmap gets no capability",
                "allowPrivilegeEscalation: true for Podman's container")
        }
        for (capability, text) in [(Capability.setUID, "SETUID"), (.setGID, "SETGID")] where !has(capability)
        {
            return obstacle(
                "\(text) is not in the bounding set", "capabilities: drop ALL, add SETUID and SETGID")
        }
        switch kernel.newuidmap {
        case .absent: return obstacle("newuidmap is missing", "install the package uidmap in Podman's image")
        case .plain:
            return obstacle(
                "newuidmap has no capability of its own",
                "setcap cap_setuid=ep newuidmap, cap_setgid=ep newgidmap in Podman's image")
        case .setuid where !has(.dacOverride):
            return obstacle(
                "newuidmap is setuid root, which the bounding set makes useless",
                "setcap cap_setuid=ep newuidmap, cap_setgid=ep newgidmap in Podman's image")
        case .setuid, .capabilities: break
        }
        guard kernel.hasTun else {
            return Obstacle(
                to: .full, "there is no /dev/net/tun: containers get no network of their own",
                cure: "generic-device-plugin (squat.ai/tun), or CRI-O's allowed_devices")
        }
        return nil
    }

    enum Capability: UInt64 { case dacOverride = 1, setGID = 6, setUID = 7, sysAdmin = 21 }

    func has(_ capability: Capability) -> Bool { facts.process.boundingSet >> capability.rawValue & 1 == 1 }

    private func name(_ code: Int32) -> String {
        switch code {
        case 1: "EPERM"
        case 13: "EACCES"
        case 22: "EINVAL"
        case 28: "ENOSPC"
        case 38: "ENOSYS"
        default: "errno \(code)"
        }
    }

    /// What the kernel allows in this container, each of the matrix's rows.
    ///
    /// They stand in nobody's way where a Podman answers: it runs in a container of its own.
    func kernel() -> [Diagnosis.Finding] {
        let (process, kernel) = (facts.process, facts.kernel)
        let isServed = facts.volumes.contains { $0.store?.socket?.info != nil }
        func row(_ check: String, _ isGood: Bool?, _ seen: String, _ why: String, _ cure: String)
            -> Diagnosis.Finding
        {
            guard let isGood else {
                return .init(.kernel, check, .unknown, seen, why: why, cure: cure)
            }
            if isGood { return .init(.kernel, check, ok: seen) }
            return isServed
                ? .init(.kernel, check, ok: "\(seen): not needed here, Podman has its own container")
                : .init(.kernel, check, .warning, seen, why: why, cure: cure)
        }
        let userNamespaces = kernel.maxUserNamespaces.map { "\($0)" } ?? "unknown"
        // A pod's 65,536, without root's and the user's own.
        let hasAllIDs = (kernel.subuids ?? 0) >= 65534 && (kernel.subgids ?? 0) >= 65534
        let ids = kernel.subuids.map { "\($0) user and \(kernel.subgids ?? 0) group IDs" }
        let tool =
            switch kernel.newuidmap {
            case .absent: "missing"
            case .plain: "without capabilities"
            case .setuid: "setuid root"
            case .capabilities: "with file capabilities"
            }
        let maps = kernel.newuidmap == .capabilities || kernel.newuidmap == .setuid && has(.dacOverride)
        return [
            .init(.kernel, "release", ok: "Linux \(kernel.release)"),
            row(
                "user-namespaces", kernel.userNamespace.map { $0 == 0 },
                "a user namespace \(kernel.userNamespace == 0 ? "can" : "cannot") be made (\(userNamespaces) allowed)",
                "A rootless Podman begins with one.", obstacleToAny()?.cure ?? "see the node's settings"),
            row(
                "mounts", kernel.userNamespace == 0 ? kernel.mount.map { $0 == 0 } : nil,
                kernel.mount == 0 ? "mounts work in it" : "mounts in it were refused, or not tried",
                "Containers need them.", "an AppArmor profile that allows mount"),
            row(
                "proc", kernel.userNamespace == 0 ? kernel.proc.map { $0 == 0 } : nil,
                kernel.proc == 0
                    ? "a new /proc can be mounted" : "a new /proc cannot be mounted: it is masked",
                "Without it containers must share the pod's.", "hostUsers: false, procMount: Unmasked"),
            row(
                "seccomp", process.seccomp.map { $0 != 1 },
                "seccomp: "
                    + (process.seccomp == 2
                        ? "a filter is active"
                        : process.seccomp == 0 ? "no filter" : "strict mode or unknown"),
                "RuntimeDefault refuses user namespaces.", "seccompProfile: Localhost"),
            row(
                "no-new-privs", !process.hasNoNewPrivileges,
                "no_new_privs is \(process.hasNoNewPrivileges ? "set" : "not set")",
                "With it, newuidmap cannot write a map.",
                "allowPrivilegeEscalation: true for Podman's container"),
            row(
                "capabilities", has(.setUID) && has(.setGID),
                "SETUID and SETGID are \(has(.setUID) && has(.setGID) ? "" : "not both ")in the bounding set",
                "newuidmap needs them.", "capabilities: drop ALL, add SETUID and SETGID"),
            row(
                "subids", ids.map { _ in hasAllIDs && kernel.absentSubordinates == nil },
                kernel.absentSubordinates.map { "\($0) is more than this user namespace has" }
                    ?? "subordinate to this user: \(ids ?? "unknown")",
                "Images with more than one user need them all.",
                "USER:100000:65536 in /etc/subuid and /etc/subgid; in a pod with hostUsers: false, for uid 1001, "
                    + "USER:1:1000 and USER:1002:64534"),
            row(
                "newuidmap", maps, "newuidmap: \(tool)", "It writes the map of user IDs.",
                "setcap cap_setuid=ep newuidmap, cap_setgid=ep newgidmap"),
            row(
                "tun", kernel.hasTun, "/dev/net/tun is \(kernel.hasTun ? "there" : "not there")",
                "Containers get no network of their own without it.",
                "generic-device-plugin, or CRI-O's devices"),
            // Only overlay by FUSE needs it, and stores here are vfs.
            .init(
                .kernel, "fuse", ok: "/dev/fuse is \(kernel.hasFuse ? "there" : "not there"), and not needed"),
            row(
                "cgroups", kernel.cgroups.map { $0 == 2 },
                "cgroups \(kernel.cgroups.map { "v\($0)" } ?? "unknown")",
                "crun refuses mixed hierarchies.",
                "a node with cgroups v2; cgroups = \"disabled\" in containers.conf"),
        ]
    }
}
