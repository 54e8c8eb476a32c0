import CacheModel
import CacheServices

/// The volumes on their way into a configuration.
struct VolumeSet {
    /// The volumes, in the order of the file.
    var all: [ConfiguredVolume]
    /// What is wrong so far.
    let problems: ConfigurationProblems

    /// Takes a path from a flag or the environment for the one volume of that kind, and adds one where there is
    /// none.
    mutating func move(_ kind: Volume.Kind, to text: String, origin: ConfigurationOrigin) {
        guard let path = ValueFormat<String>.path.read(text) else {
            problems.add(origin, "", ValueFormat<String>.path.refusal(of: text))
            return
        }
        if let index = single(kind, origin: origin) {
            all[index].move(to: path, origin: origin)
        } else if !all.contains(where: { $0.volume.kind == kind }) {
            var added = ConfiguredVolume.deployed(kind)
            added.volume.name = freeName(added.volume.name)
            added.move(to: path, origin: origin)
            all.append(added)
        }
    }

    /// Takes a socket from a flag or the environment for the one image store.
    mutating func connect(to text: String, origin: ConfigurationOrigin) {
        guard let socket = ValueFormat<String>.socket.read(text) else {
            problems.add(origin, "", ValueFormat<String>.socket.refusal(of: text))
            return
        }
        if let index = single(.imageStore, origin: origin) {
            all[index].socket = socket
            all[index].origins["socket"] = origin
        } else if !all.contains(where: { $0.volume.kind == .imageStore }) {
            problems.add(
                origin, "",
                "no volume of kind image-store is configured; accepted: together with --image-root")
        }
    }

    /// Takes note of volumes that cannot stand beside each other: one name or one place for two.
    func check() {
        // One volume alone has none to lie in.
        let places = all.count > 1 ? DirectoryPlace.of(all.map(\.volume.path)) : [:]
        for (index, volume) in all.enumerated() {
            for other in all[..<index] { check(volume, beside: other, places) }
        }
    }

    private func check(
        _ new: ConfiguredVolume, beside old: ConfiguredVolume, _ places: [String: DirectoryPlace]
    ) {
        func add(_ key: String, _ text: String, _ accepted: String) {
            problems.add(
                new.origin(key), new.key.isEmpty ? "" : "\(new.key).\(key)",
                "\(text) volume `\(old.volume.name)` (\(old.origin(key).phrase)); accepted: \(accepted)")
        }
        if new.volume.name == old.volume.name {
            add("name", "the same name as that of", "a name for each")
        }
        if let relation = Self.overlap(new.volume.path, old.volume.path) {
            add("path", "\(quotable(new.volume.path)) \(relation)", "directories apart from each other")
        } else if let relation = places[new.volume.path].flatMap({ place in
            places[old.volume.path].flatMap { place.relation(to: $0) }
        }) {
            let words =
                switch relation {
                case .same: "is, by a link or a mount, also the directory of"
                case .within: "lies, by a link or a mount, within the directory of"
                case .contains: "contains, by a link or a mount, the directory of"
                }
            add("path", "\(quotable(new.volume.path)) \(words)", "directories apart from each other")
        }
    }

    private static func overlap(_ path: String, _ other: String) -> String? {
        if path == other { return "is also the path of" }
        if contains(other, path) { return "lies within the path of" }
        return contains(path, other) ? "contains the path of" : nil
    }

    /// Whether the second path is the first or lies below it, by their text: links are not followed.
    static func contains(_ directory: String, _ path: String) -> Bool {
        path == directory || path.utf8.starts(with: (directory == "/" ? "/" : directory + "/").utf8)
    }

    private func single(_ kind: Volume.Kind, origin: ConfigurationOrigin) -> Int? {
        let indices = all.indices.filter { all[$0].volume.kind == kind }
        if indices.count > 1 {
            let names = indices.map { all[$0].volume.name }.joined(separator: ", ")
            problems.add(
                origin, "",
                "ambiguous: the file has several volumes of kind \(kind.rawValue) (\(names)); "
                    + "accepted: only with one of them; set the others in the file")
        }
        return indices.count == 1 ? indices.first : nil
    }

    private func freeName(_ name: String) -> String {
        let taken = Set(all.map(\.volume.name))
        var free = name
        var number = 2
        while taken.contains(free) {
            free = "\(name)-\(number)"
            number += 1
        }
        return free
    }
}
