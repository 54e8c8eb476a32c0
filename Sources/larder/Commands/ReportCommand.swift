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
        "report", "Say how large each volume should be, and why.",
        """
        Replays what jobs used and fetched to tell the hit rate at every size, what more space would bring, when a \
        volume fills, and where its space goes. Reads the index, and where the volumes are mounted looks into the \
        largest 1,000 artifacts for duplicates and replaced SNAPSHOT builds. Run 'larder scan' often, at least once \
        a day, and ask after a week.
        """,
        examples: [
            "larder report", "larder report --output report.html", "larder report --window 90d",
        ])

    /// How the report is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, html, csv, openmetrics
    }

    @OptionGroup var volumes: VolumeOptions
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Count the accesses of this time until now, in whole days; unless given 30d.", valueName: "time"),
        transform: { try ValueFormat<Span>.days.argument($0) })
    var window: Span?
    @Option(
        name: .customLong("output"),
        help: ArgumentHelp(
            "Write the report to a file, in the format that its name ends with unless --format says another.",
            valueName: "file"))
    var file: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Say what a volume of this size would bring as well.", valueName: "size"),
        transform: { try ValueFormat<ByteCount>.positiveSize.argument($0) })
    var size: ByteCount?
    @Flag(help: "Compare the eviction by last use with other rules and with the best possible.")
    var simulate = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What jobs fetch a second, such as 20Mi: tells the minutes that space saves.", valueName: "size"),
        transform: { try ValueFormat<ByteCount>.positiveSize.argument($0) })
    var fetchSpeed: ByteCount?
    @Flag(help: "Measure what the image store's files share on disk: opens every file, which takes a while.")
    var measureSharing = false
    @Option(help: "How the report is written; unless given as text.")
    var format: Format?
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        var output = FormatOptions()
        output.format = format == .json ? .json : .text
        try await Application.run(global, output, volume: volumes.volume) { try run($0) }
    }

    func run(_ application: Application) throws -> Failure.Code? {
        var options = ReportOptions()
        options.window = window ?? options.window
        options.simulates = simulate
        options.size = size
        options.fetchSpeed = fetchSpeed
        options.measuresSharing = measureSharing
        let report = try application.services.capacityReport(options)
        let text = try rendered(report, now: report.generatedAt)
        if let file { try application.write(text, to: file, "the report") } else { try Terminal.say(text) }
        return nil
    }

    /// The format that was asked for, by name or by the name of the file.
    private var form: Format { format ?? file.flatMap(Self.format) ?? .text }

    /// The format that a file's name ends with; nil where that is none.
    private static func format(of file: String) -> Format? {
        let end = (file as NSString).pathExtension.lowercased()
        return ["txt": .text, "htm": .html, "prom": .openmetrics][end] ?? Format(rawValue: end)
    }

    func validate() throws {
        guard format == nil, let file, Self.format(of: file) == nil else { return }
        let end = (file as NSString).pathExtension
        guard !end.isEmpty else { return }
        throw ValidationError(
            "--output \(file): no report is written as .\(end); end its name with .html, .json, .csv or .txt, or say "
                + "--format")
    }

    /// The report in the format asked for.
    ///
    /// The only place that tells this command's formats apart.
    private func rendered(_ report: CapacityReport, now: Timestamp) throws -> String {
        switch form {
        case .text:
            let isFile = file != nil
            return report.text(
                width: isFile ? unboundedWidth : Terminal.width, color: !isFile && Terminal.isColoured,
                now: now)
        case .json: return try report.json()
        case .html: return report.html()
        case .csv: return report.csv(now: now)
        case .openmetrics: return report.openMetrics()
        }
    }
}
