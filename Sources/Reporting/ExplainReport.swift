import CacheModel

/// Everything known of one entry, and what would happen to it at the next prune.
package struct ExplainReport: Report {
    /// One recorded access.
    package struct Access: Sendable, Hashable {
        /// What it found.
        package enum Kind: String, Sendable, Hashable, CaseIterable {
            /// The entry was there.
            case hit
            /// The entry was fetched.
            case miss
        }

        /// When, as closely as the evidence tells.
        package var at: Timestamp
        /// What it found.
        package var kind: Kind
        /// Where the knowledge came from.
        package var evidence: Evidence
        /// What the entry occupied.
        package var bytes: ByteCount
        /// Whether a prune had evicted the entry within the regret window.
        package var regret: Bool
        /// The jobs that fetched it then, as far as their logs were ingested.
        package var jobs: [String]
        /// The project whose job it was; nil where no log names it.
        package var project: String?

        /// Makes an access from all it consists of.
        package init(
            at: Timestamp, kind: Kind, evidence: Evidence, bytes: ByteCount, regret: Bool = false,
            jobs: [String] = [], project: String? = nil
        ) {
            self.at = at
            self.kind = kind
            self.evidence = evidence
            self.bytes = bytes
            self.regret = regret
            self.jobs = jobs
            self.project = project
        }

        /// Whose it was, in words; nil where no log says.
        var whose: String? {
            let project = project.map { "project \($0)" }
            guard !jobs.isEmpty else {
                return project.map { "\(kind == .hit ? "used" : "fetched") by \($0)" }
            }
            let names = (jobs.count == 1 ? "job " : "jobs ") + jobs.joined(separator: ", ")
            return "downloaded by \(names)" + (project.map { " of \($0)" } ?? "")
        }
    }

    /// What stayed of the entry when it went the last time.
    package struct Ghost: Sendable, Hashable {
        /// When it went.
        package var goneAt: Timestamp
        /// The run that evicted or quarantined it; nil where it vanished by itself.
        package var run: String?
        /// Whether that run took it away because it was damaged.
        package var isQuarantined: Bool
        /// What it occupied.
        package var bytes: ByteCount
        /// Its last use before that.
        package var lastUsed: Timestamp
        /// Until when the trash keeps it, unless space is short; nil where it is not in the trash.
        package var keptUntil: Timestamp?
        /// What took it out of the trash for good; nil where that is not known, or it is there.
        package var purge: TrashPurge?

        /// Makes a record from all it consists of.
        package init(
            goneAt: Timestamp, run: String?, isQuarantined: Bool = false, bytes: ByteCount,
            lastUsed: Timestamp
        ) {
            self.goneAt = goneAt
            self.run = run
            self.isQuarantined = isQuarantined
            self.bytes = bytes
            self.lastUsed = lastUsed
        }

        var reason: String { run == nil ? "vanished" : isQuarantined ? "quarantined" : "evicted" }
    }

    /// The command that brings it back from the trash; nil where it is not there.
    package var restoreCommand: String? {
        guard entry == nil, let ghost, ghost.keptUntil != nil, let run = ghost.run else { return nil }
        return "larder trash restore \(run) \(ShellWord.quoted(key))"
    }

    /// The key that was asked for.
    package var key: String
    /// The name of the volume it lies, or lay, on.
    package var volume: String
    /// The entry; nil where only its ghost is known.
    package var entry: CacheEntry?
    /// What the next prune would do with it; nil where it is gone, and while nobody knows yet.
    package var verdict: EvictionPlan.Verdict?
    /// How many entries the next prune would remove.
    package var evictions: Int64
    /// Its accesses, the latest first.
    package var accesses: [Access]
    /// What stayed of it when it went the last time; nil where it never went.
    package var ghost: Ghost?
    /// How far the evidence of this volume can be trusted, and why no further; nil where the volume is unknown.
    package var trust: EvidenceQuality?
    /// The file in the entry that no tool put there, by its path on the volume; nil where none is known.
    package var foreignFile: VolumePath?
    /// What the entry is and who fetches it again, where that is neither Maven nor Gradle.
    package var download: String?
    /// What the jobs of each project did with it, the last that used it first; empty where no log names any.
    package var projects: [ProjectAccesses] = []
    /// The images that share layers with it, those that share most first; empty for what is no image.
    package var sharing: [SharedLayers] = []

    /// Makes a report from all it consists of.
    package init(
        key: String, volume: String, entry: CacheEntry?, verdict: EvictionPlan.Verdict?, evictions: Int64 = 0,
        accesses: [Access] = [], ghost: Ghost? = nil, trust: EvidenceQuality? = nil
    ) {
        self.key = key
        self.volume = volume
        self.entry = entry
        self.verdict = verdict
        self.evictions = evictions
        self.accesses = accesses
        self.ghost = ghost
        self.trust = trust
    }

    /// What is known of the entry's use beside its accesses, each with its source, the newest first.
    package var traces: [(source: String, at: Timestamp, meaning: String)] {
        guard let entry else { return [] }
        let found = entry.found
        let isImage = found.image != nil
        var traces = [
            (
                isImage ? "layer" : "mtime", found.fetched,
                isImage
                    ? "its top layer was extracted"
                    : "the newest time of its directories: \(found.isInstalled ? "it was installed" : "a fetch")"
            ),
            ("first-seen", entry.firstSeen, "the scan that found it first"),
        ]
        if let arrived = entry.arrived {
            traces.append(("copied", arrived, "it came by copy, with the times of another place"))
        }
        if entry.evidence == .firstSeen, entry.lastUsed > max(entry.firstSeen, found.accessed) {
            traces.append(("returned", entry.lastUsed, "it was gone and came back, which counts as a use"))
        }
        if found.accessed.nanoseconds > 0 {
            traces.append(
                (
                    isImage ? "podman-events" : "atime", found.accessed,
                    isImage
                        ? "the newest use that event logs and the store's records tell of: a run or a pull"
                        : tellsOfNoUse(entry)
                            ? "the newest access time, which shows no use"
                            : "the newest use that scans saw"
                ))
        }
        return traces.sorted { $0.1 > $1.1 }
    }

    /// Whether nothing but the fetch is known of the entry's use, as its last use is told in words.
    private func tellsOfNoUse(_ entry: CacheEntry) -> Bool {
        switch entry.evidence {
        case .atime, .gradleJournal, .podmanEvents, .jobLog: !entry.isUsed
        // It was used, went, and was brought back.
        case .firstSeen where entry.found.accessed < entry.lastUsed: false
        case .firstSeen, .mtime: true
        }
    }

    /// The entry as `larder.explain/1`.
    package func json() throws -> String { try Explanation(name: key, reports: [self]).json() }

    /// What is known, as in `larder.explain/1`.
    fileprivate var members: [(key: String, value: JSONValue)] {
        var protected: Protection?
        if case .kept(let reason) = verdict { protected = reason }
        let quality: JSONValue =
            trust.map { ["confidence": .text($0.confidence.rawValue), "reason": .text($0.reason)] } ?? .null
        let seen = traces.map { trace -> JSONValue in
            ["source": .text(trace.source), "at": .time(trace.at), "meaning": .text(trace.meaning)]
        }
        let uses = accesses.map { access -> JSONValue in
            [
                "at": .time(access.at), "kind": .text(access.kind.rawValue),
                "evidence": .text(access.evidence.rawValue), "bytes": .bytes(access.bytes),
                "regret": .bool(access.regret), "jobs": .array(access.jobs.map { .text($0) }),
                "project": .optional(access.project),
            ]
        }
        let gone: JSONValue =
            ghost.map { ghost in
                [
                    "gone_at": .time(ghost.goneAt), "reason": .text(ghost.reason),
                    "run": .optional(ghost.run),
                    "bytes": .bytes(ghost.bytes), "last_used": .time(ghost.lastUsed),
                    "in_trash": .bool(ghost.keptUntil != nil), "kept_until": .optional(ghost.keptUntil),
                    "restore": .optional(restoreCommand), "purged": ghost.purge?.jsonValue ?? .null,
                ]
            } ?? .null
        return [
            ("key", .text(key)), ("volume", .text(volume)),
            ("entry", entry?.jsonValue(volume: volume, protected: protected) ?? .null),
            ("verdict", verdict?.jsonValue(of: evictions) ?? .null), ("traces", .array(seen)),
            ("trust", quality), ("accesses", .array(uses)), ("ghost", gone),
            ("foreign_file", .optional(foreignFile?.description)), ("download", .optional(download)),
            (
                "projects",
                .array(
                    projects.map {
                        [
                            "project": .text($0.project), "hits": .integer($0.hits),
                            "misses": .integer($0.misses), "last_used": .time($0.last),
                        ]
                    })
            ),
            (
                "shares_layers_with",
                .array(
                    sharing.map {
                        ["key": .text($0.key), "layers": .integer($0.layers), "bytes": .bytes($0.bytes)]
                    })
            ),
        ]
    }
}

/// What a person who names something in the cache is told: everything known of each entry that may be meant.
package struct Explanation: Report {
    /// What was asked for: a key, a path, a name of an image, or a pattern.
    package var name: String
    /// The entries that may be meant; empty where there is none.
    package var reports: [ExplainReport]
    /// Whether there are more of them.
    package var hasMore: Bool
    /// What lies there and belongs to no pool, where a path was asked for that is in no entry.
    package var unmanaged: [Unmanaged] = []
    /// What lies below a directory that was asked for and is no entry itself.
    package var below: [DirectoryContents] = []

    /// A directory of what belongs to no pool.
    package struct Unmanaged: Sendable, Hashable {
        /// The name of its volume.
        package var volume: String
        /// The directory.
        package var directory: UnmanagedDirectory

        /// Makes a record of both.
        package init(volume: String, directory: UnmanagedDirectory) {
            self.volume = volume
            self.directory = directory
        }

        /// What it is, and what becomes of it.
        var sentence: String {
            let tool = directory.tool.isEmpty ? "" : ", \(directory.tool)"
            return "\(directory.path) on volume \(volume) holds \(directory.bytes) in "
                + "\(Figures.count(directory.files, "file", "files")) of no pool\(tool). Larder never evicts that. To "
                + "be rid of it, remove it by hand; to have it kept within bounds, give it a pool (volumes[].pools in "
                + "the configuration)."
        }
    }

    /// Whether nothing is known by that name.
    package var isEmpty: Bool { reports.isEmpty && unmanaged.isEmpty && below.isEmpty }

    /// Makes an explanation from all it consists of.
    package init(name: String, reports: [ExplainReport], hasMore: Bool = false) {
        self.name = name
        self.reports = reports
        self.hasMore = hasMore
    }

    /// The entries for people, one after the other.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var text = ""
        for unmanaged in unmanaged {
            var page = TextPage(width: width, color: color)
            page.line("Unmanaged: \(name)", tone: .warning)
            page.paragraph(unmanaged.sentence, indent: 2)
            text += page.text
        }
        for below in below {
            var page = TextPage(width: width, color: color)
            if text.isEmpty { page.line("Directory: \(name)", tone: .strong) }
            below.write(to: &page, now: now)
            text += page.text
        }
        if reports.count > 1 {
            var page = TextPage(width: width, color: color)
            let pools = Figures.list(Set(reports.compactMap { $0.entry?.pool.rawValue }).sorted())
            let number = "\(hasMore ? "the first " : "")\(Figures.entries(Int64(reports.count)))"
            page.paragraph("\(name) matches \(number), in \(pools).", tone: .strong)
            page.line("")
            text = page.text
        }
        text += reports.map { $0.text(width: width, color: color, now: now) }.joined(separator: "\n")
        guard hasMore else { return text }
        var page = TextPage(width: width, color: color)
        page.line("")
        page.paragraph("There are more: larder list --filter \(ShellWord.quoted(name))", tone: .faint)
        return text + page.text
    }

    /// The entries as `larder.explain/1`: the first one's members stand at the top, all of them in `matches`.
    package func json() throws -> String {
        var members: [(key: String, value: JSONValue)] = [
            ("schema", "larder.explain/1"), ("asked", .text(name)),
        ]
        let first =
            reports.first
            ?? ExplainReport(
                key: name, volume: unmanaged.first?.volume ?? below.first?.volume ?? "", entry: nil,
                verdict: nil)
        members += first.members
        members.append(("matches", .array(reports.map { JSONValue.object($0.members) })))
        members.append(("has_more", .bool(hasMore)))
        members.append(
            (
                "unmanaged",
                .array(
                    unmanaged.map { found in
                        [
                            "volume": .text(found.volume), "path": .text(found.directory.path.description),
                            "bytes": .bytes(found.directory.bytes), "files": .integer(found.directory.files),
                            "tool": found.directory.tool.isEmpty ? .null : .text(found.directory.tool),
                        ]
                    })
            ))
        members.append(("below", .array(below.map(\.jsonValue))))
        return try JSONValue.object(members).document()
    }
}

extension DirectoryContents {
    /// What it is.
    var sentence: String {
        let place = path.bytes.isEmpty ? "The root of volume \(volume)" : "\(path) on volume \(volume)"
        let entries =
            entries == 0
            ? "no entry lies below it"
            : "\(Figures.entries(entries)), \(bytes), \(entries == 1 ? "lies" : "lie") below it"
        return "\(place) is a directory and no entry itself: \(entries)."
    }

    fileprivate func write(to page: inout TextPage, now: Timestamp) {
        page.paragraph(sentence, indent: 2)
        if !largest.isEmpty {
            page.blank()
            var table = TextTable(
                ("size", .right), ("used", .right), ("pool", .left), ("key, the largest first", .left))
            table.rows = largest.map {
                ["\($0.bytes)", $0.useInWords(now: now), $0.pool.rawValue, $0.key]
            }
            page.table(table)
            let more = entries - Int64(largest.count)
            if more > 0 { page.line("… and \(Figures.grouped(more)) more", indent: 2) }
        }
        page.unmanaged(unmanaged)
    }

    fileprivate var jsonValue: JSONValue {
        [
            "volume": .text(volume), "path": .text(path.description), "entries": .integer(entries),
            "bytes": .bytes(bytes),
            "largest": .array(
                largest.map {
                    ["pool": .text($0.pool.rawValue), "key": .text($0.key), "bytes": .bytes($0.bytes)]
                }), "unmanaged": .array(unmanaged.map(\.jsonValue)),
        ]
    }
}

extension CacheEntry {
    /// When it was last used, for a column: `3 d ago`; since when it is there where it never was.
    func useInWords(now: Timestamp) -> String {
        isUsed ? Figures.ago(lastUsed, now: now) : "never, there \((now - lastUsed).age)"
    }
}

extension TrashPurge {
    /// The purge as reports have it.
    var jsonValue: JSONValue {
        ["at": .time(at), "by": .optional(by), "cause": .text(cause.rawValue), "text": .text(text)]
    }
}

extension EvictionPlan.Verdict {
    fileprivate func jsonValue(of evictions: Int64) -> JSONValue {
        switch self {
        case .evicted(let position, let eviction):
            [
                "decision": "evict", "position": .integer(Int64(position)), "of": .integer(evictions),
                "frees_bytes": .bytes(eviction.freedBytes), "reason": .text(eviction.reason),
            ]
        case .kept(let protection):
            ["decision": "keep", "protected": .text(protection.rawValue), "reason": .text(protection.text)]
        case .notNeeded: ["decision": "not-needed", "reason": "the goal is reached without it"]
        }
    }
}
