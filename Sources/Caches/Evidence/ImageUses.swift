import CacheModel

/// Finds the images that events name, and puts the uses into their entries.
package struct ImageUses {
    private var byName: [String: Int] = [:]
    private var byID: [String: Int] = [:]
    /// The images that run where a list is named, by the list's names.
    private var byList: [String: [Int]] = [:]

    /// Knows the images among the entries by their names and IDs.
    package init(_ entries: [ScannedEntry]) {
        for (index, entry) in entries.enumerated() {
            guard let image = entry.image else { continue }
            byID[image.id] = index
            for name in image.names { byName[name] = index }
            for name in image.listNames { byList[name, default: []].append(index) }
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
            let use = RecordedUse(at: event.at, evidence: .podmanEvents, project: event.project)
            entries[index].uses.append(use)
            // The list itself never runs: one of its images does.
            guard let image = entries[index].image, image.role == .list else { continue }
            let instances = Set(image.names.flatMap { byList[$0] ?? [] })
            for instance in instances.sorted() { entries[instance].uses.append(use) }
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
    static func names(for reference: String) -> [String] { ImagePattern.names(for: reference) }
}
