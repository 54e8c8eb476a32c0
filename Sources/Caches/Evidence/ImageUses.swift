import CacheModel

/// Finds the images that events name, and puts the uses into their entries.
package struct ImageUses {
    private var byName: [String: Int] = [:]
    private var byID: [String: Int] = [:]

    /// Knows the images among the entries by their names and IDs.
    package init(_ entries: [ScannedEntry]) {
        for (index, entry) in entries.enumerated() {
            guard let image = entry.image else { continue }
            byID[image.id] = index
            for name in image.names { byName[name] = index }
        }
    }

    /// Adds events, which are in the order of their times, to the images they name.
    ///
    /// Those of images that are no longer there are left out.
    package func add(_ events: [PodmanEvent], to entries: inout [ScannedEntry]) {
        var known: [String: Int?] = [:]
        for event in events {
            if known[event.image] == nil { known.updateValue(index(of: event.image), forKey: event.image) }
            guard let index = known[event.image] ?? nil else { continue }
            entries[index].uses.append(RecordedUse(at: event.at, evidence: .podmanEvents))
        }
    }

    /// The place of the entry that a reference or ID means; nil where none or several fit.
    package func place(of reference: String) -> Int? { index(of: reference) }

    private func index(of reference: String) -> Int? {
        for name in Self.names(for: reference) { if let index = byName[name] { return index } }
        let id = reference.hasPrefix("sha256:") ? String(reference.dropFirst(7)) : reference
        if let index = byID[id] { return index }
        guard id.utf8.count >= 12, id.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else {
            return nil
        }
        let matches = byID.keys.filter { $0.hasPrefix(id) }
        return matches.count == 1 ? matches.first.flatMap { byID[$0] } : nil
    }

    /// The full references that a reference may stand for, the likeliest first.
    ///
    /// Podman adds the tag `latest`, and to a short name `localhost/` or Docker Hub's `docker.io/library/`
    /// (containers/common v0.50, libimage/normalize.go; distribution's reference/normalize.go). A tag beside a
    /// digest does not count.
    static func names(for reference: String) -> [String] {
        let parts = reference.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        var repository = String(parts[0])
        var suffix = ":latest"
        let lastSlash = repository.lastIndex(of: "/") ?? repository.startIndex
        if let colon = repository[lastSlash...].lastIndex(of: ":") {
            suffix = String(repository[colon...])
            repository = String(repository[..<colon])
        }
        if parts.count == 2 { suffix = "@\(parts[1])" }
        let components = repository.split(separator: "/", omittingEmptySubsequences: false)
        let first = components.first ?? ""
        var repositories: [String]
        if components.count > 1, first == "localhost" || first.contains(".") || first.contains(":") {
            repositories = [repository]
            let isHub = first == "docker.io" || first == "index.docker.io"
            if isHub {
                let rest = components.dropFirst().joined(separator: "/")
                repositories.append("docker.io/" + (components.count == 2 ? "library/" : "") + rest)
            }
        } else {
            let library = components.count > 1 ? "" : "library/"
            repositories = ["localhost/\(repository)", "docker.io/\(library)\(repository)"]
        }
        return [reference] + repositories.map { $0 + suffix }
    }
}
