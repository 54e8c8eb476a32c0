import ArgumentParser
import CacheModel
import CacheServices
import Foundation
import Reporting

extension ByteCount: ExpressibleByArgument {
    /// Reads a Kubernetes quantity.
    package init?(argument: String) { self.init(quantity: argument) }
}

/// What a prune would remove now, in order, and why.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what a prune would remove now, in order, and why.",
        discussion: """
            Reads the index only and touches nothing. With --output the plan goes to a file that \
            'larder prune --plan FILE' carries out, entry by entry, if nothing was used since.
            """)

    @OptionGroup(title: "Global options") var global: GlobalOptions
    @OptionGroup var output: FormatOptions
    @Option(help: ArgumentHelp("Plan down to this size instead of the low watermark.", valueName: "size"))
    var to: ByteCount?
    @OptionGroup var chosen: SelectionOptions
    @Option(
        help: ArgumentHelp(
            "Keep what was used or fetched more recently; 0s keeps nothing for that.", valueName: "time"))
    var idleFloor: String?
    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("Write the plan to a file, as JSON.", valueName: "file"))
    var file: String?

    func validate() throws {
        if to != nil, !chosen.keys.isEmpty {
            throw ValidationError("--to names a size and --key entries: give one of them")
        }
    }

    func run() async throws {
        try await Application.run(global, output, idleFloor: idleFloor) { application in
            let plan = try application.services.plan(PruneGoal(target: to, selection: chosen.selection))
            if let file { try application.write(try plan.report.json(), to: file, "the plan") }
            return try application.say(plan)
        }
    }
}
