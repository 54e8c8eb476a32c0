import CacheModel

extension EntryCollector {
    /// What a pool of the user's own found, for the warnings of a scan.
    struct OwnFindings {
        /// How many entries.
        var entries = 0
        /// How many directories match that hold what is another cache's.
        var blocked = 0
    }

    /// Makes entries of what the patterns of the user's own pools match, as far as no other cache has it.
    ///
    /// A directory in which anything belongs to Maven, Gradle or Larder is no unit, as it would go with that; neither is
    /// what Gradle keeps for itself in its caches, and Maven in its records, another volume, which its `.larder` shows,
    /// and what has one of the inodes `others`.
    mutating func takeOwnPools(_ rules: FolderRules, _ others: Set<UInt64>) -> [Pool: OwnFindings] {
        let count = tree.records.count
        var isVolume = [Bool](repeating: false, count: count)
        for index in 1..<max(1, count)
        where tree.records[index].parent > 0 && tree.name(Int32(index)).elementsEqual(Self.ownFolder) {
            isVolume[Int(tree.records[index].parent)] = true
        }
        var isTaken = [Bool](repeating: false, count: count)
        var isKept = [Bool](repeating: false, count: count)
        for index in 1..<max(1, count) {
            let parent = Int(tree.records[index].parent)
            isKept[index] =
                isKept[parent] || isInGradlesCaches(index)
                || holdsForeign(index) && MavenLayout.holdsRecords(tree.name(Int32(index)))
                || isVolume[index]
                || !others.isEmpty && !tree.records[index].facts.areOfFiles
                    && others.contains(tree.records[index].inode)
            isTaken[index] = isOthers(index) || isKept[index]
        }
        // What lies in a directory, children before their parents.
        for index in stride(from: count - 1, to: 0, by: -1) where isTaken[index] {
            isTaken[Int(tree.records[index].parent)] = true
        }
        var findings: [Pool: OwnFindings] = [:]
        for pool in rules.pools { findings[pool] = OwnFindings() }
        var places = [FolderRules.Place](repeating: 0, count: count)
        if count > 0 { places[0] = rules.root }
        for index in 1..<max(1, count) {
            let (record, parent) = (tree.records[index], Int(tree.records[index].parent))
            if owner[index] < 0, owner[parent] >= 0, heads[Int(owner[parent])].pool.isOwn {
                join(index, to: owner[parent])
                continue
            }
            places[index] = rules.step(from: places[parent], to: tree.name(Int32(index)))
            guard places[index] != 0, !record.facts.contains(.files) else { continue }
            let isFile = record.facts.contains(.file)
            let found =
                isFile ? rules.ruleOfFile(places[index]) : rules.ruleOfDirectory(places[index])
            guard let rule = found, owner[index] < 0 else { continue }
            if isTaken[index] {
                if !isFile { findings[rules.pools[rule], default: OwnFindings()].blocked += 1 }
                continue
            }
            findings[rules.pools[rule], default: OwnFindings()].entries += 1
            beginOwn(rules.pools[rule], at: index, traits: isFile ? .file : [])
        }
        return findings
    }
}

extension [OwnPool] {
    /// What a person should know of patterns that match nothing, or what is another cache's.
    func warnings(_ findings: [Pool: EntryCollector.OwnFindings]) -> [ScanWarning] {
        flatMap { own -> [ScanWarning] in
            let found = findings[own.pool] ?? .init()
            var warnings: [ScanWarning] = []
            let name = own.pool.rawValue
            if found.entries == 0, found.blocked == 0 {
                let paths = own.rules.map { "\"\($0.pattern.text)\"" }.joined(separator: ", ")
                warnings.append(
                    ScanWarning(
                        code: "pool-matches-nothing", text: "nothing lies where pool \(name) looks: \(paths)",
                        hint: "correct its path, which begins below the volume's root, or take the pool out"))
            }
            if found.blocked > 0 {
                let places = found.blocked == 1 ? "1 directory" : "\(found.blocked) directories"
                warnings.append(
                    ScanWarning(
                        code: "pool-holds-artifacts",
                        text:
                            "\(places) that pool \(name) matches hold what is Maven's, Gradle's or Larder's, and "
                            + "are no entries of it",
                        hint: "name the directories beside those caches, or a greater depth"))
            }
            return warnings
        }
    }
}
