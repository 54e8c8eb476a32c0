import CacheModel

/// How large the volumes should be, and why: `larder report`.
package struct CapacityReport: Report {
    /// One volume.
    package struct Volume: Sendable {
        /// Its name.
        package var name: String
        /// What lies on it.
        package var kind: CacheModel.Volume.Kind
        /// The file system's size.
        package var capacity: ByteCount
        /// What all live files occupy.
        package var usedBytes: ByteCount
        /// The size that shall not be passed.
        package var limit: ByteCount
        /// The inodes in use.
        package var usedInodes: Int64
        /// The inodes there are; zero where the file system does not count them.
        package var inodeLimit: Int64
        /// How the volume's own inodes stand; nil where they are no quota.
        package var inodes: InodeUse?
        /// What the volume needs in inodes, where it is nearer to their end than to that of its bytes and prunes work for
        /// them; nil where bytes decide.
        package var inodeNeed: InodeNeed?
        /// How far the evidence of use can be trusted.
        package var evidence: EvidenceQuality
        /// Where the space goes.
        package var space: SpaceUse
        /// What sizing says.
        package var sizing: VolumeSizing
        /// The sizes at the scans of the window.
        package var samples: [VolumeHistory.Sample]
        /// What takes space without much need.
        package var savings: [SpaceSaving]
        /// How many entries were not looked into for that.
        package var passedOver: Int64
        /// How prunes go that the replays assume.
        package var regime: PruneRegime
        /// What containers may occupy at once that no log surely tells of: beside the recommended size, not in it.
        package var doubtfulContainers: ByteCount
        /// How often the volume was scanned in the window: the median of the times between scans.
        package var scanInterval: Span?
        /// When no scan was made for a day and more although scans usually come more often: what jobs did then is known
        /// as a whole only.
        package var gaps: [(from: Timestamp, to: Timestamp)]
        /// What is there that arrived by copy in the window, where it is a hundredth of all or more; nil where it is less.
        package var copied: (entries: Int64, bytes: ByteCount, last: Timestamp)?
        /// When somebody else removed nearly all that was there in the window, the oldest first.
        package var wipes: [VolumeHistory.Wipe]
        /// A size that was asked for beside the recommended one.
        package var askedSize: ByteCount?
        /// Whether a comparison of the rules of eviction was asked for.
        package var simulates: Bool
        /// What the jobs of each project did in the window, as far as logs name it; empty where none does.
        package var projectShares: [ProjectUse.Share] = []

        /// Makes a volume from what the index has of it.
        ///
        package init(
            _ volume: CacheModel.Volume, _ usage: UsageFigures, _ history: VolumeHistory, window: Span,
            terms: Recommendation.Terms = .init(), simulates: Bool = false, containers: ByteCount = .zero,
            doubtfulContainers: ByteCount = .zero,
            regime: PruneRegime? = nil, asked: ByteCount? = nil, now: Timestamp
        ) {
            name = volume.name
            kind = volume.kind
            capacity = usage.capacity.total
            usedBytes = usage.usedBytes
            limit = volume.quota(capacity: usage.capacity).limit
            usedInodes = usage.capacity.inodes - usage.capacity.freeInodes
            inodeLimit = usage.capacity.inodes
            inodes = InodeUse(
                used: usage.usedInodes, quota: volume.inodeQuota(capacity: usage.capacity))
            evidence = usage.evidence
            samples = history.samples.filter { $0.at > now - window }
            space = usage.space
            savings = usage.savings
            passedOver = usage.passedOver
            copied = usage.copied(
                since: max(now - window, history.knownSince, history.beganAt), in: history)
            wipes = history.wipes.filter { $0.at > now - window }
            askedSize = asked
            self.simulates = simulates
            let regime = regime ?? PruneRegime(volume, limit: limit)
            self.regime = regime
            self.doubtfulContainers = doubtfulContainers
            scanInterval = Self.medianInterval(samples)
            gaps = Self.gaps(samples, usual: scanInterval)
            let hasEvidence = volume.kind == .imageStore || evidence.confidence != .none
            inodeNeed = inodes.flatMap { [usedBytes, limit] in
                Self.inodeNeed($0, usedBytes: usedBytes, limit: limit)
            }
            sizing = VolumeSizing(
                history,
                VolumeSizing.Question(
                    window: window, now: now, limit: limit, unmanaged: usage.space.unmanaged,
                    containers: containers, terms: terms, simulates: simulates, hasEvidence: hasEvidence,
                    regime: regime, asked: asked, rank: usage.rank,
                    probation: regime.order == .lru ? .days(21) : regime.order.probation,
                    hasEntries: usage.count > 0, inodes: inodeNeed))
        }

        private static func inodeNeed(
            _ inodes: InodeUse, usedBytes: ByteCount, limit: ByteCount
        ) -> InodeNeed? {
            let parts = (
                Double(inodes.used) / Double(max(1, inodes.quota.limit)),
                Double(usedBytes.bytes) / Double(max(1, limit.bytes))
            )
            guard inodes.used > inodes.quota.low, parts.0 > parts.1 else { return nil }
            return InodeNeed(
                used: inodes.used, bytes: usedBytes, quota: inodes.quota, size: limit)
        }

        private static func medianInterval(_ samples: [VolumeHistory.Sample]) -> Span? {
            let intervals = zip(samples.dropFirst(), samples).map { $0.at - $1.at }.sorted()
            return intervals.isEmpty ? nil : intervals[intervals.count / 2]
        }

        private static func gaps(
            _ samples: [VolumeHistory.Sample], usual: Span?
        ) -> [(from: Timestamp, to: Timestamp)] {
            guard let usual else { return [] }
            let least = max(Span.hours(36), Span(nanoseconds: usual.nanoseconds.multipliedPinned(by: 5) / 3))
            return zip(samples, samples.dropFirst()).filter { $1.at - $0.at >= least }.map { ($0.at, $1.at) }
        }

        /// How far the figures that rest on use can be trusted: never more than the evidence, no more than `low`
        /// before 14 days of history, without a recommendation, where a quarter of the window has no scans or where inodes
        /// run out before bytes, no more than `medium` before 30 days, where a day of scans is missing, where jobs use more
        /// or less since some day of the window, where one day asks for much of the size, where entries stay for longer than
        /// half of the history or where the limit was changed too recently for a calibration, and no more than the
        /// calibration allows.
        package var confidence: Confidence {
            let days = sizing.history.seconds / 86_400
            let missing = gaps.reduce(Int64(0)) { $0 + ($1.to - $1.from).seconds }
            let isLow = days < 14 || inodesDecide || missing > Int64(sizing.days.count) * 86_400 / 4
            return min(
                evidence.confidence,
                isLow
                    ? .low
                    : days < 30 || !gaps.isEmpty || sizing.demandChange != nil
                        || sizing.rareDay != nil || sizing.longStay != nil ? .medium : .high,
                sizing.calibration?.confidence ?? (sizing.limitChange == nil ? .high : .medium),
                sizing.recommendation == nil ? .low : .high)
        }

        /// Whether the volume is nearer to the end of its inodes than to that of its bytes, and prunes work for them.
        var inodesDecide: Bool { inodeNeed != nil }

        /// All hits and misses of the window.
        package var rate: HitRate { sizing.rates.values.reduce(HitRate(), +) }

        /// The hits and misses of the window by project; nil where no log names any.
        var projects: ProjectUse? {
            projectShares.isEmpty ? nil : ProjectUse(shares: projectShares, all: rate)
        }

        /// All that was evicted and fetched again in the window.
        package var regret: HitRate { sizing.regret.values.reduce(HitRate(), +) }

        /// The sizes that reports show of the curve: those that were replayed.
        var curveSizes: [ByteCount] {
            sizing.curve?.points.map(\.bytes).filter { $0 > .zero } ?? []
        }
    }

    /// The groups of entries that occupy most of each volume.
    package var largestGroups: [String: [SpaceUse.Share]] {
        Dictionary(
            volumes.map { ($0.name, Array($0.space.groups.prefix(3))) }, uniquingKeysWith: { $1 })
    }

    /// When it was made.
    package var generatedAt: Timestamp
    /// The window of the rates.
    package var window: Span
    /// The volumes in the order of configuration.
    package var volumes: [Volume]
    /// What the vfs store costs; nil without one.
    package var images: ImageTax?
    /// What was left behind in image stores.
    package var orphans: [OrphanSection] = []
    /// How fast jobs fetch, in bytes a second; nil where nobody said.
    package var fetchSpeed: ByteCount?
    /// What a gibibyte costs in a month, and the currency; nil where nobody said.
    package var price: (amount: Double, currency: String)?
    /// The file systems on which two volumes or more lie.
    package var sharedDisks: [SharedDisk] = []
    /// The images that are warmed again and again, and that no job uses.
    package var idleWarmings: [WarmHistory] = []

    /// Makes a report from all it consists of.
    package init(
        generatedAt: Timestamp, window: Span, volumes: [Volume], images: ImageTax? = nil,
        fetchSpeed: ByteCount? = nil
    ) {
        self.generatedAt = generatedAt
        self.window = window
        self.volumes = volumes
        self.images = images
        self.fetchSpeed = fetchSpeed
    }

    /// The window in whole days.
    var windowDays: Int64 { window.seconds / 86_400 }
}
