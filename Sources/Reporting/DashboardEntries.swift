import CacheModel

/// The dashboard's page of entries that match a search.
package struct EntriesPage: Sendable {
    /// The entries of this page, their order, and how many there are on all pages.
    package var report: ListReport
    /// What was searched for, as given.
    package var text: String
    /// The pool asked for; nil for all.
    package var pool: Pool?
    /// The volume asked for; empty for all.
    package var volume: String
    /// The conditions asked for, as given.
    package var filters: [String]
    /// Whether it begins with the first entry.
    package var isFirst: Bool
    /// What matches the text and is there no more, the last that went first.
    package var gone: [ExplainReport] = []
    /// The volumes there are.
    package var volumes: [String]

    /// Makes a page from all it consists of.
    package init(
        _ report: ListReport, text: String, pool: Pool?, volume: String = "", filters: [String] = [],
        isFirst: Bool = true, volumes: [String] = []
    ) {
        self.report = report
        self.text = text
        self.pool = pool
        self.volume = volume
        self.filters = filters
        self.isFirst = isFirst
        self.volumes = volumes
    }

    /// The page; it does not load itself anew, as that would take a search away from its reader.
    package func html(now: Timestamp) -> String {
        var page = Dashboard.head(title: "Entries – Larder", current: "/entries")
        page += "<main>\n<h2>Entries</h2>\n" + form
        page += "<p>\(Figures.entries(report.totalEntries)), \(report.totalBytes).</p>\n"
        if report.rows.isEmpty {
            page += "<p>No entry that is there now meets all of these conditions.</p>\n"
        } else {
            let size = report.order == .frees ? "frees" : "size"
            page += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Entries\"><table>"
            page += "<caption class=\"hidden\">Entries</caption><thead><tr><th scope=\"col\">entry</th>"
            page += "<th scope=\"col\" class=\"n\">\(size)</th><th scope=\"col\" class=\"n\">last used</th>"
            page += "<th scope=\"col\" class=\"wide\">evidence</th>"
            if volumes.count > 1 { page += "<th scope=\"col\">volume</th>" }
            page += "<th scope=\"col\">pool</th></tr></thead><tbody>\n"
            for row in report.rows { page += line(row, now: now) }
            page += "</tbody></table></div>\n"
        }
        var links: [String] = []
        if !isFirst { links.append("<a href=\"/entries?\(query())\">First entries</a>") }
        if let previous = report.previous {
            links.append("<a rel=\"prev\" href=\"/entries?\(query(before: previous))\">Previous entries</a>")
        }
        if let cursor = report.cursor {
            links.append("<a rel=\"next\" href=\"/entries?\(query(cursor))\">Next entries</a>")
        }
        if !links.isEmpty { page += "<p>\(links.joined(separator: " · "))</p>\n" }
        if report.rows.contains(where: { $0.protected != nil }) {
            page += "<p class=\"soft\">* kept whatever the quota says; the entry's page says why.</p>\n"
        }
        return page + departures(now: now) + "</main>\n</body>\n</html>\n"
    }

    /// What was there and went: a build that fetched it again this morning was served by it yesterday.
    private func departures(now: Timestamp) -> String {
        guard !gone.isEmpty else { return "" }
        var text = "<section aria-labelledby=\"gone\"><h3 id=\"gone\">Gone</h3>\n<ul class=\"keys\">\n"
        for report in gone {
            guard let ghost = report.ghost else { continue }
            let place = volumes.count > 1 ? " from \(HTMLText.escaped(report.volume))" : ""
            text +=
                "<li>\(Dashboard.link(report.key)): \(ghost.reason)\(place) \(Figures.ago(ghost.goneAt, now: now))"
            if let run = ghost.run {
                text += " by <a href=\"/runs/\(Dashboard.pathEncoded(run))\">\(HTMLText.escaped(run))</a>"
            }
            if let command = report.restoreCommand {
                text += "; it is in the trash: <code>\(HTMLText.escaped(command))</code>"
            } else if let purge = ghost.purge {
                text += "; it was \(HTMLText.escaped(purge.text))"
            }
            text += "</li>\n"
        }
        return text + "</ul></section>\n"
    }

    private func query(_ cursor: String = "", before: String = "") -> String {
        let parts =
            [
                ("q", text), ("volume", volume), ("pool", pool?.rawValue ?? ""),
                ("sort", report.order.rawValue),
            ] + filters.map { ("filter", $0) } + [("cursor", cursor), ("before", before)]
        return parts.filter { !$0.1.isEmpty }.map { "\($0.0)=\(Dashboard.pathEncoded($0.1))" }
            .joined(separator: "&amp;")
    }

    private func line(_ row: ListReport.Row, now: Timestamp) -> String {
        let entry = row.entry
        let mark = row.protected.map { " <abbr title=\"\(HTMLText.escaped($0.text))\">*</abbr>" } ?? ""
        let size = report.order == .frees ? entry.removalFrees : entry.bytes
        return "<tr><td>\(Dashboard.link(entry.key))\(mark)</td><td class=\"n\">\(size)</td>"
            + "<td class=\"n\">\(entry.useInWords(now: now))</td><td class=\"wide\">\(entry.evidence.short)</td>"
            + (volumes.count > 1 ? "<td class=\"pool\">\(HTMLText.escaped(row.volume))</td>" : "")
            + "<td class=\"pool\">\(entry.pool.rawValue)</td></tr>\n"
    }

    private var form: String {
        func options(_ name: String, _ label: String, _ values: [(String, String)], chosen: String) -> String
        {
            "<label>\(label) <select name=\"\(name)\">"
                + values.map {
                    "<option value=\"\(HTMLText.escaped($0.0))\"\($0.0 == chosen ? " selected" : "")>\(HTMLText.escaped($0.1))</option>"
                }.joined() + "</select></label>\n"
        }
        var form = "<form class=\"filter\" action=\"/entries\" method=\"get\">\n"
        form +=
            "<label>Text <input type=\"search\" name=\"q\" maxlength=\"200\" value=\"\(HTMLText.escaped(text))\"></label>\n"
        if volumes.count > 1 {
            form += options(
                "volume", "Volume", [("", "all")] + volumes.map { ($0, $0) }, chosen: volume)
        }
        let shown = report.rows.map(\.entry.pool) + (pool.map { [$0] } ?? [])
        let pools = Pool.allCases + Set(shown.filter(\.isOwn)).sorted()
        form += options(
            "pool", "Pool", [("", "all")] + pools.map { ($0.rawValue, $0.rawValue) },
            chosen: pool?.rawValue ?? "")
        let usual = [
            ("", "all"), ("unprotected", "may go"), ("protected", "kept"), ("never-used", "never used"),
            ("age>7d", "unused for 7 days"), ("age>30d", "unused for 30 days"),
            ("size>100Mi", "over 100 MiB"),
        ]
        for (place, filter) in (filters.isEmpty ? [""] : filters).enumerated() {
            let isUsual = usual.contains { $0.0 == filter }
            form += options(
                "filter", place == 0 ? "Only" : "and", usual + (isUsual ? [] : [(filter, filter)]),
                chosen: filter)
        }
        form += options(
            "sort", "Sort",
            [
                ("used", "least recently used"), ("bytes", "largest"), ("frees", "frees most"),
                ("key", "by key"),
            ], chosen: report.order.rawValue)
        return form + "<button>Show</button>\n</form>\n"
    }
}

extension Dashboard {
    /// The page of what is known of the entries that somebody named; without any for an unknown name.
    ///
    /// - Parameters:
    ///   - asOf: when the decision was made that the page tells; nil while none was.
    ///   - commandOptions: what commands need in a terminal.
    package static func page(
        on explanation: Explanation, asOf: Timestamp?, commandOptions: String = "", now: Timestamp
    ) -> String {
        let name = explanation.name
        var page = head(title: "\(name) – Larder", current: "/entries/…")
        page += "<main>\n"
        switch explanation.reports.count {
        case 0 where !explanation.unmanaged.isEmpty:
            page += "<h2>Unmanaged: \(HTMLText.escaped(name))</h2>\n"
            for unmanaged in explanation.unmanaged {
                page += "<p>\(HTMLText.escaped(unmanaged.sentence))</p>\n"
            }
        case 0 where !explanation.below.isEmpty:
            page += "<h2>Directory: \(HTMLText.escaped(name))</h2>\n"
        case 0:
            page +=
                "<h2>\(HTMLText.escaped(name))</h2>\n<p>No entry has this name. A scan finds what is new.</p>\n"
        case 1: break
        case let count:
            page +=
                "<h2>\(HTMLText.escaped(name))</h2>\n<p>\(Figures.entries(Int64(count))) may be meant.</p>\n"
        }
        for below in explanation.below {
            page += "<p>\(HTMLText.escaped(below.sentence))</p>\n<ul class=\"keys\">"
            page += below.largest.map { "<li>\(link($0.key)): \($0.bytes)</li>" }.joined(separator: "\n")
            page += below.unmanaged.map { "<li>\(HTMLText.escaped($0.inWords)), of no pool</li>" }.joined()
            let more = below.entries - Int64(below.largest.count)
            page += (more > 0 ? "<li>… and \(Figures.grouped(more)) more entries</li>" : "") + "</ul>\n"
        }
        for (place, report) in explanation.reports.enumerated() {
            page += EntrySection(report: report, number: place, commandOptions: commandOptions).html(now: now)
        }
        if explanation.hasMore {
            page += "<p><a href=\"/entries?q=\(pathEncoded(name))\">There are more</a></p>\n"
        }
        if let asOf {
            page += "<p class=\"soft\">The next prune is predicted from the index as it was at \(asOf).</p>\n"
        }
        return page + "<p><a href=\"/entries\">All entries</a></p>\n</main>\n</body>\n</html>\n"
    }

    /// A page that says what went wrong in one line.
    package static func page(error title: String, _ hint: String) -> String {
        let title = title.prefix(1).uppercased() + title.dropFirst()
        return head(title: "\(title) – Larder", current: "")
            + "<main>\n<h2>\(HTMLText.escaped(title))</h2>\n<p>\(HTMLText.escaped(hint))</p>\n"
            + "<p><a href=\"/\">To the dashboard</a></p>\n</main>\n</body>\n</html>\n"
    }

    /// The style of all pages.
    package static var style: String {
        HTMLText.style + """

            body{padding-top:0}
            .bar{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;align-items:center;padding:.9rem 0;
            border-bottom:2px solid var(--line)}
            .bar h1{font-size:1.25rem;margin:0}.bar form{margin-left:auto;display:flex;gap:.5rem;min-width:0}
            nav a{display:inline-block;padding:.25rem .5rem;border-radius:.35rem}
            nav a[aria-current]{background:var(--fill);color:var(--ink)}
            a{color:var(--main)}input,select,button{font:inherit;color:var(--ink);background:var(--page);
            border:1px solid var(--soft);border-radius:.35rem;padding:.3rem .5rem;min-width:0;max-width:100%}
            input[type=search]{width:15rem}button{background:var(--card);cursor:pointer}
            .filter{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end}
            .filter label{display:grid;gap:.15rem;color:var(--soft);font-size:.9rem;min-width:0}
            main>section>h2,main>h2{border:0;margin:1.75rem 0 .5rem;padding:0;overflow-wrap:anywhere}
            .notices{list-style:none;padding:0;margin:.5rem 0;display:grid;gap:.5rem}
            .notices li{background:var(--card);border-left:.35rem solid var(--warn);padding:.5rem .8rem;
            border-radius:.25rem;overflow-wrap:anywhere}.notices .bad{border-color:var(--bad)}
            .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:1rem}
            .card,.runs>li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;
            min-width:0;overflow-wrap:anywhere}
            .card h3,.runs h3{margin:0 0 .25rem}.card h3 span{font-weight:400;font-size:.9rem}
            .card dl{grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.5rem;margin:.5rem 0}
            .card dl div{border:0;padding:0;background:none}.card dd{font-size:1.05rem}
            .runs{list-style:none;padding:0;margin:.5rem 0;display:grid;gap:.6rem}.runs p{margin:.2rem 0}
            .entry{margin:1rem 0}.entry h2{margin:.2rem 0 .5rem;border:0;padding:0;overflow-wrap:anywhere}
            .keys{margin:.3rem 0;padding-left:1.1rem}
            .over{color:var(--bad);fill:var(--bad)}.within{color:var(--good);fill:var(--main)}
            .quota{margin:.4rem 0;max-width:34rem}main .plots{grid-template-columns:repeat(auto-fill,
            minmax(min(100%,20rem),1fr))}.quota .track{fill:var(--fill)}.quota .mark{stroke:var(--ink);stroke-width:2}
            .quota .tick{font-size:11px}
            code{background:var(--fill);color:var(--ink);padding:.1rem .3rem;border-radius:.25rem;overflow-wrap:anywhere}
            pre{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:1rem;
            font:.92rem/1.45 ui-monospace,"Liberation Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
            :root{--bad:#b3261e}@media (prefers-color-scheme:dark){:root{--bad:#ff8a80}}
            @media (max-width:30rem){body{padding:0 .8rem 2rem}.bar form{margin:0;width:100%}
            .bar input{flex:1;width:auto}td:last-child{min-width:0}.wide{display:none}}.pool,.wide{white-space:nowrap}

            """
    }

    /// The icon of all pages: a jar on a shelf.
    package static let icon = """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#0b62b0"/>
        <rect x="5" y="2" width="6" height="2" fill="#fff"/><rect x="4" y="4" width="8" height="8" rx="1.5" fill="#fff"/>
        <rect x="5" y="8" width="6" height="3" fill="#0b62b0"/><rect x="2" y="13" width="12" height="1.3" fill="#fff"/></svg>

        """
}
