import CacheIndex
import CacheModel
import CacheServices
import Hummingbird
import Reporting

extension WebResponder {
    /// `/api/v1/entries`: `larder.list/1`, page by page.
    func entriesList(_ request: Request) async throws -> WebResponse {
        .json(try await search(request, limit: 100).report.json())
    }

    /// `/entries`: the same for people.
    func entriesPage(_ request: Request) async throws -> WebResponse {
        let (report, question, filters) = try await search(request, limit: 50)
        let services = await services()
        var page = EntriesPage(
            report, text: question.text ?? "", pool: question.pool, volume: question.volume ?? "",
            filters: filters, isFirst: report.previous == nil,
            volumes: services.configuration.volumes.map(\.name))
        if let text = question.text, report.previous == nil {
            page.gone = try await reader.read { index in
                try services.gone(holding: text, volume: question.volume, pool: question.pool, index)
            }
        }
        return .page(page.html(now: clock()))
    }

    /// `/api/v1/entries/KEY`: `larder.explain/1`.
    func entryDocument(_ request: Request) async throws -> WebResponse {
        let (explanation, _) = try await explain(request, below: "/api/v1/entries/")
        guard !explanation.isEmpty else { throw WebError.notFound }
        return .json(try explanation.json())
    }

    /// `/entries/KEY`: the same for people.
    func entryPage(_ request: Request) async throws -> WebResponse {
        let (explanation, asOf) = try await explain(request, below: "/entries/")
        return .page(
            Dashboard.page(
                on: explanation, asOf: asOf, commandOptions: settings.commandOptions, now: clock()),
            status: explanation.isEmpty ? .notFound : .ok)
    }

    /// `/api/v1/runs`: `larder.runs/1`, page by page.
    func runsList(_ request: Request) async throws -> WebResponse {
        let query = try WebQuery(request.uri.query, known: ["limit", "cursor", "before"])
        let limit = try query.number("limit", 1...200) ?? 20
        let page = try await runs(query, limit: limit, lines: RunsReport.mostLines)
        let activities = await activities(try? figures.current())
        return .json(
            try RunsReport(
                runs: page.runs, activities: activities, cursor: page.next.map(WebCursor.text),
                previous: page.previous.map(WebCursor.text)
            ).json())
    }

    /// The page of runs that a query asks for.
    func runs(_ query: WebQuery, limit: Int, lines: Int) async throws -> CacheIndex.RunPage {
        let after = try WebCursor.run(query.text("cursor", longest: WebCursor.longestOfRuns))
        let before = try WebCursor.run(query.text("before", longest: WebCursor.longestOfRuns))
        return try await reader.read {
            try $0.runPage(limit: limit, after: after, before: before, lines: lines)
        }
    }

    private func search(
        _ request: Request, limit: Int
    ) async throws -> (report: ListReport, question: EntryQuestion, filters: [String]) {
        let query = try WebQuery(
            request.uri.query, known: ["q", "volume", "pool", "sort", "limit", "cursor", "before"],
            repeated: ["filter"])
        let order = try query.word("sort", EntryOrder.self) ?? .used
        var question = EntryQuestion(
            volume: try query.text("volume"), pool: try query.word("pool", Pool.self),
            text: try query.text("q"), order: order, limit: try query.number("limit", 1...1000) ?? limit,
            after: try WebCursor.entry(query.text("cursor", longest: WebCursor.longest), order))
        question.before = try WebCursor.entry(query.text("before", longest: WebCursor.longest), order)
        let filters = try query.texts("filter")
        let filter: EntryFilter
        do throws(EntryFilter.Malformed) { filter = try EntryFilter(filters) } catch {
            throw WebError.malformed(error.description, "write a condition as for larder list --filter")
        }
        _ = try await services(of: question.volume)
        let (now, services, asked) = (clock(), await services(), question)
        let report = try await reader.read { try services.list(asked, filter, $0, now: now) }
        return (report, question, filters)
    }

    private func explain(
        _ request: Request, below prefix: String
    ) async throws -> (Explanation, asOf: Timestamp?) {
        let path = request.uri.path.dropFirst(prefix.count)
        guard let key = String(path).removingPercentEncoding, !key.isEmpty,
            key.unicodeScalars.count <= WebCursor.longestKey,
            !key.utf8.contains(0)
        else { throw WebError.notFound }
        let services = await services()
        let configured = Set(services.configuration.volumes.map(\.name))
        let previews = await figures.sizes?.previews.filter { configured.contains($0.key) }
        let explanation = try await reader.read { index in
            try services.explain(key, index, most: Services.mostExplained) { previews?[$0] }
        }
        return (explanation, await figures.sizes?.madeAt)
    }
}
