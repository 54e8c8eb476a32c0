/// Which entries are kept whatever the quota says.
///
/// The first reason that applies is the one reported. They stand in the order of their strength: what the scan
/// saw, which no setting lifts; then what the configuration keeps for good; then what passes with time. So the
/// remedy for the reason reported is never in vain because of a stronger one behind it. The last
/// reasons, `sharedLayers` and `sharedFiles`, depend on what else goes: the pass over the entries finds them.
struct ProtectionRules {
    private static let decidedHere: [Protection] = [
        .keepPattern, .warmed, .idleFloor, .sharedLayers, .sharedFiles,
    ]

    /// All reasons, the strongest first; those that the scan sees in the order of their declaration.
    ///
    /// Whatever is untracked counts as installed too: what is missing is the better reason. That reads leave no trace
    /// comes after what no setting lifts.
    static let byStrength =
        [.untracked]
        + Protection.allCases.filter {
            ![.untracked, .noEvidence].contains($0) && !decidedHere.contains($0)
        } + [.noEvidence] + decidedHere

    private let idleFloor: Span
    private let keep: [KeyPattern]
    private let poolKeep: [Pool: [KeyPattern]]
    private let keptImages: [ImagePattern]
    private let installed: [InstalledExpiry]
    private let replaceable: [ImagePattern]
    private let replaceableAfter: Span
    private let evictsWithoutEvidence: Bool
    private let now: Timestamp

    init(
        idleFloor: Span, keep: [String], poolKeep: [Pool: [String]] = [:],
        installed: [InstalledExpiry] = [], replaceable: ReplaceableImages? = nil,
        evictsWithoutEvidence: Bool = false, now: Timestamp
    ) {
        self.evictsWithoutEvidence = evictsWithoutEvidence
        self.idleFloor = idleFloor
        self.keep = keep.map { KeyPattern($0) }
        self.poolKeep = poolKeep.mapValues { $0.map { KeyPattern($0) } }
        keptImages = keep.map { ImagePattern($0) }
        self.installed = installed
        self.replaceable = (replaceable?.patterns ?? []).map { ImagePattern($0) }
        replaceableAfter = replaceable?.after ?? .zero
        self.now = now
    }

    /// The strongest reason to keep the entry; nil where there is none.
    func protection(of entry: CacheEntry) -> Protection? {
        if let seen = seen(in: entry) { return seen }
        if hasNoEvidence(entry) { return .noEvidence }
        if matchesKeepPattern(entry) { return .keepPattern }
        if isWarmed(entry) { return .warmed }
        if isRecent(entry) { return .idleFloor }
        return nil
    }

    private func seen(in entry: CacheEntry) -> Protection? {
        var seen = entry.found.protections
        if evictsWithoutEvidence || entry.pool == .images { seen.remove(Protections(.noEvidence)) }
        if isExpired(entry) { seen.remove(Protections(.locallyInstalled)) }
        if entry.pool == .images {
            if entry.found.image == nil { seen.insert(Protections(.damaged)) }
            if let image = entry.found.image {
                if image.containers > 0 { seen.insert(Protections(.inUse)) }
                if image.origin.isOnlyHere, !isReplaceable(entry) {
                    seen.insert(Protections(.locallyInstalled))
                }
            }
        }
        return seen.isEmpty ? nil : Self.byStrength.first { seen.contains(Protections($0)) }
    }

    /// An image is kept if any of its names matches: a removal takes all of them.
    private func matchesKeepPattern(_ entry: CacheEntry) -> Bool {
        if let own = poolKeep[entry.pool], !own.isEmpty {
            let names = entry.found.names
            if own.contains(where: { pattern in names.contains { pattern.matches($0) } }) { return true }
        }
        guard !keep.isEmpty else { return false }
        if entry.pool == .images, keptImages.contains(where: { $0.matches(entry, anyRegistry: true) }) {
            return true
        }
        let names = entry.found.names
        return keep.contains { pattern in names.contains { pattern.matches($0) } } || matchesByPath(entry)
    }

    /// Where a Maven repository begins, and with it a key, follows from poms, which any job may write: a pattern holds
    /// also for the longer keys that the path allows, and for the one below the directory called `repository`.
    private func matchesByPath(_ entry: CacheEntry) -> Bool {
        guard entry.pool == .maven else { return false }
        let path = entry.found.path.components
        guard path.count >= 3 else { return false }
        let group = path.dropLast(2).map { escaped($0) }
        let rest = path.suffix(2).map { ":" + escaped($0) }.joined()
        let given = entry.key.prefix { $0 != ":" }.split(separator: ".").count
        let customary = group.lastIndex(of: "repository").map { $0 + 1 }
        return group.indices.contains { start in
            guard group.count - start > given || start == customary else { return false }
            let key = group[start...].joined(separator: ".") + rest
            return keep.contains { $0.matches(key) }
        }
    }

    /// Whether the configuration says that an image which no registry has can be made again, and its time has come.
    private func isReplaceable(_ entry: CacheEntry) -> Bool {
        max(entry.lastUsed, entry.found.fetched) < now - replaceableAfter
            && replaceable.contains { $0.matches(entry, anyRegistry: true) }
    }

    /// Whether it is an installed build that newer ones replaced and whose time has come.
    private func isExpired(_ entry: CacheEntry) -> Bool {
        guard let rule = installed.rule(for: entry.found) else { return false }
        return max(entry.lastUsed, entry.found.fetched) < now - rule.maxAge
    }

    /// Whether nothing would tell if a job used a build entry, as the volume shows no reads.
    private func hasNoEvidence(_ entry: CacheEntry) -> Bool {
        !evictsWithoutEvidence && entry.pool != .images && entry.confidence == .none
    }

    private func isWarmed(_ entry: CacheEntry) -> Bool {
        entry.warmedUntil.map { $0 > now } ?? false
    }

    /// A time in the future counts as recent: it is a clock that differs, and no proof of idleness.
    ///
    /// Whoever copies entries here is about to use them: a job that restores its cache keeps their old times.
    private func isRecent(_ entry: CacheEntry) -> Bool {
        guard idleFloor > .zero else { return false }
        let newest = max(entry.lastUsed, entry.found.fetched)
        return max(newest, entry.arrived ?? newest) > now - idleFloor
    }
}
