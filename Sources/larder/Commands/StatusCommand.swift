import ArgumentParser
import CacheIndex
import CacheModel
import Daemon
import Reporting

/// How the volumes stand, from the index alone.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show size against quota, hit rates and the last runs.",
        discussion: "Reads the index only: it is as fresh as the last scan, and says how old that is.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await Application.run(global, output) { application in
            try application.say(application.services.status())
            return nil
        }
    }
}
