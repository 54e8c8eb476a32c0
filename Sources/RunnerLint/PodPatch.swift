import TOMLSettings

/// A patch of `[[runners.kubernetes.pod_spec]]`, read as the YAML or JSON that it is.
struct PodPatch: Sendable {
    /// The table of the file.
    let setting: Setting
    /// What it changes: a pod's specification, or a list of operations (RFC 6902); nil where it cannot be read.
    let change: Setting?
    /// Why it cannot be read.
    let fault: YAMLFault?
    /// Whether it is a list of operations.
    let isOperations: Bool

    init(_ setting: Setting) {
        self.setting = setting
        isOperations = setting["patch_type"]?.text == "json"
        guard let text = setting["patch"]?.text else {
            (change, fault) = (nil, nil)
            return
        }
        do throws(YAMLFault) {
            change = try Setting(yaml: text)
            fault = nil
        } catch {
            change = nil
            fault = error
        }
    }

    /// The values that it gives to a key of the pod's specification or of anything below it.
    func values(of key: String) -> [Setting] {
        guard let change else { return [] }
        guard isOperations else { return Self.values(of: key, in: change) }
        return change.elements.flatMap { operation -> [Setting] in
            guard ["add", "replace"].contains(operation.exactly("op")?.text),
                let value = operation.exactly("value")
            else { return [] }
            let last = operation.exactly("path")?.text?.split(separator: "/").last
            return (last.map(String.init) == key ? [value] : []) + Self.values(of: key, in: value)
        }
    }

    private static func values(of key: String, in place: Setting) -> [Setting] {
        switch place.value {
        case .table(let members):
            members.flatMap { name, member in (name == key ? [member] : []) + values(of: key, in: member) }
        case .list(let elements): elements.flatMap { values(of: key, in: $0) }
        default: []
        }
    }

    /// The containers that it names in a list of its own, and would add where there is none of that name.
    var containers: [String] {
        guard let change, !isOperations, setting["patch_type"]?.text ?? "strategic" == "strategic" else {
            return []
        }
        return (change.exactly("containers")?.elements ?? []).compactMap { $0.exactly("name")?.text }
    }
}
