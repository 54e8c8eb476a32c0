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
            var report = TrashReport(runs: [])
            for (volume, trash) in try application.trashes() {
                report.runs += try trash.runs().map { TrashReport.Run($0, on: volume) }
            }
            try application.say(report)
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
        try await Application.run(global, output) { application in
            for (volume, trash) in try application.trashes()
            where try trash.runs().contains(where: { $0.id == runID }) {
                let locked = try application.lock(volume)
                let (restored, refused) = try trash.restore(run: runID, key: key)
                try application.say(
                    RestoreReport(
                        run: runID, volume: volume.name,
                        restored: restored.map { .init(key: $0.key, bytes: $0.bytes) },
                        refused: refused.map { .init(key: $0.0.key, bytes: $0.0.bytes, reason: $0.1) }))
                _ = try application.survey(locked, try application.index())
                return refused.isEmpty ? nil : .inPart
            }
            throw MaintenanceError.trash(
                reason: "run \(runID) is not in the trash", hint: "'larder trash list' shows what is")
        }
    }
}

/// Empties the trash.
struct TrashPurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Empty the trash of all volumes for good.")

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions

    func run() async throws {
        try await Application.run(global, output) { application in
            var report = PurgeReport(volumes: [])
            let index = try application.index()
            for (volume, trash) in try application.trashes() {
                let locked = try application.lock(volume)
                defer { withExtendedLifetime(locked) {} }
                let result = try trash.purge()
                try index.recordPurge(
                    of: volume.name, trashLeft: try trash.runs().reduce(.zero) { $0 + $1.bytes })
                report.volumes.append(
                    PurgeReport.Volume(
                        name: volume.name, purgedBytes: result.bytes, failures: result.failures))
            }
            try application.say(report)
            return report.volumes.allSatisfy(\.failures.isEmpty) ? nil : .inPart
        }
    }
}

extension Application {
    /// The trashes of the mounted build caches; images have none.
    func trashes() throws -> [(volume: Volume, trash: Trash)] {
        try presentVolumes().present.filter { $0.kind == .buildCache }.map { volume in
            (volume, try Trash(opening: volume))
        }
    }
}

extension TrashReport.Run {
    fileprivate init(_ run: Trash.Run, on volume: Volume) {
        self.init(
            id: run.id, volume: volume.name, createdAt: run.createdAt, retention: volume.trashRetention,
            entries: run.entries.sorted { $0.key < $1.key }.map {
                .init(key: $0.value.key, bytes: $0.value.bytes)
            })
    }
}
