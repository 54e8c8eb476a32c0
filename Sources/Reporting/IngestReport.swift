import CacheModel

/// What the log of a job told of its downloads, and how they were counted.
package struct IngestReport: Report {
    /// The kind of log: `maven-log` or `gradle-log`.
    package var kind: String
    /// Where it came from: a path, or `-`.
    package var log: String
    /// The volume's name.
    package var volume: String
    /// The job; nil where nobody named it.
    package var job: String?
    /// The job's project; nil where nobody named it.
    package var project: String?
    /// How many jobs' logs begin in it; 0 where no line says so.
    package var jobs = 0
    /// How many lines it has, empty ones left out.
    package var lines: Int
    /// How many of them tell of no download.
    package var skipped: Int
    /// How many tell of downloads that are no artifact, or of one named before.
    package var others: Int
    /// How many begin as a download and cannot be read.
    package var damaged: Int
    /// The first of those.
    package var firstDamaged: Int?
    /// Whether the log named more downloads than are taken from one.
    package var isCut: Bool
    /// How much of the log was read, where that is not all of it.
    package var readUpTo: ByteCount?
    /// The entries downloaded, in the order of the log.
    package var entries: [IngestedDownload]

    /// Makes a report from all it consists of.
    package init(
        kind: String, log: String, volume: String, job: String?, lines: Int, skipped: Int, others: Int,
        damaged: Int, firstDamaged: Int?, isCut: Bool, entries: [IngestedDownload]
    ) {
        self.kind = kind
        self.log = log
        self.volume = volume
        self.job = job
        self.lines = lines
        self.skipped = skipped
        self.others = others
        self.damaged = damaged
        self.firstDamaged = firstDamaged
        self.isCut = isCut
        self.entries = entries
    }

    /// The outcome for people: how much was downloaded, and how it was counted.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let writer = (job.map { "Job \($0)" } ?? "The job") + (project.map { " of project \($0)" } ?? "")
        if entries.isEmpty {
            page.paragraph(
                damaged > 0
                    ? "No download in the log could be read, so there is nothing to count."
                    : "The log names no downloads of artifacts, so there is nothing to count.", tone: .warning
            )
            if damaged == 0 { page.paragraph(advice, indent: 2) }
        } else {
            page.paragraph(
                "\(writer) downloaded \(Figures.entries(Int64(entries.count)))"
                    + (bytes > .zero ? ", \(bytes)." : "."), tone: .good)
            for result in IngestedDownload.Result.allCases {
                let these = entries.filter { $0.result == result }
                guard !these.isEmpty else { continue }
                page.paragraph(
                    "\(Figures.grouped(Int64(these.count))) \(result.words(volume))", indent: 2, hanging: 2)
                if result == .recorded { write(these, to: &page) }
            }
        }
        page.paragraph(
            "\(Figures.count(Int64(lines), "line", "lines")): \(Figures.grouped(Int64(skipped))) name "
                + "no download, \(Figures.grouped(Int64(others))) name no artifact or a repeated one.",
            indent: 2,
            hanging: 2)
        if damaged > 0, let firstDamaged {
            page.paragraph(
                "\(Figures.count(Int64(damaged), "line", "lines")) could not be read and are not counted; the "
                    + "first is line \(Figures.grouped(Int64(firstDamaged))).", indent: 2, hanging: 2,
                tone: .warning)
        }
        if jobs > 1, project == nil {
            page.paragraph(
                "It holds the logs of \(jobs) jobs: which of them made a download cannot be told. Ingest each by "
                    + "itself, or name --job and --project.", indent: 2, hanging: 2, tone: .warning)
        }
        if isCut {
            page.paragraph(
                "The log names more downloads than any job makes; the rest were left out.", indent: 2,
                tone: .warning)
        }
        if let readUpTo {
            page.paragraph(
                "The log is longer than any job's: only its first \(readUpTo) were read.", indent: 2,
                tone: .warning)
        }
        return page.text
    }

    private func write(_ entries: [IngestedDownload], to page: inout TextPage) {
        var table = TextTable(("size", .right), ("entry", .left))
        table.rows = page.first(10, of: entries).map { [$0.bytes > .zero ? "\($0.bytes)" : "–", $0.key] }
        page.table(table, of: entries.count, indent: 4)
    }

    private var bytes: ByteCount { entries.reduce(.zero) { $0 + $1.bytes } }

    private var advice: String {
        kind == "maven-log"
            ? "Maven names none with -ntp or -q, and none when everything is in the cache."
            : "Gradle names them with --info only, and none when everything is in the cache."
    }

    /// The outcome as `larder.ingest/1`.
    package func json() throws -> String {
        func count(_ result: IngestedDownload.Result) -> JSONValue {
            .integer(Int64(entries.count { $0.result == result }))
        }
        let recorded = entries.filter { $0.result == .recorded }
        let document: JSONValue = [
            "schema": "larder.ingest/1", "kind": .text(kind), "log": .text(log), "volume": .text(volume),
            "job": .optional(job), "project": .optional(project),
            "lines": [
                "all": .integer(Int64(lines)), "skipped": .integer(Int64(skipped)),
                "others": .integer(Int64(others)), "damaged": .integer(Int64(damaged)),
                "first_damaged": firstDamaged.map { .integer(Int64($0)) } ?? .null, "cut": .bool(isCut),
                "read_up_to": readUpTo.map { .bytes($0) } ?? .null,
            ],
            "misses": .integer(Int64(recorded.count)),
            "miss_bytes": .bytes(recorded.reduce(.zero) { $0 + $1.bytes }),
            "counts": .object(
                IngestedDownload.Result.allCases.map { (key: $0.rawValue, value: count($0)) }),
            "entries": .array(
                entries.map { entry in
                    [
                        "pool": .text(entry.pool.rawValue), "key": .text(entry.key),
                        "files": .integer(entry.files), "bytes": .bytes(entry.bytes),
                        "result": .text(entry.result.rawValue),
                    ]
                }),
        ]
        return try document.document()
    }
}

extension IngestedDownload.Result {
    /// What it means, behind a number of entries.
    func words(_ volume: String) -> String {
        switch self {
        case .recorded: "counted as misses: no scan had seen them"
        case .seen: "seen by a scan, or named by another log: not counted again"
        case .waiting: "newer than the last scan: the next scan decides"
        case .known: "ingested before: not counted again, and of the project that it was of then"
        case .notHere: "never on volume \(volume): not counted"
        case .beforeFirstScan: "possibly from before the first scan of \(volume): not counted"
        case .tooOld: "older than 30 days: not counted"
        }
    }
}
