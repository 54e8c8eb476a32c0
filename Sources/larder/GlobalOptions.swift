import ArgumentParser

/// The options of all commands.
///
/// Each has a key in the configuration file and a variable `LARDER_…`.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Configuration file; without one the deployment's defaults hold.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Directory of the index.", valueName: "dir"))
    var state: String?

    @Option(help: ArgumentHelp("Root of the build cache volume.", valueName: "path"))
    var buildCache: String?

    @Option(help: ArgumentHelp("The directory that Podman calls its root.", valueName: "path"))
    var imageRoot: String?

    @Option(help: ArgumentHelp("Podman's socket: unix:///path.", valueName: "url"))
    var socket: String?

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"))
    var logLevel: String?

    /// The options as the configuration takes them.
    func flags(idleFloor: String? = nil) -> ConfigurationFlags {
        ConfigurationFlags(
            config: config, state: state, buildCache: buildCache, imageRoot: imageRoot, socket: socket,
            logLevel: logLevel, idleFloor: idleFloor)
    }
}

/// How a result is written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case text, json
}

/// The option that every command has for its result.
struct FormatOptions: ParsableArguments {
    @Option(help: "How the result is written.")
    var format: OutputFormat = .text
}
