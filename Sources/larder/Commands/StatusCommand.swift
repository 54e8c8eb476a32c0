import ArgumentParser
import CacheServices

/// How the volumes stand, from the index alone.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "status", "Show how full the volumes are, how well they serve, and what comes next.",
        "Reads the index only: it is as fresh as the last scan, and says how old that is.",
        examples: ["larder status", "larder status --volume build --format json"])

    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) { application in
            let services = application.services
            try application.say(output.format == .text ? services.statusWithOutlook() : services.status())
            return nil
        }
    }
}
