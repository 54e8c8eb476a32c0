import ArgumentParser
import CacheServices
import Logging

/// The options of all commands.
///
/// Each has a key in the configuration file and a variable `LARDER_…`.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Configuration file; without one the defaults of the deployment apply.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(help: ArgumentHelp("Directory of the index.", valueName: "dir"), completion: .directory)
    var state: String?

    @Option(help: ArgumentHelp("Root of the build cache volume.", valueName: "path"), completion: .directory)
    var buildCache: String?

    @Option(
        help: ArgumentHelp("The directory that Podman calls its root.", valueName: "path"),
        completion: .directory)
    var imageRoot: String?

    @Option(help: ArgumentHelp("Podman's socket: unix:///path.", valueName: "url"))
    var socket: String?

    @Option(
        help: ArgumentHelp(
            "Least severe messages to show: trace, debug, info, notice, warning, error or critical.",
            valueName: "level"),
        completion: .list(Logger.Level.allCases.map(\.rawValue)))
    var logLevel: String?

    @Option(help: ArgumentHelp("When to use colours: always, never or auto.", valueName: "when"))
    var color: String?

    @Flag(name: .shortAndLong, help: "Tell nothing on standard error but errors, and show no progress.")
    var quiet = false

    /// What of them decides on which volumes a command works, as it was typed.
    var words: [String] {
        [
            ("--config", config), ("--state", state), ("--build-cache", buildCache),
            ("--image-root", imageRoot), ("--socket", socket),
        ].flatMap { name, value in value.map { [name, $0] } ?? [] }
    }

    /// The options as the configuration takes them.
    func flags(idleFloor: String? = nil) -> ConfigurationFlags {
        ConfigurationFlags(
            config: config, state: state, buildCache: buildCache, imageRoot: imageRoot, socket: socket,
            logLevel: logLevel, color: color, quiet: quiet ? "true" : nil, idleFloor: idleFloor)
    }
}

extension ConfigurationFlags {
    /// Takes over what can be told before the configuration is read, for what is wrong with that.
    func adoptManner() {
        Terminal.manner.withLock {
            $0 = .init(
                color: color.flatMap(ColorChoice.init(rawValue:)) ?? .auto,
                level: logLevel.flatMap(Logger.Level.init(rawValue:)) ?? .notice, isQuiet: quiet != nil)
        }
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
