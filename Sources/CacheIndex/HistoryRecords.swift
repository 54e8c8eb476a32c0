import CacheModel

/// One recorded use or fetch of an entry.
public struct AccessRecord: Sendable, Hashable {
    /// Whether the entry was there.
    public enum Kind: String, Sendable, Hashable, Codable {
        /// It was there before the interval.
        case hit
        /// It was fetched in the interval.
        case miss
    }

    /// When, as closely as the evidence tells; never after the scan that recorded it began.
    public var at: Timestamp
    /// Whether the entry was there.
    public var kind: Kind
    /// Where the knowledge came from.
    public var evidence: Evidence
    /// What the entry occupied.
    public var bytes: ByteCount
    /// Whether a run had evicted the entry within the regret window.
    public var regret: Bool
    /// The number of the scan that recorded it.
    public var scan: Int64
    /// The jobs that fetched it then, as far as their logs were ingested.
    public var jobs: [String]

    /// Makes a record from all it consists of.
    public init(
        at: Timestamp, kind: Kind, evidence: Evidence, bytes: ByteCount, regret: Bool, scan: Int64,
        jobs: [String] = []
    ) {
        self.at = at
        self.kind = kind
        self.evidence = evidence
        self.bytes = bytes
        self.regret = regret
        self.scan = scan
        self.jobs = jobs
    }
}

/// What stays of an entry that is gone.
public struct GhostRecord: Sendable, Hashable {
    /// Why it is gone.
    public enum Reason: Sendable, Hashable {
        /// The run of that id evicted it.
        case evicted(run: String)
        /// It was damaged, and the run of that id took it away for a job to fetch it again.
        case quarantined(run: String)
        /// A scan found it no more.
        case vanished
    }

    /// Its row in the index, the same as when it was an entry.
    public var id: Int64
    /// The volume's name.
    public var volume: String
    /// The pool it belonged to.
    public var pool: Pool
    /// Its name in the tool's own notation.
    public var key: String
    /// Where it was.
    public var path: VolumePath
    /// What it occupied.
    public var bytes: ByteCount
    /// Its last use.
    public var lastUsed: Timestamp
    /// When it went: the end of the run, or the start of the scan that missed it.
    public var goneAt: Timestamp
    /// Why it is gone.
    public var reason: Reason

    /// Makes a record from all it consists of.
    public init(
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
public struct RunRecord: Sendable, Hashable {
    /// The kind of a run whose entries were evicted.
    public static let prune = "prune"
    /// The kind of a run whose entries were damaged: fetching them again is no regret.
    public static let verify = "verify"

    /// Its name, unique in the index.
    public var id: String
    /// The command: `prune`, `verify`.
    public var kind: String
    /// When it began.
    public var startedAt: Timestamp
    /// When it ended.
    public var finishedAt: Timestamp
    /// What it exited with.
    public var exitCode: Int32

    /// Makes a record from all it consists of.
    public init(id: String, kind: String, startedAt: Timestamp, finishedAt: Timestamp, exitCode: Int32) {
        self.id = id
        self.kind = kind
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.exitCode = exitCode
    }
}

/// A run of `warm` on one volume, to be recorded with the scan that follows it.
public struct WarmRun: Sendable, Hashable {
    /// What became of the images; those Podman was asked for are told by their `attempts`.
    public var images: [WarmedImage]
    /// The run.
    public var run: RunRecord
    /// Until when the images that are ready are protected, unless a job uses them before.
    public var protectedUntil: Timestamp
    /// What the volume held before.
    public var usedBefore: ByteCount
    /// The volume's high watermark.
    public var high: ByteCount

    /// Makes a run from all it consists of.
    public init(
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
public struct RecordedRun: Sendable, Hashable {
    /// The run.
    public var run: RunRecord
    /// What it did, by volume.
    public var outcomes: [EvictionOutcome]

    /// Makes a record from its two parts.
    public init(run: RunRecord, outcomes: [EvictionOutcome]) {
        self.run = run
        self.outcomes = outcomes
    }
}
