import CacheModel

/// What a scan of the volumes found.
package struct ScanReport: Report {
    /// One scanned volume.
    package struct Volume: Sendable {
        /// Its name.
        package var name: String
        /// Its absolute path.
        package var path: String
        /// The number of its scan in the index.
        package var scan: Int64
        /// Whether this was its first scan: what that finds is neither hit nor miss.
        package var baseline: Bool
        /// Whether everything could be read.
        package var complete: Bool
        /// The number of directories.
        package var directories: Int64
        /// The number of files, hard links counted once.
        package var files: Int64
        /// Disk blocks × 512 of all that is live.
        package var bytes: ByteCount
        /// The sum of the files' lengths.
        package var apparentBytes: ByteCount
        /// How many paths could not be read.
        package var unreadable: Int64
        /// The first of them.
        package var unreadablePaths: [UnreadablePath]
        /// How far what jobs used can be told; nil where it was not looked at.
        package var evidence: EvidenceQuality?
        /// What was found in each pool, in the contract's order.
        package var pools: [PoolLine]
        /// What arrived by copy since the scan before, so that no job fetched it.
        package var copied: (entries: Int64, bytes: ByteCount) = (0, .zero)
        /// What belongs to none, the largest directories first.
        package var unmanaged: [UnmanagedDirectory] = []
        /// How many inodes it uses; nil where they are no quota.
        package var inodes: InodeUse?

        /// Makes a volume from all it consists of.
        package init(
            name: String, path: String, scan: Int64, baseline: Bool = false, complete: Bool,
            directories: Int64,
            files: Int64, bytes: ByteCount, apparentBytes: ByteCount, unreadable: Int64 = 0,
            unreadablePaths: [UnreadablePath] = [], evidence: EvidenceQuality? = nil, pools: [PoolLine]
        ) {
            self.name = name
            self.path = path
            self.scan = scan
            self.baseline = baseline
            self.complete = complete
            self.directories = directories
            self.files = files
            self.bytes = bytes
            self.apparentBytes = apparentBytes
            self.unreadable = unreadable
            self.unreadablePaths = unreadablePaths
            self.evidence = evidence
            self.pools = pools
        }

        /// What belongs to no pool.
        var unmanagedBytes: ByteCount { max(.zero, pools.reduce(bytes) { $0 - $1.bytes }) }
    }

    /// What was found in one pool.
    package struct PoolLine: Sendable, Hashable {
        /// Which one.
        package var pool: Pool
        /// The number of entries.
        package var entries: Int64
        /// The number of their files.
        package var files: Int64
        /// What they occupy; for images, each stored layer once.
        package var bytes: ByteCount
        /// How many were not there before, or were fetched anew.
        package var new: Int64
        /// How many were there before and were used.
        package var used: Int64
        /// How many were there before and are no more.
        package var gone: Int64

        /// Makes a line from all it consists of.
        package init(
            pool: Pool, entries: Int64, files: Int64, bytes: ByteCount, new: Int64, used: Int64, gone: Int64
        ) {
            self.pool = pool
            self.entries = entries
            self.files = files
            self.bytes = bytes
            self.new = new
            self.used = used
            self.gone = gone
        }
    }

    /// When the scan began.
    package var startedAt: Timestamp
    /// How long it took.
    package var duration: Span
    /// The volumes in the order of configuration.
    package var volumes: [Volume]
    /// The volumes that were passed over.
    package var skipped: [SkippedVolume]

    /// Makes a report from all it consists of.
    package init(startedAt: Timestamp, duration: Span, volumes: [Volume], skipped: [SkippedVolume] = []) {
        self.startedAt = startedAt
        self.duration = duration
        self.volumes = volumes
        self.skipped = skipped
    }
}

extension ScanReport {
    /// The scan for people: the outcome, then each volume by pool.
    package func text(width: Int = 80, color: Bool, now: Timestamp) -> String {
        var page = TextPage(width: width, color: color)
        let incomplete = volumes.filter { !$0.complete }
        if !incomplete.isEmpty {
            let paths = incomplete.reduce(0) { $0 + $1.unreadable }
            page.paragraph(
                "Scan incomplete: \(Figures.count(paths, "path", "paths")) on "
                    + "\(Figures.list(incomplete.map(\.name))) could not be read; nothing is pruned there.",
                tone: .bad)
        }
        page.paragraph(summary, tone: incomplete.isEmpty ? .strong : .plain)
        for volume in volumes { volume.write(to: &page) }
        page.skipped(skipped)
        return page.text
    }

    private var summary: String {
        guard !volumes.isEmpty else { return "No volume was scanned." }
        let pools = volumes.flatMap(\.pools)
        let bytes = volumes.reduce(ByteCount.zero) { $0 + $1.bytes }
        func sum(_ figure: (PoolLine) -> Int64) -> Int64 { pools.reduce(0) { $0 + figure($1) } }
        return "Scanned \(Figures.count(Int64(volumes.count), "volume", "volumes")) in "
            + "\(Figures.duration(duration)): \(bytes), \(Figures.entries(sum(\.entries))); "
            + "\(Figures.grouped(sum(\.new))) new, \(Figures.grouped(sum(\.used))) used, "
            + "\(Figures.grouped(sum(\.gone))) gone."
    }

    /// The scan as `larder.scan/1`.
    package func json() throws -> String {
        let document: JSONValue = [
            "schema": "larder.scan/1", "scan": .integer(volumes.map(\.scan).max() ?? 0),
            "started_at": .time(startedAt), "duration_seconds": .number(Figures.seconds(duration)),
            "volumes": .array(volumes.map(\.jsonValue)), "skipped": .array(skipped.map(\.jsonValue)),
        ]
        return try document.document()
    }
}

extension ScanReport.Volume {
    fileprivate func write(to page: inout TextPage) {
        page.blank()
        page.line("\(name)  \(path)", tone: .strong)
        page.paragraph(
            "\(bytes) on disk (\(apparentBytes) in length), \(Figures.count(files, "file", "files")), "
                + "\(Figures.count(directories, "directory", "directories"))", indent: 2)
        if let inodes { page.paragraph(inodes.sentence, indent: 2) }
        if baseline { page.line("first scan: what it found counts as neither hit nor miss", indent: 2) }
        var table = TextTable(
            ("pool", .left), ("size", .right), ("entries", .right), ("files", .right), ("new", .right),
            ("used", .right), ("gone", .left))
        for pool in pools {
            let figures = [pool.entries, pool.files, pool.new, pool.used, pool.gone]
            table.rows.append([pool.pool.rawValue, "\(pool.bytes)"] + figures.map(Figures.grouped))
        }
        if unmanagedBytes > .zero { table.rows.append(["unmanaged", "\(unmanagedBytes)"]) }
        if !table.rows.isEmpty { page.table(table) }
        if copied.entries > 0 {
            page.paragraph(
                "\(Figures.entries(copied.entries)), \(copied.bytes), arrived by copy and count as neither hit nor miss",
                indent: 2)
        }
        if let evidence, evidence.confidence < .high, !evidence.reason.isEmpty {
            page.paragraph("evidence \(evidence.confidence.rawValue): \(evidence.reason)", indent: 2)
        }
        page.unmanaged(unmanaged)
        guard unreadable > 0 else { return }
        page.line("not readable: \(Figures.count(unreadable, "path", "paths"))", indent: 2, tone: .bad)
        let shown = page.first(5, of: unreadablePaths)
        for path in shown { page.line("\(path.path): \(path.reason)", indent: 4) }
        let more = unreadable - Int64(shown.count)
        if more > 0 {
            page.line("… and \(Figures.grouped(more)) more (--format json lists them)", indent: 4)
        }
    }

    fileprivate var jsonValue: JSONValue {
        [
            "name": .text(name), "path": .text(path), "scan": .integer(scan), "baseline": .bool(baseline),
            "complete": .bool(complete), "directories": .integer(directories), "files": .integer(files),
            "bytes": .bytes(bytes), "apparent_bytes": .bytes(apparentBytes),
            "unreadable": .integer(unreadable),
            "unreadable_paths": .array(
                unreadablePaths.map { ["path": .text($0.path.description), "reason": .text($0.reason)] }),
            "copied": ["entries": .integer(copied.entries), "bytes": .bytes(copied.bytes)],
            "inodes": inodes?.jsonValue ?? .null,
            "unmanaged_bytes": .bytes(unmanagedBytes), "unmanaged": .array(unmanaged.map(\.jsonValue)),
            "evidence": evidence.map {
                ["confidence": .text($0.confidence.rawValue), "reason": .text($0.reason)]
            } ?? .null,
            "pools": .array(
                pools.map { pool in
                    [
                        "name": .text(pool.pool.rawValue), "entries": .integer(pool.entries),
                        "files": .integer(pool.files), "bytes": .bytes(pool.bytes), "new": .integer(pool.new),
                        "used": .integer(pool.used), "gone": .integer(pool.gone),
                    ]
                }),
        ]
    }
}
