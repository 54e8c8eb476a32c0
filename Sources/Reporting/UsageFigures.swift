import CacheModel

/// What a report says of a volume as the index knows it, and what its replays need of that.
///
/// It is worked out while the entries are there, so that half a million of them need not be held beside the history.
package struct UsageFigures: Sendable {
    /// What statfs said at the last scan.
    package let capacity: Capacity
    /// What all live files occupy.
    package let usedBytes: ByteCount
    /// How many inodes live files and directories take; nil where those are no quota.
    package let usedInodes: Int64?
    /// How far the evidence of use can be trusted.
    package let evidence: EvidenceQuality
    /// Where the space goes.
    package let space: SpaceUse
    /// What takes space without much need.
    package let savings: [SpaceSaving]
    /// How many entries were not looked into for that.
    package let passedOver: Int64
    /// The entries that no prune of any day takes, by their rows in the index.
    package let pinned: Set<Int64>
    /// Those of them that a rule for installed builds lets go in time.
    package let expiring: Set<Int64>
    /// The order of entries that were used at one instant and are of one size: by key, then by path.
    ///
    /// Empty where there are too many to sort them by that.
    package let rank: [Int64: Int]
    /// How many entries there are.
    package let count: Int
    private let bytes: ByteCount
    /// What has the times of a download and was first seen an hour after it or later: it came by copy, or was fetched
    /// between two scans.
    private let lateArrivals: [(entry: Int64, bytes: ByteCount, firstSeen: Timestamp)]

    /// Looks at every entry of a volume.
    ///
    /// - Parameters:
    ///   - policy: what the volume's prunes go by.
    ///   - findings: what was found within artifacts.
    ///   - since: when the report's window begins.
    package init(
        _ usage: VolumeUsage, of volume: Volume, _ policy: EvictionPolicy = EvictionPolicy(),
        findings: ArtifactFindings = .init(), since: Timestamp, now: Timestamp
    ) {
        let entries = usage.entries
        (capacity, usedBytes, usedInodes) = (usage.capacity, usage.usedBytes, usage.usedInodes)
        evidence = usage.scan.atimeTrust
        space = SpaceUse(usage, of: volume, policy, now: now)
        savings = SpaceSaving.all(usage, findings, space.commands, now: now)
        passedOver = findings.passedOver
        pinned = policy.pinned(in: entries, now: now)
        let rules = policy.installed
        expiring =
            rules.isEmpty
            ? [] : Set(entries.lazy.filter { rules.rule(for: $0.found) != nil }.map(\.id))
        rank = Self.rank(of: entries)
        count = entries.count
        bytes = entries.reduce(.zero) { $0 + $1.bytes }
        lateArrivals = entries.filter { entry in
            entry.firstSeen > since && entry.found.fetched + .hours(1) <= entry.firstSeen
                && entry.pool != .images && !entry.pool.isOwn
                && entry.found.traits.isDisjoint(with: [.file, .files, .part, .failedDownload])
        }.map { ($0.id, $0.bytes, $0.firstSeen) }
    }

    /// What came since then and was not fetched, though it has the times of a download, where it is a hundredth of all or
    /// more; nil where it is less.
    ///
    /// The index takes down for whatever else is new that it was fetched.
    func copied(
        since begin: Timestamp, in history: VolumeHistory
    ) -> (entries: Int64, bytes: ByteCount, last: Timestamp)? {
        var found = lateArrivals.filter { $0.firstSeen > begin }
        guard !found.isEmpty else { return nil }
        let fetched = Set(history.accesses.lazy.filter { !$0.isHit && $0.at > begin }.map(\.entry))
        found.removeAll { fetched.contains($0.entry) }
        let sum = found.reduce(ByteCount.zero) { $0 + $1.bytes }
        guard let last = found.map(\.firstSeen).max(),
            found.count * 100 >= count || sum.bytes >= bytes.bytes / 100
        else { return nil }
        return (Int64(found.count), sum, last)
    }

    private static func rank(of entries: [CacheEntry]) -> [Int64: Int] {
        guard entries.count <= 50_000 else { return [:] }
        let order = entries.indices.sorted { a, b in
            let (one, other) = (entries[a].found, entries[b].found)
            return one.key != other.key ? one.key < other.key : one.path < other.path
        }
        return Dictionary(
            order.enumerated().map { (entries[$1].id, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
