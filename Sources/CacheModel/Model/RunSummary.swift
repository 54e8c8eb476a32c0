/// One run of a command that changed volumes: what it did, in figures and a few examples.
package struct RunSummary: Sendable, Hashable {
    /// What it did to one volume.
    package struct OnVolume: Sendable, Hashable {
        /// The volume's name.
        package var volume: String
        /// How many entries went.
        package var evicted: Int64
        /// What they occupied.
        package var evictedBytes: ByteCount
        /// How many were planned and not removed.
        package var refused: Int64
        /// The first that went, in order, with the reasons.
        package var firstEvicted: [EvictionOutcome.Line]
        /// The first that were refused, with the reasons.
        package var firstRefused: [EvictionOutcome.Line]
        /// What the file system got back.
        package var freedBytes: ByteCount
        /// What went to the trash.
        package var trashedBytes: ByteCount
        /// Live bytes before.
        package var usedBefore: ByteCount
        /// Live bytes after.
        package var usedAfter: ByteCount
        /// Whether it ended above its goal.
        package var overQuota: Bool
        /// What a verification looked at; nil for any other run.
        package var checks: RunChecks?
        /// How many of its entries wait in the trash now, as Larder last saw it.
        package var inTrash: Int64 = 0
        /// What those occupy.
        package var inTrashBytes = ByteCount.zero
        /// The keys of those, where only a part of its entries is there; read for a run that is looked at by itself.
        package var keysInTrash: Set<String> = []
        /// How many of its entries are on the volume again, brought back or fetched anew; nil where that was not counted.
        package var present: Int64?
        /// What took entries of it out of the trash for good; nil where nothing did.
        package var purge: TrashPurge?

        /// Makes a line from all it consists of.
        package init(
            volume: String, evicted: Int64 = 0, evictedBytes: ByteCount = .zero, refused: Int64 = 0,
            firstEvicted: [EvictionOutcome.Line] = [], firstRefused: [EvictionOutcome.Line] = [],
            freedBytes: ByteCount = .zero, trashedBytes: ByteCount = .zero, usedBefore: ByteCount,
            usedAfter: ByteCount, overQuota: Bool = false, checks: RunChecks? = nil
        ) {
            self.volume = volume
            self.evicted = evicted
            self.evictedBytes = evictedBytes
            self.refused = refused
            self.firstEvicted = firstEvicted
            self.firstRefused = firstRefused
            self.freedBytes = freedBytes
            self.trashedBytes = trashedBytes
            self.usedBefore = usedBefore
            self.usedAfter = usedAfter
            self.overQuota = overQuota
            self.checks = checks
        }
    }

    /// A place among the runs, the newest first: after the one that began then and has that id.
    package struct Cursor: Sendable, Hashable {
        /// When it began.
        package var startedAt: Timestamp
        /// Its id.
        package var id: String

        /// Makes a cursor from both.
        package init(startedAt: Timestamp, id: String) {
            self.startedAt = startedAt
            self.id = id
        }
    }

    /// Its name, unique in the index.
    package var id: String
    /// The command: `prune`.
    package var kind: String
    /// When it began.
    package var startedAt: Timestamp
    /// When it ended.
    package var finishedAt: Timestamp
    /// The contract's exit code.
    package var exitCode: Int32
    /// What it did to volumes, by name.
    package var volumes: [OnVolume]
    /// How many images it warmed, by result.
    package var warmed: [String: Int64]

    /// Makes a summary from all it consists of.
    package init(
        id: String, kind: String, startedAt: Timestamp, finishedAt: Timestamp, exitCode: Int32,
        volumes: [OnVolume] = [], warmed: [String: Int64] = [:]
    ) {
        self.id = id
        self.kind = kind
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.exitCode = exitCode
        self.volumes = volumes
        self.warmed = warmed
    }

    /// The place after this run.
    package var cursor: Cursor { Cursor(startedAt: startedAt, id: id) }
}
