import CacheModel

/// What lies in the trash, run by run, and for how long.
package struct TrashReport: Report {
    /// One entry in the trash.
    package struct Entry: Sendable, Hashable {
        /// Its name in the tool's own notation.
        package var key: String
        /// What it occupies.
        package var bytes: ByteCount
        /// Why it was not brought back; nil where it was, or where nobody asked.
        package var reason: String?

        /// Makes an entry from its three values.
        package init(key: String, bytes: ByteCount, reason: String? = nil) {
            self.key = key
            self.bytes = bytes
            self.reason = reason
        }
    }

    /// One prune run.
    package struct Run: Sendable, Hashable {
        /// Its ID.
        package var id: String
        /// The volume whose trash it is in.
        package var volume: String
        /// When it began; nil where its journal cannot be read.
        package var createdAt: Timestamp?
        /// Until when its entries are kept while there is room; nil where that is not known.
        package var keptUntil: Timestamp?
        /// The critical level of its volume, where that holds more with its trash; nil where it does not.
        package var critical: ByteCount?
        /// What can be brought back.
        package var entries: [Entry]
        /// What a purge could not remove to its end, each with the reason: it cannot be brought back.
        package var unpurged: [Entry] = []

        /// Makes a run from all it consists of.
        package init(
            id: String, volume: String, createdAt: Timestamp?, keptUntil: Timestamp?, entries: [Entry]
        ) {
            self.id = id
            self.volume = volume
            self.createdAt = createdAt
            self.keptUntil = keptUntil
            self.entries = entries
        }

        /// The sum of what its entries occupy, and of what is left of purged ones.
        var bytes: ByteCount { (entries + unpurged).reduce(.zero) { $0 + $1.bytes } }
    }

    /// The runs, oldest first.
    package var runs: [Run]

    /// Makes a report.
    package init(runs: [Run]) { self.runs = runs }

    /// The runs for people, each with its first ten entries.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        guard !runs.isEmpty else {
            page.line("The trash is empty.", tone: .strong)
            return page.text
        }
        let all = runs.reduce(ByteCount.zero) { $0 + $1.bytes }
        page.paragraph(
            "\(all) in the trash. To bring entries back: larder trash restore RUN [KEY]. To free the space now: "
                + "larder trash purge.", tone: .strong)
        for run in runs {
            page.blank()
            let end =
                run.keptUntil.map {
                    "deleted by the first prune after \($0), or earlier where space is short"
                }
                ?? "its journal cannot be read"
            page.line("\(run.id)  \(run.volume)", tone: .strong)
            page.line("\(Figures.entries(Int64(run.entries.count))), \(run.bytes); \(end)", indent: 2)
            if let critical = run.critical {
                page.paragraph(
                    "space is short: with its trash the volume is above its critical level of \(critical), and the next "
                        + "prune deletes the oldest of the trash first", indent: 2, tone: .warning)
            }
            for entry in page.first(10, of: run.entries) {
                page.line("\(entry.bytes)  \(entry.key)", indent: 4)
                if let reason = entry.reason {
                    page.paragraph(reason, indent: 6, tone: .warning)
                }
            }
            page.more(run.entries.count - 10, indent: 4)
            for entry in page.first(10, of: run.unpurged) {
                page.paragraph(
                    "\(entry.bytes)  \(entry.key): could not be purged, and cannot be brought back: \(entry.reason ?? "")",
                    indent: 4, hanging: 2, tone: .warning)
            }
            page.more(run.unpurged.count - 10, indent: 4)
        }
        return page.text
    }

    /// The runs as `larder.trash-list/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.trash-list/1",
            "runs": .array(
                runs.map { run in
                    [
                        "run": .text(run.id), "volume": .text(run.volume),
                        "created_at": .optional(run.createdAt),
                        "kept_until": .optional(run.keptUntil),
                        "above_critical": .bool(run.critical != nil),
                        "bytes": .bytes(run.bytes), "entries": .array(run.entries.map(\.jsonValue)),
                        "unpurged": .array(run.unpurged.map(\.jsonValue)),
                    ]
                }),
        ]
        return try document.document()
    }
}

/// What a restore brought back.
package struct RestoreReport: Report {
    /// The run.
    package var run: String
    /// The volume.
    package var volume: String
    /// What is back in the cache.
    package var restored: [TrashReport.Entry]
    /// What stays in the trash, and why.
    package var refused: [TrashReport.Entry]

    /// Makes a report from all it consists of.
    package init(run: String, volume: String, restored: [TrashReport.Entry], refused: [TrashReport.Entry]) {
        self.run = run
        self.volume = volume
        self.restored = restored
        self.refused = refused
    }

    /// The outcome for people.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let bytes = restored.reduce(ByteCount.zero) { $0 + $1.bytes }
        page.line(
            "\(Figures.entries(Int64(restored.count))) of \(run) \(restored.count == 1 ? "is" : "are") back on \(volume), \(bytes).",
            tone: .strong)
        for entry in refused {
            page.paragraph(
                "Not brought back: \(entry.key): \(entry.reason ?? "")", hanging: 2, tone: .warning)
        }
        return page.text
    }

    /// The outcome as `larder.restore/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.restore/1", "run": .text(run), "volume": .text(volume),
            "restored": .array(restored.map(\.jsonValue)), "refused": .array(refused.map(\.jsonValue)),
        ]
        return try document.document()
    }
}

/// What a purge of the trash freed.
package struct PurgeReport: Report {
    /// One volume.
    package struct Volume: Sendable, Hashable {
        /// Its name.
        package var name: String
        /// The disk bytes of what was unlinked.
        package var purgedBytes: ByteCount
        /// What could not be unlinked, a sentence each.
        package var failures: [String]

        /// Makes a volume from all it consists of.
        package init(name: String, purgedBytes: ByteCount, failures: [String]) {
            self.name = name
            self.purgedBytes = purgedBytes
            self.failures = failures
        }
    }

    /// The volumes.
    package var volumes: [Volume]

    /// Makes a report.
    package init(volumes: [Volume]) { self.volumes = volumes }

    /// The outcome for people.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        for volume in volumes {
            page.line("\(volume.name): \(volume.purgedBytes) purged from the trash.", tone: .strong)
            for failure in volume.failures { page.paragraph(failure, indent: 2, tone: .bad) }
        }
        return page.text
    }

    /// The outcome as `larder.purge/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.purge/1",
            "volumes": .array(
                volumes.map { volume in
                    [
                        "name": .text(volume.name), "purged_bytes": .bytes(volume.purgedBytes),
                        "failures": .array(volume.failures.map { .text($0) }),
                    ]
                }),
        ]
        return try document.document()
    }
}

extension TrashReport.Entry {
    fileprivate var jsonValue: JSONValue {
        ["key": .text(key), "bytes": .bytes(bytes), "reason": .optional(reason)]
    }
}
