import ArgumentParser
import CacheIndex
import CacheModel
import Caches
import Foundation
import Reporting

/// How large the volumes should be, and why, from the index alone.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Say how large each volume should be, and why.",
        discussion: """
            Replays what jobs used and fetched to tell the hit rate at every size, what more space would bring, \
            when a volume fills, and where its space goes. Reads the index, and where the volumes are mounted \
            looks into the largest 1,000 artifacts for duplicates and replaced SNAPSHOT builds. Run \
            'larder scan' often, at least once a day, and ask after a week.
            """)

    /// How the report is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, html, csv, openmetrics
    }

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @Option(help: "How the report is written.") var format: Format = .text
    @Option(
        help: ArgumentHelp("Count the accesses of this time until now, in whole days.", valueName: "time"))
    var window: String = "30d"
    @Option(name: .customLong("output"), help: ArgumentHelp("Write the report to a file.", valueName: "file"))
    var file: String?
    @Flag(help: "Compare the eviction by last use with other rules and with the best possible.")
    var simulate = false
    @Option(
        help: ArgumentHelp(
            "What jobs fetch a second, as 20Mi: tells the minutes that space saves.", valueName: "size"))
    var fetchSpeed: ByteCount?
    @Flag(help: "Measure what the image store's files share on disk: opens every file, which takes a while.")
    var measureSharing = false

    func run() async throws {
        var output = FormatOptions()
        output.format = format == .json ? .json : .text
        try await Application.run(global, output) { try run($0) }
    }

    func run(_ application: Application) throws -> Failure.Code? {
        guard let window = Span(window), window >= .days(1) else {
            throw Failure.usage("--window \(window) is no time of a day or more; write 30d or 2w")
        }
        let index = try application.index(readOnly: true)
        let now = application.clock()
        let settings = application.configuration.report
        if let overdue = settings.review.overdue(at: now) { Terminal.complain("larder: \(overdue)") }
        var report = CapacityReport(
            generatedAt: now, window: window, volumes: [], fetchSpeed: fetchSpeed ?? settings.fetchSpeed)
        for (volume, usage) in try application.usages(index) {
            report.idleWarmings += try index.idleWarmings(of: volume.name, since: now - window)
            guard let history = try index.history(of: volume.name) else { continue }
            let isStore = volume.kind == .imageStore
            var tax = isStore ? CapacityReport.ImageTax(usage.layers) : nil
            tax?.look(at: volume, usage, measuring: measureSharing)
            let look = isStore ? nil : ArtifactLook(path: volume.path)
            report.volumes.append(
                CapacityReport.Volume(
                    volume, usage, history, window: window, terms: settings.terms(now: now),
                    simulates: simulate,
                    findings: look?.findings(in: usage.entries) ?? ArtifactFindings(),
                    containers: tax?.peak?.bytes ?? .zero, now: now))
            if let left = OrphanSection(volume: volume.name, orphans: try index.orphans(of: volume.name)) {
                report.orphans.append(left)
            }
            report.images = report.images ?? tax
        }
        let text = try rendered(report, application, now: now)
        guard let file else {
            Terminal.say(text)
            return nil
        }
        do { try text.write(toFile: file, atomically: true, encoding: .utf8) } catch {
            throw Failure(
                code: .failed,
                message: "the report cannot be written to \(file): \(error.localizedDescription)",
                hint: "name a file in a directory that can be written")
        }
        return nil
    }

    /// The report in the format asked for.
    ///
    /// The only place that tells this command's formats apart.
    private func rendered(_ report: CapacityReport, _ application: Application, now: Timestamp) throws
        -> String
    {
        switch format {
        case .text:
            let isFile = file != nil
            return report.text(
                width: isFile ? 80 : Terminal.width, color: !isFile && Terminal.isColoured, now: now)
        case .json: return try report.json()
        case .html: return report.html()
        case .csv: return report.csv(now: now)
        case .openmetrics: return report.openMetrics()
        }
    }
}

extension CapacityReport.ImageTax {
    /// Adds what the event logs and, where asked for, the files on disk tell.
    fileprivate mutating func look(at volume: Volume, _ usage: VolumeUsage, measuring: Bool) {
        let images = usage.entries.filter { $0.found.image != nil }
        containers = images.reduce(0) { $0 + ($1.found.image?.containers ?? 0) }
        var sizes: [String: ByteCount] = [:]
        for image in images {
            // A container's copy is the top layer's tree; events name the image by a reference or its ID.
            let top = image.found.image?.layers.first
            let size = usage.layers.first { $0.id == top }?.storedBytes ?? .zero
            for name in [image.found.image?.id ?? image.key] + (image.found.image?.names ?? []) {
                sizes[name] = size
            }
        }
        peak = ContainerPeak(logsIn: volume.eventsPath) { sizes[$0] ?? .zero }
        if measuring {
            sharing = StoreSharing(measuring: volume.path + "/vfs/dir")
            if sharing == nil {
                Terminal.complain(
                    "larder: --measure-sharing: the file system of \(volume.path) shares no extents; "
                        + "XFS with reflinks and btrfs do")
            }
        }
    }
}
