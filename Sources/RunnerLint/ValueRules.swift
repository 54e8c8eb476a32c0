import TOMLSettings

/// Values that the runner or Kubernetes takes from a short list, and quantities.
enum ValueRules {
    static let all: [Rule<JobPod>] = [choices, tolerations, quantities]

    /// The values of a key, as the runner's documentation has them (19.3); a case that differs is another value.
    private static let accepted: [String: [String]] = [
        "pull_policy": ["always", "if-not-present", "never"],
        "allowed_pull_policies": ["always", "if-not-present", "never"],
        "patch_type": ["strategic", "merge", "json"],
        "medium": ["Memory", ""],
        "dns_policy": ["none", "default", "cluster-first", "cluster-first-with-host-net"],
        "proc_mount": ["default", "unmasked", "Default", "Unmasked"],
        "type": ["RuntimeDefault", "Localhost", "Unconfined"],
        "shell": ["bash", "sh", "pwsh", "powershell", "cmd"],
    ]

    @Sendable private static func choices(_ pod: JobPod) -> [Finding] {
        var found: [Finding] = []
        visit(pod.runner) { setting in
            guard let values = accepted[setting.name], isMeant(setting) else { return }
            for text in setting.texts where !values.contains(text) && isKnown(text) {
                let near = KeyRules.nearest(to: text, among: values, within: max(2, text.count / 3))
                found.append(
                    Finding(
                        .error, "bad-value", at: setting,
                        problem: "\(setting.name) = \"\(text)\" is no value of it",
                        reason: "The runner or Kubernetes refuses it, or takes it for its default.",
                        cure: (near.map { "Did you mean \"\($0)\"? " } ?? "")
                            + "Accepted: \(values.filter { !$0.isEmpty }.joined(separator: ", "))."))
            }
        }
        return found
    }

    /// The effects of a taint (core/v1); empty stands for all of them.
    private static let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"]

    /// In `node_tolerations` the key is the taint, and the value its effect.
    @Sendable private static func tolerations(_ pod: JobPod) -> [Finding] {
        (pod.kubernetes["node_tolerations"]?.members ?? []).compactMap { _, setting in
            guard let text = setting.text, !text.isEmpty, !effects.contains(text), isKnown(text) else {
                return nil
            }
            let near = KeyRules.nearest(to: text, among: effects, within: max(2, text.count / 3))
            return Finding(
                .error, "bad-value", at: setting, problem: "\"\(text)\" is no effect of a taint",
                reason: "Kubernetes refuses the pod of every job.",
                cure: (near.map { "Did you mean \"\($0)\"? " } ?? "")
                    + "Accepted: \(effects.joined(separator: ", ")), or nothing for all of them.")
        }
    }

    /// `type` is a profile's only below one, and the pull policy of Docker is none of Kubernetes'.
    private static func isMeant(_ setting: Setting) -> Bool {
        switch setting.name {
        case "type": setting.path.contains("_profile.")
        case "shell": true
        default: setting.path.contains(".kubernetes")
        }
    }

    private static func isKnown(_ text: String) -> Bool {
        !text.contains("$") && !text.contains(HelmTemplate.placeholder)
    }

    @Sendable private static func quantities(_ pod: JobPod) -> [Finding] {
        var found: [Finding] = []
        visit(pod.kubernetes) { setting in
            let name = setting.name
            let isQuantity =
                name == "size_limit"
                || ["cpu", "memory", "ephemeral_storage"].contains { kind in
                    name.hasSuffix("\(kind)_limit") || name.hasSuffix("\(kind)_request")
                        || name.hasSuffix("\(kind)_limit_overwrite_max_allowed")
                        || name.hasSuffix("\(kind)_request_overwrite_max_allowed")
                }
            guard isQuantity, let text = setting.text, isKnown(text), !isAQuantity(text), !text.isEmpty else {
                return
            }
            found.append(
                Finding(
                    .error, "bad-value", at: setting, problem: "\(name) = \"\(text)\" is no quantity",
                    reason: "Kubernetes refuses the pod of every job.",
                    cure: "Write it as Kubernetes does: 500m or 2 for processors, 512Mi or 4Gi for bytes."))
        }
        for (limit, request) in pairs(pod) where limit.1 < request.1 {
            found.append(
                Finding(
                    .error, "bad-value", at: request.0,
                    problem: "\(request.0.name) is more than \(limit.0.name)",
                    reason: "Kubernetes refuses a pod that asks for more than it may have.",
                    cure: "Raise the limit, or lower the request."))
        }
        return found
    }

    private static func pairs(_ pod: JobPod) -> [((Setting, Double), (Setting, Double))] {
        ["", "helper_", "service_"].flatMap { prefix in
            ["cpu", "memory", "ephemeral_storage"].compactMap { kind in
                guard let limit = pod.kubernetes["\(prefix)\(kind)_limit"],
                    let request = pod.kubernetes["\(prefix)\(kind)_request"],
                    let most = limit.text.flatMap(amount), let least = request.text.flatMap(amount)
                else { return nil }
                return ((limit, most), (request, least))
            }
        }
    }

    static func isAQuantity(_ text: String) -> Bool { amount(text) != nil }

    /// A quantity of Kubernetes (apimachinery resource.Quantity): a number with a suffix of its own, or an exponent.
    private static func amount(_ text: String) -> Double? {
        let suffixes: [(String, Double)] = [
            ("Ki", 0x1p10), ("Mi", 0x1p20), ("Gi", 0x1p30), ("Ti", 0x1p40), ("Pi", 0x1p50), ("Ei", 0x1p60),
            ("n", 1e-9), ("u", 1e-6), ("m", 1e-3), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12),
            ("P", 1e15),
            ("E", 1e18),
        ]
        let (suffix, factor) = suffixes.first { text.hasSuffix($0.0) } ?? ("", 1)
        let number = text.dropLast(suffix.count)
        guard let first = number.utf8.first, (48...57).contains(first) || first == 46 || first == 43,
            number.utf8.allSatisfy({ (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }),
            suffix.isEmpty || !number.contains(where: { "eE".contains($0) }), let value = Double(number)
        else { return nil }
        return value * factor
    }

    /// Every setting below a table, in the order of their lines.
    private static func visit(_ setting: Setting, _ look: (Setting) -> Void) {
        look(setting)
        for (_, member) in setting.members { visit(member, look) }
        for element in setting.elements where element.isTable { visit(element, look) }
    }
}
