import CacheModel

/// How the volumes stand now.
package struct StatusReport: Report {
    /// One volume.
    package struct Volume: Sendable, Hashable {
        /// Its name.
        package var name: String
        /// Its absolute path.
        package var path: String
        /// The file system's size.
        package var capacity: ByteCount
        /// What all live files occupy.
        package var usedBytes: ByteCount
        /// Its quota.
        package var quota: Quota
        /// How many inodes it uses; nil where they are no quota.
        package var inodes: InodeUse?
        /// What waits in the trash.
        package var trashBytes: ByteCount
        /// What scan and records explain of the used bytes.
        package var accountedBytes: ByteCount
        /// What could be named of the rest.
        package var unaccounted: [UnaccountedSpace] = []
        /// The event logs of an image store that are kept; nil for other volumes.
        package var eventLogs: EventLogs?
        /// The number of entries.
        package var entries: Int64
        /// The hit rates; those of 30 days are the contract's `hit_rate`.
        package var hitRates: RecentHitRates
        /// When it was last scanned; nil where it never was.
        package var lastScan: Timestamp?
        /// When it was last pruned; nil where it never was.
        package var lastPrune: Timestamp?
        /// How far the evidence of use can be trusted.
        package var evidence: EvidenceQuality
        /// What belongs to no pool, the largest directories first.
        package var unmanaged: [UnmanagedDirectory] = []
        /// Whether the last prune ended above its goal.
        package var isStuck = false
        /// What its pools hold, in the contract's order.
        package var pools: [VolumeFigures.PoolFigures] = []
        /// Its critical level where more is used; nil where it is below.
        package var critical: ByteCount?
        /// What of its trash a prune then takes for good before it evicts anything.
        package var purgedFirst = ByteCount.zero
        /// When its schedules want it next, by activity, the nearest first; empty where no daemon keeps it.
        package var next: [Next] = []
        /// What its prunes so far tell of the next one; nil where a daemon keeps it, or nobody may prune it.
        package var prunes: Prunes?
        /// What a prune would bring; nil where nobody asked.
        package var relief: Relief?
        /// What the capacity report says of it; nil where nobody asked.
        package var outlook: Outlook?

        /// Makes a volume from all it consists of.
        package init(
            name: String, path: String, capacity: ByteCount, usedBytes: ByteCount, quota: Quota,
            trashBytes: ByteCount, entries: Int64, hitRates: RecentHitRates, lastScan: Timestamp?,
            lastPrune: Timestamp?, evidence: EvidenceQuality, accountedBytes: ByteCount? = nil
        ) {
            self.accountedBytes = accountedBytes ?? usedBytes
            self.name = name
            self.path = path
            self.capacity = capacity
            self.usedBytes = usedBytes
            self.quota = quota
            self.trashBytes = trashBytes
            self.entries = entries
            self.hitRates = hitRates
            self.lastScan = lastScan
            self.lastPrune = lastPrune
            self.evidence = evidence
        }
    }

    /// An activity that comes by its schedule.
    package struct Next: Sendable, Hashable {
        /// Its name: `prune`.
        package var activity: String
        /// When.
        package var at: Timestamp

        /// Makes a record of both.
        package init(activity: String, at: Timestamp) {
            self.activity = activity
            self.at = at
        }
    }

    /// How the prunes of a volume came that no daemon keeps.
    package enum Prunes: Sendable, Hashable {
        /// So regularly that the next one can be told.
        case regular(RunRhythm)
        /// Too few of them, or at no regular times.
        case irregular
    }

    /// What is to be expected of a volume.
    package struct Outlook: Sendable, Hashable {
        /// When it is full; nil where that cannot be told, or is far.
        package var fullAt: Timestamp?
        /// What is to be done about its size, in the report's words; nil where something is missing for that.
        package var advised: String?
        /// Whether it is to grow, now or by some day.
        package var mustGrow: Bool
        /// The groups of entries that occupy most.
        package var largest: [SpaceUse.Share] = []
        /// What today's size and the advised one cost; nil without a price.
        package var cost: String?

        /// Makes an outlook from all it consists of.
        package init(
            fullAt: Timestamp?, advised: String?, mustGrow: Bool = false, largest: [SpaceUse.Share] = [],
            cost: String? = nil
        ) {
            self.mustGrow = mustGrow
            self.cost = cost
            self.fullAt = fullAt
            self.advised = advised
            self.largest = largest
        }
    }

    /// What a prune of a volume would bring.
    package struct Relief: Sendable, Hashable {
        /// How many entries would go.
        package var entries: Int64
        /// What they free.
        package var freed: ByteCount
        /// Whether the goal is reached.
        package var isEnough: Bool
        /// Whether it is what the next prune will do at its time, which is known; else what one would do now.
        package var isOfNext: Bool

        /// Makes a record from all it consists of.
        package init(entries: Int64, freed: ByteCount, isEnough: Bool, isOfNext: Bool = false) {
            self.entries = entries
            self.freed = freed
            self.isEnough = isEnough
            self.isOfNext = isOfNext
        }
    }

    /// Something that should be looked at.
    package struct Warning: Sendable, Hashable {
        /// Its name, the same from release to release: `noatime`.
        package var code: String
        /// What is wrong.
        package var text: String
        /// What to do.
        package var hint: String

        /// Makes a warning from its three texts.
        package init(code: String, text: String, hint: String) {
            self.code = code
            self.text = text
            self.hint = hint
        }
    }

    /// The volumes in the order of configuration.
    package var volumes: [Volume]
    /// What should be looked at, the most urgent first.
    package var warnings: [Warning]

    /// Makes a report from its two parts.
    package init(volumes: [Volume], warnings: [Warning] = []) {
        self.volumes = volumes
        self.warnings = warnings
    }

    /// The state for people: the outcome, each volume with its bar, the warnings.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let (outcome, tone) = outcome
        page.paragraph(outcome, tone: tone)
        // The worst first: what is closest to the level where a prune starts, or furthest above it.
        let byNeed = volumes.enumerated().sorted { a, b in
            (b.element.need, a.offset) < (a.element.need, b.offset)
        }
        for (_, volume) in byNeed { volume.write(to: &page, now: now) }
        for warning in shownWarnings {
            page.blank()
            page.paragraph("warning \(warning.code): \(warning.text)", hanging: 2, tone: .warning)
            page.paragraph(warning.hint, indent: 2)
        }
        return page.text
    }

    /// The warnings that the text tells: of the quota and of the evidence it does so with the volume.
    private var shownWarnings: [Warning] {
        warnings.filter { !["over-quota", "weak-evidence"].contains($0.code) }
    }

    /// What a prune that is advised takes from the trash before it evicts anything; empty where that is nothing.
    static func loss(_ purged: ByteCount) -> String {
        purged > .zero ? "; it purges about \(purged) of the trash first, which larder trash list shows" : ""
    }

    private var outcome: (String, Tone) {
        let over = volumes.filter { $0.lastScan != nil && $0.isOver }
        let unknown = volumes.filter { $0.lastScan == nil }
        if !over.isEmpty {
            let names = over.sorted { $0.need > $1.need }.map {
                $0.usedBytes > $0.quota.high
                    ? "\($0.name) is \(Figures.change(from: $0.usedBytes, to: $0.quota.high).difference) above its high watermark"
                    : "\($0.name) uses more inodes than its high watermark allows"
            }
            // Where nothing may go, a prune is no advice.
            let helped = over.filter { $0.relief.map { $0.entries > 0 } ?? true }
            if helped.isEmpty {
                return ("Over quota, and nothing may be evicted: \(Figures.list(names)).", .bad)
            }
            let command = helped.count == 1 ? "larder prune --volume \(helped[0].name)" : "larder prune"
            let purged = helped.reduce(ByteCount.zero) { $0 + $1.purgedFirst }
            return ("Over quota: \(Figures.list(names)). Run: \(command)\(Self.loss(purged))", .bad)
        }
        if !unknown.isEmpty {
            return ("Not scanned yet: \(Figures.list(unknown.map(\.name))). Run larder scan.", .warning)
        }
        if volumes.isEmpty { return ("No volume is known. Run larder scan.", .warning) }
        let full = volumes.filter { $0.critical != nil }.map(\.name)
        let within =
            (volumes.count == 1
                ? "\(volumes[0].name) is within its quota"
                : "All \(volumes.count) volumes are within their quotas")
            + (full.isEmpty
                ? ""
                : ", but \(Figures.list(full)) \(full.count == 1 ? "is" : "are") above the critical level with what waits in the trash")
        let count = Int64(shownWarnings.count)
        let warned = count == 0 ? "" : "; \(Figures.count(count, "warning", "warnings"))"
        return ("\(within)\(warned).", count == 0 && full.isEmpty ? .good : .warning)
    }

    /// The state as `larder.status/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.status/1", "volumes": .array(volumes.map(\.jsonValue)),
            "warnings": .array(
                warnings.map { ["code": .text($0.code), "text": .text($0.text), "hint": .text($0.hint)] }),
        ]
        return try document.document()
    }
}
