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
            try await $0.tellingMetrics(textfile) { try $0.say($0.services.scan()) }
        }
    }
}
