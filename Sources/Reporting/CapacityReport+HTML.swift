import CacheModel

extension CapacityReport {
    /// The report as one HTML file that needs no network and no script.
    package func html() -> String {
        let policy = "default-src 'none'; style-src 'unsafe-inline'"
        let day = generatedAt.description.prefix(10)
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Capacity report of \(day)</title>
            <style>
            \(HTMLText.style)
            </style>
            </head>
            <body>
            <header>
            <h1>How large the caches should be</h1>
            <p class="soft">Made by Larder on \(generatedAt), from the accesses of \(windowDays) days.</p>

            """
        let sections = volumes.map { (volume: $0, html: section($0)) }
        page += contents(sections)
        for sentence in diskSentences { page += "<p>\(HTMLText.escaped(sentence))</p>\n" }
        page += "</header>\n<main>\n"
        page += sections.map(\.html).joined()
        if let images {
            page += "<section id=\"vfs\">\n<h2>The price of vfs</h2>\n"
            for sentence in images.sentences { page += "<p>\(HTMLText.escaped(sentence))</p>\n" }
            page += "</section>\n"
        }
        page += orphans.map { $0.html(now: generatedAt) }.joined()
        return page + "</main>\n</body>\n</html>\n"
    }

    /// Links to what is on the page.
    private func contents(_ sections: [(volume: Volume, html: String)]) -> String {
        var links: [String] = []
        let parts = [
            ("sizes", "sizes"), ("pools", "pools"), ("projects", "projects"), ("days", "what happened"),
            ("space", "space"),
            ("entries", "entries"), ("images", "images"), ("savings", "hardly needed"),
        ]
        for (volume, section) in sections {
            let id = HTMLText.escaped(volume.name)
            links.append("<a href=\"#\(id)\">\(HTMLText.escaped(volume.title))</a>")
            for (part, title) in parts where section.contains(" id=\"\(id)-\(part)\"") {
                links.append(
                    "<a href=\"#\(id)-\(part)\" aria-label=\"\(HTMLText.escaped(volume.title)): \(title)\">\(title)</a>"
                )
            }
        }
        if images != nil { links.append("<a href=\"#vfs\">The price of vfs</a>") }
        return "<nav aria-label=\"Contents\">\(links.joined(separator: "\n"))</nav>\n"
    }

    private func section(_ volume: Volume) -> String {
        let tables = tables(of: volume)
        var shown: Set<String> = []
        func table(_ name: String, folded: Bool) -> String {
            guard let table = tables.first(where: { $0.name == name }), !table.rows.isEmpty else { return "" }
            let isFirst = shown.insert(name).inserted
            return HTMLText.table(table, folded: folded, id: volume.name, isNamed: isFirst) + "\n"
        }
        func drawing(_ figure: Figure) -> String {
            "<figure><figcaption>\(figure.title)<span>\(HTMLText.escaped(figure.note))</span></figcaption>\n"
                + figure.svg + "\n" + figure.legend + table(figure.table, folded: true) + "</figure>\n"
        }
        func paragraphs(_ sentences: [String?]) -> String {
            sentences.compactMap { $0 }.map { "<p>\(HTMLText.escaped($0))</p>\n" }.joined()
        }
        let id = HTMLText.escaped(volume.name)
        let kind = volume.sizing.recommendation == nil ? "outcome missing" : "outcome"
        let outcome = volume.sizing.recommendation.map(volume.promise) ?? volume.outcome
        var text =
            "<section id=\"\(id)\">\n<h2>\(HTMLText.escaped(volume.title))</h2>\n<div class=\"first\">\n<div>\n"
        text += partsBar(volume)
        text += "<p class=\"\(kind)\">\(HTMLText.escaped(outcome))</p>\n"
        text +=
            "<dl>"
            + facts(volume).map {
                "<div><dt>\($0.0)</dt><dd>\(HTMLText.escaped($0.1))</dd></div>"
            }.joined() + "</dl>\n</div>\n"
        if let curve = curveFigure(volume) { text += drawing(curve) }
        text += "</div>\n"
        text += paragraphs([
            volume.overSentence, volume.reason, volume.firstDaysSentence, volume.askedSentence(price),
            volume.policySentence, volume.forecast,
        ])
        func fold(_ part: String?, _ title: String, _ gist: String, _ content: String) -> String {
            HTMLText.fold(title, gist, content, id: part.map { "\(id)-\($0)" })
        }
        // What speaks against the figures is said beside them; what only explains them is folded.
        text += paragraphs(volume.doubts)
        let explanations = volume.explanations + [volume.regretSentence(days: windowDays)].compactMap { $0 }
        text += fold(
            nil, "How it was found",
            Figures.count(Int64(explanations.count), "sentence", "sentences")
                + " on calibration, on what jobs use and on what is not known", paragraphs(explanations))
        text += fold("sizes", "Other sizes", volume.sizesGist, table("advice", folded: false))
        text += fold(nil, "Rules of eviction", volume.policiesGist, table("policies", folded: false))
        text += fold("pools", "Pools", volume.poolsGist, table("pools", folded: false))
        text += fold("projects", "Use by project", volume.projectsGist, table("projects", folded: false))
        let figures = figures(volume)
        func drawings(_ names: Set<String>) -> String {
            let some = figures.filter { names.contains($0.table) }
            return some.isEmpty ? "" : "<div class=\"plots\">\n\(some.map(drawing).joined())</div>\n"
        }
        text += fold("days", "What happened", volume.daysGist, drawings(["days", "sizes"]))
        text += fold("space", "Where the space goes", volume.spaceGist, drawings(["ages", "groups"]))
        let entries = table("largest", folded: false) + table("stalest", folded: false)
        text += fold(
            "entries", "Entries", volume.entriesGist,
            entries.isEmpty ? "" : "<div class=\"beside\">\n\(entries)</div>\n")
        text += fold("images", "Images", volume.imagesGist, table("images", folded: false))
        let look = volume.lookSentence.map { "<p class=\"soft\">\(HTMLText.escaped($0))</p>\n" } ?? ""
        text += fold(
            "savings", "What takes space without much need", volume.savingsGist,
            table("savings", folded: false) + look)
        return text + "</section>\n"
    }

    /// What the recommended size consists of, as a bar.
    private func partsBar(_ volume: Volume) -> String {
        let parts = volume.parts
        guard !parts.isEmpty else {
            return "<p class=\"advised\">\(HTMLText.escaped(volume.advised))</p>\n"
        }
        var text =
            "<p class=\"advised\">\(HTMLText.escaped(volume.advised))</p>\n<div class=\"parts\" aria-hidden=\"true\">"
        for (place, part) in parts.enumerated() {
            text +=
                "<span class=\"\(Self.color(place))\" style=\"flex-grow:\(max(1, part.bytes.bytes >> 20))\" "
                + "title=\"\(part.name): \(part.bytes)\"></span>"
        }
        text += "</div>\n<ul class=\"legend\">"
        for (place, part) in parts.enumerated() {
            text += "<li><span class=\"key \(Self.color(place))\"></span>\(part.name) \(part.bytes)</li>"
        }
        return text + "</ul>\n"
    }

    /// There are six colours of parts, and one of ages for a seventh.
    private static func color(_ place: Int) -> String { place < 6 ? "t\(place)" : "a0" }

    /// What the recommended size costs a month, and today's.
    private func cost(_ volume: Volume) -> String? { volume.cost(at: price) }

    private func facts(_ volume: Volume) -> [(String, String)] {
        let hasRate = volume.kind == .imageStore || volume.evidence.confidence != .none
        let advice = volume.sizing.recommendation
        let facts: [(String, String?)] = [
            ("Today's limit", volume.limit.whole), ("Used", "\(volume.usedBytes)"),
            ("Hit rate", hasRate ? Figures.rate(volume.rate.objects) : "unknown"),
            ("At \(advice?.quantity ?? "")", advice.map { Figures.rate($0.rateAdvised) }),
            ("Confidence", volume.confidence.rawValue),
            (
                "Calibration",
                volume.sizing.prunes.ran
                    ? volume.sizing.calibration?.objects.map {
                        "± \(Volume.short((abs($0) * 1000).rounded() / 10)) points"
                    } ?? "unknown" : "no prune yet"
            ),
            ("Regret", "\(volume.regret.missBytes)"),
            ("Cost a month", cost(volume) ?? advice.map { _ in "report.price is not set" }),
        ]
        return facts.compactMap { fact in fact.1.map { (fact.0, $0) } }
    }
}
