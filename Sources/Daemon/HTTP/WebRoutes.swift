import CacheModel
import CacheServices
import Hummingbird
import Reporting

/// A path of the server: what answers it, and what the API tells of it.
struct WebRoute: Sendable {
    /// How a path is known.
    enum Place: Sendable {
        case exact(String)
        /// All that begins so and has something behind.
        case below(String)
    }

    let place: Place
    /// What the API tells of it; nil for a page.
    var operation: APIDocument.Operation?
    let respond: @Sendable (WebResponder, Request) async throws -> WebResponse

    init(
        _ place: Place, _ operation: APIDocument.Operation? = nil,
        _ respond: @escaping @Sendable (WebResponder, Request) async throws -> WebResponse
    ) {
        self.place = place
        self.operation = operation
        self.respond = respond
    }

    func answers(_ path: String) -> Bool {
        switch place {
        case .exact(let known): path == known
        case .below(let prefix): path.hasPrefix(prefix) && path.utf8.count > prefix.utf8.count
        }
    }
}

extension WebRoute {
    /// Every path that is answered: the pages, what machines ask, and the API.
    static let all: [WebRoute] = pages + forMachines + api

    private static let pages: [WebRoute] = [
        WebRoute(.exact("/")) { try await $0.dashboard($1) },
        WebRoute(.exact("/plan")) { try await $0.planPage($1) },
        WebRoute(.exact("/entries")) { try await $0.entriesPage($1) },
        WebRoute(.below("/entries/")) { try await $0.entryPage($1) },
        WebRoute(.exact("/runs")) { try await $0.runsPage($1) },
        WebRoute(.below("/runs/")) { try await $0.runPage($1) },
        WebRoute(.exact("/report")) { responder, _ in .report(try await responder.sizes().html) },
        WebRoute(.exact("/schedule")) { try await $0.schedulePage($1) },
        WebRoute(.exact("/live.js")) { _, _ in .asset(Dashboard.script, "text/javascript; charset=utf-8") },
        WebRoute(.exact("/style.css")) { _, _ in .asset(Dashboard.style, "text/css; charset=utf-8") },
        WebRoute(.exact("/icon.svg")) { _, _ in .asset(Dashboard.icon, "image/svg+xml") },
        // Asked for by browsers whatever a page says.
        WebRoute(.exact("/favicon.ico")) { _, _ in .asset(Dashboard.icon, "image/svg+xml") },
    ]

    private static let forMachines: [WebRoute] = [
        WebRoute(
            .exact("/healthz"), .init("/healthz", "Whether the daemon runs.", type: "text/plain")
        ) { _, _ in .text("ok\n") },
        WebRoute(
            .exact("/readyz"),
            .init(
                "/readyz", "Whether its figures can be trusted; 503 with what it waits for.",
                type: "text/plain")
        ) { await $0.readiness($1) },
        WebRoute(
            .exact("/metrics"), .init("/metrics", "The figures for Prometheus.", type: "text/plain")
        ) { try await $0.metrics($1) },
    ]

    private static let api: [WebRoute] = [
        WebRoute(
            .exact("/api/v1"), .init("/api/v1", "What the API offers.", schema: "larder.api/1")
        ) { _, _ in .json(try document.index()) },
        WebRoute(
            .exact("/api/v1/openapi.json"),
            .init("/api/v1/openapi.json", "The API as an OpenAPI 3.1 document.")
        ) { _, _ in .json(try document.openAPI()) },
        WebRoute(
            .exact("/api/v1/status"),
            .init("/api/v1/status", "How the volumes stand now.", schema: "larder.status/1")
        ) { responder, _ in .json(try await responder.figures.current().status.json()) },
        WebRoute(
            .exact("/api/v1/report"),
            .init("/api/v1/report", "The capacity report.", schema: "larder.report/1")
        ) { responder, _ in .json(try await responder.sizes().json) },
        WebRoute(
            .exact("/api/v1/plan"),
            .init(
                "/api/v1/plan", "What a prune would evict now, in order, and why.",
                parameters: [
                    .init("volume", .text(longest: 200), "Only this volume."),
                    .init(
                        "to", .size,
                        "Down to this size instead of the low watermark; needs a volume."),
                ], schema: "larder.plan/1")
        ) { try await $0.planDocument($1) },
        WebRoute(
            .exact("/api/v1/entries"),
            .init(
                "/api/v1/entries", "The entries, page by page.",
                parameters: [
                    .init("q", .text(longest: 200), "Only entries whose key or image name holds this text."),
                    .init("volume", .text(longest: 200), "Only this volume."),
                    .init("pool", .word(Pool.allCases.map(\.rawValue)), "Only this pool."),
                    .init(
                        "filter", .texts,
                        "Only entries that meet this condition, as for larder list --filter."),
                    .init("sort", .word(EntryOrder.allCases.map(\.rawValue)), "The order."),
                    .init("limit", .number(1...1000), "At most so many."),
                    .init(
                        "cursor", .text(longest: WebCursor.longest),
                        "next_cursor of the page before, with the same sort."),
                    .init(
                        "before", .text(longest: WebCursor.longest),
                        "previous_cursor of the page behind, with the same sort."),
                ], schema: "larder.list/1")
        ) { try await $0.entriesList($1) },
        WebRoute(
            .below("/api/v1/entries/"),
            .init(
                "/api/v1/entries/{key}", "Everything known of the entries of that name.",
                parameters: [
                    .init(
                        "key", .text(longest: WebCursor.longestKey),
                        "A key, a path, a name of an image or a pattern.",
                        isInPath: true)
                ], schema: "larder.explain/1")
        ) { try await $0.entryDocument($1) },
        WebRoute(
            .exact("/api/v1/runs"),
            .init(
                "/api/v1/runs", "The runs, the newest first.",
                parameters: [
                    .init("limit", .number(1...200), "At most so many."),
                    .init(
                        "cursor", .text(longest: WebCursor.longestOfRuns),
                        "next_cursor of the page before."),
                    .init(
                        "before", .text(longest: WebCursor.longestOfRuns),
                        "previous_cursor of the page behind."),
                ], schema: "larder.runs/1")
        ) { try await $0.runsList($1) },
        WebRoute(
            .below("/api/v1/runs/"),
            .init(
                "/api/v1/runs/{run}", "One run with every entry that it evicted or refused.",
                parameters: [.init("run", .text(longest: 200), "The run's ID.", isInPath: true)],
                schema: "larder.run/1")
        ) { try await $0.runDocument($1) },
    ]

    /// What the API tells of itself.
    static let document = APIDocument(
        (forMachines + api).compactMap(\.operation) + [
            .init(
                "/api/v1/runs", method: "post", "Begin a run now; only where a token file is configured.",
                schema: "larder.run-request/1", status: 202)
        ], version: LarderVersion.current)
}
