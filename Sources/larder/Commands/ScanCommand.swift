import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Reporting

/// Walks the volumes, brings the index up to date and records what was used.
struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Walk the volumes and bring the index up to date.",
        discussion: """
            Finds what was fetched, used and lost since the last scan. Directories that did not change are not \
            read again. A volume that is not mounted is named and skipped.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup var textfile: TextfileOptions

    func run() async throws {
        try await Application.run(global, output) {
            try await $0.tellingMetrics(textfile) { try await Self.run($0) }
        }
    }

    static func run(_ application: Application) async throws -> Failure.Code? {
        let startedAt = application.clock()
        let (volumes, skipped) = try application.presentVolumes()
        let index = try application.index()
        var report = ScanReport(startedAt: startedAt, duration: .zero, volumes: [], skipped: skipped)
        var failures: [Failure] = []
        for volume in volumes {
            do {
                let locked = try application.lock(volume)
                let survey = try application.survey(locked, index)
                report.volumes.append(ScanReport.Volume(survey, of: volume))
            } catch {
                report.skipped.append(failures.skip(volume, for: error))
            }
        }
        if report.volumes.isEmpty, let first = failures.first { throw first }
        report.duration = application.clock() - startedAt
        try application.say(report)
        return failures.isEmpty && report.volumes.allSatisfy(\.complete) ? nil : .inPart
    }
}

extension Application {
    /// Scans a volume into the index, with its progress on a terminal and its notices on standard error.
    func survey(
        _ locked: LockedVolume, _ index: CacheIndex, warm: WarmRun? = nil
    ) throws -> ScanService.Result {
        let line = ProgressLine("\(locked.volume.name): scanning")
        defer { line.end() }
        let survey = ScanService(index: index, regretWindow: configuration.regretWindow, clock: clock) {
            done in
            line.update("\(done) directories")
        }
        let result = try survey.run(locked, warm: warm)
        warn(result.notices)
        return result
    }
}

extension ScanReport.Volume {
    /// The lines of one volume's scan.
    init(_ survey: ScanService.Result, of volume: Volume) {
        let scan = survey.scan
        self.init(
            name: volume.name, path: volume.path, scan: survey.recorded.number,
            baseline: survey.recorded.baseline,
            complete: scan.complete, directories: scan.directories, files: scan.files, bytes: scan.bytes,
            apparentBytes: scan.apparentBytes, unreadable: scan.unreadableCount,
            unreadablePaths: scan.unreadable,
            evidence: scan.atimeTrust,
            pools: survey.recorded.pools.map {
                ScanReport.PoolLine(
                    pool: $0.pool, entries: $0.entries, files: $0.files, bytes: $0.bytes, new: $0.new,
                    used: $0.used,
                    gone: $0.gone)
            })
    }
}
