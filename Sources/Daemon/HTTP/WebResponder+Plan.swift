import CacheModel
import CacheServices
import Hummingbird
import Reporting

extension WebResponder {
    /// `/api/v1/plan`: `larder.plan/1`, what `larder plan` tells.
    func planDocument(_ request: Request) async throws -> WebResponse {
        let query = try WebQuery(request.uri.query, known: ["volume", "to"])
        var goal = PruneGoal()
        if let text = try query.text("to", longest: 40) {
            guard let size = ByteCount(quantity: text) else {
                throw WebError.malformed("to is not a size", "write a quantity such as 20Gi or 500M")
            }
            goal.target = size
        }
        return .json(try await plan(goal, volume: query.text("volume")).json())
    }

    /// `/plan`: the next prune of each volume, for people.
    func planPage(_ request: Request) async throws -> WebResponse {
        let volume = try WebQuery(request.uri.query, known: ["volume"]).text("volume")
        let report = try await plan(PruneGoal(), volume: volume)
        let (known, now) = (try? await figures.current(), clock())
        let next = await activities(known).filter { $0.name == "prune" }
        let rhythms = (known?.status.volumes ?? []).compactMap { volume in
            volume.prunes.map { (volume.name, $0.sentence(now: now) + ".") }
        }
        return .page(
            PlanPage(
                report,
                next: Dictionary(
                    next.compactMap { activity in activity.volume.map { ($0, activity) } },
                    uniquingKeysWith: { first, _ in first }),
                rhythms: Dictionary(rhythms, uniquingKeysWith: { first, _ in first }),
                zone: await control.configuration().daemon.timeZone
            ).html(now: now))
    }

    /// `/runs`: the runs, page by page.
    func runsPage(_ request: Request) async throws -> WebResponse {
        let query = try WebQuery(request.uri.query, known: ["cursor", "before"])
        let page = try await runs(query, limit: 25, lines: 10)
        return .page(
            try await dashboard().runsPage(
                page.runs, next: page.next.map(WebCursor.text),
                previous: page.previous.map(WebCursor.text), now: clock()))
    }

    /// `/runs/ID`: one run with every entry.
    func runPage(_ request: Request) async throws -> WebResponse {
        let path = request.uri.path.dropFirst("/runs/".count)
        guard let id = String(path).removingPercentEncoding, id.utf8.count <= 200,
            let run = try await reader.read({ try $0.run(named: id, lines: Dashboard.mostLines) })
        else { throw WebError.notFound }
        return .page(try await dashboard().runPage(run, now: clock()))
    }

    /// `/api/v1/runs/ID`: one run with every entry.
    func runDocument(_ request: Request) async throws -> WebResponse {
        let path = request.uri.path.dropFirst("/api/v1/runs/".count)
        // No limit in SQL is -1.
        guard let id = String(path).removingPercentEncoding, id.utf8.count <= 200,
            let run = try await reader.read({ try $0.run(named: id, lines: -1) })
        else { throw WebError.notFound }
        return .json(try RunsReport.json(of: run))
    }

    private func plan(_ goal: PruneGoal, volume: String?) async throws -> PlanReport {
        let now = clock()
        let services = try await services(of: volume)
        do {
            return try await planReader.read { try services.plan(goal, $0, now: now).report }
        } catch let failure as Failure where failure.code == .usage {
            throw WebError.malformed(failure.message, "name one of them as volume")
        } catch is Failure {
            throw StatsCache.Missing.notYet
        }
    }
}
