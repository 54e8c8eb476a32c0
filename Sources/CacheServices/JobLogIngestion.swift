import CacheIndex
import CacheModel
import Caches
import Glibc

/// Takes the downloads that a job's log names into the index.
///
/// A log is optional and additional: it finds fetches that no scan can see, and tells which job made those that
/// scans saw.
package struct JobLogIngestion: Sendable {
    private let index: CacheIndex
    private let regretWindow: Span

    /// What a log held, and what became of it.
    package struct Result: Sendable {
        /// What was read.
        package var log: JobLog.Reading
        /// The job it is counted for: the one named by the caller, else by the log.
        package var job: String?
        /// The job's project: the one named by the caller, else by the log.
        package var project: String?
        /// The entries downloaded.
        package var entries: [IngestedDownload]
    }

    /// Makes an ingestion into `index`.
    package init(index: CacheIndex, regretWindow: Span) {
        self.index = index
        self.regretWindow = regretWindow
    }

    /// Reads the log in a file, or from standard input where `path` is `-`, and records it.
    ///
    /// A file that is none, such as a FIFO, is refused and not waited for.
    ///
    /// - Parameters:
    ///   - volume: the volume of the job's cache.
    ///   - job: its name or number; nil takes what the log says.
    ///   - project: the number or name of its project; nil takes what the log says.
    ///   - now: no download is later than this.
    /// - Throws: `JobLogError` or `IndexError`; nothing is recorded then.
    package func run(
        _ kind: JobLogKind, path: String, volume: String, job: String?, project: String? = nil, now: Timestamp
    ) throws -> Result {
        var log: JobLog.Reading
        if path == "-" {
            log = try JobLog(kind).read(STDIN_FILENO, job: job, endedAt: now)
        } else {
            let (file, changedAt) = try Self.open(path)
            defer { close(file) }
            log = try JobLog(kind).read(file, job: job, endedAt: min(changedAt, now))
        }
        let job = job ?? log.job
        let project = project ?? log.project
        let entries = try index.ingest(
            log.downloads, of: volume, job: job, project: project, regretWindow: regretWindow)
        return Result(log: log, job: job, project: project, entries: entries)
    }

    /// Opens a regular file; gives when it was last written to, too.
    private static func open(_ path: String) throws(JobLogError) -> (Int32, Timestamp) {
        let file = Glibc.open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw .unreadable(reason: String(cString: strerror(errno))) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw .noFile
        }
        let changed = status.st_mtim
        return (file, Timestamp(seconds: Int64(changed.tv_sec), nanoseconds: Int64(changed.tv_nsec)))
    }
}
