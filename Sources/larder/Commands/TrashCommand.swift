import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Reporting

/// What can still be brought back.
struct TrashCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "trash", "List, bring back or purge what prunes moved into the trash.", "",
        examples: [
            "larder trash", "larder trash restore RUN", "larder trash restore RUN com.example:lib:1.0",
        ],
        subcommands: [TrashListCommand.self, TrashRestoreCommand.self, TrashPurgeCommand.self],
        defaultSubcommand: TrashListCommand.self)
}

/// The runs in the trash with their entries.
struct TrashListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "list", "List the runs in the trash and how long they can be brought back.", "",
        examples: ["larder trash list --volume build"])

    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) { application in
            try application.say(application.services.trashedRuns())
            return nil
        }
    }
}

/// Brings entries back.
struct TrashRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "restore", "Bring back the entries of a run, or some of them.",
        "Nothing is overwritten: what a job fetched again meanwhile stays as it is, and is named.",
        examples: [
            "larder trash restore RUN", "larder trash restore RUN 'com.example:*'",
            "larder trash restore com.example:lib:1.0",
        ])

    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions
    @Argument(
        help: ArgumentHelp(
            "The run, as 'larder trash list' names it, or how its name begins; or a key, for the newest run that has it.",
            valueName: "run"),
        completion: .custom(Completions.runs))
    var runID: String
    @Argument(
        help: "Only entries with this key, or whose keys match this pattern, such as 'com.example:*'.",
        completion: .custom(Completions.trashedKeys))
    var key: String?

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) {
            try $0.say($0.services.restore(run: runID, key: key))
        }
    }
}

/// Empties the trash.
struct TrashPurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "purge", "Empty the trash for good, of all volumes or of one.", "",
        examples: ["larder trash purge --volume build"])

    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) {
            try $0.say($0.services.purgeTrash())
        }
    }
}
