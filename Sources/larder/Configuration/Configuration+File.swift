import CacheModel
import CacheServices
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
        for (key, known) in [
            ("limits", ConfigurationKeys.limits), ("report", ConfigurationKeys.report),
            ("verify", ConfigurationKeys.verify),
        ] {
            if let section = top.section(key, known: known) { takeSettings(of: section) }
        }
        if let section = top.section("warm", known: ConfigurationKeys.warm) {
            takeSettings(of: section)
            warm.images = section.warmImages()
        }
        if let section = top.section("notifications", known: ConfigurationKeys.notifications) {
            takeSettings(of: section)
            notifications.webhooks = section.webhooks()
        }
        takeDaemon(from: top)
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
            reader.problems.note(setting.key, from: place)
        }
    }
}
