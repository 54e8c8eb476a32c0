import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Foundation
import PodmanClient
import Reporting

/// Evicts by LRU down to the quota.
struct PruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Evict the least recently used entries down to the quota.",
        discussion: """
            Scans first, then removes what is above the high watermark until the low one is reached: build \
            entries move into the volume's trash, from where 'larder trash restore' brings them back; images go \
            through podman.sock. What a job used meanwhile, installed itself or is fetching stays.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup var textfile: TextfileOptions
    @Flag(help: "Show what would go, and touch nothing.") var dryRun = false
    @Option(help: ArgumentHelp("Carry out a plan that 'larder plan --output' wrote.", valueName: "file"))
    var plan: String?
    @Option(help: ArgumentHelp("Only this volume.", valueName: "name")) var volume: String?
    @Option(help: ArgumentHelp("Go down to this size instead of the low watermark.", valueName: "size"))
    var to: ByteCount?
    @OptionGroup var chosen: SelectionOptions
    @Option(
        help: ArgumentHelp(
            "Keep what was used or fetched more recently; 0s keeps nothing for that.", valueName: "time"))
    var idleFloor: String?
    @Flag(help: "Empty the trash at once: nothing can be brought back.") var purge = false
    @Flag(help: "Evict more than one run normally may.") var forceLimit = false
    @Flag(help: "Prune volumes that cannot be locked against another Larder.") var unlocked = false
    @Flag(help: "Evict nothing; reclaim what killed pulls and dead pods left in image stores.")
    var orphans = false

    func validate() throws {
        if plan != nil, to != nil || !chosen.keys.isEmpty {
            throw ValidationError("--to and --key have no effect on a --plan, which has its own goal")
        }
        if to != nil, !chosen.keys.isEmpty {
            throw ValidationError("--to names a size and --key entries: give one of them")
        }
        if orphans, plan != nil || to != nil || idleFloor != nil || purge || forceLimit {
            throw ValidationError("--orphans goes with --dry-run and --volume only")
        }
    }

    func run() async throws {
        try await Application.run(global, output, idleFloor: idleFloor) {
            try await $0.tellingMetrics(textfile) { application in
                let services = application.services
                if orphans {
                    return try application.say(
                        try await services.pruneOrphans(dryRun: dryRun, volume: volume))
                }
                return try application.say(try await services.prune(options))
            }
        }
    }

    private var options: PruneOptions {
        var options = PruneOptions()
        options.dryRun = dryRun
        options.planFile = plan
        options.volume = volume
        options.goal = PruneGoal(target: to, selection: chosen.selection)
        options.purge = purge
        options.beyondLimits = forceLimit
        options.unlocked = unlocked
        return options
    }
}
