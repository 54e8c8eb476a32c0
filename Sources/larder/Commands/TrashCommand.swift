import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Reporting

/// What can still be brought back.
struct TrashCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trash", abstract: "List, bring back or purge what prunes moved into the trash.",
        subcommands: [TrashListCommand.self, TrashRestoreCommand.self, TrashPurgeCommand.self],
        defaultSubcommand: TrashListCommand.self)
}

/// The runs in the trash with their entries.
struct TrashListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the runs in the trash and how long they can be brought back.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await Application.run(global, output) { application in
            try application.say(application.services.trashedRuns())
            return nil
        }
    }
}

/// Brings entries back.
struct TrashRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Bring back the entries of a run, or one of them.",
        discussion: "Nothing is overwritten: what a job fetched again meanwhile stays as it is, and is named."
    )

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @Argument(help: "The run, as 'larder trash list' names it.") var runID: String
    @Argument(help: "Only this entry.") var key: String?

    func run() async throws {
        try await Application.run(global, output) { try $0.say($0.services.restore(run: runID, key: key)) }
    }
}

/// Empties the trash.
struct TrashPurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Empty the trash of all volumes for good.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await Application.run(global, output) { try $0.say($0.services.purgeTrash()) }
    }
}
