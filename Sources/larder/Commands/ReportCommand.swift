import ArgumentParser
import CacheServices
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
    @Option(help: ArgumentHelp("Say what a volume of this size would bring as well.", valueName: "size"))
    var size: ByteCount?
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
            throw Failure.usage("--window must be at least one day, such as 30d or 2w; found \(window)")
        }
        var options = ReportOptions()
        options.window = window
        options.simulates = simulate
        options.size = size
        options.fetchSpeed = fetchSpeed
        options.measuresSharing = measureSharing
        let report = try application.services.capacityReport(options)
        let text = try rendered(report, now: report.generatedAt)
        if let file { try application.write(text, to: file, "the report") } else { Terminal.say(text) }
        return nil
    }

    /// The report in the format asked for.
    ///
    /// The only place that tells this command's formats apart.
    private func rendered(_ report: CapacityReport, now: Timestamp) throws -> String {
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
