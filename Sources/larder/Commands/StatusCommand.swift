import ArgumentParser
import CacheServices
import Reporting

/// How the volumes stand, from the index alone.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "status", "Show how full the volumes are, how well they serve, and what comes next.",
        "Reads the index only: it is as fresh as the last scan, and says how old that is.",
        examples: ["larder status", "larder status --volume build --format json"])

    /// How the status is written.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, html, csv, openmetrics
    }

    @OptionGroup var volumes: VolumeOptions
    @Option(help: "How the status is written.") var format: Format = .text
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        var output = FormatOptions()
        output.format = format == .json ? .json : .text
        try await Application.run(global, output, volume: volumes.volume) { application in
            let services = application.services
            switch format {
            case .text: try application.say(services.statusWithOutlook())
            case .json: try application.say(services.status())
            case .html:
                try Terminal.say(
                    try services.status().html(version: LarderVersion.current, now: services.clock()))
            case .csv: try Terminal.say(try services.status().csv())
            case .openmetrics: try Terminal.say(try services.metrics().text(.openMetrics))
            }
            return nil
        }
    }
}
