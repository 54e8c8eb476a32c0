import CacheModel
import CacheServices
import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Reporting
import ServiceLifecycle

/// The daemon's HTTP server: health, metrics, the API and the dashboard.
///
/// It reads the index and never a volume, answers from figures that were read before anyone asked, and changes
/// nothing, unless a token file is configured: then `POST /api/v1/runs` asks the daemon for a run. It trusts
/// nobody: requests are bounded in size and time, connections in number, and an error says nothing of the
/// machine.
package struct WebServer: Service {
    /// What the server is told.
    package struct Settings: Sendable {
        /// Where it listens.
        package var address: ListenAddress
        /// The directory that holds the index.
        package var stateDirectory: String
        /// The file with the bearer token that opens `POST /api/v1/runs`; nil keeps the server read-only.
        package var tokenFile: String?
        /// What commands need in a terminal to work on the same volumes, as it is typed.
        package var commandOptions: String

        /// Makes settings from all they consist of.
        package init(
            address: ListenAddress = .standard, stateDirectory: String, tokenFile: String? = nil,
            commandOptions: String = ""
        ) {
            self.commandOptions = commandOptions
            self.address = address
            self.stateDirectory = stateDirectory
            self.tokenFile = tokenFile
        }
    }

    let settings: Settings
    let figures: StatsCache
    private let responder: WebResponder
    private let limits: ConnectionLimits
    private let logger: Logger
    private let onListening: @Sendable (Int?) -> Void

    /// Makes a server that listens once it is run.
    ///
    /// - Parameters:
    ///   - control: the daemon it belongs to.
    ///   - onListening: called when it listens, with the TCP port.
    package init(
        _ settings: Settings, control: any DaemonControl, clock: @escaping @Sendable () -> Timestamp,
        logger: Logger, onListening: @escaping @Sendable (Int?) -> Void = { _ in }
    ) {
        self.init(
            settings, control: control, clock: clock, logger: logger, limits: .init(), pace: .init(),
            onListening: onListening)
    }

    init(
        _ settings: Settings, control: any DaemonControl, clock: @escaping @Sendable () -> Timestamp,
        logger: Logger, limits: ConnectionLimits, pace: StatsCache.Pace,
        onListening: @escaping @Sendable (Int?) -> Void
    ) {
        self.settings = settings
        self.limits = limits
        self.logger = logger
        self.onListening = onListening
        figures = StatsCache(
            stateDirectory: settings.stateDirectory, control: control, pace: pace, clock: clock,
            logger: logger)
        responder = WebResponder(
            settings: settings, figures: figures, control: control, clock: clock, logger: logger)
    }

    /// Listens until the service group stops; requests that have begun are answered.
    ///
    /// - Throws: `ListenError`.
    package func run() async throws {
        var socket: SocketFile?
        if case .unix(let path) = settings.address { socket = SocketFile(path: path) }
        try socket?.makeWay()
        if let lack = EventLoopRoom.lack() {
            throw ListenError.noEventLoop(address: "\(settings.address)", reason: lack)
        }
        if case .tcp = settings.address, !settings.address.isLoopback, settings.tokenFile == nil {
            let warning =
                "\(settings.address) can be reached from other machines, and no token file is configured: whoever "
                + "reaches it reads the names of artifacts and images; listen on 127.0.0.1, or shut others out"
            logger.warning("\(warning)")
        }
        if let file = settings.tokenFile {
            do { _ = try BearerToken(path: file).read() } catch { logger.warning("\(error)") }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await cancelWhenGracefulShutdown { await figures.run() } }
            await figures.waitForFirstLook(atMost: .seconds(5))
            do { try await application(socket).run() } catch let error as IOError {
                throw ListenError.unavailable(
                    address: "\(settings.address)", reason: String(cString: strerror(error.errnoCode)))
            }
            group.cancelAll()
        }
        socket?.remove()
    }

    private func application(_ socket: SocketFile?) -> some ApplicationProtocol {
        let address: BindAddress =
            switch settings.address {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .unix(let path): .unixDomainSocket(path: path)
            }
        let (limits, logger, onListening) = (limits, logger, onListening)
        // Hummingbird's own lines would tell each connection's fate; ours tell what matters.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        return Application(
            responder: responder,
            server: HTTPServerBuilder { GuardedChannel(HTTP1Channel(responder: $0), limits: limits) },
            configuration: ApplicationConfiguration(address: address, backlog: 4096),
            onServerRunning: { [settings] channel in
                do { try socket?.open() } catch { logger.error("\(error)") }
                let port = channel.localAddress?.port
                var address = settings.address
                if case .tcp(let host, _) = address, let port { address = .tcp(host: host, port: port) }
                logger.notice("listening", metadata: ["address": "\(address)"])
                onListening(port)
            }, logger: quiet)
    }
}
