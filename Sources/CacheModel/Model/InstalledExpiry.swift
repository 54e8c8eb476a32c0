/// A rule by which a project's own installed builds may go, though nothing could fetch them again.
package struct InstalledExpiry: Sendable, Hashable {
    /// A glob over keys, as `KeyPattern` reads it.
    package var pattern: String
    /// How long such a build must have been neither installed nor used.
    package var maxAge: Span
    /// How many of the last installed versions of each artifact stay, at least 1.
    package var keepVersions: Int

    /// Makes a rule from its three values.
    package init(pattern: String, maxAge: Span, keepVersions: Int = 1) {
        self.pattern = pattern
        self.maxAge = maxAge
        self.keepVersions = max(1, keepVersions)
    }

    /// Whether an entry is meant: a version that was installed as a whole, by its key.
    package func covers(_ entry: ScannedEntry) -> Bool {
        entry.pool == .maven && entry.traits.isDisjoint(with: [.file, .files, .part, .foreignFiles])
            && entry.isInstalled && KeyPattern(pattern).matches(entry.key)
    }
}

extension [InstalledExpiry] {
    /// Marks the installed builds that newer ones replaced, as far as these rules name them.
    ///
    /// The newest ones of each artifact in each repository, by the time of their installation, are never marked.
    package func mark(_ entries: inout [ScannedEntry]) {
        for rule in self {
            var versions: [VolumePath: [Int]] = [:]
            for place in entries.indices where rule.covers(entries[place]) {
                versions[entries[place].path.parent, default: []].append(place)
            }
            for places in versions.values where places.count > rule.keepVersions {
                let newestFirst = places.sorted { a, b in
                    let (one, other) = (entries[a], entries[b])
                    return one.fetched == other.fetched ? one.path > other.path : one.fetched > other.fetched
                }
                for place in newestFirst.dropFirst(rule.keepVersions) {
                    entries[place].traits.insert(.superseded)
                }
            }
        }
    }

    /// The rule by which an entry may go; nil where there is none.
    package func rule(for entry: ScannedEntry) -> InstalledExpiry? {
        guard entry.traits.contains(.superseded) else { return nil }
        return filter { $0.covers(entry) }.max { $0.maxAge < $1.maxAge }
    }
}
