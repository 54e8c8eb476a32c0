import CacheModel
import Foundation

/// The pages of the daemon: plain HTML that works without scripts; one of them follows what runs where they do.
///
/// The style is a file of its own (`/style.css`), so that the pages allow no style from within.
package struct Dashboard: Sendable {
    /// How an activity of the daemon stands.
    package struct Activity: Sendable, Hashable {
        /// Its name: `scan`.
        package var name: String
        /// The volume's name; nil for what concerns no single one.
        package var volume: String?
        /// When it began, while it runs.
        package var runningSince: Timestamp?
        /// How far it is, while it runs and tells.
        package var progress: String?
        /// When it last ended without a failure.
        package var lastSuccess: Timestamp?
        /// When it last ended, well or not.
        package var lastEnd: Timestamp?
        /// When its schedule wants it next.
        package var nextDue: Timestamp?

        /// Makes a state from all it consists of.
        package init(
            name: String, volume: String?, runningSince: Timestamp? = nil, progress: String? = nil,
            lastSuccess: Timestamp? = nil, lastEnd: Timestamp? = nil, nextDue: Timestamp? = nil
        ) {
            self.name = name
            self.volume = volume
            self.runningSince = runningSince
            self.progress = progress
            self.lastSuccess = lastSuccess
            self.lastEnd = lastEnd
            self.nextDue = nextDue
        }

        /// Whether it ended with a failure the last time.
        var failed: Bool { lastEnd.map { end in lastSuccess.map { end > $0 } ?? true } ?? false }

        /// `prune of build`.
        var title: String { volume.map { "\(name) of \($0)" } ?? name }
    }

    /// What warming brought on one volume.
    package struct Warm: Sendable, Hashable {
        /// The volume's name.
        package var volume: String
        /// The images, by name.
        package var images: [WarmHistory]

        /// Makes a list for one volume, by name.
        package init(volume: String, images: some Sequence<WarmHistory>) {
            self.volume = volume
            self.images = images.sorted { $0.reference < $1.reference }
        }
    }

    /// How the volumes stand.
    package var status: StatusReport
    /// The capacity report; nil while it is being made.
    package var report: CapacityReport?
    /// The last runs, the newest first.
    package var runs: [RunSummary]
    /// The warm lists.
    package var warm: [Warm]
    /// The activities of the daemon.
    package var activities: [Activity]
    /// What the daemon still waits for, one line each.
    package var waitingFor: [String]
    /// How long evicted entries of a volume can be brought back; what is not in it has no trash.
    package var trashRetention: [String: Span]
    /// Where this Larder runs, and its version, for the foot of the page.
    package var place: MetricsReport.Place
    /// Larder's version.
    package var version: String
    /// When the figures were read.
    package var readAt: Timestamp
    /// The groups of entries that occupy most of each volume; empty while that is being worked out.
    package var largest: [String: [SpaceUse.Share]] = [:]
    /// Whether what the next prune does is still being worked out for what is shown.
    package var isWorkingOut = false
    /// What commands need in a terminal to work on the same volumes, as it is typed; empty where that is nothing.
    package var commandOptions: String = ""

    /// How often the page loads itself again where that was asked for, in seconds.
    package static let refresh = 60

    /// Makes a dashboard from all it consists of.
    package init(
        status: StatusReport, report: CapacityReport? = nil, runs: [RunSummary] = [], warm: [Warm] = [],
        activities: [Activity] = [], waitingFor: [String] = [], trashRetention: [String: Span] = [:],
        place: MetricsReport.Place = .init(), version: String, readAt: Timestamp
    ) {
        self.status = status
        self.report = report
        self.runs = runs
        self.warm = warm
        self.activities = activities
        self.waitingFor = waitingFor
        self.trashRetention = trashRetention
        self.place = place
        self.version = version
        self.readAt = readAt
    }

    /// The parts of the page that only the capacity report decides: drawing them takes most of the time.
    package static func plots(_ report: CapacityReport?) -> String {
        guard let report else {
            return
                "<p class=\"soft\">The curves are being drawn; the page shows them when it reloads.</p>\n"
        }
        return report.volumes.map { volume in
            let chosen = report.figures(volume).filter { ["curve", "days", "sizes"].contains($0.table) }
            // Inflow and rate share a table; the first of each is shown.
            var seen: Set<String> = []
            let shown = chosen.filter { seen.insert($0.table).inserted }
            var text = "<h3>\(HTMLText.escaped(volume.title))</h3>\n"
            text += "<p>\(HTMLText.escaped(volume.outcome))</p>\n"
            if let cost = volume.cost(at: report.price) {
                text += "<p>Cost a month: \(HTMLText.escaped(cost)).</p>\n"
            }
            if let forecast = volume.forecast { text += "<p>\(HTMLText.escaped(forecast))</p>\n" }
            text += "<div class=\"plots\">\n"
            for figure in shown {
                text += "<figure><figcaption>\(figure.title)<span>\(HTMLText.escaped(figure.note))</span>"
                text += "</figcaption>\(figure.svg)</figure>\n"
            }
            return text + "</div>\n"
        }.joined() + "<p><a href=\"/report\">The whole report</a>, with all figures as tables.</p>\n"
    }

    /// The page.
    ///
    /// It loads itself again only where its reader asked for it: what changes by itself takes the place from under
    /// whoever reads slowly (WCAG 2.2, 2.2.4).
    ///
    /// - Parameters:
    ///   - plots: what `plots` drew.
    ///   - refreshes: whether to load again and again.
    package func html(plots: String, refreshes: Bool = false, now: Timestamp) -> String {
        var page = Self.head(
            title: "Larder", refresh: refreshes ? Self.refresh : nil, isLive: true, current: "/")
        page += "<main>\n" + attention(now: now) + volumes(now: now)
        page +=
            "<section aria-labelledby=\"sizes\"><h2 id=\"sizes\">Hit rates and sizes</h2>\n\(plots)</section>\n"
        page += schedule(now: now) + runList(now: now) + warmList()
        page +=
            refreshes
            ? "<p class=\"soft\">Loads itself again every \(Self.refresh) seconds. <a href=\"/\">Stop that</a></p>\n"
            : "<p class=\"soft\"><a href=\"/?refresh=\(Self.refresh)\">Load again every \(Self.refresh) seconds</a></p>\n"
        return page + "</main>\n" + foot(now: now)
    }

    /// The capacity report, which is a file by itself, as one of the daemon's pages: with links to the others.
    package static func amongPages(_ report: String) -> String {
        guard let header = report.range(of: "<header>\n") else { return report }
        return report.replacingCharacters(in: header, with: "<header>\n\(pageLinks(current: "/report"))\n")
    }

    /// The links to all pages.
    private static func pageLinks(current: String) -> String {
        let pages = [
            ("/", "Now"), ("/plan", "Next prune"), ("/entries", "Entries"), ("/runs", "Runs"),
            ("/report", "Report"),
        ]
        let links = pages.map { path, name in
            "<a href=\"\(path)\"\(path == current ? " aria-current=\"page\"" : "")>\(name)</a>"
        }
        return "<nav aria-label=\"Pages\">\(links.joined(separator: " "))</nav>"
    }

    /// The beginning of a page.
    ///
    /// - Parameters:
    ///   - refresh: after how many seconds it loads itself again; nil for never.
    ///   - isLive: whether its schedule follows what runs, where scripts run.
    ///   - current: the page's path.
    static func head(
        title: String, refresh: Int? = nil, isLive: Bool = false, current: String
    ) -> String {
        let again = refresh.map { "<meta http-equiv=\"refresh\" content=\"\($0)\">\n" } ?? ""
        let script = isLive ? "<script src=\"/live.js\" defer></script>\n" : ""
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            \(again)<meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(HTMLText.escaped(title))</title>
            <link rel="stylesheet" href="/style.css">
            <link rel="icon" href="/icon.svg" type="image/svg+xml">
            \(script)\
            </head>
            <body>
            <header class="bar">
            <h1>Larder</h1>
            \(pageLinks(current: current))
            <form action="/entries" method="get" role="search">
            <label class="hidden" for="search">Search entries</label>
            <input id="search" type="search" name="q" maxlength="200" placeholder="group:artifact or image">
            <button>Search</button>
            </form>
            </header>

            """
    }

    func foot(now: Timestamp) -> String {
        let places = [("cluster", place.cluster), ("node", place.node)].filter { !$0.1.isEmpty }
            .map { " · \($0.0) \(HTMLText.escaped($0.1))" }.joined()
        let hint =
            commandOptions.isEmpty
            ? ""
            : "<p class=\"soft\">In a terminal, commands need <code>\(HTMLText.escaped(commandOptions))</code> to work "
                + "on what these pages show.</p>"
        return "<footer><p class=\"soft\">Larder \(HTMLText.escaped(version))\(places) · index read "
            + "<time datetime=\"\(readAt)\">\(readAt)</time>, page made \(now)</p>\(hint)</footer>\n</body>\n</html>\n"
    }
}
