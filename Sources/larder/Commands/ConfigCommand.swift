import ArgumentParser
import CacheServices
import Foundation
import Reporting

/// The configuration as it is in force, and whether it is right.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "config", "Show the configuration in force, or check it.", "",
        examples: ["larder config show", "larder config validate --config larder.yaml"],
        subcommands: [ConfigShowCommand.self, ConfigValidateCommand.self],
        defaultSubcommand: ConfigShowCommand.self)

    /// Loads the configuration and tells it; a wrong one ends with 78 and all that is wrong.
    static func run(_ global: GlobalOptions, _ output: FormatOptions, isCheck: Bool) throws {
        let flags = global.flags()
        flags.adoptManner()
        do {
            let loaded = try Configuration.loadWithSources(
                flags: flags, environment: ProcessInfo.processInfo.environment)
            Terminal.manner.withLock { $0.color = loaded.configuration.color }
            var report = loaded.report
            report.isCheck = isCheck
            try Application(services: Services(loaded.configuration), format: output.format).say(report)
        } catch {
            let failure = Failure(error)
            failure.report(as: output.format)
            throw ExitCode(failure.code.rawValue)
        }
    }
}

/// Every value with its source.
struct ConfigShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "show", "Show every value in force, and where it came from.",
        "A value comes from a flag, else from a variable LARDER_NAME, else from the file, else from the defaults.",
        examples: ["larder config show", "LARDER_IDLE_FLOOR=2h larder config show --format json"])

    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws { try ConfigCommand.run(global, output, isCheck: false) }
}

/// Whether the configuration is right.
struct ConfigValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "validate", "Check the configuration: 0 where it is right, 78 with everything that is wrong.", "",
        examples: ["larder config validate --config larder.yaml"])

    @OptionGroup var output: FormatOptions
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    func run() async throws { try ConfigCommand.run(global, output, isCheck: true) }
}
