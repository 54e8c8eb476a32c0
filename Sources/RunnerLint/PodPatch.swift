import TOMLSettings

/// A patch of `[[runners.kubernetes.pod_spec]]`, read as the YAML or JSON that it is.
struct PodPatch: Sendable {
    /// The table of the file.
    let setting: Setting
    /// What it changes: a pod's specification, or a list of operations (RFC 6902); nil where it cannot be read.
    let change: Setting?
    /// Why it cannot be read.
    let fault: YAMLFault?
    /// How it applies: strategic, merge or json.
    let kind: String

    /// Whether it is a list of operations.
    var isOperations: Bool { kind == "json" }

    /// The file that it is read from on the runner's machine, which is not seen here.
    var file: Setting? { setting["patch"] == nil ? setting["patch_path"] : nil }

    init(_ setting: Setting) {
        self.setting = setting
        kind = setting["patch_type"]?.text ?? "strategic"
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

    /// The fields that are not where Kubernetes has them.
    var strays: [PodFields.Stray] {
        guard let change else { return [] }
        return isOperations ? PodFields.strays(ofOperations: change) : PodFields.strays(in: change)
    }

    /// What it says of the pod's user namespace; nil where it says nothing.
    var hostUsers: Bool? { value(at: "hostUsers")?.boolean }

    /// The value that it gives to a field of the pod's specification.
    func value(at keys: String...) -> Setting? {
        guard isOperations else { return keys.reduce(change) { $0?.exactly($1) } }
        return change?.elements.compactMap { operation -> Setting? in
            guard ["add", "replace"].contains(operation.exactly("op")?.text),
                let parts = operation.exactly("path")?.text?.split(separator: "/").map(String.init),
                keys.starts(with: parts), !parts.isEmpty
            else { return nil }
            return keys.dropFirst(parts.count).reduce(operation.exactly("value")) { $0?.exactly($1) }
        }.last
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
        guard let change, kind == "strategic" else { return [] }
        return (change.exactly("containers")?.elements ?? []).compactMap { $0.exactly("name")?.text }
    }
}
