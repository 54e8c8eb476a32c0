import ArgumentParser
import CacheModel
import CacheServices
import Foundation
import Reporting

/// What a prune would remove now, in order, and why.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "plan", "Show what a prune would remove now, in order, and why.",
        """
        Reads the index only and touches nothing. With --output the plan goes to a file that 'larder prune --plan \
        FILE' carries out, entry by entry, if nothing was used since.
        """,
        examples: [
            "larder plan", "larder plan --volume build --to 10Gi",
            "larder plan --key 'com.example:*' --output plan.json",
        ])

    @OptionGroup var volumes: VolumeOptions
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Plan down to this size instead of the low watermark.", valueName: "size"),
        transform: { try ValueFormat<ByteCount>.amount.argument($0) })
    var to: ByteCount?
    @OptionGroup var chosen: SelectionOptions
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Keep what was used or fetched more recently; 0s keeps nothing for that.", valueName: "time"))
    var idleFloor: String?
    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("Write the plan to a file, as JSON.", valueName: "file"))
    var file: String?
    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func validate() throws {
        if to != nil, !chosen.keys.isEmpty {
            throw ValidationError(
                "--to and --key cannot be used together: one names a size, the other entries")
        }
    }

    func run() async throws {
        try await Application.run(global, output, volume: volumes.volume, idleFloor: idleFloor) {
            application in
            let plan = try application.services.plan(
                PruneGoal(
                    target: to, selection: chosen.selection,
                    options: (idleFloor.map { ["--idle-floor", $0] } ?? []) + global.words))
            if let file { try application.write(try plan.report.json(), to: file, "the plan") }
            return try application.say(plan)
        }
    }
}
