import CacheIndex
import CacheModel
import Reporting

// What is asked of single entries: which there are, and everything known of one.

extension Services {
    /// The entries with size, last use and evidence, from the index alone.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func list(pool: Pool?, order: ListReport.Order, limit: Int?) throws -> ListReport {
        let index = try index(readOnly: true)
        let now = clock()
        var rows: [ListReport.Row] = []
        for (volume, usage) in try usages(index) {
            let policy = policy(for: volume)
            for entry in usage.entries where pool == nil || entry.pool == pool {
                rows.append(
                    ListReport.Row(
                        volume: volume.name, entry: entry, protected: policy.protection(of: entry, now: now)))
            }
        }
        return ListReport(rows: rows, order: order, limit: limit)
    }

    /// One page of the entries, as the web interface shows them.
    ///
    /// - Throws: `IndexError`.
    package func page(
        _ question: EntryQuestion, _ index: CacheIndex, now: Timestamp
    ) throws -> (page: EntryPage, rows: [ListReport.Row]) {
        let policies = Dictionary(
            configuration.volumes.map { ($0.name, policy(for: $0)) }, uniquingKeysWith: { $1 })
        let page = try index.entryPage(question)
        let rows = page.entries.map { volume, entry in
            ListReport.Row(
                volume: volume, entry: entry, protected: policies[volume]?.protection(of: entry, now: now))
        }
        return (page, rows)
    }

    /// Everything known of the one entry that has that key or path, and what the next prune does with it.
    ///
    /// - Throws: `IndexError`; `Failure` where there is none, or several.
    package func explain(_ key: String) throws -> ExplainReport {
        let index = try index(readOnly: true)
        let found = try index.entries(matching: key)
        if found.count > 1 {
            let places = found.map { "\($0.volume): \($0.entry.found.path)" }.joined(separator: "; ")
            throw Failure(
                code: .usage, message: "\(found.count) entries are called \(key): \(places)",
                hint: "name one of them by its path")
        }
        let known = try found.isEmpty ? [] : usages(index)
        let now = clock()
        let reports = try explain(key, index, most: 1) { volume in
            guard let (configured, usage) = known.first(where: { $0.volume.name == volume }) else {
                return nil
            }
            return NextPrunePreview(of: configured, usage, by: policy(for: configured), now: now)
        }
        guard var report = reports.first else {
            throw Failure(
                code: .failed, message: "no entry is called \(key)",
                hint: "'larder list --sort key' shows what there is; a scan finds what is new")
        }
        report.trust = known.first { $0.volume.name == report.volume }?.usage.scan.atimeTrust
        return report
    }

    /// Everything known of the entries that have that key or path, else of the one that is gone.
    ///
    /// - Parameter preview: what the next prune of a volume does; nil where that is not known.
    /// - Throws: `IndexError`.
    package func explain(
        _ key: String, _ index: CacheIndex, most: Int, preview: (String) -> NextPrunePreview?
    ) throws -> [ExplainReport] {
        func accesses(of id: Int64) throws -> [ExplainReport.Access] {
            try index.accesses(of: id, limit: 20).map { .init($0) }
        }
        let ghosts = try index.ghosts(matching: key)
        let reports = try index.entries(matching: key).prefix(most).map { volume, entry in
            let next = preview(volume)
            return ExplainReport(
                key: entry.key, volume: volume, entry: entry, verdict: next?.verdict(on: entry),
                evictions: Int64(next?.evictions.count ?? 0), accesses: try accesses(of: entry.id),
                ghost: ghosts.first { $0.id == entry.id }.map { .init($0) })
        }
        guard reports.isEmpty, let ghost = ghosts.first else { return reports }
        return [
            ExplainReport(
                key: ghost.key, volume: ghost.volume, entry: nil, verdict: nil, evictions: 0,
                accesses: try accesses(of: ghost.id), ghost: .init(ghost))
        ]
    }
}

/// What the next prune of a volume does, without the volume's entries, of which there may be a million.
package struct NextPrunePreview: Sendable {
    private let policy: EvictionPolicy
    private let decidedAt: Timestamp
    /// What goes, by the entry's row in the index.
    let evictions: [Int64: (position: Int, freed: ByteCount, cause: Eviction.Cause)]
    private let shared: Set<Int64>

    /// Plans the next prune.
    package init(of volume: Volume, _ usage: VolumeUsage, by policy: EvictionPolicy, now: Timestamp) {
        let plan = policy.plan(usage, under: volume.quota(capacity: usage.capacity.total), now: now)
        self.policy = policy
        decidedAt = now
        evictions = Dictionary(
            plan.evict.enumerated().map { ($1.entry.id, ($0 + 1, $1.freedBytes, $1.cause)) },
            uniquingKeysWith: { first, _ in first })
        shared = Set(
            usage.entries.lazy.filter {
                $0.pool == .images && plan.verdict(on: $0) == .kept(.sharedLayers)
            }
            .map(\.id))
    }

    /// What would happen to an entry.
    package func verdict(on entry: CacheEntry) -> EvictionPlan.Verdict {
        if let (position, freed, cause) = evictions[entry.id] {
            return .evicted(
                position: position,
                Eviction(
                    entry: entry, freedBytes: freed, cause: cause, decidedAt: decidedAt,
                    probation: entry.isUnused ? policy.order.probation : .zero))
        }
        if shared.contains(entry.id) { return .kept(.sharedLayers) }
        return policy.protection(of: entry, now: decidedAt).map { .kept($0) } ?? .notNeeded
    }
}

extension ExplainReport.Access {
    /// An access as the index keeps it.
    fileprivate init(_ access: AccessRecord) {
        self.init(
            at: access.at, kind: access.kind == .hit ? .hit : .miss, evidence: access.evidence,
            bytes: access.bytes, regret: access.regret, jobs: access.jobs)
    }
}

extension ExplainReport.Ghost {
    /// A ghost as the index keeps it.
    fileprivate init(_ ghost: GhostRecord) {
        var run: String?
        var isQuarantined = false
        switch ghost.reason {
        case .evicted(let id): run = id
        case .quarantined(let id): (run, isQuarantined) = (id, true)
        case .vanished: break
        }
        self.init(
            goneAt: ghost.goneAt, run: run, isQuarantined: isQuarantined, bytes: ghost.bytes,
            lastUsed: ghost.lastUsed)
    }
}
