import CacheModel
import Yams

extension Configuration {
    /// Takes over what a file says.
    ///
    /// Returns the volumes; nil where it names none, so that the defaults stand.
    mutating func take(
        _ document: ParsedDocument, _ problems: ConfigurationProblems
    ) -> [ConfiguredVolume]? {
        guard let root = document.root, root.tag != Tag(.null),
            let top = MappingReader(
                root, path: "", known: ConfigurationKeys.top, of: document, problems)
        else { return nil }
        takeSettings(of: top)
        if let (node, _) = top.node("limits"),
            let limits = MappingReader(
                node, path: "limits", known: ConfigurationKeys.limits, of: document, problems)
        {
            takeSettings(of: limits)
        }
        if let (node, _) = top.node("warm"),
            let reader = MappingReader(
                node, path: "warm", known: ConfigurationKeys.warm, of: document, problems)
        {
            takeSettings(of: reader)
            warm.images = reader.warmImages()
        }
        if let (node, _) = top.node("report"),
            let reader = MappingReader(
                node, path: "report", known: ConfigurationKeys.report, of: document, problems)
        {
            takeSettings(of: reader)
        }
        if let (node, _) = top.node("verify"),
            let reader = MappingReader(
                node, path: "verify", known: ConfigurationKeys.verify, of: document, problems)
        {
            takeSettings(of: reader)
        }
        takeDaemon(from: top, of: document, problems)
        let accepted = "a list of at least one volume, each with name, kind and path"
        guard let nodes = top.list("volumes", accepted: accepted) else { return nil }
        if nodes.isEmpty {
            problems.add(top.place(of: "volumes"), "volumes", "found an empty list; accepted: \(accepted)")
        }
        return nodes.enumerated().compactMap { index, node in
            ConfiguredVolume(node, path: "volumes[\(index)]", of: document, problems)
        }
    }

    mutating func takeSettings(of reader: MappingReader) {
        for setting in ConfigurationSetting.all {
            let parts = setting.key.split(separator: ".").map(String.init)
            guard parts.dropLast().joined(separator: ".") == reader.path, let name = parts.last,
                let (text, place) = reader.scalar(name, accepted: setting.accepted)
            else { continue }
            if let refusal = setting.apply(text, &self) {
                reader.problems.add(place, setting.key, refusal)
            }
        }
    }
}
