import CacheModel

/// What one generation of Gradle's formats keeps: `caches/transforms-3`, `caches/6.8`.
///
/// Each Gradle reads and writes its own generation only, and what was upgraded away stays (gradle/gradle
/// `CacheLayout`; Gradle's own cleanup misses `transforms-3`: issue 28178 there). A generation is dead
/// - by number (`transforms-N`, `jars-N`, `metadata-2.N`, `build-cache-N`), where a higher one in the same home
///   was used since;
/// - by version (`caches/<version>`), where the home has wrapper distributions and none of that version;
///
/// and where nothing in it was used for 30 days, the time after which Gradle deletes what it still knows of.
struct GradleGeneration {
    static let idleDays: Int64 = 30

    /// Its directory below the Gradle home.
    let directory: String
    /// What its entries' keys match.
    let pattern: String
    var places: [Int] = []
    var bytes = ByteCount.zero
    var lastUsed = Timestamp(seconds: 0)

    private enum Name: Hashable {
        case numbered(family: String, number: Int)
        case version(String)
        case distribution(String)

        private static let families = ["transforms-", "jars-", "build-cache-", "metadata-2.", "resources-2."]

        /// Reads a key: the path below the home.
        init?(_ parts: [Substring]) {
            if parts.count > 2, parts[0] == "wrapper", parts[1] == "dists" {
                self = .distribution(Self.version(ofDistribution: parts[2]))
                return
            }
            guard parts.count > 1, parts[0] == "caches" else { return nil }
            let name = parts[1] == "modules-2" && parts.count > 2 ? parts[2] : parts[1]
            if let family = Self.families.first(where: name.hasPrefix),
                let number = Int(name.dropFirst(family.count))
            {
                self = .numbered(family: family, number: number)
            } else if name.first?.isNumber == true, parts[1] == name {
                self = .version(String(name))
            } else {
                return nil
            }
        }

        /// `gradle-8.5-bin`: 8.5.
        private static func version(ofDistribution name: Substring) -> String {
            let parts = name.split(separator: "-")
            return parts.dropFirst().prefix { $0 != "bin" && $0 != "all" }.joined(separator: "-")
        }
    }

    /// The dead generations of the Gradle homes on a volume.
    static func dead(
        _ entries: [CacheEntry], _ commands: ReclaimCommands, now: Timestamp
    ) -> [SpaceSaving] {
        var homes: [VolumePath: [Name: GradleGeneration]] = [:]
        for place in entries.indices where entries[place].pool == .gradleOther {
            let entry = entries[place]
            let parts = entry.key.split(separator: "/")
            guard let name = Name(parts) else { continue }
            var home = entry.found.path
            for _ in parts { home = home.parent }
            let depth = parts.count > 2 && parts[1] == "modules-2" ? 3 : 2
            let directory = parts.prefix(depth).joined(separator: "/")
            var generation =
                homes[home]?[name]
                ?? GradleGeneration(
                    directory: directory, pattern: parts.count > depth ? directory + "/*" : directory)
            generation.places.append(place)
            generation.bytes += entry.bytes
            generation.lastUsed = max(generation.lastUsed, entry.lastUsed)
            homes[home, default: [:]][name] = generation
        }
        return homes.values.flatMap { home in
            home.compactMap { name, generation in
                reason(name, generation, in: home, now: now).map {
                    generation.saving($0, entries, commands, now: now)
                }
            }
        }.sorted { $0.name < $1.name }
    }

    private static func reason(
        _ name: Name, _ generation: GradleGeneration, in home: [Name: GradleGeneration], now: Timestamp
    ) -> String? {
        guard now - generation.lastUsed >= .days(idleDays) else { return nil }
        switch name {
        case .numbered(let family, let number):
            let successors = home.compactMap { other, found -> Int? in
                guard case .numbered(family, let higher) = other, higher > number,
                    found.lastUsed > generation.lastUsed
                else { return nil }
                return higher
            }
            if let successor = successors.max() { return "\(family)\(successor) has taken its place" }
            // From Gradle 8.8 on transforms lie in caches/<version>/transforms.
            guard family == "transforms-", number <= 4 else { return nil }
            let later = home.compactMap { other, found -> String? in
                guard case .version(let version) = other, found.lastUsed > generation.lastUsed,
                    Self.hasOwnTransforms(version)
                else { return nil }
                return version
            }
            return later.max().map { "since Gradle 8.8 transforms lie in caches/<version>, as in \($0)" }
        case .version(let version):
            let wrappers = home.keys.compactMap { other -> String? in
                if case .distribution(let version) = other { version } else { nil }
            }
            let isUnused = !wrappers.isEmpty && !wrappers.contains(version)
            return isUnused ? "no wrapper has Gradle \(version) any more" : nil
        case .distribution: return nil
        }
    }

    private static func hasOwnTransforms(_ version: String) -> Bool {
        let parts = version.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
        return (parts.first ?? 0, parts.count > 1 ? parts[1] : 0) >= (8, 8)
    }

    private func saving(
        _ reason: String, _ entries: [CacheEntry], _ commands: ReclaimCommands, now: Timestamp
    ) -> SpaceSaving {
        // Another home on the volume may have a generation of that name which is alive.
        let selection = EntrySelection(keys: [pattern], pool: .gradleOther)
        let meant = Set(places)
        let isExact = entries.indices.allSatisfy {
            entries[$0].pool != .gradleOther || meant.contains($0) || !selection.covers(entries[$0])
        }
        let goes = places.contains { commands.reaches(entries[$0]) }
        let age = "; used \(Figures.ago(lastUsed, now: now))"
        return SpaceSaving(
            kind: .deadGeneration, name: directory, entries: Int64(places.count), bytes: bytes,
            reason: reason + age + (isExact ? "" : "; another Gradle home has one in use: remove it by hand"),
            command: isExact && goes ? commands.command(pattern, pool: .gradleOther) : nil)
    }
}
