import ArgumentParser
import CacheModel
import CacheServices
import Caches
import PodmanClient
import Reporting

/// Pulls the images that jobs will need, before they need them.
struct WarmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "warm", "Pull images before the jobs need them.",
        """
        Makes ready the images that are named, those that the configuration lists (warm.images), and with --top the \
        ones that jobs used most. Images come through podman.sock, as many at once as the configuration says, and \
        only while there is room below the low watermark. What was warmed is not evicted for a day or until its \
        first use.

        With --check it pulls nothing and asks the registries which tags moved since they were pulled: those of the \
        list, or all in the store where the list is empty.

        Ends with 4 where some images are not ready or could not be checked, and with 1 where none is.
        """,
        examples: [
            "larder warm docker.io/library/postgres:16", "larder warm --top 10 --dry-run",
            "larder warm --check",
        ])

    @Argument(help: "Images to make ready, such as docker.io/library/redis:7.") var images: [String] = []
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Also the N images that jobs used most in 30 days, and Ryuk where Testcontainers starts it.",
            valueName: "N"), transform: { try ValueFormat<Int>.images.argument($0) })
    var top: Int?
    @Flag(help: "Show what would be pulled and why, and pull nothing.") var dryRun = false
    @Flag(help: "Ask the registries which tags moved, and pull nothing.") var check = false
    @Flag(help: "Evict what was not used for longest where there is no room.") var makeRoom = false
    @OptionGroup var volumes: VolumeOptions
    @OptionGroup var textfile: TextfileOptions
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func validate() throws {
        if check, dryRun || makeRoom {
            throw ValidationError("--check pulls nothing: it cannot be used with --dry-run or --make-room")
        }
    }

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume) {
            try await $0.tellingMetrics(textfile) { try await run($0) }
        }
    }

    func run(_ application: Application) async throws -> Failure.Code? {
        let services = application.services
        let warmUp = WarmUp(
            services, of: try services.imageStore(named: volumes.volume), named: try references(), top: top,
            makesRoom: makeRoom)
        if check { return try application.say(try await services.drift(warmUp)) }
        if dryRun {
            try application.say(try await warmUp.preview())
            return nil
        }
        return try application.say(try await warmUp.run(display: WarmLog.display))
    }

    private func references() throws -> [ImageReference] {
        do { return try images.map { try ImageReference($0) } } catch { throw Failure.usage("\(error)") }
    }
}
