import CacheModel
import Foundation
import GRDB

extension CacheIndex {
    /// How long accesses are kept one by one in any case.
    package static let keptOneByOne = Span.days(30)

    /// Records what a job's log says was downloaded into a volume.
    ///
    /// One transaction. Between two scans an entry counts once, and a log adds only what scans could not see: a
    /// miss that a scan recorded is told which job fetched it, a download that no scan saw is a miss, and a hit of
    /// the same interval is that miss's read. What is later than the last scan waits for the next one. A line that
    /// was ingested before counts no more.
    ///
    /// - Parameters:
    ///   - downloads: what the log names.
    ///   - volume: where the job keeps what it downloads.
    ///   - job: the job's name or number, for `explain`.
    ///   - project: the job's project; nil where that is not known.
    ///   - regretWindow: how long after its eviction an entry's return is regret.
    /// - Returns: what became of each entry, in the order of the log.
    /// - Throws: `IndexError`, `unknownVolume` where no scan of the volume was recorded; nothing is recorded then.
    package func ingest(
        _ downloads: [JobDownload], of volume: String, job: String?, project: String? = nil,
        regretWindow: Span = .days(14)
    ) throws -> [IngestedDownload] {
        try writing { db in
            guard let row = try volumeRow(named: volume, db) else {
                throw IndexError.unknownVolume(name: volume, path: place.path)
            }
            let project = try downloads.isEmpty ? nil : project.flatMap { try db.projectRow(named: $0) }
            let known = try downloads.filter {
                try !insert($0, volume: row, job: job, project: project, db)
            }
            let ids = Set(known.map(\.id))
            let new = downloads.filter { !ids.contains($0.id) }
            let settled = try DownloadReconciliation(db: db, volume: row, regretWindow: regretWindow).run()
            let again = try known.map { (id: $0.id, settled: try ingested($0.id, db)) }
            return Self.results(new, settled)
                + Self.results(
                    known, Dictionary(again.map { ($0.id, $0.settled) }, uniquingKeysWith: { $1 }))
        }
    }

    /// Writes a download down; false where it was before.
    private func insert(
        _ download: JobDownload, volume: Int64, job: String?, project: Int64?, _ db: Database
    ) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: """
                INSERT OR IGNORE INTO job_downloads
                    (id, volume, pool, directory, file, bytes, earliest, latest, job, project)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            download.id, volume, download.pool.code, download.directory.joined(separator: "/"), download.file,
            download.bytes.bytes, download.earliest.nanoseconds, download.latest.nanoseconds, job,
            project,
        ])
        return db.changesCount > 0
    }

    /// What is known of a download that was ingested before.
    private func ingested(_ download: Int64, _ db: Database) throws -> DownloadReconciliation.Settled {
        let statement = try db.cachedStatement(
            sql: """
                SELECT ifnull(entries.key, ghosts.key) FROM job_downloads
                LEFT JOIN entries ON entries.id = entry LEFT JOIN ghosts ON ghosts.id = entry
                WHERE job_downloads.id = ?
                """)
        return .init(result: .known, key: try String.fetchOne(statement, arguments: [download]))
    }

    /// The downloads by entry.
    private static func results(
        _ downloads: [JobDownload], _ settled: [Int64: DownloadReconciliation.Settled]
    ) -> [IngestedDownload] {
        var results: [IngestedDownload] = []
        var places: [String: Int] = [:]
        for download in downloads {
            let end = settled[download.id]
            let result = end?.result ?? .known
            let key = end?.key ?? JobDownload.keys(directory: download.directory).first ?? download.file
            let name = "\(result.rawValue) \(key)"
            if let place = places[name] {
                results[place].files += 1
                results[place].bytes += download.bytes
            } else {
                places[name] = results.count
                results.append(
                    IngestedDownload(
                        pool: download.pool, key: key, files: 1, bytes: download.bytes, result: result))
            }
        }
        return results
    }

    /// The jobs whose logs name downloads of an entry, by the scan whose miss they belong to.
    func jobs(of entry: Int64, _ db: Database) throws -> [Int64: [String]] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT DISTINCT scan, job FROM job_downloads
                WHERE entry = ? AND scan IS NOT NULL AND job IS NOT NULL ORDER BY scan, job
                """,
            arguments: [entry])
        var jobs: [Int64: [String]] = [:]
        while let row = try rows.next() { jobs[try row.integer(0), default: []].append(try row.text(1)) }
        return jobs
    }
}
