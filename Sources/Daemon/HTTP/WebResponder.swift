import CacheIndex
import CacheModel
import CacheServices
import Hummingbird
import Logging
import Reporting

/// What each path answers.
struct WebResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let settings: WebServer.Settings
    let figures: StatsCache
    let control: any DaemonControl
    let clock: @Sendable () -> Timestamp
    let logger: Logger
    /// The reader of what no figure holds: searches.
    let reader: IndexReader
    /// The reader of what needs every entry: plans.
    let planReader: IndexReader

    init(
        settings: WebServer.Settings, figures: StatsCache, control: any DaemonControl,
        clock: @escaping @Sendable () -> Timestamp, logger: Logger
    ) {
        self.settings = settings
        self.figures = figures
        self.control = control
        self.clock = clock
        self.logger = logger
        reader = IndexReader(
            stateDirectory: settings.stateDirectory, patience: .seconds(1), most: 16, quality: .userInitiated)
        planReader = IndexReader(
            stateDirectory: settings.stateDirectory, patience: .seconds(1), most: 3, quality: .utility)
    }

    func respond(to request: Request, context: BasicRequestContext) async -> Response {
        var answer: WebResponse
        do {
            try checkHost(request)
            answer = try await self.answer(request)
        } catch {
            answer = WebError(error, logger).answer(forPeople: !request.uri.path.hasPrefix("/api/"))
        }
        let response = answer.linked(from: request.uri.path).response
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request) async throws -> WebResponse {
        let path = request.uri.path
        if path == "/api/v1/runs", request.method == .post { return try await startRun(request) }
        guard let route = WebRoute.all.first(where: { $0.answers(path) }) else { throw WebError.notFound }
        guard request.method == .get || request.method == .head else {
            let isOpen = path == "/api/v1/runs" && settings.tokenFile != nil
            throw WebError.method(allow: isOpen ? "GET, HEAD, POST" : "GET, HEAD")
        }
        return try await route.respond(self, request)
    }

    /// A page of another site, whose name was pointed here, must not read what only this machine may.
    private func checkHost(_ request: Request) throws {
        guard settings.address.isLoopback, let host = request.head.authority else { return }
        var name = host
        if let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") { name = String(host[..<colon]) }
        if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
        guard ListenAddress.isLoopback(name.lowercased()) else { throw WebError.misdirected }
    }

    /// The use cases by the configuration as it is now.
    func services() async -> Services { Services(await control.configuration(), clock: clock) }

    /// The same for one volume that a query names; nil for all.
    ///
    /// - Throws: `WebError` where no volume has that name.
    func services(of volume: String?) async throws -> Services {
        let all = await services()
        do { return try all.restricted(to: volume) } catch {
            let names = all.configuration.volumes.map(\.name)
            throw WebError(
                status: .notFound, text: "no volume has that name",
                hint: "the volumes are: \(names.joined(separator: ", "))")
        }
    }

    func sizes() async throws -> IndexSizes {
        _ = try await figures.current()
        guard let sizes = await figures.sizes else { throw StatsCache.Missing.notYet }
        return sizes
    }

    private func waitingFor() async -> [String] {
        var waiting = await control.waitingFor()
        do throws(StatsCache.Missing) {
            if try await figures.current().volumes.isEmpty { waiting.append("the first scan") }
        } catch {
            waiting.append(error.awaited)
        }
        return waiting
    }

    func readiness(_ request: Request) async -> WebResponse {
        let waiting = await waitingFor()
        if waiting.isEmpty { return .text("ready\n") }
        return .text(
            waiting.map { "waiting for \(WebError.withoutPaths($0))\n" }.joined(), status: .serviceUnavailable
        )
    }

    func metrics(_ request: Request) async throws -> WebResponse {
        let figures = try await figures.current()
        let states = await control.activityStates()
        var report = await services().metrics(
            of: figures.volumes,
            activities: states.map {
                .init(
                    name: $0.activity.rawValue, volume: $0.volume, isRunning: $0.runningSince != nil,
                    lastSuccess: $0.lastSuccess)
            }, readAt: figures.readAt)
        report.capacity = await self.figures.sizes?.report
        let format = AcceptHeader(request.headers[.accept]).metrics
        var answer = WebResponse.text(report.text(format))
        answer.type = format.contentType
        answer.headers[.vary] = "Accept"
        return answer
    }

    func dashboard(_ request: Request) async throws -> WebResponse {
        let refresh = try WebQuery(request.uri.query, known: ["refresh"]).number("refresh", 1...86_400)
        let plots = await figures.sizes?.plots ?? Dashboard.plots(nil)
        return .livePage(
            try await dashboard().html(plots: plots, refreshes: refresh != nil, now: clock()))
    }

    /// `/schedule`: what runs and what comes next.
    func schedulePage(_ request: Request) async throws -> WebResponse {
        _ = try WebQuery(request.uri.query, known: [])
        return .page(try await dashboard().schedulePage(now: clock()))
    }

    /// The dashboard's values as they are now; without figures before the first scan.
    func dashboard() async throws -> Dashboard {
        let now = clock()
        let figures: IndexFigures
        do { figures = try await self.figures.current() } catch StatsCache.Missing.notYet {
            figures = IndexFigures(nothingAt: now)
        }
        let sizes = await self.figures.sizes
        let services = await services()
        let trash = services.configuration.volumes.filter { $0.kind == .buildCache }
        var dashboard = Dashboard(
            status: figures.status, report: sizes?.report, runs: figures.runs, warm: figures.warm,
            activities: await activities(figures), waitingFor: await waitingFor().map(WebError.withoutPaths),
            trashRetention: Dictionary(
                trash.map { ($0.name, $0.trashRetention) }, uniquingKeysWith: { $1 }),
            place: services.place, version: LarderVersion.current, readAt: figures.readAt)
        if let outlook = await self.figures.outlook {
            dashboard.status.expect(outlook.reliefs)
            dashboard.largest = outlook.report.largestGroups
        } else {
            dashboard.isWorkingOut = true
        }
        dashboard.commandOptions = settings.commandOptions
        return dashboard
    }

    /// The daemon's activities; a command may have had its last success.
    func activities(_ figures: IndexFigures?) async -> [Dashboard.Activity] {
        await control.activityStates().map { state in
            let name = state.activity.rawValue
            let known = figures?.volumes.first { $0.volume.name == state.volume }
            return Dashboard.Activity(
                name: name, volume: state.volume, runningSince: state.runningSince, progress: state.progress,
                lastSuccess: [state.lastSuccess, known?.figures.lastSuccess[name]].compactMap(\.self).max(),
                lastEnd: state.lastEnd, nextDue: state.nextDue)
        }
    }
}

extension IndexFigures {
    /// What there is before the first scan.
    init(nothingAt now: Timestamp) {
        volumes = []
        status = StatusReport(volumes: [])
        (runs, warm) = ([], [])
        readAt = now
    }
}
