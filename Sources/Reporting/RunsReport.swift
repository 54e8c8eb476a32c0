import CacheModel

/// The last runs as `larder.runs/1`, for `/api/v1/runs`.
package struct RunsReport: Sendable {
    /// The runs, the newest first.
    package var runs: [RunSummary]
    /// How the daemon's activities stand.
    package var activities: [Dashboard.Activity]
    /// Where the next page begins; nil at the end.
    package var cursor: String?
    /// Where the page before ends; nil at the beginning.
    package var previous: String?

    /// Makes a report from all it consists of.
    package init(
        runs: [RunSummary], activities: [Dashboard.Activity] = [], cursor: String? = nil,
        previous: String? = nil
    ) {
        self.runs = runs
        self.activities = activities
        self.cursor = cursor
        self.previous = previous
    }

    /// How many entries of each volume are listed of a run; the run's own document has all of them.
    package static let mostLines = 100

    /// One run with all its entries, as `larder.run/1`, for `/api/v1/runs/RUN`.
    package static func json(of run: RunSummary) throws -> String {
        guard case .object(let members) = value(run) else { return "" }
        return try JSONValue.object([(key: "schema", value: "larder.run/1")] + members).document()
    }

    /// One JSON object; the entries are the first of each volume, the counts are whole.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.runs/1", "runs": .array(runs.map(Self.value)),
            "activities": .array(
                activities.map {
                    [
                        "activity": .text($0.name), "volume": .optional($0.volume),
                        "running_since": .optional($0.runningSince),
                        "progress": .optional($0.progress),
                        "last_success": .optional($0.lastSuccess),
                        "last_end": .optional($0.lastEnd), "next_due": .optional($0.nextDue),
                    ]
                }),
            "next_cursor": .optional(cursor), "previous_cursor": .optional(previous),
        ]
        return try document.document()
    }

    private static func value(_ run: RunSummary) -> JSONValue {
        [
            "run": .text(run.id), "kind": .text(run.kind), "started_at": .time(run.startedAt),
            "finished_at": .time(run.finishedAt), "exit_code": .integer(Int64(run.exitCode)),
            "volumes": .array(
                run.volumes.map { volume in
                    [
                        "name": .text(volume.volume), "evicted_entries": .integer(volume.evicted),
                        "evicted_bytes": .bytes(volume.evictedBytes),
                        "refused_entries": .integer(volume.refused),
                        "freed_bytes": .bytes(volume.freedBytes),
                        "trashed_bytes": .bytes(volume.trashedBytes),
                        "in_trash_entries": .integer(volume.inTrash),
                        "in_trash_bytes": .bytes(volume.inTrashBytes),
                        "present_entries": volume.present.map { .integer($0) } ?? .null,
                        "purged": volume.purge?.jsonValue ?? .null,
                        "used_bytes_before": .bytes(volume.usedBefore),
                        "used_bytes_after": .bytes(volume.usedAfter), "over_quota": .bool(volume.overQuota),
                        "checks": volume.checks.map { checks in
                            [
                                "checked": .integer(checks.checked), "damaged": .integer(checks.damaged),
                                "unverifiable": .integer(checks.unverifiable),
                            ]
                        } ?? .null,
                        "evicted": .array(volume.firstEvicted.map(Self.value)),
                        "refused": .array(volume.firstRefused.map(Self.value)),
                    ]
                }),
            "warmed": .object(
                run.warmed.sorted { $0.key < $1.key }.map { (key: $0.key, value: .integer($0.value)) }),
        ]
    }

    private static func value(_ line: EvictionOutcome.Line) -> JSONValue {
        [
            "pool": .text(line.pool.rawValue), "key": .text(line.key), "bytes": .bytes(line.bytes),
            "reason": .text(line.reason),
        ]
    }
}

/// A run that was asked for, as `larder.run-request/1`: the answer to `POST /api/v1/runs`.
package struct RunRequest: Sendable {
    /// What begins.
    package var activity: String
    /// On which volume; nil for all.
    package var volume: String?

    /// Makes a record from both.
    package init(activity: String, volume: String?) {
        self.activity = activity
        self.volume = volume
    }

    /// One JSON object.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.run-request/1", "activity": .text(activity), "volume": .optional(volume),
        ]
        return try document.document()
    }
}
