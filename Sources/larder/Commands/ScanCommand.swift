import ArgumentParser
import CacheServices

/// Walks the volumes, brings the index up to date and records what was used.
struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "scan", "Walk the volumes and bring the index up to date.",
        """
        Finds what was fetched, used and lost since the last scan. Directories that did not change are not read \
        again. A volume that is not mounted is named and skipped.
        """, examples: ["larder scan", "larder scan --volume build --textfile /metrics/larder.prom"])

    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var textfile: TextfileOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) {
            try await $0.tellingMetrics(textfile) { try $0.say($0.services.scan()) }
        }
    }
}
