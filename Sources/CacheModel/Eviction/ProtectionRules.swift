/// Which entries are kept whatever the quota says.
///
/// The first reason that applies is the one reported. They stand in the order of their strength: what the scan
/// saw, which no setting lifts; then what the configuration keeps for good; then what passes with time. So the
/// remedy for the reason reported is never in vain because of a stronger one behind it. The last reason,
/// `sharedLayers`, depends on what else goes: the pass over the entries finds it.
struct ProtectionRules {
    private static let decidedHere: [Protection] = [.keepPattern, .warmed, .idleFloor, .sharedLayers]

    /// All reasons, the strongest first; those that the scan sees in the order of their declaration.
    static let byStrength = Protection.allCases.filter { !decidedHere.contains($0) } + decidedHere

    private let idleFloor: Span
    private let keep: [KeyPattern]
    private let keptImages: [ImagePattern]
    private let replaceable: [ImagePattern]
    private let replaceableAfter: Span
    private let now: Timestamp

    init(idleFloor: Span, keep: [String], replaceable: ReplaceableImages? = nil, now: Timestamp) {
        self.idleFloor = idleFloor
        self.keep = keep.map { KeyPattern($0) }
        keptImages = keep.map { ImagePattern($0) }
        self.replaceable = (replaceable?.patterns ?? []).map { ImagePattern($0) }
        replaceableAfter = replaceable?.after ?? .zero
        self.now = now
    }

    /// The strongest reason to keep the entry; nil where there is none.
    func protection(of entry: CacheEntry) -> Protection? {
        if let seen = seen(in: entry) { return seen }
        if matchesKeepPattern(entry) { return .keepPattern }
        if isWarmed(entry) { return .warmed }
        if isRecent(entry) { return .idleFloor }
        return nil
    }

    private func seen(in entry: CacheEntry) -> Protection? {
        var seen = entry.found.protections
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
        if entry.pool == .images, keptImages.contains(where: { $0.matches(entry, anyRegistry: true) }) {
            return true
        }
        return keep.contains { $0.matches(entry.key) }
    }

    /// Whether the configuration says that an image which no registry has can be made again, and its time has come.
    private func isReplaceable(_ entry: CacheEntry) -> Bool {
        max(entry.lastUsed, entry.found.fetched) < now - replaceableAfter
            && replaceable.contains { $0.matches(entry, anyRegistry: true) }
    }

    private func isWarmed(_ entry: CacheEntry) -> Bool {
        entry.warmedUntil.map { $0 > now } ?? false
    }

    /// A time in the future counts as recent: it is a clock that differs, and no proof of idleness.
    private func isRecent(_ entry: CacheEntry) -> Bool {
        idleFloor > .zero && max(entry.lastUsed, entry.found.fetched) > now - idleFloor
    }
}
