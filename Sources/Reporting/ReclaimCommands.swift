import CacheModel

/// The commands that evict something of a volume, each of which names the volume and would evict something now.
///
/// They are for what was not used this week. Whether an entry would go is what the volume's own policy says of it.
struct ReclaimCommands {
    private let volume: String
    private let now: Timestamp
    private let floor: Span
    private let removable: Set<Int64>
    private let policy: EvictionPolicy

    /// Looks at each entry of a volume with the policy that its prunes go by.
    ///
    /// - Parameter isReadOnly: whether Larder only looks at the volume, so that nothing goes.
    init(_ usage: VolumeUsage, _ policy: EvictionPolicy, isReadOnly: Bool = false, now: Timestamp) {
        volume = usage.volume
        self.now = now
        var policy = policy
        policy.idleFloor = max(policy.idleFloor, .days(7))
        floor = policy.idleFloor
        self.policy = policy
        removable = isReadOnly ? [] : policy.removable(from: usage, now: now)
    }

    /// Whether a prune that is asked for the entry would evict it, and it was not used this week.
    func reaches(_ entry: CacheEntry) -> Bool { removable.contains(entry.id) }

    /// Why the entry would be kept; nil where nothing protects it.
    func protection(of entry: CacheEntry) -> Protection? { policy.protection(of: entry, now: now) }

    /// The command that evicts one entry; nil where it would not go, or where its key would be read as a pattern.
    func evicting(_ entry: CacheEntry) -> String? {
        reaches(entry) && Self.isPlain(entry.key) ? command(entry.key, pool: entry.pool) : nil
    }

    /// The command that evicts what has these keys, of any age; for keys of which one entry at least would go.
    func command(_ pattern: String, pool: Pool) -> String {
        "larder prune --volume \(volume) --key \(ShellWord.quoted(pattern)) --pool \(pool.rawValue)"
    }

    /// The command that evicts what of a group was not used this week; nil where its name would be read as a pattern.
    func evicting(group name: String, separator: String, pool: Pool) -> String? {
        Self.isPlain(name)
            ? command(name + separator + "*", pool: pool) + " --idle-floor \(floor)" : nil
    }

    /// Whether the entry would still go with an idle floor of that many days.
    func reaches(_ entry: CacheEntry, idleFor days: Int64) -> Bool {
        reaches(entry) && max(entry.lastUsed, entry.found.fetched) <= now - .days(days)
    }

    /// The command that evicts what was not used for that many days.
    ///
    /// - Parameter pool: the only one there is; nil where there are several.
    func evicting(idleFor days: Int64, pool: Pool?) -> String {
        "larder prune --volume \(volume) --key '*'" + (pool.map { " --pool \($0.rawValue)" } ?? "")
            + " --idle-floor \(days)d"
    }

    private static func isPlain(_ key: String) -> Bool { !key.contains { $0 == "*" || $0 == "?" } }
}
