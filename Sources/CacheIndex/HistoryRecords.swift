import CacheModel

/// One recorded use or fetch of an entry.
package struct AccessRecord: Sendable, Hashable {
    /// Whether the entry was there.
    package enum Kind: String, Sendable, Hashable, Codable {
        /// It was there before the interval.
        case hit
        /// It was fetched in the interval.
        case miss
    }

    /// When, as closely as the evidence tells; never after the scan that recorded it began.
    package var at: Timestamp
    /// Whether the entry was there.
    package var kind: Kind
    /// Where the knowledge came from.
    package var evidence: Evidence
    /// What the entry occupied.
    package var bytes: ByteCount
    /// Whether a run had evicted the entry within the regret window.
    package var regret: Bool
    /// The number of the scan that recorded it.
    package var scan: Int64
    /// The jobs that fetched it then, as far as their logs were ingested.
    package var jobs: [String]
    /// The project whose job it was; nil where no log names it.
    package var project: String?

    /// Makes a record from all it consists of.
    package init(
        at: Timestamp, kind: Kind, evidence: Evidence, bytes: ByteCount, regret: Bool, scan: Int64,
        jobs: [String] = [], project: String? = nil
    ) {
        self.at = at
        self.kind = kind
        self.evidence = evidence
        self.bytes = bytes
        self.regret = regret
        self.scan = scan
        self.jobs = jobs
        self.project = project
    }
}

/// What stays of an entry that is gone.
package struct GhostRecord: Sendable, Hashable {
    /// Why it is gone.
    package enum Reason: Sendable, Hashable {
        /// The run of that id evicted it.
        case evicted(run: String)
        /// It was damaged, and the run of that id took it away for a job to fetch it again.
        case quarantined(run: String)
        /// A scan found it no more.
        case vanished
    }

    /// Its row in the index, the same as when it was an entry.
    package var id: Int64
    /// The volume's name.
    package var volume: String
    /// The pool it belonged to.
    package var pool: Pool
    /// Its name in the tool's own notation.
    package var key: String
    /// Where it was.
    package var path: VolumePath
    /// What it occupied.
    package var bytes: ByteCount
    /// Its last use.
    package var lastUsed: Timestamp
    /// When it went: the end of the run, or the start of the scan that missed it.
    package var goneAt: Timestamp
    /// Why it is gone.
    package var reason: Reason
    /// Whether it waits in the trash, as Larder last saw that.
    package var isInTrash = false
    /// What took its run's entries out of the trash for good; nil where nothing did.
    package var purge: TrashPurge?

    /// Makes a record from all it consists of.
    package init(
        id: Int64, volume: String, pool: Pool, key: String, path: VolumePath, bytes: ByteCount,
        lastUsed: Timestamp, goneAt: Timestamp, reason: Reason
    ) {
        self.id = id
        self.volume = volume
        self.pool = pool
        self.key = key
        self.path = path
        self.bytes = bytes
        self.lastUsed = lastUsed
        self.goneAt = goneAt
        self.reason = reason
    }
}

/// One run of a command that changed volumes.
package struct RunRecord: Sendable, Hashable {
    /// The kind of a run whose entries were evicted.
    package static let prune = "prune"
    /// The kind of a run whose entries were damaged: fetching them again is no regret.
    package static let verify = "verify"

    /// Its name, unique in the index.
    package var id: String
    /// The command: `prune`, `verify`.
    package var kind: String
    /// When it began.
    package var startedAt: Timestamp
    /// When it ended.
    package var finishedAt: Timestamp
    /// What it exited with.
    package var exitCode: Int32

    /// Makes a record from all it consists of.
    package init(id: String, kind: String, startedAt: Timestamp, finishedAt: Timestamp, exitCode: Int32) {
        self.id = id
        self.kind = kind
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.exitCode = exitCode
    }
}

/// A run of `warm` on one volume, to be recorded with the scan that follows it.
package struct WarmRun: Sendable, Hashable {
    /// What became of the images; those Podman was asked for are told by their `attempts`.
    package var images: [WarmedImage]
    /// The run.
    package var run: RunRecord
    /// Until when the images that are ready are protected, unless a job uses them before.
    package var protectedUntil: Timestamp
    /// What the volume held before.
    package var usedBefore: ByteCount
    /// The volume's high watermark.
    package var high: ByteCount

    /// Makes a run from all it consists of.
    package init(
        images: [WarmedImage], run: RunRecord, protectedUntil: Timestamp, usedBefore: ByteCount,
        high: ByteCount
    ) {
        self.images = images
        self.run = run
        self.protectedUntil = protectedUntil
        self.usedBefore = usedBefore
        self.high = high
    }
}

/// A run with what it did to each volume.
package struct RecordedRun: Sendable, Hashable {
    /// The run.
    package var run: RunRecord
    /// What it did, by volume.
    package var outcomes: [EvictionOutcome]

    /// Makes a record from its two parts.
    package init(run: RunRecord, outcomes: [EvictionOutcome]) {
        self.run = run
        self.outcomes = outcomes
    }
}
