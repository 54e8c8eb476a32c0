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
        "prune", "Evict the least recently used entries down to the quota.",
        """
        Scans first, then evicts from every volume above its high watermark until the low one is reached: build \
        entries move into the volume's trash, from where 'larder trash restore' brings them back; images go through \
        podman.sock. What a job used meanwhile, installed itself or is fetching stays.
        """,
        examples: [
            "larder prune --dry-run", "larder prune --volume build --to 10Gi",
            "larder prune --key 'com.example:*'",
            "larder prune --plan plan.json", "larder prune --orphans",
        ])

    @Flag(help: "Show what would go, and touch nothing.") var dryRun = false
    @Option(
        help: ArgumentHelp("Carry out a plan that 'larder plan --output' wrote.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var plan: String?
    @OptionGroup var volumes: VolumeOptions
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Go down to this size instead of the low watermark.", valueName: "size"),
        transform: { try ValueFormat<ByteCount>.amount.argument($0) })
    var to: ByteCount?
    @OptionGroup var chosen: SelectionOptions
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Keep what was used or fetched more recently; 0s keeps nothing for that.", valueName: "time"))
    var idleFloor: String?
    @Flag(help: "Empty the trash at once: nothing can be brought back.") var purge = false
    @Flag(help: "Evict more than one run normally may.") var forceLimit = false
    @Flag(help: "Prune volumes that cannot be locked against another Larder.") var unlocked = false
    @Flag(help: "Evict nothing; reclaim what killed pulls and dead pods left in image stores.")
    var orphans = false
    @OptionGroup var textfile: TextfileOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func validate() throws {
        if plan != nil, to != nil || !chosen.keys.isEmpty {
            throw ValidationError("--to and --key cannot be used with --plan, which has a goal of its own")
        }
        if to != nil, !chosen.keys.isEmpty {
            throw ValidationError(
                "--to and --key cannot be used together: one names a size, the other entries")
        }
        if orphans, plan != nil || to != nil || idleFloor != nil || purge || forceLimit {
            throw ValidationError("--orphans can be used with --dry-run and --volume only")
        }
    }

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume, idleFloor: idleFloor) {
            try await $0.tellingMetrics(textfile) { application in
                let services = application.services
                if orphans {
                    return try application.say(
                        try await services.pruneOrphans(dryRun: dryRun, volume: volumes.volume))
                }
                let result = try await services.prune(options)
                let code = try application.say(result)
                await services.tell(Notices(of: result.report))
                return code
            }
        }
    }

    private var options: PruneOptions {
        var options = PruneOptions()
        options.dryRun = dryRun
        options.planFile = plan
        options.volume = volumes.volume
        options.goal = PruneGoal(target: to, selection: chosen.selection)
        options.purge = purge
        options.beyondLimits = forceLimit
        options.unlocked = unlocked
        return options
    }
}
