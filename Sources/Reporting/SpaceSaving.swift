import CacheModel

/// Something that takes space without much need, and the command that gets the space back.
package struct SpaceSaving: Sendable, Hashable {
    /// Why it is hardly needed.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Maven's and Gradle's cache hold the same files.
        case duplicate
        /// Several Gradle homes hold the same module.
        case copies
        /// A SNAPSHOT's builds that later ones replaced.
        case oldBuilds = "old-snapshot-builds"
        /// A SNAPSHOT whose release is there too.
        case released = "released-snapshot"
        /// What only a version of Gradle reads that is used no more.
        case deadGeneration = "dead-generation"
    }

    /// Why it is hardly needed.
    package var kind: Kind
    /// Its key, or for a generation the directory below the Gradle home.
    package var name: String
    /// How many entries it consists of.
    package var entries: Int64
    /// What it takes.
    package var bytes: ByteCount
    /// The reason in a few words.
    package var reason: String
    /// What gets the space back; nil where no command of Larder's does, which `reason` then explains.
    package var command: String?

    /// What a look at the index, and one into the volume, found; by kind, the largest first.
    static func all(
        _ usage: VolumeUsage, _ findings: ArtifactFindings, _ commands: ReclaimCommands, now: Timestamp
    ) -> [SpaceSaving] {
        let savings =
            duplicates(usage.entries, findings, commands, now: now) + copies(usage.entries)
            + oldBuilds(usage.entries, findings, commands, now: now)
            + released(usage.entries, commands, now: now)
            + GradleGeneration.dead(usage.entries, commands, now: now)
        let order = Kind.allCases
        return savings.enumerated().sorted { a, b in
            let (one, other) = (a.element, b.element)
            let (kind, otherKind) = (
                order.firstIndex(of: one.kind) ?? 0, order.firstIndex(of: other.kind) ?? 0
            )
            return (kind, other.bytes, a.offset) < (otherKind, one.bytes, b.offset)
        }.map(\.element)
    }

    private static func duplicates(
        _ entries: [CacheEntry], _ findings: ArtifactFindings, _ commands: ReclaimCommands, now: Timestamp
    ) -> [SpaceSaving] {
        let found = places(of: findings.duplicates.flatMap { [$0.maven, $0.gradle] }, in: entries)
        return findings.duplicates.compactMap { pair in
            guard let maven = found[pair.maven], let gradle = found[pair.gradle] else { return nil }
            // Each tool fetches again what its own cache lacks: the one used longer ago is missed less.
            let (gone, kept) =
                entries[maven].lastUsed <= entries[gradle].lastUsed ? (maven, gradle) : (gradle, maven)
            let (entry, other) = (entries[gone], entries[kept].pool.rawValue)
            let use = "used \(Figures.ago(entry.lastUsed, now: now)) in \(entry.pool.rawValue)"
            return evicting(
                .duplicate, entry, bytes: pair.bytes, reason: "the same files are in \(other); \(use)",
                commands, now: now)
        }
    }

    /// The modules that several Gradle homes hold, as where each concurrent job has one of its own: the same size
    /// and as many files.
    private static func copies(_ entries: [CacheEntry]) -> [SpaceSaving] {
        let modules = entries.indices.filter {
            entries[$0].pool == .gradle && !entries[$0].found.traits.contains(.part)
        }
        return Dictionary(grouping: modules) { entries[$0].key }.compactMap { key, all in
            guard all.count > 1, let first = all.first else { return nil }
            let same = all.filter {
                entries[$0].found.apparentBytes == entries[first].found.apparentBytes
                    && entries[$0].found.files == entries[first].found.files
            }
            guard same.count > 1 else { return nil }
            return SpaceSaving(
                kind: .copies, name: key, entries: Int64(same.count),
                bytes: same.dropFirst().reduce(.zero) { $0 + entries[$1].bytes },
                reason: "\(same.count) homes have it; one read-only cache (GRADLE_RO_DEP_CACHE) for all jobs "
                    + "would save the rest", command: nil)
        }
    }

    private static func oldBuilds(
        _ entries: [CacheEntry], _ findings: ArtifactFindings, _ commands: ReclaimCommands, now: Timestamp
    ) -> [SpaceSaving] {
        let found = places(of: findings.oldBuilds.map(\.entry), in: entries)
        return findings.oldBuilds.compactMap { old in
            found[old.entry].map { place in
                evicting(
                    .oldBuilds, entries[place], bytes: old.bytes,
                    reason: "\(Figures.count(old.files, "file", "files")) of builds that later ones replaced",
                    commands, now: now)
            }
        }
    }

    private static func released(
        _ entries: [CacheEntry], _ commands: ReclaimCommands, now: Timestamp
    ) -> [SpaceSaving] {
        let suffix = "-SNAPSHOT"
        let snapshots = entries.indices.filter {
            entries[$0].pool == .maven && entries[$0].key.hasSuffix(suffix)
        }
        let wanted = Set(snapshots.map { String(entries[$0].key.dropLast(suffix.count)) })
        guard !wanted.isEmpty else { return [] }
        let releases = Set(entries.lazy.filter { $0.pool == .maven }.map(\.key).filter(wanted.contains))
        return snapshots.compactMap { place in
            let entry = entries[place]
            guard releases.contains(String(entry.key.dropLast(suffix.count))) else { return nil }
            return evicting(
                .released, entry, bytes: entry.bytes, reason: "its release is in the cache too", commands,
                now: now)
        }
    }

    private static func evicting(
        _ kind: Kind, _ entry: CacheEntry, bytes: ByteCount, reason: String, _ commands: ReclaimCommands,
        now: Timestamp
    ) -> SpaceSaving {
        var saving = SpaceSaving(
            kind: kind, name: entry.key, entries: 1, bytes: bytes, reason: reason,
            command: commands.evicting(entry))
        if let protection = commands.protection(of: entry) {
            saving.reason +=
                protection == .idleFloor && now - max(entry.lastUsed, entry.found.fetched) < .days(7)
                ? "; used this week" : "; kept: \(protection.text)"
        }
        return saving
    }

    private static func places(of ids: [Int64], in entries: [CacheEntry]) -> [Int64: Int] {
        guard !ids.isEmpty else { return [:] }
        let wanted = Set(ids)
        var places: [Int64: Int] = [:]
        for place in entries.indices where wanted.contains(entries[place].id) {
            places[entries[place].id] = place
        }
        return places
    }
}

extension SpaceSaving.Kind {
    /// What they are called together.
    var title: String {
        switch self {
        case .duplicate: "in Maven's and in Gradle's cache"
        case .copies: "in several Gradle homes"
        case .oldBuilds: "replaced builds of SNAPSHOTs"
        case .released: "SNAPSHOTs whose release is there"
        case .deadGeneration: "of Gradle versions used no more"
        }
    }
}
