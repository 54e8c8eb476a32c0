import CacheIndex
import CacheModel
import Caches
import FileAccess
import Foundation
import Reporting

// What is asked of single entries: which there are, and everything known of one.

extension Services {
    /// The entries with size, last use and evidence, from the index alone.
    ///
    /// - Throws: `IndexError`; `Failure` where no volume was ever scanned.
    package func list(_ question: EntryQuestion, _ filter: EntryFilter = .init()) throws -> ListReport {
        let index = try index(readOnly: true)
        let known = Set(try index.volumes().map(\.name))
        guard configuration.volumes.contains(where: { known.contains($0.name) }) else { throw nothingKnown }
        try checkPool(question.pool, index)
        return try list(question, filter, index, now: clock())
    }

    /// The same from an index that is open: what the command and the web interface show.
    ///
    /// - Throws: `IndexError`.
    package func list(
        _ question: EntryQuestion, _ filter: EntryFilter, _ index: CacheIndex, now: Timestamp
    ) throws -> ListReport {
        var report = try page(of: question, filter, index, now: now)
        report.hasSeveralVolumes = configuration.volumes.count > 1
        return report
    }

    private func page(
        of question: EntryQuestion, _ filter: EntryFilter, _ index: CacheIndex, now: Timestamp
    ) throws -> ListReport {
        var question = question
        question.volumes = configuration.volumes.map(\.name)
        let policies = Dictionary(
            configuration.volumes.map { ($0.name, policy(for: $0)) }, uniquingKeysWith: { $1 })
        func row(_ volume: String, _ entry: CacheEntry) -> ListReport.Row {
            .init(
                volume: volume, entry: entry, protected: policies[volume]?.protection(of: entry, now: now))
        }
        if filter.isEmpty {
            let page = try index.entryPage(question)
            return ListReport(
                page: page.entries.map(row), order: question.order, totalEntries: page.totalEntries,
                totalBytes: page.totalBytes, cursor: page.next?.text, previous: page.previous?.text)
        }
        // Protections are not in the index: what a filter says of all pages needs a look at all of them.
        func matches(
            after cursor: EntryQuestion.Cursor?, before end: EntryQuestion.Cursor? = nil,
            _ body: (ListReport.Row) -> Bool
        ) throws {
            var part = question
            (part.after, part.before, part.limit) = (cursor, end, 5000)
            while true {
                let page = try index.entryPage(part)
                let rows = end == nil ? page.entries : page.entries.reversed()
                for (volume, entry) in rows {
                    let row = row(volume, entry)
                    guard filter.admits(entry, protection: row.protected, now: now) else { continue }
                    if !body(row) { return }
                }
                guard let further = end == nil ? page.next : page.previous else { return }
                if end == nil { part.after = further } else { part.before = further }
            }
        }
        var (entries, bytes) = (Int64(0), ByteCount.zero)
        var layers: [String: Set<String>] = [:]
        try matches(after: nil) { row in
            entries += 1
            if let image = row.entry.found.image {
                layers[row.volume, default: []].formUnion(image.layers)
            } else {
                bytes += row.entry.bytes
            }
            return true
        }
        var rows: [ListReport.Row] = []
        var hasMore = false
        try matches(after: question.after, before: question.before) { row in
            hasMore = question.limit == rows.count
            if !hasMore { rows.append(row) }
            return !hasMore
        }
        func place(_ row: ListReport.Row?) -> String? {
            row.map { EntryQuestion.Cursor(after: $0.entry, on: $0.volume, in: question.order).text }
        }
        let isBackwards = question.before != nil
        if isBackwards { rows.reverse() }
        let next = isBackwards || hasMore ? place(rows.last) : nil
        let previous = (isBackwards ? hasMore : question.after != nil) ? place(rows.first) : nil
        return ListReport(
            page: rows, order: question.order, totalEntries: entries,
            totalBytes: bytes + (try index.storedBytes(ofLayers: layers)), cursor: next, previous: previous)
    }

    /// What matches a text and is there no more, the last that went first.
    ///
    /// - Parameter pattern: what the key must match as well.
    /// - Throws: `IndexError`.
    package func gone(
        holding text: String, volume: String?, pool: Pool?, matching pattern: KeyPattern? = nil,
        _ index: CacheIndex
    ) throws -> [ExplainReport] {
        let names = Set(configuration.volumes.map(\.name))
        let limit = pattern == nil ? Self.mostExplained : -1
        return try index.ghosts(holding: text, limit: limit).filter { ghost in
            names.contains(ghost.volume) && (volume == nil || volume == ghost.volume)
                && (pool == nil || pool == ghost.pool) && pattern?.matches(ghost.key) ?? true
        }.prefix(Self.mostExplained).map { ghost in
            ExplainReport(
                key: ghost.key, volume: ghost.volume, entry: nil, verdict: nil,
                ghost: .init(ghost, keptFor: retention(on: ghost.volume)))
        }
    }

    /// The keys that a part of a name or a pattern means which no entry has: that of the one entry that has it as a whole
    /// part of its name; else, where no entry's name holds it, those of what is gone.
    ///
    /// - Parameter near: the nearest names of entries, five at most.
    /// - Throws: `IndexError`.
    private func keys(meantBy name: String, _ near: [String], _ index: CacheIndex) throws -> [String] {
        let whole = near.filter { $0.split { $0 == ":" || $0 == "/" }.contains { $0 == name } }
        if whole.count == 1, near.count < 5 { return whole }
        guard !near.contains(where: { $0.contains(name) }) else { return [] }
        let isPattern = name.contains("*") || name.contains("?")
        let literal = name.split { $0 == "*" || $0 == "?" }.max { $0.count < $1.count } ?? ""
        let gone = try gone(
            holding: isPattern ? String(literal) : name, volume: nil, pool: nil,
            matching: isPattern ? KeyPattern(name) : nil, index)
        var keys: [String] = []
        for key in gone.map(\.key) where !keys.contains(key) { keys.append(key) }
        return keys
    }

    /// How many entries one explanation shows.
    package static let mostExplained = 20

    /// How many projects an explanation of one entry names.
    private static let mostProjects = 200

    /// Everything known of the entries that a person means, and what the next prune does with each.
    ///
    /// - Parameters:
    ///   - name: a key, a path, a name of an image, or a pattern over keys.
    ///   - directory: what a relative path may also begin at; nil for volumes only.
    /// - Throws: `IndexError`; `Failure` where nothing is called so.
    package func explain(_ name: String, from directory: String? = nil) throws -> Explanation {
        guard name.contains(where: { !$0.isWhitespace }) else {
            throw Failure.usage("explain takes the name of an entry, and this one is empty")
        }
        let index = try index(readOnly: true)
        let now = clock()
        var previews: [String: NextPrunePreview] = [:]
        var quality: [String: EvidenceQuality] = [:]
        func preview(_ volume: String) throws -> NextPrunePreview? {
            // Only of a volume that has such an entry is the next prune worked out.
            if let known = previews[volume] { return known }
            guard let configured = configuration.volumes.first(where: { $0.name == volume }),
                let usage = try index.usage(of: volume)
            else { return nil }
            let preview = NextPrunePreview(
                of: configured, usage, by: policy(for: configured, capacity: usage.capacity), now: now)
            (previews[volume], quality[volume]) = (preview, usage.scan.atimeTrust)
            return preview
        }
        var explanation = try explain(name, index, most: Self.mostExplained, preview: preview)
        if explanation.isEmpty, let path = Self.path(name, from: directory) {
            explanation = try explain(path, index, most: Self.mostExplained, preview: preview)
            explanation.name = name
        }
        let near = explanation.isEmpty ? try index.names(near: name, count: 5) : []
        if explanation.isEmpty {
            for key in try keys(meantBy: name, near, index) {
                explanation.reports += try explain(key, index, most: Self.mostExplained, preview: preview)
                    .reports
            }
        }
        for place in explanation.reports.indices {
            explanation.reports[place].trust = quality[explanation.reports[place].volume]
            lookInto(&explanation.reports[place])
        }
        guard explanation.isEmpty else { return explanation }
        let scanned = Set(try index.volumes().map(\.name))
        if !configuration.volumes.contains(where: { scanned.contains($0.name) }) { throw nothingKnown }
        if name.contains("*") || name.contains("?") {
            throw Failure(
                code: .failed, message: "no entry matches \(name)",
                hint: try index.pattern(near: name).map { "did you mean '\($0)'?" }
                    ?? "'larder list --sort key' shows what there is; a scan finds what is new")
        }
        throw Failure(
            code: .failed, message: "no entry is called \(name)",
            hint: near.isEmpty
                ? "'larder list --sort key' shows what there is; a scan finds what is new"
                : "the nearest names are: \(near.joined(separator: ", "))")
    }

    /// Where something lies that a person names from a directory; nil where nothing is there.
    private static func path(_ name: String, from directory: String?) -> String? {
        guard let directory else { return nil }
        let path = URL(filePath: name, relativeTo: URL(filePath: directory, directoryHint: .isDirectory))
            .standardizedFileURL.path(percentEncoded: false)
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// Adds what only the entry's own files and path tell.
    private func lookInto(_ report: inout ExplainReport) {
        lookIntoTrash(&report)
        guard let entry = report.entry?.found, entry.pool != .images else { return }
        if entry.pool == .maven, entry.protections.isDisjoint(with: Protections(.locallyInstalled)) {
            report.download = UntrackedDownload(entry.path)?.text
        }
        guard entry.protections.contains(Protections(.foreignFiles)),
            let volume = configuration.volumes.first(where: { $0.name == report.volume }),
            let root = try? OpenDirectory.open(root: volume.path)
        else { return }
        report.foreignFile = ToolFiles(entry: entry).foreign(below: root)
    }

    /// Holds what the index knows of the trash against the trash itself: a job or another Larder may have emptied it.
    ///
    /// Where it cannot be looked at, the index stands.
    private func lookIntoTrash(_ report: inout ExplainReport) {
        guard let ghost = report.ghost, ghost.keptUntil != nil, let run = ghost.run,
            let volume = configuration.volumes.first(where: { $0.name == report.volume }),
            let root = try? OpenDirectory.open(root: volume.path),
            case .success(let kept) = Trash.keptUntil(report.key, of: run, below: root, volume.trashRetention)
        else { return }
        report.ghost?.keptUntil = kept
    }

    /// Everything known of the entries that have that name or match that pattern, else of the one that is gone.
    ///
    /// - Parameter preview: what the next prune of a volume does; nil where that is not known.
    /// - Throws: `IndexError`.
    package func explain(
        _ key: String, _ index: CacheIndex, most: Int, preview: (String) throws -> NextPrunePreview?
    ) throws -> Explanation {
        func accesses(of id: Int64) throws -> [ExplainReport.Access] {
            try index.accesses(of: id, limit: 20).map { .init($0) }
        }
        let ghosts = try index.ghosts(matching: key)
        let names = Set(configuration.volumes.map(\.name))
        var found = try index.entries(matching: key).filter { names.contains($0.volume) }
        var hasMore = found.count > most
        if found.isEmpty, key.contains("*") || key.contains("?") {
            (found, hasMore) = try index.entries(matchingPattern: key, limit: most)
            found.removeAll { !names.contains($0.volume) }
        }
        let reports = try found.prefix(most).map { volume, entry in
            let next = try preview(volume)
            var report = ExplainReport(
                key: entry.key, volume: volume, entry: entry, verdict: next?.verdict(on: entry),
                evictions: Int64(next?.evictions.count ?? 0), accesses: try accesses(of: entry.id),
                ghost: ghosts.first { $0.id == entry.id }.map {
                    .init($0, keptFor: retention(on: $0.volume))
                })
            report.projects = try index.projects(of: entry.id, limit: Self.mostProjects)
            if entry.pool == .images { report.sharing = try index.images(sharingLayersWith: entry.id) }
            return report
        }
        guard reports.isEmpty, let ghost = ghosts.first else {
            var explanation = Explanation(name: key, reports: Array(reports), hasMore: hasMore)
            if reports.isEmpty {
                explanation.unmanaged = try index.unmanaged(holding: key).filter { names.contains($0.volume) }
                    .map { .init(volume: $0.volume, directory: $0.directory) }
                explanation.below = try index.below(key, limit: most).filter { names.contains($0.volume) }
            }
            return explanation
        }
        var gone = ExplainReport(
            key: ghost.key, volume: ghost.volume, entry: nil, verdict: nil, evictions: 0,
            accesses: try accesses(of: ghost.id), ghost: .init(ghost, keptFor: retention(on: ghost.volume)))
        gone.projects = try index.projects(of: ghost.id, limit: Self.mostProjects)
        return Explanation(name: key, reports: [gone])
    }
}

extension Services {
    /// How long the trash of a volume keeps what was evicted; nil for a volume that is not configured.
    private func retention(on volume: String) -> Span? {
        configuration.volumes.first { $0.name == volume }?.trashRetention
    }
}

/// What the next prune of a volume does, without the volume's entries, of which there may be a million.
package struct NextPrunePreview: Sendable {
    private let policy: EvictionPolicy
    private let decidedAt: Timestamp
    /// What goes, by the entry's row in the index.
    let evictions: [Int64: (position: Int, freed: ByteCount, cause: Eviction.Cause)]
    /// What stays for what else stays, which no look at the entry alone can tell.
    private let shared: [Int64: Protection]

    /// Plans the next prune.
    package init(of volume: Volume, _ usage: VolumeUsage, by policy: EvictionPolicy, now: Timestamp) {
        let plan = policy.plan(usage, under: volume.quota(capacity: usage.capacity), now: now)
        self.policy = policy
        decidedAt = now
        evictions = Dictionary(
            plan.evict.enumerated().map { ($1.entry.id, ($0 + 1, $1.freedBytes, $1.cause)) },
            uniquingKeysWith: { first, _ in first })
        shared = plan.protections.filter { $0.value == .sharedLayers || $0.value == .sharedFiles }
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
        if let reason = shared[entry.id] { return .kept(reason) }
        return policy.protection(of: entry, now: decidedAt).map { .kept($0) } ?? .notNeeded
    }
}

extension ExplainReport.Access {
    /// An access as the index keeps it.
    fileprivate init(_ access: AccessRecord) {
        self.init(
            at: access.at, kind: access.kind == .hit ? .hit : .miss, evidence: access.evidence,
            bytes: access.bytes, regret: access.regret, jobs: access.jobs, project: access.project)
    }
}

extension ExplainReport.Ghost {
    /// A ghost as the index keeps it.
    ///
    /// - Parameter keptFor: how long the trash keeps it.
    fileprivate init(_ ghost: GhostRecord, keptFor: Span?) {
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
        keptUntil = ghost.isInTrash ? ghost.goneAt + (keptFor ?? .zero) : nil
        purge = ghost.purge
    }
}
