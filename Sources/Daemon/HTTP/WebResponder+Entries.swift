import CacheIndex
import CacheModel
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
        let (now, idleFloor) = (clock(), await control.idleFloor())
        let policies = Dictionary(
            await control.volumes().map {
                (
                    $0.name,
                    EvictionPolicy(idleFloor: idleFloor, keep: $0.keep, poolQuotas: $0.poolQuotas)
                )
            }, uniquingKeysWith: { $1 })
        let page = try await reader.read { try $0.entryPage(question) }
        let rows = page.entries.map { volume, entry in
            ListReport.Row(
                volume: volume, entry: entry, protected: policies[volume]?.protection(of: entry, now: now))
        }
        return (page, rows, order)
    }

    private func explain(
        _ request: Request, below prefix: String
    ) async throws -> (key: String, [ExplainReport], asOf: Timestamp?) {
        let path = request.uri.path.dropFirst(prefix.count)
        guard let key = String(path).removingPercentEncoding, !key.isEmpty, key.utf8.count <= 1024,
            !key.utf8.contains(0)
        else { throw WebError.notFound }
        let configured = Set(await control.volumes().map(\.name))
        let foretold = await figures.sizes?.foretold.filter { configured.contains($0.key) }
        let explained = try await reader.read { index in
            let ghosts = try index.ghosts(matching: key)
            var reports = try index.entries(matching: key).prefix(20).map { volume, entry in
                ExplainReport(
                    key: entry.key, volume: volume, entry: entry,
                    verdict: foretold?[volume]?.verdict(on: entry),
                    evictions: Int64(foretold?[volume]?.evictions.count ?? 0),
                    accesses: try index.accesses(of: entry.id, limit: 20).map { .init($0) },
                    ghost: ghosts.first { $0.id == entry.id }.map { .init($0) })
            }
            if reports.isEmpty, let ghost = ghosts.first {
                reports = [
                    ExplainReport(
                        key: ghost.key, volume: ghost.volume, entry: nil, verdict: nil,
                        accesses: try index.accesses(of: ghost.id, limit: 20).map { .init($0) },
                        ghost: .init(ghost))
                ]
            }
            return reports
        }
        return (key, explained, await figures.sizes?.madeAt)
    }
}

extension ExplainReport.Access {
    /// An access as the index keeps it.
    package init(_ access: AccessRecord) {
        self.init(
            at: access.at, kind: access.kind == .hit ? .hit : .miss, evidence: access.evidence,
            bytes: access.bytes, regret: access.regret, jobs: access.jobs)
    }
}

extension ExplainReport.Ghost {
    /// A ghost as the index keeps it.
    package init(_ ghost: GhostRecord) {
        var run: String?
        var isQuarantined = false
        switch ghost.reason {
        case .evicted(let id): run = id
        case .quarantined(let id): (run, isQuarantined) = (id, true)
        case .vanished: break
        }
        self.init(
            goneAt: ghost.goneAt, run: run, isQuarantined: isQuarantined, bytes: ghost.bytes,
            lastUsed: ghost.lastUsed)
    }
}
