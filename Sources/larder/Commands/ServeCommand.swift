import ArgumentParser
import CacheModel
import CacheServices
import Daemon
import Foundation
import Glibc
import Logging
import Reporting
import ServiceLifecycle

/// The daemon: does everything by its schedules, and at once where it cannot wait.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        "serve", "Run as a daemon: schedules, dashboard and metrics.",
        """
        Schedules are set in the configuration (daemon.schedules). Between them it watches how full the volumes are \
        and prunes at once above the critical level, and follows the event logs of the jobs' Podmans. A dashboard, \
        metrics and a read-only API are served on 127.0.0.1:9847 unless configured otherwise. SIGHUP makes it read \
        its configuration again, SIGTERM ends it: what runs stops where that is safe. What was due while no daemon ran \
        is made up for at the start.

        With --read-only it shows what is known, and does nothing else: nothing is scanned, pruned, purged or pulled.

        Logs one line for each activity to standard error, as JSON where that is not a terminal.
        """,
        examples: [
            "larder serve", "larder serve --read-only", "larder serve --listen unix:/run/larder/http.sock",
        ])

    @Option(
        help: ArgumentHelp(
            "Where to serve the dashboard and metrics: ADDRESS:PORT, unix:PATH or none.",
            valueName: "address"))
    var listen: String?
    @Flag(help: "Only show what is known: no schedule, no watch, no runs on request.")
    var readOnly = false
    @OptionGroup(visibility: .hidden) var global: GlobalOptions

    private var flags: ConfigurationFlags {
        var flags = global.flags()
        flags.listen = listen
        return flags
    }

    /// What a command in a terminal needs to work with the same configuration: the options of this one, and the file that
    /// the environment names, in whatever directory.
    private var commandOptions: String {
        var options = global
        options.config = (global.config ?? ProcessInfo.processInfo.environment["LARDER_CONFIG"])
            .map { URL(fileURLWithPath: $0).path }
        return options.words.map(ShellWord.typed).joined(separator: " ")
    }

    func run() async throws {
        // Until the daemon listens to it, a reload must not end the process.
        signal(SIGHUP, SIG_IGN)
        // Before the configuration is read: what is said of it belongs into the log as well.
        let level = LogLevel(.info)
        let isJSON = isatty(STDERR_FILENO) == 0
        LoggingSystem.bootstrap { _ in
            DaemonLog(
                level: level, isJSON: isJSON, clock: Services.systemClock, write: Terminal.writeError)
        }
        let logger = Logger(label: "larder")
        // A record is one line, whatever a terminal would be told.
        Terminal.listener.withLock {
            $0 = { text, level in
                let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                logger.log(level: level, "\(words)")
            }
        }
        defer { Terminal.listener.withLock { $0 = nil } }
        try await Application.run(flags, .text) { try await run($0.services, level, logger) }
    }

    private func run(
        _ services: Services, _ level: LogLevel, _ logger: Logger
    ) async throws -> Failure.Code? {
        level.value = services.configuration.logLevel
        let progress = ActivityProgress()
        var services = services
        if readOnly { services.configuration.daemon.onlyShow() }
        let reload: @Sendable () throws -> DaemonPlan = { [flags, readOnly, services] in
            var next = services
            next.configuration = try Configuration.load(
                flags: flags, environment: ProcessInfo.processInfo.environment)
            guard next.configuration.stateDirectory == services.configuration.stateDirectory else {
                throw Failure(
                    code: .configuration, message: "the state directory cannot change while the daemon runs",
                    hint: "restart it")
            }
            if readOnly { next.configuration.daemon.onlyShow() }
            let (before, after) = (services.configuration.daemon, next.configuration.daemon)
            if (before.listen, before.tokenFile) != (after.listen, after.tokenFile) {
                logger.warning("daemon.listen and daemon.token_file change at the next start only")
            }
            if next.place != services.place {
                logger.warning("cluster and node, the labels of all metrics, change at the next start only")
                next.configuration.cluster = services.configuration.cluster
                next.configuration.node = services.configuration.node
            }
            for warning in next.configuration.warnings { logger.warning("\(warning)") }
            level.value = next.configuration.logLevel
            return DaemonPlan(next, progress)
        }
        let daemon = Daemon(
            DaemonPlan(services, progress), logger: logger, clock: services.clock, reload: reload)
        var beside: [any Service] = []
        if let address = services.configuration.daemon.listen {
            let settings = WebServer.Settings(
                address: address, stateDirectory: services.configuration.stateDirectory,
                tokenFile: services.configuration.daemon.tokenFile, commandOptions: commandOptions)
            beside.append(
                WebServer(settings, control: daemon.scheduler, clock: services.clock, logger: logger))
        }
        try await daemon.run(with: beside)
        return nil
    }
}

extension FormatOptions {
    /// Plain text, for commands without a result to format.
    static var text: FormatOptions {
        var options = FormatOptions()
        options.format = .text
        return options
    }
}
