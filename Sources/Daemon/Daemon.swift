import CacheModel
import CacheServices
import Dispatch
import Glibc
import Logging
import ServiceLifecycle
import UnixSignals

/// The daemon: schedules, pressure, event logs and what else is put beside them, under one group of services.
///
/// SIGTERM and SIGINT end it: nothing begins any more, what runs comes to an end as early as that is safe. A prune
/// stops between two moves and records what it did; a scan that is not recorded yet is given up. What has not
/// ended after the grace period is left as a kill would leave it, and the next start makes it good. SIGHUP makes
/// it read its configuration anew; a wrong one is refused, and the old one stays.
package struct Daemon: Sendable {
    /// What begins activities and knows how they stand.
    package let scheduler: Scheduler
    private let logger: Logger
    private let clock: @Sendable () -> Timestamp
    private let reload: @Sendable () throws -> DaemonPlan

    /// Makes a daemon.
    ///
    /// - Parameter reload: reads the configuration anew; throws where it is wrong.
    package init(
        _ plan: DaemonPlan, logger: Logger, clock: @escaping @Sendable () -> Timestamp,
        reload: @escaping @Sendable () throws -> DaemonPlan
    ) {
        scheduler = Scheduler(plan, logger: logger, clock: clock)
        (self.logger, self.clock, self.reload) = (logger, clock, reload)
    }

    /// Runs until a signal ends it.
    ///
    /// Where it only shows what is known, volumes and event logs are left alone, and nobody is told that a daemon keeps
    /// them.
    ///
    /// - Parameter services: what runs beside the daemon's own parts, such as a web server.
    package func run(with services: [any Service] = []) async throws {
        let configuration = await scheduler.configuration()
        let (state, onlyShows) = (configuration.stateDirectory, configuration.daemon.onlyShows)
        let presence = onlyShows ? nil : DaemonPresence(stateDirectory: state)
        defer { withExtendedLifetime(presence) {} }
        if presence?.isAlone == false {
            logger.warning(
                "another daemon works with the state directory \(state): each does all that is scheduled")
        }
        var quiet = logger
        quiet.logLevel = .critical
        let watches: [any Service] =
            onlyShows
            ? []
            : [
                VolumeWatch(scheduler: scheduler, clock: clock),
                EventService(scheduler: scheduler, logger: logger, clock: clock),
            ]
        let own: [any Service] = [
            scheduler,
            ReloadService(scheduler: scheduler, logger: logger, reload: reload),
            GraceService(scheduler: scheduler, logger: logger),
        ]
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: (own + watches + services).map { .init(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet))
        try await group.run()
        logger.notice("stopped")
    }
}

/// Reads the configuration anew at each SIGHUP.
private struct ReloadService: Service {
    let scheduler: Scheduler
    let logger: Logger
    let reload: @Sendable () throws -> DaemonPlan

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        logger.notice("started")
        for await _ in signals.cancelOnGracefulShutdown() {
            do {
                let plan = try reload()
                await scheduler.adopt(plan)
                logger.notice("the configuration was reloaded")
            } catch {
                for line in "\(error)".split(separator: "\n") {
                    logger.error("the new configuration is refused, and the old one stays in force: \(line)")
                }
            }
        }
    }
}

/// Ends the process when its time to end well is over.
private struct GraceService: Service {
    let scheduler: Scheduler
    let logger: Logger

    func run() async throws {
        try? await gracefulShutdown()
        let period = await scheduler.configuration().daemon.gracePeriod
        let running = await scheduler.running
        if !running.isEmpty {
            logger.notice("stopping: \(running.joined(separator: ", ")) has \(period) to end")
        }
        let logger = logger
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(period.nanoseconds))) {
            logger.error("not everything ended within \(period): the next start cleans up")
            _exit(1)
        }
    }
}
