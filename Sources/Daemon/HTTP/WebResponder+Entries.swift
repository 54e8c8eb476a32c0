import CacheIndex
import CacheModel
import CacheServices
import Hummingbird
import Reporting

extension WebResponder {
    /// `/api/v1/entries`: `larder.list/1`, page by page.
    func entriesList(_ request: Request) async throws -> WebResponse {
        let (page, rows, order) = try await search(request, limit: 100)
        let report = ListReport(
            page: rows, order: ListReport.Order(rawValue: order.rawValue) ?? .used,
            totalEntries: page.totalEntries, totalBytes: page.totalBytes,
            cursor: page.next.map(WebCursor.text))
        return .json(try report.json())
    }

    /// `/entries`: the same for people.
    func entriesPage(_ request: Request) async throws -> WebResponse {
        let (page, rows, order) = try await search(request, limit: 50)
        let query = try WebQuery(request.uri.query, known: Self.names)
        let html = EntriesPage(
            text: try query.text("q") ?? "", pool: try query.word("pool", Pool.self), order: order.rawValue,
            rows: rows, total: (page.totalEntries, page.totalBytes), cursor: page.next.map(WebCursor.text)
        ).html(now: clock())
        return .page(html)
    }

    /// `/api/v1/entries/KEY`: `larder.explain/1`.
    func entryDocument(_ request: Request) async throws -> WebResponse {
        let (key, explained, _) = try await explain(request, below: "/api/v1/entries/")
        guard let first = explained.first else { throw WebError.notFound }
        guard explained.count == 1 else {
            throw WebError(
                status: .init(code: 300, reasonPhrase: "Multiple Choices"),
                text: "\(explained.count) entries are called \(key)", hint: "ask for one of them by its path")
        }
        return .json(try first.json())
    }

    /// `/entries/KEY`: the same for people.
    func entryPage(_ request: Request) async throws -> WebResponse {
        let (key, explained, asOf) = try await explain(request, below: "/entries/")
        return .page(
            Dashboard.page(on: key, explained, asOf: asOf, now: clock()),
            status: explained.isEmpty ? .notFound : .ok)
    }

    /// `/api/v1/runs`: `larder.runs/1`, page by page.
    func runsList(_ request: Request) async throws -> WebResponse {
        let query = try WebQuery(request.uri.query, known: ["limit", "cursor"])
        let limit = try query.number("limit", 1...200) ?? 20
        let after = try WebCursor.run(query.text("cursor", longest: 400))
        let (runs, hasMore) = try await reader.read { try $0.runPage(limit: limit, after: after) }
        let cursor = hasMore ? runs.last.map { WebCursor.text($0.cursor) } : nil
        let activities = await activities(try? figures.current())
        return .json(try RunsReport(runs: runs, activities: activities, cursor: cursor).json())
    }

    private static let names = ["q", "volume", "pool", "sort", "limit", "cursor"]

    private func search(
        _ request: Request, limit: Int
    ) async throws -> (EntryPage, [ListReport.Row], EntryQuestion.Order) {
        let query = try WebQuery(request.uri.query, known: Self.names)
        let order = try query.word("sort", EntryQuestion.Order.self) ?? .used
        let question = EntryQuestion(
            volume: try query.text("volume"), pool: try query.word("pool", Pool.self),
            text: try query.text("q"), order: order, limit: try query.number("limit", 1...1000) ?? limit,
            after: try WebCursor.entry(query.text("cursor", longest: 2000), order))
        let (now, services) = (clock(), await services())
        let (page, rows) = try await reader.read { try services.page(question, $0, now: now) }
        return (page, rows, order)
    }

    private func explain(
        _ request: Request, below prefix: String
    ) async throws -> (key: String, [ExplainReport], asOf: Timestamp?) {
        let path = request.uri.path.dropFirst(prefix.count)
        guard let key = String(path).removingPercentEncoding, !key.isEmpty, key.utf8.count <= 1024,
            !key.utf8.contains(0)
        else { throw WebError.notFound }
        let services = await services()
        let configured = Set(services.configuration.volumes.map(\.name))
        let previews = await figures.sizes?.previews.filter { configured.contains($0.key) }
        let explained = try await reader.read { index in
            try services.explain(key, index, most: 20) { previews?[$0] }
        }
        return (key, explained, await figures.sizes?.madeAt)
    }
}
