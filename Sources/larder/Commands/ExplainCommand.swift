import ArgumentParser
import CacheIndex
import CacheModel
import Daemon
import Reporting

/// Everything known of one entry.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show everything known of one entry, and what would happen to it.",
        discussion: "Reads the index only.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @Argument(help: "group:artifact:version, an image's reference, or a path as 'list' shows it.")
    var key: String

    func run() async throws {
        try await Application.run(global, output) { application in
            try application.say(application.services.explain(key))
            return nil
        }
    }
}
