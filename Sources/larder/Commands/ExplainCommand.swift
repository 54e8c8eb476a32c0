import ArgumentParser
import CacheServices
import Foundation

/// Everything known of an entry, and what would happen to it.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "explain", "Show everything known of an entry, and what would happen to it.",
        """
        Reads the index only. Takes any name that an entry has: its key, its path or that of a file in it, on the volume \
        or in the system, a name or the ID of an image, or a pattern over keys. Where several entries are meant, all of \
        them are shown. Of a path that is in no pool it says what lies there.
        """,
        examples: [
            "larder explain com.google.guava:guava:33.0.0-jre",
            "larder explain docker.io/library/postgres:16",
            "larder explain 'com.example:*'",
        ])

    @Argument(
        help: "A key as group:artifact:version, an image's name or ID, a path, or a pattern.",
        completion: .custom(Completions.keys))
    var key: String
    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) { application in
            try application.say(
                application.services.explain(key, from: FileManager.default.currentDirectoryPath))
            return nil
        }
    }
}
