import CacheModel

/// What a verification found, and what became of it.
package struct VerifyReport: Report {
    /// The run's ID, by which its trash is restored.
    package var run: String
    /// Whether damaged entries were to be moved into the trash.
    package var quarantine: Bool
    /// How long it took.
    package var duration: Span
    /// The volumes in the order of configuration.
    package var volumes: [VerifiedVolume]
    /// The volumes that were passed over, or that failed as a whole.
    package var skipped: [SkippedVolume]

    /// Makes a report from all it consists of.
    package init(
        run: String, quarantine: Bool, duration: Span, volumes: [VerifiedVolume],
        skipped: [SkippedVolume] = []
    ) {
        self.run = run
        self.quarantine = quarantine
        self.duration = duration
        self.volumes = volumes
        self.skipped = skipped
    }

    var damaged: [DamagedFile] { volumes.flatMap(\.damaged) }

    /// The verification as `larder.verify/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.verify/1", "run": .text(run),
            "duration_seconds": .number(Figures.seconds(duration)),
            "checked": .integer(sum(\.checked)),
            "damaged": .array(
                volumes.flatMap { volume in volume.damaged.map { $0.jsonValue(on: volume.name) } }),
            "unverifiable": .integer(volumes.reduce(0) { $0 + $1.unverifiable.values.reduce(0, +) }),
            "volumes": .array(volumes.map(\.jsonValue)), "skipped": .array(skipped.map(\.jsonValue)),
        ]
        return try document.document()
    }

    func sum(_ figure: (VerifiedVolume) -> Int64) -> Int64 { volumes.reduce(0) { $0 + figure($1) } }
}

extension VerifiedVolume {
    fileprivate var jsonValue: JSONValue {
        [
            "name": .text(name), "entries": .integer(entries), "entries_left": .integer(entriesLeft),
            "checked": .integer(checked), "damaged": .integer(Int64(damaged.count)),
            "read_bytes": .bytes(bytes),
            "unverifiable": .array(
                reasons.map { ["reason": .text($0.reason), "files": .integer($0.files)] }),
            "unsettled": .array(unsettled.map(\.jsonValue)),
            "unreadable": .array(unreadable.map(\.jsonValue)),
        ]
    }

    /// Why files could not be held against anything, the most frequent reason first.
    var reasons: [(reason: String, files: Int64)] {
        unverifiable.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }
}

extension VerifiedVolume.Undecided {
    fileprivate var jsonValue: JSONValue { ["path": .text(path), "reason": .text(reason)] }
}

extension DamagedFile {
    fileprivate func jsonValue(on volume: String) -> JSONValue {
        [
            "volume": .text(volume), "pool": .text(pool.rawValue), "key": .text(key), "path": .text(path),
            "kind": .text(kind.rawValue), "detail": .text(detail), "quarantined": .bool(isQuarantined),
            "refusal": .optional(refusal),
        ]
    }
}
