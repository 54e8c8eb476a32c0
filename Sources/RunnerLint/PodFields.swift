import TOMLSettings

/// The fields that Kubernetes has for a pod, as far down as patches of job pods go.
///
/// Source: `staging/src/k8s.io/api/core/v1/types.go`, 1.36: `PodSpec`, `PodSecurityContext`, `Container` and
/// `SecurityContext`. The runner reads a patched pod into these types, and what they do not have is dropped.
enum PodFields {
    /// A field that is not where it stands, with the path from the patch's top.
    struct Stray: Hashable {
        var path: String
        /// Where a field of this name is; nil where there is none.
        var home: String?
        /// The field that was probably meant.
        var nearest: String?
    }

    private static let pod = names(
        """
        volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds
        activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount automountServiceAccountToken
        nodeName hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets hostname subdomain
        affinity schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates
        runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os
        hostUsers schedulingGates resourceClaims resources hostnameOverride workloadRef schedulingGroup
        """)

    private static let podSecurity = names(
        """
        seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy
        fsGroup sysctls fsGroupChangePolicy seccompProfile appArmorProfile seLinuxChangePolicy
        """)

    private static let container = names(
        """
        name image command args workingDir ports envFrom env resources resizePolicy restartPolicy restartPolicyRules
        volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle terminationMessagePath
        terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty
        """)

    private static let containerSecurity = names(
        """
        capabilities privileged seLinuxOptions windowsOptions runAsUser runAsGroup runAsNonRoot readOnlyRootFilesystem
        allowPrivilegeEscalation procMount seccompProfile appArmorProfile
        """)

    private static func names(_ list: String) -> Set<String> {
        Set(list.split(whereSeparator: \.isWhitespace).map(String.init))
    }

    /// Where each list of fields is, in the order in which a stray field is looked for.
    private static let homes: [(home: String, fields: Set<String>)] = [
        ("the top of the patch", pod), ("securityContext", podSecurity), ("a container", container),
        ("a container's securityContext", containerSecurity),
    ]

    /// The fields of a strategic or merge patch that are not where Kubernetes has them.
    static func strays(in change: Setting) -> [Stray] {
        let containers = ["containers", "initContainers"].flatMap { list in
            (change.exactly(list)?.elements ?? []).flatMap { each in
                strays(in: each, among: container, below: list + "[]")
                    + strays(
                        in: each.exactly("securityContext"), among: containerSecurity,
                        below: list + "[].securityContext")
            }
        }
        return strays(in: change, among: pod, below: "")
            + strays(in: change.exactly("securityContext"), among: podSecurity, below: "securityContext")
            + containers
    }

    /// The fields that a list of operations (RFC 6902) names at the top, and are none of a pod's.
    static func strays(ofOperations change: Setting) -> [Stray] {
        change.elements.compactMap { operation in
            guard let path = operation.exactly("path")?.text,
                let first = path.split(separator: "/").first.map(String.init), !pod.contains(first)
            else { return nil }
            return stray(first, among: pod, below: "")
        }
    }

    private static func strays(in place: Setting?, among fields: Set<String>, below path: String) -> [Stray] {
        guard case .table(let members) = place?.value else { return [] }
        // `$patch` and its like direct a strategic merge.
        return members.keys.sorted().filter { !fields.contains($0) && !$0.hasPrefix("$") }
            .map { stray($0, among: fields, below: path) }
    }

    private static func stray(_ key: String, among fields: Set<String>, below path: String) -> Stray {
        Stray(
            path: path.isEmpty ? key : "\(path).\(key)",
            home: homes.first { $0.fields.contains(key) }?.home,
            nearest: KeyRules.nearest(to: key, among: fields.sorted(), within: max(1, key.count / 4)))
    }
}
