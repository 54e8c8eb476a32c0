import CacheModel
import Caches
import Reporting

extension Services {
    /// Takes the downloads that a job's log names into the index.
    ///
    /// - Parameters:
    ///   - file: the log; `-` is standard input.
    ///   - job: the job that wrote it; nil for the one that the log names.
    ///   - project: the job's project; nil for the one that the log names.
    ///   - volume: the volume of the job's cache; nil where there is only one.
    /// - Throws: `Failure`, `IndexError`; nothing is recorded then.
    package func ingest(
        _ kind: JobLogKind, file: String, job: String?, project: String? = nil, volume: String?
    ) throws -> IngestReport {
        let name = try buildCacheName(volume)
        for (option, text) in [("--job", job), ("--project", project)] {
            guard let text else { continue }
            if text.isEmpty || text.utf8.count > 200 || escaped(Array(text.utf8)) != text {
                throw Failure.usage("\(option) takes a name of 1 to 200 printable characters")
            }
        }
        let ingestion = JobLogIngestion(index: try index(), regretWindow: configuration.regretWindow)
        do {
            let result = try ingestion.run(
                kind, path: file, volume: name, job: job, project: project, now: clock())
            var report = IngestReport(
                kind: kind.rawValue, log: file, volume: name, job: result.job, lines: result.log.lines,
                skipped: result.log.skipped, others: result.log.others, damaged: result.log.damaged,
                firstDamaged: result.log.firstDamaged, isCut: result.log.isCut, entries: result.entries)
            report.project = result.project
            report.jobs = result.log.jobs
            report.readUpTo = result.log.readUpTo
            return report
        } catch JobLogError.noFile {
            throw Failure(
                code: .failed, message: "\(escaped(Array(file.utf8))) is not a file",
                hint: "name a file, or write - and send the log to standard input")
        } catch JobLogError.unreadable(let reason) {
            let place = file == "-" ? "standard input" : escaped(Array(file.utf8))
            throw Failure(
                code: .failed, message: "the log cannot be read from \(place): \(reason)",
                hint: "name the log of a job, or - for standard input")
        }
    }

    private func buildCacheName(_ volume: String?) throws -> String {
        let caches = configuration.volumes.filter { $0.kind == .buildCache }
        let names = caches.map(\.name).joined(separator: ", ")
        if let volume {
            guard caches.contains(where: { $0.name == volume }) else {
                throw Failure.usage("no build cache is called \(volume); the build caches are: \(names)")
            }
            return volume
        }
        guard let only = caches.first, caches.count == 1 else {
            throw Failure.usage("there are several build caches, \(names): say which one with --volume")
        }
        return only.name
    }
}
