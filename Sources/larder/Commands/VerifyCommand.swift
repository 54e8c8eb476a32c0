import ArgumentParser
import CacheIndex
import CacheModel
import CacheServices
import Reporting

/// Rechecks artifacts against their checksums and images against their layers.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "verify", "Recheck artifacts against their checksums, images against their layers.",
        """
        Maven and Gradle use a damaged file as it is and never check it again. This does: Maven artifacts against \
        the checksum files beside them, Gradle modules against the SHA-1 in their path, archives and poms for being \
        whole, images for layers that are missing. It scans first, then begins with what was verified longest ago, \
        so a run that is cut short is continued by the next. Reading leaves no trace of use.

        Exit codes: 0 nothing damaged is left; 4 damage is left in place, or something could not be read.
        """,
        examples: [
            "larder verify --volume build --max-duration 10m", "larder verify --pool maven --quarantine",
        ])

    @Option(help: "Only this pool.") var pool: Pool?
    @OptionGroup var volumes: VolumeOptions
    @Flag(help: "Move damaged build entries into the trash: the next build fetches them again.")
    var quarantine = false
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Begin no further entry after this time, such as 10m; none for no bound.", valueName: "time"))
    var maxDuration: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Read at most this much a second, such as 50Mi; none for no bound.", valueName: "size"))
    var maxRate: String?
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Leave alone what was used or written more recently; 0s leaves nothing alone.", valueName: "time")
    )
    var idleFloor: String?
    @Flag(help: "Quarantine more than one run normally may evict.") var forceLimit = false
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func validate() throws {
        if forceLimit, !quarantine {
            throw ValidationError("--force-limit has no effect without --quarantine")
        }
    }

    func run() async throws {
        var flags = global.flags(idleFloor: idleFloor)
        (flags.verifyMaxDuration, flags.verifyMaxRate) = (maxDuration, maxRate)
        try await Application.run(flags, output, volume: volumes.volume) {
            let result = try $0.services.verify(options)
            let code = try $0.say(result)
            await $0.services.tell(Notices(of: result.report))
            return code
        }
    }

    private var options: VerifyOptions {
        var options = VerifyOptions()
        options.pool = pool
        options.volume = volumes.volume
        options.quarantine = quarantine
        options.beyondLimits = forceLimit
        return options
    }
}
